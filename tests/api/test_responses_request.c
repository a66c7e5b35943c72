/* Bodies of POST /v1/responses: what is read of them, what is refused, what the log keeps. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/responses_request.h"
#include "base/json.h"
#include "base/mem.h"

static struct responses_request asked;
static struct chat_request chat;
static struct api_fault fault;

static bool read_body(const char *body)
{
	responses_request_init(&asked);
	chat_request_init(&chat);
	memset(&fault, 0, sizeof(fault));
	return responses_request_read((struct slice){ body, strlen(body) }, &asked, &chat, &fault);
}

static void forget(void)
{
	responses_request_release(&asked);
	chat_request_release(&chat);
}

#define USER "{\"role\":\"user\",\"content\":\"Hi\"}"
#define CHAT_USER "{\"role\":\"user\",\"content\":\"Hi\"}"

static const struct {
	const char *body;
	const char *messages;
	const char *foreign;
} item_rows[] = {
	{ "{\"model\":\"m\",\"input\":\"Hi\"}", "[" CHAT_USER "]", "" },
	{ "{\"model\":\"m\",\"input\":\"Hi\",\"instructions\":\"Be brief.\"}",
	  "[{\"role\":\"system\",\"content\":\"Be brief.\"}," CHAT_USER "]", "" },
	{ "{\"model\":\"m\",\"input\":[" USER
	  "],\"text\":{},\"tools\":[],\"reasoning\":null}",
	  "[" CHAT_USER "]", "" },
	{ "{\"model\":\"m\",\"input\":[{\"type\":\"message\",\"role\":\"user\",\"content\":"
	  "[{\"type\":\"input_text\",\"text\":\"A\"},{\"type\":\"input_text\",\"text\":"
	  "\"B\"}]}]}",
	  "[{\"role\":\"user\",\"content\":\"A\\nB\"}]", "" },
	{ "{\"model\":\"m\",\"input\":[{\"role\":\"developer\",\"content\":\"D\"},{\"type"
	"\":"
	  "\"reasoning\",\"summary\":[]},{\"role\":\"assistant\",\"content\":[{\"type\":"
	  "\"output_text\",\"text\":\"A\",\"annotations\":[]},{\"type\":\"refusal\",\"ref"
	  "usal\":"
	  "\"No\"}]}," USER "]}",
	  "[{\"role\":\"system\",\"content\":\"D\"},{\"role\":\"assistant\",\"content\":"
	  "\"A\\nNo\"}"
	  "," CHAT_USER "]",
	  "" },
	{ "{\"model\":\"m\",\"input\":[" USER ",{\"role\":\"user\",\"content\":[{\"type\":"
	  "\"input_text\",\"text\":\"A\"},{\"type\":\"input_image\",\"image_url\":\"x\"}]"
	  "}]}",
	  "[" CHAT_USER ",{\"role\":\"user\",\"content\":\"A\"}]", "input[1].content[1]" },
	{ "{\"model\":\"m\",\"input\":[{\"type\":\"item_reference\",\"id\":\"msg_1\"}," USER
	  "]}",
	  "[" CHAT_USER "]", "input[0]" },
	{ "{\"model\":\"m\",\"input\":\"Hi\",\"tools\":[{\"type\":\"function\"}]}",
	  "[" CHAT_USER "]", "tools" },
	{ "{\"model\":\"m\",\"input\":\"Hi\",\"text\":{\"format\":{\"type\":\"json_object"
	"\"}}}",
	  "[" CHAT_USER "]", "text.format" },
	{ "{\"model\":\"m\",\"input\":\"Hi\",\"text\":{\"format\":{\"type\":\"text\"}}}",
	  "[" CHAT_USER "]", "" },
	{ "{\"model\":\"m\",\"input\":\"Hi\",\"top_logprobs\":2}", "[" CHAT_USER "]",
	  "top_logprobs" },
	{ "{\"model\":\"m\",\"prompt\":{\"id\":\"p\"}}", "[]", "prompt" },
};

static void items_become_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(item_rows); i++) {
		char *messages;

		if (!read_body(item_rows[i].body))
			fail_msg("%s: %s", item_rows[i].body, fault.message);
		messages = json_dumps(chat.messages, JSON_COMPACT);
		assert_string_equal(messages, item_rows[i].messages);
		assert_string_equal(asked.foreign, item_rows[i].foreign);
		assert_int_equal(chat.has_tools || chat.has_images || chat.has_logprobs ||
					 chat.has_response_format,
				 item_rows[i].foreign[0] != '\0');
		mem_free(messages);
		forget();
	}
}

static void what_cannot_be_is_refused_by_name(void **state)
{
	static const struct {
		const char *body;
		enum api_error error;
		const char *param;
	} rows[] = {
		{ "[]", API_ERROR_INVALID_JSON, "" },
		{ "{\"input\":\"Hi\"}", API_ERROR_MISSING_FIELD, "model" },
		{ "{\"model\":\"m\"}", API_ERROR_MISSING_FIELD, "input" },
		{ "{\"model\":\"m\",\"input\":null}", API_ERROR_MISSING_FIELD, "input" },
		{ "{\"model\":\"m\",\"input\":1}", API_ERROR_INVALID_VALUE, "input" },
		{ "{\"model\":\"m\",\"input\":[]}", API_ERROR_INVALID_VALUE, "input" },
		{ "{\"model\":\"m\",\"input\":[1]}", API_ERROR_INVALID_VALUE, "input[0]" },
		{ "{\"model\":\"m\",\"input\":[" USER ",{\"role\":\"tool\",\"content\":\"x\"}]}",
		  API_ERROR_INVALID_VALUE, "input[1]" },
		{ "{\"model\":\"m\",\"input\":[{\"role\":\"user\"}]}", API_ERROR_INVALID_VALUE,
		  "input[0]" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"stream\":1}", API_ERROR_INVALID_VALUE,
		  "stream" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"store\":\"yes\"}", API_ERROR_INVALID_VALUE,
		  "store" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"background\":{}}", API_ERROR_INVALID_VALUE,
		  "background" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"instructions\":[]}", API_ERROR_INVALID_VALUE,
		  "instructions" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"previous_response_id\":7}",
		  API_ERROR_INVALID_VALUE, "previous_response_id" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"longhand\":[]}", API_ERROR_INVALID_VALUE,
		  "longhand" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"input\":\"y\"}", API_ERROR_INVALID_JSON, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (read_body(rows[i].body))
			fail_msg("%s was taken", rows[i].body);
		assert_int_equal(fault.error, rows[i].error);
		assert_string_equal(fault.param, rows[i].param);
		forget();
	}
}

static void flags_and_the_last_turn_are_read(void **state)
{
	(void)state;
	assert_true(read_body("{\"model\":\"m\",\"input\":\"Hi\"}"));
	assert_true(asked.is_stored && !asked.is_background && !chat.is_stream);
	assert_string_equal(buf_str(&chat.last_user), "Hi");
	assert_true(chat.ends_with_user);
	forget();
	assert_true(
		read_body("{\"model\":\"m\",\"stream\":true,\"store\":false,\"background\":true,"
			  "\"instructions\":\"I\",\"previous_response_id\":\"resp_1\",\"input\":["
			  "{\"role\":\"assistant\",\"content\":\"A\"}," USER "]}"));
	assert_true(!asked.is_stored && asked.is_background && chat.is_stream);
	assert_string_equal(buf_str(&asked.previous), "resp_1");
	assert_int_equal(chat.last_user_index, 2);
	forget();
	assert_true(read_body("{\"model\":\"m\",\"input\":[" USER ",{\"role\":\"assistant\","
			      "\"content\":\"A\"}]}"));
	assert_true(!chat.ends_with_user && chat.ends_with_assistant);
	forget();
}

/* ---- the log's part ---- */

