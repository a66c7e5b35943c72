/* Events as chunks: the same log gives the same bytes, every chunk is JSON of the right shape. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "api/chat_render.h"
#include "base/json.h"
#include "base/mem.h"
#include "writing/spec.h"

enum { EVENTS_MAX = 16 };

static const char job[] = "0123456789abcdef0123456789abcdef";
static struct event events[EVENTS_MAX];
static size_t n_events;
static bool is_plan_only;

static void add(enum event_kind kind, unsigned section, const char *text, json_t *data)
{
	struct slice slice = { text, text != NULL ? strlen(text) : 0 };
	struct event *event = &events[n_events];

	assert_int_equal(event_init(event, kind, section, slice, data), OK);
	event->epoch = 1;
	event->seq = n_events + 1;
	event->t_ms = 1700000000000u + n_events * 600;
	n_events++;
}

static json_t *created_data(void)
{
	struct spec spec;
	json_t *data;

	spec_init(&spec);
	spec.request = mem_strdup("Write.");
	spec.target_words = 100;
	spec.is_plan_only = is_plan_only;
	data = json_pack("{s:o,s:s}", "spec", spec_to_json(&spec), "model", "long\"hand");
	spec_release(&spec);
	return data;
}

static json_t *planned_data(void)
{
	return json_pack("{s:{s:[{s:s,s:s,s:i},{s:s,s:i}]},s:i}", "plan", "sections", "title",
			 "One \"1\"", "point", "why", "words", 60, "title", "", "words", 40,
			 "target_words", 100);
}

static json_t *report_data(void)
{
	return json_pack("{s:s,s:{s:{s:i,s:i,s:i}}}", "finish_reason", "length", "report", "usage",
			 "prompt_tokens", 1, "completion_tokens", 2, "total_tokens", 3);
}

static int write_log(void **state)
{
	(void)state;
	n_events = 0;
	add(EVENT_CREATED, 0, NULL, created_data());
	add(EVENT_CALL, 0, NULL, json_pack("{s:s}", "result", "ok"));
	add(EVENT_PLANNED, 0, NULL, planned_data());
	add(EVENT_SECTION_STARTED, 1, NULL, json_pack("{s:i}", "words_asked", 60));
	add(EVENT_TEXT, 1, "Caf\xc3\xa9 \"quoted\".\n", NULL);
	add(EVENT_TEXT, 1, "Two more words.\x01", NULL);
	add(EVENT_REPAIRED, 1, NULL, json_pack("{s:s}", "kind", "meta"));
	add(EVENT_SECTION_STARTED, 2, NULL, json_pack("{s:i}", "words_asked", 40));
	add(EVENT_TEXT, 2, "\xe7\x94\xa8", NULL);
	add(EVENT_DONE, 0, NULL, report_data());
	return 0;
}

static int forget_log(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_events; i++)
		event_release(&events[i]);
	is_plan_only = false;
	return 0;
}

static enum err render_all(bool is_plan_shown, bool has_usage, struct buf *out)
{
	struct chat_render render;
	enum err err = OK;

	chat_render_init(&render, is_plan_shown, has_usage, 1000);
	memcpy(render.job, job, sizeof(job));
	for (size_t i = 0; err == OK && i < n_events; i++)
		err = chat_render_event(&render, &events[i], out);
	chat_render_release(&render);
	return err;
}

/* The nth chunk, parsed; NULL behind the last one. */
static json_t *chunk_at(const struct buf *out, size_t nth)
{
	const char *at = buf_str(out);
	json_t *chunk;

	for (size_t i = 0; i < nth; i++)
		at = strstr(at, "\n\n") + 2;
	if (strncmp(at, "data: {", 7) != 0)
		return NULL;
	chunk = json_loadb(at + 6, (size_t)(strstr(at, "\n\n") - at - 6), JSON_REJECT_DUPLICATES,
			   NULL);
	assert_non_null(chunk);
	return chunk;
}

static void check_delta(const struct buf *out, size_t nth, const char *delta, const char *finish)
{
	json_t *chunk = chunk_at(out, nth);
	const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
	char *text = json_dumps(json_object_get(choice, "delta"), JSON_COMPACT);
	const char *reason = json_string_value(json_object_get(choice, "finish_reason"));

	assert_string_equal(text, delta);
	assert_string_equal(reason != NULL ? reason : "", finish != NULL ? finish : "");
	assert_true(json_is_null(json_object_get(choice, "logprobs")));
	assert_string_equal(json_string_value(json_object_get(chunk, "model")), "long\"hand");
	assert_int_equal(json_integer_value(json_object_get(chunk, "created")), 1700000000);
	mem_free(text);
	json_decref(chunk);
}

