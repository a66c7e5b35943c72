/* Chat completions as clients send them: what is read, what is refused and with which words. */
#include "check.h"
#include <string.h>
#include "api/chat_request.h"
#include "base/json.h"
#include "base/mem.h"

#define USER "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void wrong_requests_are_refused_by_name(void **state)
{
	static const struct {
		const char *body;
		enum api_error error;
		const char *param;
		const char *says;
	} rows[] = {
		{ "", API_ERROR_INVALID_JSON, "", "at byte 0" },
		{ "[]", API_ERROR_INVALID_JSON, "", "at byte 0" },
		{ "{\"model\":\"m\",", API_ERROR_INVALID_JSON, "", "at byte 13" },
		{ "{" USER "} x", API_ERROR_INVALID_JSON, "", "byte" },
		{ "{" USER ",\"stream\":true,\"stream\":false}", API_ERROR_INVALID_JSON, "",
		  "byte" },
		{ "{" USER ",\"\\u006dodel\":\"n\"}", API_ERROR_INVALID_JSON, "", "byte" },
		{ "{}", API_ERROR_MISSING_FIELD, "model", "/v1/models" },
		{ "{\"model\":null}", API_ERROR_MISSING_FIELD, "model", "/v1/models" },
		{ "{\"model\":\"\"}", API_ERROR_MISSING_FIELD, "model", "/v1/models" },
		{ "{\"model\":1}", API_ERROR_INVALID_VALUE, "model", "string" },
		{ "{\"model\":\"a\\u0000b\"}", API_ERROR_INVALID_VALUE, "model", "zero byte" },
		{ "{\"model\":\"m\"}", API_ERROR_MISSING_FIELD, "messages", "missing" },
		{ "{\"model\":\"m\",\"messages\":null}", API_ERROR_MISSING_FIELD, "messages",
		  "missing" },
		{ "{\"model\":\"m\",\"messages\":1}", API_ERROR_INVALID_VALUE, "messages", "list" },
		{ "{\"model\":\"m\",\"messages\":[]}", API_ERROR_INVALID_VALUE, "messages",
		  "at least one" },
		{ "{\"model\":\"m\",\"messages\":[1]}", API_ERROR_INVALID_VALUE, "messages",
		  "messages[0]" },
		{ "{\"model\":\"m\",\"messages\":[{\"content\":\"a\"}]}", API_ERROR_INVALID_VALUE,
		  "messages", "messages[0].role" },
		{ "{\"model\":\"m\",\"messages\":[{\"role\":\"system\"},"
		  "{\"role\":\"user\",\"content\":7}]}",
		  API_ERROR_INVALID_VALUE, "messages", "messages[1].content" },
		{ "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\","
		  "\"conten\\u0074\":\"b\"}]}",
		  API_ERROR_INVALID_VALUE, "messages", "messages[0] has role or content twice" },
		{ "{" USER ",\"stream\":\"yes\"}", API_ERROR_INVALID_VALUE, "stream",
		  "true or false" },
		{ "{" USER ",\"longhand\":[]}", API_ERROR_INVALID_VALUE, "longhand", "object" },
		{ "{" USER ",\"longhand\":{\"mode\":\"off\",\"mode\":\"auto\"}}",
		  API_ERROR_INVALID_VALUE, "longhand", "once" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct chat_request chat;
		struct api_fault fault;
		bool is_read;

		chat_request_init(&chat);
		is_read = chat_request_read(slice_of(rows[i].body), &chat, &fault);
		if (is_read || strstr(fault.message, rows[i].says) == NULL)
			print_error("row %zu: %s\n", i, is_read ? "read" : fault.message);
		assert_false(is_read);
		assert_int_equal(fault.error, rows[i].error);
		assert_string_equal(fault.param, rows[i].param);
		assert_non_null(strstr(fault.message, rows[i].says));
		chat_request_release(&chat);
	}
}

enum wish {
	STREAM = 1,
	USAGE = 2,
	TOOLS = 4,
	FORMAT = 8,
	LOGPROBS = 16,
	SEVERAL = 32,
	IMAGES = 64,
};

static int wishes_of(const struct chat_request *chat)
{
	return (chat->is_stream ? STREAM : 0) | (chat->has_usage ? USAGE : 0) |
	       (chat->has_tools ? TOOLS : 0) | (chat->has_response_format ? FORMAT : 0) |
	       (chat->has_logprobs ? LOGPROBS : 0) | (chat->is_n_above_one ? SEVERAL : 0) |
	       (chat->has_images ? IMAGES : 0);
}

static void wishes_are_read_and_null_is_absent(void **state)
{
	static const struct {
		const char *members;
		int wishes;
	} rows[] = {
		{ "", 0 },
		{ ",\"stream\":null,\"stream_options\":null,\"tools\":null,\"functions\":null,"
		  "\"response_format\":null,\"n\":null,\"logprobs\":null,\"modalities\":null,"
		  "\"longhand\":null,\"stop\":null",
		  0 },
		{ ",\"stream\":true", STREAM },
		{ ",\"stream\":true,\"stream_options\":{\"include_usage\":true}", STREAM | USAGE },
		{ ",\"stream\":true,\"stream_options\":{\"include_usage\":null}", STREAM },
		{ ",\"stream_options\":\"odd\"", 0 },
		{ ",\"tools\":[],\"functions\":[]", 0 },
		{ ",\"tools\":[{}]", TOOLS },
		{ ",\"functions\":[{}]", TOOLS },
		{ ",\"response_format\":{\"type\":\"text\"}", 0 },
		{ ",\"response_format\":{\"type\":\"json_object\"}", FORMAT },
		{ ",\"response_format\":{}", FORMAT },
		{ ",\"response_format\":\"json\"", FORMAT },
		{ ",\"n\":1", 0 },
		{ ",\"n\":1.0", 0 },
		{ ",\"n\":2", SEVERAL },
		{ ",\"n\":99999999999999999999", SEVERAL },
		{ ",\"logprobs\":false", 0 },
		{ ",\"logprobs\":true", LOGPROBS },
		{ ",\"logprobs\":3", LOGPROBS },
		{ ",\"modalities\":[\"text\"]", 0 },
		{ ",\"modalities\":[\"text\",\"audio\"]", IMAGES },
		{ ",\"unknown\":[{\"x\":1}],\"user\":\"u\"", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct chat_request chat;
		struct api_fault fault;
		struct buf body;

		buf_init(&body, 4096);
		assert_int_equal(buf_printf(&body, "{" USER "%s}", rows[i].members), OK);
		chat_request_init(&chat);
		if (!chat_request_read((struct slice){ body.data, body.len }, &chat, &fault))
			fail_msg("%s: %s", rows[i].members, fault.message);
		if (wishes_of(&chat) != rows[i].wishes)
			fail_msg("%s: %d", rows[i].members, wishes_of(&chat));
		assert_string_equal(buf_str(&chat.model), "m");
		assert_null(chat.longhand);
		chat_request_release(&chat);
		buf_release(&body);
	}
}

static void our_own_member_is_found_even_when_it_is_null(void **state)
{
	static const char *const bodies[] = { "{" USER ",\"longhand\" : null }",
					      "{" USER ",\"longhand\" : {} }" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct chat_request chat;
		struct api_fault fault;

		chat_request_init(&chat);
		assert_true(chat_request_read(slice_of(bodies[i]), &chat, &fault));
		assert_non_null(chat.longhand_range.data);
		assert_int_equal(chat.longhand_range.len, i == 0 ? 4 : 2);
		chat_request_release(&chat);
	}
}

static void the_last_turn_is_found(void **state)
{
	static const struct {
		const char *messages;
		const char *text;
		bool ends_with_user, ends_with_assistant, has_images;
	} rows[] = {
		{ "[{\"role\":\"user\",\"content\":\"one\"}]", "one", true, false, false },
		{ "[{\"role\":\"user\",\"content\":\"one\"},"
		  "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]},"
		  "{\"role\":\"user\",\"content\":\"two\"}]",
		  "two", true, false, false },
		{ "[{\"role\":\"user\",\"content\":\"one\"},"
		  "{\"role\":\"assistant\",\"content\":\"so\"}]",
		  "", false, true, false },
		{ "[{\"role\":\"tool\",\"content\":\"result\",\"tool_call_id\":\"1\"}]", "", false,
		  false, false },
		{ "[{\"role\":\"user\"}]", "", true, false, false },
		{ "[{\"role\":\"user\",\"content\":null}]", "", true, false, false },
		{ "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
		  "{\"type\":\"input_text\",\"text\":\"b\"},{\"type\":\"text\"}]}]",
		  "a\nb", true, false, false },
		{ "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]},"
		  "{\"role\":\"user\",\"content\":\"what is it?\"}]",
		  "what is it?", true, false, true },
		{ "[{\"role\":\"user\",\"content\":[\"odd\"]}]", "", true, false, true },
		{ "[{\"role\":\"user\",\"content\":\"caf\\u00e9 \\ud83d\\ude00\"}]",
		  "caf\xc3\xa9 \xf0\x9f\x98\x80", true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct chat_request chat;
		struct api_fault fault;
		struct buf body;

		buf_init(&body, 4096);
		assert_int_equal(buf_printf(&body, "{\"model\":\"m\",\"messages\":%s}",
					    rows[i].messages),
				 OK);
		chat_request_init(&chat);
		assert_true(
			chat_request_read((struct slice){ body.data, body.len }, &chat, &fault));
		assert_string_equal(buf_str(&chat.last_user), rows[i].text);
		assert_int_equal(chat.ends_with_user, rows[i].ends_with_user);
		assert_int_equal(chat.ends_with_assistant, rows[i].ends_with_assistant);
		assert_int_equal(chat.has_images, rows[i].has_images);
		assert_null(chat.messages);
		assert_true(chat_request_load(&chat, &fault));
		assert_int_equal(chat.last_user_index, json_array_size(chat.messages) - 1);
		chat_request_release(&chat);
		buf_release(&body);
	}
}

static void the_systems_word_is_found_where_it_comes_first(void **state)
{
	static const struct {
		const char *messages;
		const char *first_system; /* NULL: none */
	} rows[] = {
		{ "[{\"role\":\"system\",\"content\":\"a \\u0062\"},"
		  "{\"role\":\"system\",\"content\":\"c\"}]",
		  "a b" },
		{ "[ {\"content\" : \"a\" , \"role\" : \"s\\u0079stem\"} ]", "a" },
		{ "[{\"role\":\"user\",\"content\":\"a\"},"
		  "{\"role\":\"system\",\"content\":\"c\"}]",
		  NULL },
		{ "[{\"role\":\"system\",\"content\":[]}]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct chat_request chat;
		struct api_fault fault;
		struct buf body, text;

		buf_init(&body, 4096);
		buf_init(&text, 4096);
		assert_int_equal(buf_printf(&body, "{\"model\":\"m\",\"messages\":%s}",
					    rows[i].messages),
				 OK);
		chat_request_init(&chat);
		assert_true(
			chat_request_read((struct slice){ body.data, body.len }, &chat, &fault));
		assert_int_equal(chat.first_system.data == NULL, rows[i].first_system == NULL);
		if (rows[i].first_system != NULL) {
			assert_int_equal(json_scan_string(chat.first_system, &text), OK);
			assert_string_equal(buf_str(&text), rows[i].first_system);
		}
		chat_request_release(&chat);
		buf_release(&text);
		buf_release(&body);
	}
}

/* What no tree can hold may be passed on, and cannot be written by. */
static void what_no_tree_can_hold_is_told_to_who_needs_one(void **state)
{
	static const char body[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
				   "\"content\":\"hi\",\"x\":1e999}]}";
	struct chat_request chat;
	struct api_fault fault;

	(void)state;
	chat_request_init(&chat);
	assert_true(chat_request_read(slice_of(body), &chat, &fault));
	for (int i = 0; i < 2; i++) {
		assert_false(chat_request_load(&chat, &fault));
		assert_int_equal(fault.error, API_ERROR_INVALID_VALUE);
		assert_string_equal(fault.param, "messages");
		assert_null(chat.messages);
	}
	chat_request_release(&chat);
}

static void values_of_any_size_are_parsed(void **state)
{
	static const char body[] = "{" USER ",\"seed\":123456789012345678901234567890,"
				   "\"temperature\":0.5,\"stop\":[\"a\"]}";
	struct chat_request chat;
	struct api_fault fault;
	json_t *value;

	(void)state;
	chat_request_init(&chat);
	assert_true(chat_request_read(slice_of(body), &chat, &fault));
	value = chat_request_value(&chat, CHAT_SEED);
	assert_true(json_is_real(value));
	json_decref(value);
	value = chat_request_value(&chat, CHAT_STOP);
	assert_int_equal(json_array_size(value), 1);
	json_decref(value);
	assert_null(chat_request_value(&chat, CHAT_TOP_P));
	chat_request_release(&chat);
}

/* A member that could not be read must not pass for an absent one. */
static void a_lack_of_memory_is_said_never_a_wrong_reading(void **state)
{
	static const char body[] =
		"{" USER ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
		"\"tools\":[{\"type\":\"function\"}],"
		"\"response_format\":{\"type\":\"json_object\"},"
		"\"n\":2,\"longhand\":{\"mode\":\"off\"}}";
	size_t failed = 0;

	(void)state;
	for (size_t nth = 1;; nth++) {
		struct chat_request chat;
		struct api_fault fault;
		bool is_read;

		chat_request_init(&chat);
		mem_fail_at(nth);
		is_read = chat_request_read(slice_of(body), &chat, &fault) &&
			  chat_request_load(&chat, &fault);
		mem_fail_at(0);
		if (is_read) {
			assert_int_equal(wishes_of(&chat),
					 STREAM | USAGE | TOOLS | FORMAT | SEVERAL);
			chat_request_release(&chat);
			break;
		}
		assert_int_equal(fault.error, API_ERROR_INTERNAL);
		chat_request_release(&chat);
		failed++;
	}
	assert_true(failed > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_requests_are_refused_by_name),
		cmocka_unit_test(wishes_are_read_and_null_is_absent),
		cmocka_unit_test(our_own_member_is_found_even_when_it_is_null),
		cmocka_unit_test(the_last_turn_is_found),
		cmocka_unit_test(the_systems_word_is_found_where_it_comes_first),
		cmocka_unit_test(what_no_tree_can_hold_is_told_to_who_needs_one),
		cmocka_unit_test(values_of_any_size_are_parsed),
		cmocka_unit_test(a_lack_of_memory_is_said_never_a_wrong_reading),
	};

	mem_init();
	return cmocka_run_group_tests_name("chat_request", tests, NULL, NULL);
}
