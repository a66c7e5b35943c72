/* Responses over a real HTTP server: the turns before, what fails, and a backend's chat as a
 * response. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/response_calls.h"

/* ---- what was said before ---- */

static void create_after(const char *id, const char *members)
{
	char more[512];

	(void)snprintf(more, sizeof(more), ",\"previous_response_id\":\"%s\"%s", id, members);
	response_create(more);
}

static json_t *created_spec(void)
{
	char path[128];
	const char *line;
	json_t *event, *spec;

	(void)snprintf(path, sizeof(path), "/v1/longhand/jobs/%s/events", job_id);
	get(path);
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	line = strstr(unchunked(), "data: ") + 6;
	event = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	spec = json_incref(json_object_get(json_object_get(event, "data"), "spec"));
	json_decref(event);
	assert_non_null(spec);
	return spec;
}

static void earlier_responses_are_earlier_turns(void **state)
{
	char first[64];
	json_t *answer, *spec;
	const json_t *history;

	(void)state;
	for (int is_stored_only = 0; is_stored_only < 2; is_stored_only++) {
		registry_options.keep_ms = is_stored_only ? 0 : LONG_MS;
		raw_forget(&world.client);
		response_create(",\"instructions\":\"Not taken over.\"");
		json_decref(response_answer());
		response_note();
		(void)snprintf(first, sizeof(first), "%s", response_id);
		while (is_stored_only && metric_get(METRIC_JOBS_RUNNING) > 0)
			served_turn(&world.served);
		create_after(first, "");
		json_decref(response_answer());
		response_note();
		create_after(response_id, ",\"instructions\":\"Third.\"");
		answer = response_answer();
		assert_string_equal(string_at(answer, "previous_response_id"), response_id);
		json_decref(answer);
		response_note();
		spec = created_spec();
		history = json_object_get(spec, "history");
		assert_int_equal(json_array_size(history), 5);
		for (size_t i = 0; i < 5; i++)
			assert_string_equal(string_at(json_array_get(history, i), "role"),
					    i == 0	 ? "system"
					    : i % 2 == 1 ? "user"
							 : "assistant");
		assert_string_equal(string_at(json_array_get(history, 0), "content"), "Third.");
		assert_true(strlen(string_at(json_array_get(history, 2), "content")) > 2000);
		json_decref(spec);
		raw_forget(&world.client);
	}
}

static void an_unknown_earlier_response_is_a_404(void **state)
{
	json_t *answer;
	const json_t *error;

	(void)state;
	create_after(unknown_response, "");
	raw_expect(&world.client, "HTTP/1.1 404 ");
	answer = response_answer();
	error = json_object_get(answer, "error");
	assert_string_equal(string_at(error, "param"), "previous_response_id");
	assert_string_equal(string_at(error, "code"), "previous_response_not_found");
	json_decref(answer);
	create_after("resp_of_somebody_else", "");
	response_expect_http("HTTP/1.1 404 ");
}

static void a_running_one_is_not_earlier(void **state)
{
	(void)state;
	world.model.every = ERR_UNKNOWN;
	response_create(",\"background\":true");
	json_decref(response_answer());
	response_note();
	create_after(response_id, "");
	response_expect_http("HTTP/1.1 400 ");
}

/* ---- failures ---- */

static void a_failure_before_the_text_is_an_error_of_http(void **state)
{
	(void)state;
	world.model.every = ERR_REJECTED;
	world.model.status = 422;
	response_create("");
	response_expect_http("HTTP/1.1 422 ");
	response_create(",\"stream\":true");
	response_expect_http("HTTP/1.1 422 ");
	response_note();
	response_expect_status("failed"); /* it was created all the same */
	response_create(",\"background\":true,\"stream\":true");
	raw_expect(&world.client, "event: response.failed\n");
	assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
	assert_true(raw_has(&world.client, "event: error\n"));
}

static void options_that_cannot_be_combined_are_named_as_here(void **state)
{
	static const struct {
		const char *members;
		const char *param;
	} rows[] = {
		{ ",\"tools\":[{}]", "tools" },
		{ ",\"text\":{\"format\":{\"type\":\"json_object\"}}", "text.format" },
		{ ",\"top_logprobs\":3", "top_logprobs" },
		{ ",\"conversation\":\"c\"", "conversation" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char more[256];
		json_t *answer;

		(void)snprintf(more, sizeof(more), "%s,\"longhand\":{\"target_words\":500}",
			       rows[i].members);
		response_create(more);
		raw_expect(&world.client, "HTTP/1.1 400 ");
		answer = response_answer();
		assert_string_equal(string_at(json_object_get(answer, "error"), "param"),
				    rows[i].param);
		json_decref(answer);
	}
}

/* ---- translated ---- */

static void hello(const char *members)
{
	char body[1024];

	(void)snprintf(body, sizeof(body), "{\"model\":\"longhand\",\"input\":\"Hello there!\"%s}",
		       members);
	response_post("/v1/responses", body);
}

static void a_chat_is_translated(void **state)
{
	json_t *answer;
	const json_t *message;

	(void)state;
	world.api.without_responses[0] = "default";
	hello(",\"temperature\":0.3");
	answer = response_answer();
	assert_string_equal(string_at(answer, "status"), "completed");
	assert_true(json_is_false(json_object_get(answer, "store")));
	assert_null(json_object_get(answer, "longhand"));
	message = json_array_get(json_object_get(answer, "output"), 0);
	assert_string_equal(string_at(message, "type"), "message");
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(answer, "usage"), "input_tokens")),
			 100);
	(void)snprintf(response_id, sizeof(response_id), "%s", string_at(answer, "id"));
	json_decref(answer);
	assert_int_equal(world.model.calls, 1);
	get(response_path(""));
	response_expect_http("HTTP/1.1 404 ");
}

