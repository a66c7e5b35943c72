/* Events in, state out: what may come when, and what it counts. */
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "writing/report.h"
#include "writing/state.h"

static enum err put(struct state *state, enum event_kind kind, unsigned section, const char *text,
		    json_t *data)
{
	static uint64_t t_ms = 1000;
	struct event event;
	enum err err;

	assert_int_equal(event_init(&event, kind, section,
				    (struct slice){ text, text != NULL ? strlen(text) : 0 }, data),
			 OK);
	event.t_ms = t_ms += 1000;
	err = state_apply(state, &event);
	event_release(&event);
	return err;
}

static void create(struct state *state)
{
	struct spec spec;

	spec_init(&spec);
	spec.request = mem_strdup("Write 40 words.");
	spec.history = json_array();
	spec.target_words = 40;
	state_init(state);
	assert_int_equal(
		put(state, EVENT_CREATED, 0, NULL, json_pack("{s:o}", "spec", spec_to_json(&spec))),
		OK);
	spec_release(&spec);
}

static json_t *two_sections(void)
{
	return json_pack("{s:{s:s, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}, s:i}", "plan", "title",
			 "", "sections", "title", "Low Water", "point", "", "words", 20, "title",
			 "High Water", "point", "", "words", 20, "target_words", 40);
}

static json_t *call(const char *role, const char *result, int asked, int words)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "role", role, "result", result,
			 "words_asked", asked, "words", words, "prompt_tokens", 10,
			 "completion_tokens", words * 2);
}

static void test_a_job_from_its_events(void **unused)
{
	struct state state;
	json_t *report;

	(void)unused;
	create(&state);
	assert_int_equal(state.phase, STATE_PLANNING);
	assert_int_equal(put(&state, EVENT_CALL, 0, NULL, call("plan", "ok", 0, 0)), OK);
	assert_int_equal(put(&state, EVENT_PLANNED, 0, "1. Low Water\n", two_sections()), OK);
	assert_int_equal(state.phase, STATE_WRITING);
	assert_int_equal(
		put(&state, EVENT_SECTION_STARTED, 1, NULL, json_pack("{s:i}", "words_asked", 18)),
		OK);
	assert_int_equal(
		put(&state, EVENT_TEXT, 1, "## Low Water\n\n", json_pack("{s:b}", "is_heading", 1)),
		OK);
	assert_int_equal(state.sections[0].words, 0);
	assert_true(state.sections[0].has_heading);
	assert_int_equal(put(&state, EVENT_TEXT, 1, "Five words are in this.", NULL), OK);
	assert_int_equal(state.sections[0].words, 5);
	assert_int_equal(state.words, 7);
	assert_int_equal(put(&state, EVENT_CALL, 1, NULL, call("write", "ok", 20, 10)), OK);
	assert_int_equal(put(&state, EVENT_CALL, 1, NULL, call("continue", "failed", 20, 3)), OK);
	assert_int_equal(put(&state, EVENT_CALL, 1, NULL, call("continue", "ok", 20, 0)), OK);
	assert_int_equal(state.sections[0].calls, 2);
	assert_int_equal(state.sections[0].continues, 1);
	assert_int_equal(state.sections[0].empties, 1);
	assert_int_equal(state.calls, 4);
	assert_int_equal(state.calls_failed, 1);
	assert_true(state.habit > 0.74 && state.habit < 0.76);
	assert_int_equal(put(&state, EVENT_REPAIRED, 1, NULL,
			     json_pack("{s:s, s:s, s:i}", "kind", "meta", "action", "drop",
				       "words_dropped", 4)),
			 OK);
	assert_int_equal(put(&state, EVENT_SECTION_DONE, 1, NULL, json_object()), OK);
	assert_int_equal(
		put(&state, EVENT_SECTION_STARTED, 2, NULL, json_pack("{s:i}", "words_asked", 30)),
		OK);
	assert_int_equal(put(&state, EVENT_TEXT, 2, "\n\nThree words more.", NULL), OK);
	assert_int_equal(state.sections[1].prose_byte, state.sections[1].at_byte + 2);
	assert_int_equal(state.sections[1].words, 3);
	assert_true(state_eta_s(&state) == 0); /* too early to say */
	report = report_build(&state);
	assert_int_equal(json_integer_value(json_object_get(report, "words")), 10);
	assert_int_equal(json_integer_value(json_object_get(report, "words_discarded")), 4);
	assert_int_equal(json_array_size(json_object_get(report, "repairs")), 1);
	assert_int_equal(json_array_size(json_object_get(report, "sections")), 2);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "usage"),
							    "prompt_tokens")),
			 40);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(report, "unmet"), 0), "kind")),
			    "length");
	json_decref(report);
	assert_int_equal(put(&state, EVENT_DONE, 0, NULL, json_object()), OK);
	assert_int_equal(state.phase, STATE_ENDED);
	state_release(&state);
}

