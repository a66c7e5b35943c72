/* A job's log as the events of a response: their order and numbers are golden, and the same however
 * the log is read. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "api/responses_render.h"
#include "base/json.h"
#include "base/mem.h"
#include "job/event_codec.h"

enum { EVENTS_MAX = 16, OUT_BYTES_MAX = 1 << 20 };

static const char job[] = "0123456789abcdef0123456789abcdef";
static struct event events[EVENTS_MAX];
static size_t n_events;

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

static void add_created(bool is_plan_only, const char *facts)
{
	struct spec spec;

	spec_init(&spec);
	spec.request = mem_strdup("Write.");
	spec.history = json_array();
	spec.target_words = 100;
	spec.is_plan_only = is_plan_only;
	add(EVENT_CREATED, 0, NULL,
	    json_pack("{s:o,s:s,s:o}", "spec", spec_to_json(&spec), "model", "long\"hand", "respo"
	    "nse",
		      json_loads(facts, 0, NULL)));
	spec_release(&spec);
}

static void add_planned(void)
{
	add(EVENT_PLANNED, 0, NULL,
	    json_pack("{s:{s:[{s:s,s:s,s:i},{s:s,s:i}]},s:i}", "plan", "sections", "title",
		      "One \"1\"", "point", "why", "words", 60, "title", "Two", "words", 40,
		      "target_words", 100));
}

static void add_text(void)
{
	add(EVENT_SECTION_STARTED, 1, NULL, json_pack("{s:i}", "words_asked", 60));
	add(EVENT_TEXT, 1, "Caf\xc3\xa9 \"quoted\".\n", NULL);
	add(EVENT_PARKED, 0, NULL, NULL);
	add(EVENT_RESUMED, 0, NULL, NULL);
	add(EVENT_TEXT, 1, "Two more words.", NULL);
}

static void add_done(const char *finish)
{
	add(EVENT_CALL, 1, NULL,
	    json_pack("{s:s,s:s,s:i,s:i,s:i,s:i}", "role", "write", "result", "ok", "prompt_tokens",
		      10, "completion_tokens", 20, "reasoning_tokens", 3, "cached_tokens", 4));
	add(EVENT_DONE, 0, NULL,
	    json_pack("{s:s,s:{s:i}}", "finish_reason", finish, "report", "words", 5));
}

static void write_log(const char *finish)
{
	n_events = 0;
	add_created(false, "{\"input\":\"Write.\",\"metadata\":{\"a\":\"b\"}}");
	add_planned();
	add_text();
	add_done(finish);
}

static void forget_log(void)
{
	for (size_t i = 0; i < n_events; i++)
		event_release(&events[i]);
	n_events = 0;
}

static enum err render_all(long long after, struct buf *out)
{
	struct responses_render render;
	enum err err = OK;

	responses_render_init(&render, job, after);
	for (size_t i = 0; err == OK && i < n_events; i++)
		err = responses_render_event(&render, &events[i], out);
	responses_render_release(&render);
	return err;
}

/* ---- what came ---- */

/* The nth event's data; NULL behind the last one. Its event: line must name its type. */
static json_t *event_at(const struct buf *out, size_t nth)
{
	const char *at = buf_str(out);
	const char *data;
	char type[64];
	json_t *json;

	for (size_t i = 0; i < nth && at != NULL; i++)
		at = strstr(at, "\n\n") != NULL ? strstr(at, "\n\n") + 2 : NULL;
	if (at == NULL || *at == '\0')
		return NULL;
	assert_int_equal(sscanf(at, "event: %63s\ndata: ", type), 1);
	data = strstr(at, "\ndata: ") + 7;
	json = json_loadb(data, (size_t)(strstr(at, "\n\n") - data), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "type")), type);
	return json;
}

static const char *type_of(const json_t *event)
{
	return json_string_value(json_object_get(event, "type"));
}

