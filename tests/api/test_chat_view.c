/* Long answers over a real HTTP server: a job of a fake model, as a stream and as one body, and
 * when the status leaves. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/long_service.h"

/* ---- streams ---- */

struct seen {
	struct buf content, thoughts;
	size_t chunks, roles, finishes, usages, progress;
	char id[64];
};

static void see_chunk(struct seen *seen, const json_t *chunk, bool has_usage)
{
	const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
	const json_t *delta = json_object_get(choice, "delta");
	const json_t *ours = json_object_get(chunk, "longhand");
	const char *text = string_at(delta, "content");

	if (seen->chunks++ == 0)
		(void)snprintf(seen->id, sizeof(seen->id), "%s", string_at(chunk, "id"));
	assert_string_equal(string_at(chunk, "id"), seen->id);
	assert_string_equal(string_at(chunk, "object"), "chat.completion.chunk");
	assert_string_equal(string_at(chunk, "model"), "longhand");
	assert_true(json_is_integer(json_object_get(chunk, "created")));
	assert_int_equal(json_object_get(chunk, "usage") != NULL, has_usage);
	if (choice == NULL) {
		assert_true(json_is_object(json_object_get(chunk, "usage")));
		assert_int_equal(seen->finishes, 1);
		seen->usages++;
		return;
	}
	assert_int_equal(seen->finishes, 0);
	assert_true(!has_usage || json_is_null(json_object_get(chunk, "usage")));
	assert_null(json_object_get(delta, "longhand"));
	seen->roles += json_object_get(delta, "role") != NULL;
	assert_int_equal(seen->roles, 1);
	seen->progress += json_object_get(ours, "eta_s") != NULL;
	assert_int_equal(buf_append_str(&seen->content, text), OK);
	assert_int_equal(buf_append_str(&seen->thoughts, string_at(delta, "reasoning_content")),
			 OK);
	if (json_is_null(json_object_get(choice, "finish_reason")))
		return;
	seen->finishes++;
	assert_string_equal(string_at(choice, "finish_reason"), "stop");
	assert_int_equal(json_object_size(delta), 0);
	assert_true(json_is_object(json_object_get(ours, "report")));
}

/* Reads a whole stream; the content is `seen`'s to release. */
static void see_stream(struct seen *seen, bool has_usage)
{
	char *at;

	memset(seen, 0, sizeof(*seen));
	buf_init(&seen->content, 1 << 20);
	buf_init(&seen->thoughts, 1 << 20);
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	at = unchunked();
	while (strncmp(at, "data: {", 7) == 0) {
		char *end = strstr(at, "\n\n");
		json_t *chunk = json_loadb(at + 6, (size_t)(end - at - 6), JSON_REJECT_DUPLICATES,
					   NULL);

		assert_non_null(chunk);
		see_chunk(seen, chunk, has_usage);
		json_decref(chunk);
		at = end + 2;
	}
	assert_string_equal(at, "data: [DONE]\n\n");
	assert_int_equal(seen->finishes, 1);
	assert_int_equal(seen->usages, has_usage);
}

static void seen_release(struct seen *seen)
{
	buf_release(&seen->content);
	buf_release(&seen->thoughts);
}

static void a_stream_is_one_ordinary_completion(void **state)
{
	(void)state;
	for (int has_usage = 0; has_usage <= 1; has_usage++) {
		struct seen seen;

		raw_forget(&world.client);
		ask(has_usage ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"
			      : ",\"stream\":true,\"stream_options\":null");
		raw_expect(&world.client, "\r\n0\r\n\r\n");
		assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
		assert_true(raw_has(&world.client, "Content-Type: text/event-stream"));
		note_job();
		see_stream(&seen, has_usage == 1);
		assert_true(seen.content.len > 2000);
		assert_true(seen.thoughts.len > 0);
		assert_true(seen.progress > 1);
		/* The text of the job is what was streamed. */
		{
			char path[128];

			(void)snprintf(path, sizeof(path), "/v1/longhand/jobs/%s/text", job_id);
			get(path);
			raw_expect(&world.client, seen.content.data);
		}
		seen_release(&seen);
	}
}