static void test_events_out_of_order_are_refused(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state);
	assert_int_equal(put(&state, EVENT_TEXT, 1, "x", NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_CREATED, 0, NULL, json_object()), ERR_INVALID);
	state_release(&state);
	create(&state);
	assert_int_equal(put(&state, EVENT_CREATED, 0, NULL, json_object()), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_TEXT, 1, "x", NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_SECTION_STARTED, 1, NULL, NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_PLANNED, 0, "", json_object()), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_PLANNED, 0, "", two_sections()), OK);
	assert_int_equal(put(&state, EVENT_PLANNED, 0, "", two_sections()), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_SECTION_STARTED, 2, NULL, NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_SECTION_STARTED, 3, NULL, NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_TEXT, 1, "x", NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_SECTION_STARTED, 1, NULL, json_object()), OK);
	assert_int_equal(put(&state, EVENT_SECTION_STARTED, 1, NULL, NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_TEXT, 2, "x", NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_TEXT, 1, "", NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_SECTION_DONE, 2, NULL, NULL), ERR_INVALID);
	assert_int_equal(put(&state, EVENT_FAILED, 0, NULL, json_object()), OK);
	assert_int_equal(put(&state, EVENT_TEXT, 1, "x", NULL), ERR_INVALID);
	assert_int_equal(state.text.len, 0);
	state_release(&state);
}

static void test_kinds_have_names_and_back(void **unused)
{
	enum event_kind kind;

	(void)unused;
	for (int i = 0; i < EVENT_KIND_COUNT; i++) {
		assert_true(event_kind_from_name(event_kind_name((enum event_kind)i), &kind));
		assert_int_equal(kind, i);
		assert_int_equal(event_is_end(kind), kind == EVENT_DONE || kind == EVENT_FAILED);
	}
	assert_false(event_kind_from_name("nothing", &kind));
}

static void test_the_words_of_pieces_are_those_of_the_whole(void **unused)
{
	static const char *const pieces[] = { "It is state-", "of-the-art. ", "And 用AI",
					      "写作 too." };
	struct state state;
	char all[100] = "";
	size_t len = 0;

	(void)unused;
	create(&state);
	assert_int_equal(put(&state, EVENT_PLANNED, 0, "", two_sections()), OK);
	assert_int_equal(put(&state, EVENT_SECTION_STARTED, 1, NULL, json_object()), OK);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(put(&state, EVENT_TEXT, 1, pieces[i], NULL), OK);
		memcpy(all + len, pieces[i], strlen(pieces[i]));
		len += strlen(pieces[i]);
		assert_int_equal(state.words, words_count(WORDS_NATURAL, all, len));
	}
	assert_int_equal(state.sections[0].words, state.words);
	state_release(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_job_from_its_events),
		cmocka_unit_test(test_events_out_of_order_are_refused),
		cmocka_unit_test(test_kinds_have_names_and_back),
		cmocka_unit_test(test_the_words_of_pieces_are_those_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