static void expect_types(const struct buf *out, const char *const *types, size_t count)
{
	for (size_t i = 0; i <= count; i++) {
		json_t *event = event_at(out, i);

		if (i == count) {
			assert_null(event);
			return;
		}
		assert_non_null(event);
		assert_string_equal(type_of(event), types[i]);
		assert_int_equal(json_integer_value(json_object_get(event, "sequence_number")), i);
		json_decref(event);
	}
}

static const char *const golden[] = {
	"response.created",
	"response.in_progress",
	"response.output_item.added",
	"response.reasoning_summary_part.added",
	"response.reasoning_summary_text.delta",
	"response.reasoning_summary_text.done",
	"response.reasoning_summary_part.done",
	"response.output_item.done",
	"response.output_item.added",
	"response.content_part.added",
	"response.output_text.delta",
	"response.output_text.delta",
	"response.output_text.done",
	"response.content_part.done",
	"response.output_item.done",
	"response.completed",
};

static void a_log_becomes_the_events_of_a_response(void **state)
{
	struct buf out;

	(void)state;
	write_log("stop");
	buf_init(&out, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &out), OK);
	expect_types(&out, golden, COUNT_OF(golden));
	buf_release(&out);
	forget_log();
}

/* Members by path, as text: what clients look at. */
static void each_event_has_what_it_must(void **state)
{
	static const struct {
		size_t nth;
		const char *text; /* a part of the event's JSON */
	} rows[] = {
		{ 2, "\"output_index\":0,\"item\":{\"id\":\"rs_0123456789abcdef0123456789abcdef\","
		     "\"type\":\"reasoning\",\"status\":\"in_progress\",\"summary\":[]}" },
		{ 4, "\"item_id\":\"rs_0123456789abcdef0123456789abcdef\",\"output_index\":0,"
		     "\"summary_index\":0,\"delta\":\"1. One \\\"1\\\" (60): why\\n2. Two (40)\\n"
		     "\"" },
		{ 8, "\"output_index\":1,\"item\":{\"id\":\"msg_0123456789abcdef0123456789abcdef\","
		     "\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\","
		     "\"content\":[]}" },
		{ 9, "\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\","
		     "\"annotations\":[],\"logprobs\":[]}" },
		{ 10, "\"delta\":\"Caf\xc3\xa9 \\\"quoted\\\".\\n\",\"logprobs\":[]" },
		{ 11, "\"delta\":\"Two more words.\",\"logprobs\":[]" },
		{ 12, "\"text\":\"Caf\xc3\xa9 \\\"quoted\\\".\\nTwo more words.\",\"logprobs\":["
		"]" },
		{ 14, "\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":" },
		{ 15, "\"status\":\"completed\",\"completed_at\":1700000004" },
		{ 15, "\"usage\":{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens"
		"\":4,"
		      "\"cache_write_tokens\":0},\"output_tokens\":20,\"output_tokens_details\":"
		      "{\"reasoning_tokens\":3},\"total_tokens\":30}" },
		{ 15, "\"longhand\":{\"job\":\"0123456789abcdef0123456789abcdef\",\"report\":"
		      "{\"words\":5}}" },
		{ 15, "\"metadata\":{\"a\":\"b\"}" },
		{ 0, "\"created_at\":1700000000,\"status\":\"in_progress\",\"completed_at\":null" },
		{ 0, "\"output\":[]" },
	};
	struct buf out;

	(void)state;
	write_log("stop");
	buf_init(&out, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &out), OK);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *event = event_at(&out, rows[i].nth);
		char *text = json_dumps(event, JSON_COMPACT);

		if (strstr(text, rows[i].text) == NULL)
			fail_msg("event %zu: %s is not in %s", rows[i].nth, rows[i].text, text);
		mem_free(text);
		json_decref(event);
	}
	buf_release(&out);
	forget_log();
}

static const char *const required[] = {
	"id", "object", "created_at", "completed_at", "status", "error", "incomplete_details",
	"instructions", "metadata", "model", "output", "parallel_tool_calls", "temperature",
	"tool_choice", "tools", "top_p", "previous_response_id", "truncation", "text",
	"presence_penalty", "frequency_penalty", "top_logprobs", "reasoning", "usage",
	"max_output_tokens", "max_tool_calls", "store", "background", "service_tier",
	"safety_identifier", "prompt_cache_key",
};

