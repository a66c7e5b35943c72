/* What each kind of server is sent. */
#include "check.h"
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "model/dialect.h"

static json_t *messages;
static json_t *schema;

static json_t *body_of(const char *dialect, const struct generate_call *call)
{
	char *text = dialect_body(dialect_find(dialect), call, "the \"model\"");
	json_t *body;

	assert_non_null(text);
	body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(body);
	mem_free(text);
	return body;
}

static void init_call(struct generate_call *call)
{
	*call = (struct generate_call){ .messages = messages };
	sampling_init(&call->sampling);
}

static void what_is_not_said_is_not_sent(void **state)
{
	static const char *const dialects[] = { "openai", "llamacpp", "vllm", "ollama" };
	static const char *const absent[] = { "temperature", "top_p", "seed", "max_tokens",
					      "frequency_penalty", "presence_penalty",
					      "max_completion_tokens", "response_format",
					      "continue_final_message", "stop", "longhand" };
	struct generate_call call;

	(void)state;
	init_call(&call);
	for (size_t i = 0; i < COUNT_OF(dialects); i++) {
		json_t *body = body_of(dialects[i], &call);

		for (size_t j = 0; j < COUNT_OF(absent); j++)
			assert_null(json_object_get(body, absent[j]));
		assert_string_equal(json_string_value(json_object_get(body, "model")),
				    "the \"model\"");
		assert_true(json_is_true(json_object_get(body, "stream")));
		assert_true(json_is_true(json_object_get(json_object_get(body, "stream_options"),
							 "include_usage")));
		assert_true(json_equal(json_object_get(body, "messages"), messages));
		assert_non_null(strstr(dialect_names, dialects[i]));
		json_decref(body);
	}
	assert_null(dialect_find("none"));
	assert_null(dialect_find(""));
}

static void each_says_it_in_its_own_words(void **state)
{
	static const struct {
		const char *dialect;
		const char *max_tokens;
		bool can_continue;
		const char *members; /* beside the common ones, of a continued call */
	} rows[] = {
		{ "openai", "max_completion_tokens", false, "{}" },
		{ "llamacpp", "max_tokens", true,
		  "{\"chat_template_kwargs\":{\"enable_thinking\":false}}" },
		{ "vllm", "max_tokens", true,
		  "{\"continue_final_message\":true,\"add_generation_prompt\":false,"
		  "\"chat_template_kwargs\":{\"enable_thinking\":false}}" },
		{ "ollama", "max_tokens", true, "{\"reasoning_effort\":\"none\"}" },
	};
	struct generate_call call;

	(void)state;
	init_call(&call);
	call.is_prefilled = true;
	call.max_tokens = 300;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *body = body_of(rows[i].dialect, &call);
		json_t *members = json_loads(rows[i].members, 0, NULL);
		const char *name;
		json_t *value;

		assert_int_equal(dialect_find(rows[i].dialect)->can_continue, rows[i].can_continue);
		assert_int_equal(json_integer_value(json_object_get(body, rows[i].max_tokens)),
				 300);
		json_object_foreach(members, name, value)
			assert_true(json_equal(json_object_get(body, name), value));
		assert_int_equal(json_object_size(body), 5 + json_object_size(members));
		json_decref(members);
		json_decref(body);
	}
}

static void sampling_and_schema_are_sent_as_they_are(void **state)
{
	struct generate_call call;
	json_t *body;
	json_t *format;

	(void)state;
	init_call(&call);
	call.schema = schema;
	call.sampling = (struct sampling){ .temperature = 0,
					   .top_p = 0.5,
					   .frequency_penalty = -1,
					   .presence_penalty = 2,
					   .has_seed = true,
					   .seed = -7 };
	body = body_of("openai", &call);
	assert_true(json_number_value(json_object_get(body, "temperature")) == 0);
	assert_true(json_is_number(json_object_get(body, "temperature")));
	assert_true(json_number_value(json_object_get(body, "top_p")) == 0.5);
	assert_true(json_number_value(json_object_get(body, "frequency_penalty")) == -1);
	assert_true(json_number_value(json_object_get(body, "presence_penalty")) == 2);
	assert_int_equal(json_integer_value(json_object_get(body, "seed")), -7);
	format = json_object_get(body, "response_format");
	assert_string_equal(json_string_value(json_object_get(format, "type")), "json_schema");
	assert_true(json_equal(json_object_get(format, "json_schema"), schema));
	json_decref(body);
}

static void without_memory_there_is_no_body(void **state)
{
	struct generate_call call;
	size_t failed = 0;
	char *text = NULL;

	(void)state;
	init_call(&call);
	call.schema = schema;
	call.is_prefilled = true;
	call.max_tokens = 5;
	call.sampling.temperature = 1;
	call.sampling.has_seed = true;
	for (size_t nth = 1; text == NULL; nth++, failed++) {
		mem_fail_at(nth);
		text = dialect_body(dialect_find("vllm"), &call, "m");
		mem_fail_at(0);
	}
	mem_free(text);
	assert_true(failed > 20);
	/* What is shared came back. */
	assert_int_equal(messages->refcount, 1);
	assert_int_equal(schema->refcount, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_is_not_sent),
		cmocka_unit_test(each_says_it_in_its_own_words),
		cmocka_unit_test(sampling_and_schema_are_sent_as_they_are),
		cmocka_unit_test(without_memory_there_is_no_body),
	};
	int failed;

	mem_init();
	messages = json_pack("[{s:s,s:s}]", "role", "user", "content", "h\u00e9 \"x\"");
	schema = json_pack("{s:s,s:{s:s}}", "name", "plan", "schema", "type", "object");
	failed = cmocka_run_group_tests_name("dialect", tests, NULL, NULL);
	json_decref(messages);
	json_decref(schema);
	return failed;
}