static void a_translated_stream_has_the_same_events(void **state)
{
	static const char *const types[] = {
		"response.created",	      "response.in_progress",
		"response.output_item.added", "response.content_part.added",
		"response.output_text.delta", "response.output_text.done",
		"response.content_part.done", "response.output_item.done",
		"response.completed",
	};
	char *bytes;
	const char *at;

	(void)state;
	world.api.without_responses[0] = "default";
	hello(",\"stream\":true");
	bytes = response_bytes();
	at = bytes;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "event: %s\n", types[i]);
		at = strstr(at, line);
		assert_non_null(at);
	}
	assert_null(strstr(bytes, "[DONE]"));
	mem_free(bytes);
}

static void a_translated_failure_is_said(void **state)
{
	(void)state;
	world.api.without_responses[0] = "default";
	world.model.every = ERR_BUSY;
	hello("");
	response_expect_http("HTTP/1.1 503 ");
	world.model.every = ERR_REJECTED;
	world.model.status = 422;
	hello(",\"stream\":true");
	response_expect_http("HTTP/1.1 422 ");
	world.model.every = ERR_BROKEN;
	world.model.break_after = 2;
	hello(",\"stream\":true");
	raw_expect(&world.client, "event: response.failed\n");
	assert_true(raw_has(&world.client, "event: error\n"));
	assert_true(raw_has(&world.client, "\"status\":\"failed\""));
}

static void what_is_no_text_is_not_translated(void **state)
{
	static const struct {
		const char *members;
		const char *param;
	} rows[] = {
		{ ",\"tools\":[{}]", "tools" },
		{ ",\"background\":true", "background" },
		{ ",\"prompt\":{}", "prompt" },
	};

	(void)state;
	world.api.without_responses[0] = "default";
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *answer;

		hello(rows[i].members);
		raw_expect(&world.client, "HTTP/1.1 400 ");
		answer = response_answer();
		assert_string_equal(string_at(json_object_get(answer, "error"), "param"),
				    rows[i].param);
		json_decref(answer);
	}
	assert_int_equal(world.model.calls, 0);
}

/* ---- without memory ---- */

static bool has_ended(const struct raw_client *client)
{
	return client->is_ended || raw_has(client, "\r\n0\r\n\r\n") ||
	       raw_has(client, "\"error\":{") || raw_has(client, "\"status\":\"completed\"");
}

/* The client itself is not to run out of memory. */
static void make_room(struct raw_client *client)
{
	static const char filler[256 << 10];

	assert_int_equal(buf_append(&client->got, filler, sizeof(filler)), OK);
	buf_clear(&client->got);
}

/* The nth allocation fails, and the answer ends all the same. */
static void answer_without(const char *body, size_t nth)
{
	struct raw_client client;

	raw_connect(&client, &world.served);
	make_room(&client);
	mem_fail_at(nth);
	response_post_by(&client, "/v1/responses", body);
	while (!has_ended(&client)) {
		served_turn(&world.served);
		raw_read(&client, 1 << 20);
	}
	mem_fail_at(0);
	raw_close(&client);
}

static void without_memory_every_answer_still_ends(void **state)
{
	static const char *const bodies[] = {
		"{\"model\":\"longhand\",\"input\":\"" RESPONSE_STORY "\",\"stream\":true}",
		"{\"model\":\"longhand\",\"input\":\"Hello there!\",\"stream\":true}",
		"{\"model\":\"longhand\",\"input\":\"" RESPONSE_STORY "\",\"store\":false}",
		"{\"model\":\"longhand\",\"input\":\"Hello there!\"}",
	};
	size_t failures = mem_failures();

	(void)state;
	world.api.without_responses[0] = "default";
	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		for (size_t nth = 1; nth < 900; nth += nth < 150 ? 1 : 29)
			answer_without(bodies[i], nth);
	assert_true(mem_failures() > failures + 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(earlier_responses_are_earlier_turns),
		WITH_WORLD(an_unknown_earlier_response_is_a_404),
		WITH_WORLD(a_running_one_is_not_earlier),
		WITH_WORLD(a_failure_before_the_text_is_an_error_of_http),
		WITH_WORLD(options_that_cannot_be_combined_are_named_as_here),
		WITH_WORLD(a_chat_is_translated),
		WITH_WORLD(a_translated_stream_has_the_same_events),
		WITH_WORLD(a_translated_failure_is_said),
		WITH_WORLD(what_is_no_text_is_not_translated),
		WITH_WORLD(without_memory_every_answer_still_ends),
	};

	mem_init();
	return cmocka_run_group_tests_name("responses_turns", tests, NULL, NULL);
}