static void every_object_has_every_required_member(void **state)
{
	static const size_t with_object[] = { 0, 1, 15 };
	struct buf out;

	(void)state;
	write_log("stop");
	buf_init(&out, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &out), OK);
	for (size_t i = 0; i < COUNT_OF(with_object); i++) {
		json_t *event = event_at(&out, with_object[i]);
		const json_t *object = json_object_get(event, "response");

		for (size_t j = 0; j < COUNT_OF(required); j++)
			if (json_object_get(object, required[j]) == NULL)
				fail_msg("event %zu has no %s", with_object[i], required[j]);
		json_decref(event);
	}
	buf_release(&out);
	forget_log();
}

/* ---- replays ---- */

/* Every event through its line in the log, as another process reads it. */
static enum err render_stored(long long after, struct buf *out)
{
	struct responses_render render;
	enum err err = OK;

	responses_render_init(&render, job, after);
	for (size_t i = 0; err == OK && i < n_events; i++) {
		struct event read;
		struct buf line;

		buf_init(&line, OUT_BYTES_MAX);
		assert_int_equal(event_encode(&events[i], &line), OK);
		assert_int_equal(event_decode(line.data, line.len, &read), OK);
		err = responses_render_event(&render, &read, out);
		event_release(&read);
		buf_release(&line);
	}
	responses_render_release(&render);
	return err;
}

static void a_replay_gives_equal_bytes_from_any_number_on(void **state)
{
	struct buf whole;

	(void)state;
	write_log("stop");
	buf_init(&whole, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &whole), OK);
	for (long long after = -1; after <= (long long)COUNT_OF(golden); after++) {
		const char *rest = whole.data;
		struct buf out;

		for (long long i = 0; i <= after && *rest != '\0'; i++)
			rest = strstr(rest, "\n\n") + 2;
		buf_init(&out, OUT_BYTES_MAX);
		assert_int_equal(render_stored(after, &out), OK);
		assert_string_equal(buf_str(&out), rest);
		buf_release(&out);
	}
	buf_release(&whole);
	forget_log();
}

/* What a reader was sent up to any event of the log, and then from there by number, is all. */
static void a_cut_anywhere_is_mended_by_number(void **state)
{
	struct buf whole;

	(void)state;
	write_log("length");
	buf_init(&whole, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &whole), OK);
	for (size_t cut = 0; cut <= n_events; cut++) {
		struct responses_render render;
		struct buf out;

		buf_init(&out, OUT_BYTES_MAX);
		responses_render_init(&render, job, -1);
		for (size_t i = 0; i < cut; i++)
			assert_int_equal(responses_render_event(&render, &events[i], &out), OK);
		assert_int_equal(render_stored(render.events.next - 1, &out), OK);
		responses_render_release(&render);
		assert_string_equal(buf_str(&out), whole.data);
		buf_release(&out);
	}
	buf_release(&whole);
	forget_log();
}

/* ---- other ends ---- */

static void expect_end(const char *const *types, size_t count, const char *text)
{
	struct buf out;
	json_t *last;
	char *dumped;

	buf_init(&out, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &out), OK);
	expect_types(&out, types, count);
	last = event_at(&out, count - 1);
	dumped = json_dumps(last, JSON_COMPACT);
	if (strstr(dumped, text) == NULL)
		fail_msg("%s is not in %s", text, dumped);
	mem_free(dumped);
	json_decref(last);
	buf_release(&out);
	forget_log();
}

static void a_text_that_was_cut_is_incomplete(void **state)
{
	const char *types[COUNT_OF(golden)];

	(void)state;
	memcpy(types, golden, sizeof(golden));
	types[COUNT_OF(golden) - 1] = "response.incomplete";
	write_log("length");
	expect_end(types, COUNT_OF(golden),
		   "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}");
	write_log("length");
	expect_end(types, COUNT_OF(golden), "\"status\":\"incomplete\",\"completed_at\":null");
}