static void the_plan_is_not_shown_where_nobody_wants_it(void **state)
{
	struct seen seen;

	(void)state;
	ask(",\"stream\":true,\"longhand\":{\"show_plan\":\"none\"}");
	see_stream(&seen, false);
	assert_int_equal(seen.thoughts.len, 0);
	seen_release(&seen);
}

static void silence_is_filled_with_comments(void **state)
{
	(void)state;
	options.heartbeat_ms = 5;
	world.model.every = ERR_UNKNOWN; /* hangs for ever */
	ask(",\"stream\":true");
	raw_expect(&world.client, ": hb\n\n");
	raw_expect(&world.client, ": hb\n\n\r\n6\r\n: hb\n\n");
	assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
	note_job();
}

static void the_status_waits_no_longer_than_it_may(void **state)
{
	(void)state;
	options.first_status_ms = 5;
	world.model.every = ERR_UNKNOWN;
	ask(",\"stream\":true");
	raw_expect(&world.client, "text/event-stream");
	assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
	assert_false(raw_has(&world.client, "data:"));
}

/* ---- one body ---- */

static void a_body_is_one_ordinary_completion(void **state)
{
	json_t *answer;
	const json_t *choice;

	(void)state;
	ask("");
	answer = json_answer("\"report\"");
	assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
	assert_true(raw_has(&world.client, "Content-Type: application/json\r\n"));
	assert_true(raw_has(&world.client, "Content-Length: "));
	note_job();
	choice = json_array_get(json_object_get(answer, "choices"), 0);
	assert_string_equal(string_at(answer, "object"), "chat.completion");
	assert_string_equal(string_at(choice, "finish_reason"), "stop");
	assert_true(strlen(string_at(json_object_get(choice, "message"), "content")) > 2000);
	assert_string_equal(string_at(json_object_get(choice, "message"), "role"), "assistant");
	assert_true(strlen(string_at(json_object_get(choice, "message"), "reasoning_content")) >
		    0);
	assert_true(json_integer_value(json_object_get(json_object_get(answer, "usage"),
						       "total_tokens")) > 0);
	assert_string_equal(string_at(json_object_get(answer, "longhand"), "job"), job_id);
	json_decref(answer);
}

static void a_plan_alone_is_the_content(void **state)
{
	json_t *answer;
	const json_t *message;

	(void)state;
	ask(",\"longhand\":{\"plan_only\":true}");
	answer = json_answer("\"report\"");
	message = json_object_get(json_array_get(json_object_get(answer, "choices"), 0),
				  "message");
	assert_non_null(strstr(string_at(message, "content"), "1. "));
	assert_true(json_is_object(
		json_object_get(json_object_get(answer, "longhand"), "plan")));
	json_decref(answer);
}

static void white_space_keeps_a_body_alive_and_a_late_failure_cuts_it(void **state)
{
	(void)state;
	options.json_whitespace_after_ms = options.heartbeat_ms = 3;
	world.model.first_ms = 50;
	world.model.every = ERR_REJECTED;
	ask("");
	raw_expect(&world.client, "\r\n1\r\n \r\n");
	assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
	raw_expect_end(&world.client);
	assert_false(raw_has(&world.client, "\r\n0\r\n\r\n"));
	assert_false(raw_has(&world.client, "{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_stream_is_one_ordinary_completion),
		WITH_WORLD(the_plan_is_not_shown_where_nobody_wants_it),
		WITH_WORLD(silence_is_filled_with_comments),
		WITH_WORLD(the_status_waits_no_longer_than_it_may),
		WITH_WORLD(a_body_is_one_ordinary_completion),
		WITH_WORLD(a_plan_alone_is_the_content),
		WITH_WORLD(white_space_keeps_a_body_alive_and_a_late_failure_cuts_it),
	};

	mem_init();
	return cmocka_run_group_tests_name("chat_view", tests, NULL, NULL);
}