static void a_log_becomes_the_chunks_of_a_completion(void **state)
{
	static const char *const deltas[] = {
		"{\"role\":\"assistant\",\"content\":\"\"}",
		"{\"reasoning_content\":\"1. One \\\"1\\\" (60): why\\n2. – (40)\\n\"}",
		"{}",
		"{\"content\":\"Café \\\"quoted\\\".\\n\"}",
		"{\"content\":\"Two more words.\\u0001\"}",
		"{}",
		"{\"content\":\"用\"}",
		"{}",
	};
	struct buf out;
	json_t *usage;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_int_equal(render_all(true, true, &out), OK);
	for (size_t i = 0; i < COUNT_OF(deltas); i++)
		check_delta(&out, i, deltas[i], i + 1 == COUNT_OF(deltas) ? "length" : NULL);
	usage = chunk_at(&out, COUNT_OF(deltas));
	assert_int_equal(json_array_size(json_object_get(usage, "choices")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(usage, "usage"),
							    "total_tokens")),
			 3);
	json_decref(usage);
	assert_non_null(strstr(out.data, "\n\ndata: [DONE]\n\n"));
	buf_release(&out);
}

static void the_same_log_gives_the_same_bytes(void **state)
{
	struct buf once;
	struct buf again;

	(void)state;
	for (int wishes = 0; wishes < 4; wishes++) {
		buf_init(&once, 1 << 20);
		buf_init(&again, 1 << 20);
		assert_int_equal(render_all(wishes & 1, wishes & 2, &once), OK);
		assert_int_equal(render_all(wishes & 1, wishes & 2, &again), OK);
		assert_string_equal(once.data, again.data);
		assert_true((strstr(once.data, "reasoning_content") != NULL) == (wishes & 1));
		assert_true((strstr(once.data, "\"usage\":null") != NULL) == (wishes >= 2));
		buf_release(&once);
		buf_release(&again);
	}
}

/* At each section's start, and at most once in progress_ms: events are 600 ms apart. */
static void progress_comes_now_and_then(void **state)
{
	static const struct {
		size_t nth;
		int section; /* 0: no progress */
		int words;
	} rows[] = { { 2, 1, 0 }, { 3, 0, 0 }, { 4, 1, 5 }, { 5, 2, 5 }, { 6, 0, 0 } };
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_int_equal(render_all(true, false, &out), OK);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *chunk = chunk_at(&out, rows[i].nth);
		const json_t *ours = json_object_get(chunk, "longhand");

		assert_int_equal(ours != NULL, rows[i].section > 0);
		if (ours != NULL) {
			assert_int_equal(json_object_size(ours), 6);
			assert_string_equal(json_string_value(json_object_get(ours, "job")), job);
			assert_int_equal(json_integer_value(json_object_get(ours, "section")),
					 rows[i].section);
			assert_int_equal(json_integer_value(json_object_get(ours, "sections")), 2);
			assert_int_equal(json_integer_value(json_object_get(ours, "words")),
					 rows[i].words);
			assert_int_equal(json_integer_value(json_object_get(ours, "target_words")),
					 100);
			assert_true(json_integer_value(json_object_get(ours, "eta_s")) >= 0);
		}
		json_decref(chunk);
	}
	buf_release(&out);
}

static void a_plan_alone_is_content(void **state)
{
	struct buf out;

	forget_log(state);
	is_plan_only = true;
	n_events = 0;
	add(EVENT_CREATED, 0, NULL, created_data());
	add(EVENT_PLANNED, 0, NULL, planned_data());
	buf_init(&out, 1 << 20);
	assert_int_equal(render_all(false, false, &out), OK);
	check_delta(&out, 1, "{\"content\":\"1. One \\\"1\\\" (60): why\\n2. – (40)\\n\"}", NULL);
	assert_null(chunk_at(&out, 2));
	buf_release(&out);
}

static void a_failure_is_an_error_event_and_no_done(void **state)
{
	struct buf out;
	const json_t *error;
	json_t *chunk;

	forget_log(state);
	n_events = 0;
	add(EVENT_CREATED, 0, NULL, created_data());
	add(EVENT_FAILED, 0, NULL,
	    json_pack("{s:s,s:s,s:i}", "code", "backend_busy", "message", "b is busy", "status",
		      503));
	buf_init(&out, 1 << 20);
	assert_int_equal(render_all(true, true, &out), OK);
	chunk = chunk_at(&out, 0);
	error = json_object_get(chunk, "error");
	assert_string_equal(json_string_value(json_object_get(error, "code")), "backend_busy");
	assert_non_null(strstr(json_string_value(json_object_get(error, "message")), job));
	json_decref(chunk);
	assert_null(strstr(out.data, "[DONE]"));
	buf_release(&out);
}

static void a_lack_of_memory_is_said(void **state)
{
	size_t failed = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		struct buf out;

		buf_init(&out, 1 << 20);
		mem_fail_at(nth);
		err = render_all(true, true, &out);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		failed += err != OK;
		buf_release(&out);
	}
	assert_true(failed > 5);
}

int main(void)
{
#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, write_log, forget_log)
	const struct CMUnitTest tests[] = {
		WITH_LOG(a_log_becomes_the_chunks_of_a_completion),
		WITH_LOG(the_same_log_gives_the_same_bytes),
		WITH_LOG(progress_comes_now_and_then),
		WITH_LOG(a_plan_alone_is_content),
		WITH_LOG(a_failure_is_an_error_event_and_no_done),
		WITH_LOG(a_lack_of_memory_is_said),
	};

	mem_init();
	return cmocka_run_group_tests_name("chat_render", tests, NULL, NULL);
}