static void facts_are_what_was_said(void **state)
{
	json_t *facts;
	char *text;

	(void)state;
	assert_true(
		read_body("{\"model\":\"m\",\"input\":\"Hi\",\"metadata\":{\"k\":\"v\"},\"stream\":"
			  "true,\"max_output_tokens\":16,\"temperature\":0.5,\"tools\":null,"
			  "\"reasoning\":{\"effort\":\"low\"},\"foo\":1}"));
	facts = responses_request_facts(&asked, &fault);
	text = json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"input\":\"Hi\",\"max_output_tokens\":16,\"metadata\":{\"k\":"
				  "\"v\"},\"reasoning\":{\"effort\":\"low\"},\"temperature\":0.5}");
	mem_free(text);
	json_decref(facts);
	forget();
}

static void facts_out_of_range_are_refused_by_name(void **state)
{
	static const struct {
		const char *member;
		const char *param;
	} rows[] = {
		{ "\"max_output_tokens\":15", "max_output_tokens" },
		{ "\"max_output_tokens\":16.5", "max_output_tokens" },
		{ "\"max_tool_calls\":0", "max_tool_calls" },
		{ "\"temperature\":2.1", "temperature" },
		{ "\"temperature\":\"hot\"", "temperature" },
		{ "\"top_p\":-1", "top_p" },
		{ "\"presence_penalty\":3", "presence_penalty" },
		{ "\"metadata\":[]", "metadata" },
		{ "\"metadata\":{\"k\":1}", "metadata" },
		{ "\"metadata\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\","
		  "\"7\":\"\",\"8\":\"\",\"9\":\"\",\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\","
		  "\"e\":\"\",\"f\":\"\",\"g\":\"\",\"h\":\"\"}",
		  "metadata" },
		{ "\"reasoning\":\"high\"", "reasoning" },
		{ "\"truncation\":1", "truncation" },
		{ "\"parallel_tool_calls\":1", "parallel_tool_calls" },
		{ "\"tool_choice\":1", "tool_choice" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char body[1024];

		(void)snprintf(body, sizeof(body), "{\"model\":\"m\",\"input\":\"x\",%s}",
			       rows[i].member);
		assert_true(read_body(body));
		if (responses_request_facts(&asked, &fault) != NULL)
			fail_msg("%s was taken", rows[i].member);
		assert_string_equal(fault.param, rows[i].param);
		assert_int_equal(fault.error, API_ERROR_INVALID_VALUE);
		forget();
	}
}

/* A body with a member of so many bytes. */
static char *long_body(const char *before, size_t bytes)
{
	size_t size = strlen(before) + bytes + 3;
	char *body = mem_alloc(size);

	assert_non_null(body);
	memset(body, 'x', size - 1);
	memcpy(body, before, strlen(before));
	memcpy(body + size - 3, "\"}", 3);
	return body;
}

static void what_the_log_keeps_is_bounded(void **state)
{
	static const struct {
		const char *before;
		size_t bytes;
		const char *param; /* NULL: taken */
	} rows[] = {
		{ "{\"model\":\"m\",\"input\":\"", RESPONSES_FACTS_BYTES_MAX - 100, NULL },
		{ "{\"model\":\"m\",\"input\":\"", RESPONSES_FACTS_BYTES_MAX, "input" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"user\":\"", 4000, NULL },
		{ "{\"model\":\"m\",\"input\":\"x\",\"user\":\"", 5000, "user" },
		{ "{\"model\":\"m\",\"input\":\"x\",\"instructions\":\"", 5000, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *body = long_body(rows[i].before, rows[i].bytes);
		json_t *facts;

		assert_true(read_body(body));
		facts = responses_request_facts(&asked, &fault);
		assert_int_equal(facts != NULL, rows[i].param == NULL);
		if (rows[i].param != NULL)
			assert_string_equal(fault.param, rows[i].param);
		json_decref(facts);
		forget();
		mem_free(body);
	}
}

static void a_lack_of_memory_is_never_taken_for_absence(void **state)
{
	static const char body[] =
		"{\"model\":\"m\",\"input\":[" USER
		"],\"instructions\":\"I\",\"tools\":[1],\"text\":"
		"{\"format\":{\"type\":\"x\"}},\"metadata\":{\"a\":\"b\"},\"longhand\":{\"mode\":"
		"\"auto\"},"
		"\"previous_response_id\":\"resp_1\"}";
	size_t failed = 0;
	bool is_done = false;

	(void)state;
	for (size_t nth = 1; !is_done; nth++) {
		json_t *facts = NULL;
		bool is_read;

		mem_fail_at(nth);
		is_read = read_body(body);
		if (is_read)
			facts = responses_request_facts(&asked, &fault);
		mem_fail_at(0);
		is_done = facts != NULL && json_object_size(facts) == 5;
		if (!is_done) {
			assert_null(facts);
			assert_int_equal(fault.error, API_ERROR_INTERNAL);
			failed++;
		} else {
			assert_true(chat.has_tools && chat.has_response_format);
		}
		json_decref(facts);
		forget();
	}
	assert_true(failed > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_become_messages),
		cmocka_unit_test(what_cannot_be_is_refused_by_name),
		cmocka_unit_test(flags_and_the_last_turn_are_read),
		cmocka_unit_test(facts_are_what_was_said),
		cmocka_unit_test(facts_out_of_range_are_refused_by_name),
		cmocka_unit_test(what_the_log_keeps_is_bounded),
		cmocka_unit_test(a_lack_of_memory_is_never_taken_for_absence),
	};

	mem_init();
	return cmocka_run_group_tests_name("responses_request", tests, NULL, NULL);
}