static void a_cancelled_one_says_so(void **state)
{
	static const char *const types[] = { "response.created", "response.in_progress",
					     "response.incomplete" };

	(void)state;
	add_created(false, "{}");
	add(EVENT_CANCELLED, 0, NULL, NULL);
	add_done("stop");
	expect_end(types, COUNT_OF(types), "\"status\":\"cancelled\"");
}

static void a_failure_is_a_pair_of_events(void **state)
{
	static const char *const types[] = {
		"response.created", "response.in_progress", "response.output_item.added",
		"response.content_part.added", "response.output_text.delta",
		"response.output_text.delta", "response.output_text.done",
		"response.content_part.done", "response.output_item.done", "error",
		"response.failed",
	};
	struct buf out;
	json_t *error;

	(void)state;
	add_created(false, "{\"is_plan_shown\":false,\"store\":true}");
	add_planned();
	add_text();
	add(EVENT_FAILED, 0, NULL,
	    json_pack("{s:s,s:s,s:i}", "code", "backend_busy", "message", "b is busy", "status",
		      503));
	buf_init(&out, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &out), OK);
	error = event_at(&out, 9);
	assert_string_equal(json_string_value(json_object_get(error, "code")), "backend_busy");
	assert_true(json_is_null(json_object_get(error, "param")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(error, "error"),
							      "type")),
			    "server_error");
	json_decref(error);
	buf_release(&out);
	expect_end(types, COUNT_OF(types), "\"error\":{\"code\":\"rate_limit_exceeded\",");
}

static void a_plan_alone_is_the_text(void **state)
{
	static const char *const types[] = {
		"response.created", "response.in_progress", "response.output_item.added",
		"response.content_part.added", "response.output_text.delta",
		"response.output_text.done", "response.content_part.done",
		"response.output_item.done", "response.completed",
	};

	(void)state;
	add_created(true, "{}");
	add_planned();
	add_done("stop");
	expect_end(types, COUNT_OF(types), "\"text\":\"1. One \\\"1\\\" (60): why\\n2. Two (40)"
	"\\n\"");
}

static void a_job_of_a_chat_is_no_response(void **state)
{
	struct buf out;
	json_t *data;

	(void)state;
	write_log("stop");
	data = events[0].data;
	assert_int_equal(json_object_del(data, "response"), 0);
	buf_init(&out, OUT_BYTES_MAX);
	assert_int_equal(render_all(-1, &out), ERR_INVALID);
	assert_int_equal(out.len, 0);
	buf_release(&out);
	forget_log();
}

static void a_lack_of_memory_is_said(void **state)
{
	size_t failed = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	write_log("stop");
	for (size_t nth = 1; err != OK; nth++) {
		struct buf out;

		buf_init(&out, OUT_BYTES_MAX);
		mem_fail_at(nth);
		err = render_all(-1, &out);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		failed += err != OK;
		buf_release(&out);
	}
	assert_true(failed > 5);
	forget_log();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_becomes_the_events_of_a_response),
		cmocka_unit_test(each_event_has_what_it_must),
		cmocka_unit_test(every_object_has_every_required_member),
		cmocka_unit_test(a_replay_gives_equal_bytes_from_any_number_on),
		cmocka_unit_test(a_cut_anywhere_is_mended_by_number),
		cmocka_unit_test(a_text_that_was_cut_is_incomplete),
		cmocka_unit_test(a_cancelled_one_says_so),
		cmocka_unit_test(a_failure_is_a_pair_of_events),
		cmocka_unit_test(a_plan_alone_is_the_text),
		cmocka_unit_test(a_job_of_a_chat_is_no_response),
		cmocka_unit_test(a_lack_of_memory_is_said),
	};

	mem_init();
	return cmocka_run_group_tests_name("responses_render", tests, NULL, NULL);
}
