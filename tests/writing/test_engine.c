/* The engine driven against a model that misbehaves: the text is whole, clean and ends. */
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fakes/scripted_checks.h"
#include "writing/repeat.h"
#include "writing/sentence.h"

#define ENGLISH "Write a long text about the harbour."
#define CHINESE "写一篇关于港口的长文。"

static const struct {
	enum scripted_fault fault;
	const char *repair;   /* its kind in the report */
	const char *never[4]; /* what must not be in the text */
} faults[] = {
	{ FAULT_META, "meta", { "Sure", "hope this", "Word count", "Let me know" } },
	{ FAULT_LOOP, "loop", { NULL } },
	{ FAULT_WORD_LOOP, NULL, { "and on and on" } },
	{ FAULT_CUT, NULL, { "This sentence is not" } },
	{ FAULT_STOP_EARLY, NULL, { "This sentence is not" } },
	{ FAULT_STOP_LINE, "cut_off", { "This sentence is not" } },
	{ FAULT_STOP_COMMA, "cut_off", { "This sentence is not" } },
	{ FAULT_THINK, "think", { "think", "plan this first" } },
	{ FAULT_THINK_LONE, "think", { "think", "plan this first" } },
	{ FAULT_ECHO, NULL, { NULL } },
	{ FAULT_REPEAT, "repetition", { NULL } },
	{ FAULT_REFUSE, "refusal", { "sorry", "can't help" } },
	{ FAULT_EMPTY, NULL, { NULL } },
	{ FAULT_BREAK, NULL, { "This sentence is not" } },
	{ FAULT_MARKS, "mark", { "Section", "##", "**" } },
	{ FAULT_FLIP, "language", { "山", "水" } },
	{ FAULT_CONCLUDE, "meta", { NULL } },
};

/* Two sentences of the scripted model have no five words in a row in common. */
static size_t reused_grams(const struct scripted_job *job)
{
	struct repeat seen;
	struct slice rest = { scripted_text(job), job->state.text.len };
	size_t known = 0;

	repeat_init(&seen);
	while (rest.len > 0) {
		size_t len = sentence_end(rest.data, rest.len, true);
		struct slice sentence = { rest.data, len };

		known += repeat_share(&seen, sentence).known;
		assert_int_equal(repeat_add(&seen, sentence), OK);
		rest.data += len;
		rest.len -= len;
	}
	repeat_release(&seen);
	return known;
}

/* Whether the report says so. */
static bool run_fault(size_t i, unsigned every, uint64_t seed)
{
	struct scripted_job job;
	bool is_repaired;

	scripted_start(&job, ENGLISH, 2000);
	job.model.seed = seed;
	job.model.factor_min = 0.5;
	job.model.factor_max = 0.9; /* so that what comes at an answer's end is read */
	job.model.fault = faults[i].fault;
	job.model.fault_every = every;
	job.failures_left = 1000;
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.state.end, EVENT_DONE);
	assert_scripted_clean(&job);
	for (size_t k = 0; k < COUNT_OF(faults[i].never) && faults[i].never[k] != NULL; k++) {
		if (scripted_has(&job, faults[i].never[k]))
			print_error("fault %d: %s\n%s\n", (int)faults[i].fault, faults[i].never[k],
				    scripted_text(&job));
		assert_false(scripted_has(&job, faults[i].never[k]));
	}
	is_repaired = faults[i].repair == NULL || scripted_has_repair(&job, faults[i].repair);
	if (reused_grams(&job) > 20)
		print_error("fault %d: %zu grams again\n", (int)faults[i].fault,
			    reused_grams(&job));
	assert_true(reused_grams(&job) <= 20);
	assert_true(sentence_is_finished(scripted_text(&job), job.state.text.len));
	assert_scripted_length(&job, 40);
	assert_false(scripted_has_unmet(&job, "length"));
	scripted_job_release(&job);
	return is_repaired;
}

static void test_a_fault_in_every_third_call_leaves_no_trace(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		int repaired = 0;

		for (uint64_t seed = 1; seed < 6; seed++)
			repaired += run_fault(i, 3, seed * 31);
		if (repaired == 0)
			print_error("fault %d: nothing said\n", (int)faults[i].fault);
		assert_true(repaired > 0);
	}
}

static void test_a_list_may_end_without_an_end_mark(void **unused)
{
	struct scripted_job job;

	(void)unused;
	scripted_start(&job, ENGLISH, 2000);
	job.model.factor_min = job.model.factor_max = 0.7;
	job.model.fault = FAULT_LIST_END;
	job.model.fault_every = 3;
	assert_int_equal(scripted_job_run(&job), OK);
	assert_true(scripted_has(&job, "\n- a rope, a lamp and oil that lasts for a night"));
	assert_false(scripted_has_repair(&job, "cut_off"));
	scripted_job_release(&job);
}

/* A model that does the same wrong in every call still gives a text, or a job that says so. */
static void test_a_fault_in_every_call_still_ends(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct scripted_job job;

		scripted_start(&job, ENGLISH, 1500);
		job.model.fault = faults[i].fault;
		job.model.fault_every = 1;
		assert_int_equal(scripted_job_run(&job), OK);
		for (size_t k = 0; k < COUNT_OF(faults[i].never) && faults[i].never[k] != NULL; k++)
			if (faults[i].fault != FAULT_FLIP)
				assert_false(scripted_has(&job, faults[i].never[k]));
		if (faults[i].fault == FAULT_FLIP)
			assert_true(scripted_has_unmet(&job, "language"));
		if (job.state.text.len > 0)
			assert_scripted_clean(&job);
		else
			assert_int_equal(job.state.end, EVENT_FAILED);
		scripted_job_release(&job);
	}
}

static void test_an_empty_model_fails_the_job_by_name(void **unused)
{
	static const enum scripted_fault empties[] = { FAULT_EMPTY, FAULT_REFUSE,
						       FAULT_THINK_OPEN };

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(empties); i++) {
		struct scripted_job job;

		scripted_start(&job, ENGLISH, 1500);
		job.model.fault = empties[i];
		job.model.fault_every = 1;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_FAILED);
		assert_string_equal(json_string_value(json_object_get(job.state.end_data, "code")),
				    "no_text");
		assert_true(scripted_has_unmet(&job, "section_empty"));
		assert_true(job.n_asks <= 1 + 3 * job.state.plan.n_sections + 2);
		scripted_job_release(&job);
	}
}

static void test_a_backend_that_stays_down_fails_the_job_with_the_text_kept(void **unused)
{
	struct scripted_job job;

	(void)unused;
	scripted_start(&job, ENGLISH, 1500);
	job.model.fault = FAULT_BREAK;
	job.model.fault_every = 1;
	job.failures_left = 2;
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.state.end, EVENT_FAILED);
	assert_true(job.state.text.len > 0);
	assert_true(sentence_is_finished(scripted_text(&job), job.state.text.len));
	assert_int_equal(job.state.calls_failed, 2);
	scripted_job_release(&job);
}

static void test_chinese_faults_leave_no_trace(void **unused)
{
	static const char *const never[] = { "好的",
					     "希望",
					     "抱歉",
					     "综上所述",
					     "think",
					     "还没有说",
					     "又是这样一天又是这样一天又是这样一天" };

	(void)unused;
	for (int fault = FAULT_NONE; fault < FAULT_COUNT; fault++) {
		struct scripted_job job;

		if (fault >= FAULT_FLIP)
			continue;
		scripted_start(&job, CHINESE, 3000);
		job.model.fault = (enum scripted_fault)fault;
		job.model.fault_every = 3;
		job.model.factor_min = 0.5;
		job.failures_left = 1000;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_scripted_clean(&job);
		for (size_t i = 0; i < COUNT_OF(never); i++) {
			if (scripted_has(&job, never[i]))
				print_error("fault %d: %s\n", fault, never[i]);
			assert_false(scripted_has(&job, never[i]));
		}
		assert_scripted_length(&job, 60);
		scripted_job_release(&job);
	}
}

/* The text does not depend on how the answers are cut into deltas. */
static void test_pieces_of_any_size_give_the_same_text(void **unused)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64 };

	(void)unused;
	for (int fault = FAULT_NONE; fault < FAULT_COUNT; fault++) {
		struct scripted_job whole;

		scripted_start(&whole, fault % 2 == 0 ? ENGLISH : CHINESE, 1200);
		whole.model.fault = (enum scripted_fault)fault;
		whole.model.fault_every = 2;
		whole.failures_left = 1000;
		assert_int_equal(scripted_job_run(&whole), OK);
		for (size_t i = 0; i < COUNT_OF(pieces); i++) {
			struct scripted_job job;

			scripted_start(&job, fault % 2 == 0 ? ENGLISH : CHINESE, 1200);
			job.model.fault = (enum scripted_fault)fault;
			job.model.fault_every = 2;
			job.failures_left = 1000;
			job.piece_bytes = pieces[i];
			assert_int_equal(scripted_job_run(&job), OK);
			if (strcmp(scripted_text(&job), scripted_text(&whole)) != 0)
				print_error("fault %d, pieces of %zu\n", fault, pieces[i]);
			assert_string_equal(scripted_text(&job), scripted_text(&whole));
			scripted_job_release(&job);
		}
		scripted_job_release(&whole);
	}
}

static void test_cancel_at_any_action_ends_with_a_report(void **unused)
{
	size_t n_actions = SIZE_MAX;

	(void)unused;
	for (size_t at = 1; at < n_actions; at++) {
		struct scripted_job job;

		scripted_start(&job, ENGLISH, 900);
		job.piece_bytes = 200;
		job.cancel_at = at;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_int_equal(job.log[job.n_log - 1].kind, EVENT_DONE);
		assert_non_null(scripted_report(&job));
		if (job.state.is_cancelled) {
			assert_int_equal(job.log[job.n_log - 2].kind, EVENT_CANCELLED);
			assert_true(job.n_actions <= at + 12);
		} else {
			n_actions = at; /* it was over before */
		}
		scripted_job_release(&job);
	}
	assert_true(n_actions > 50);
}

/* A log, applied again, gives the same state; a new engine goes on from any event of it. */
static void test_a_new_engine_goes_on_from_anywhere(void **unused)
{
	size_t n_actions = SIZE_MAX;

	(void)unused;
	for (size_t at = 1; at < n_actions; at += 3) {
		struct scripted_job job;
		struct spec spec;

		scripted_spec(&spec, ENGLISH, 1000);
		spec.headings = HEADINGS_MARKDOWN;
		scripted_job_init(&job, &spec);
		job.piece_bytes = 150;
		job.drop_engine_at = at;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_scripted_clean(&job);
		assert_scripted_length(&job, 20);
		if (job.n_actions < at)
			n_actions = at;
		scripted_job_release(&job);
	}
	assert_true(n_actions > 50);
}

static void test_replaying_a_log_gives_the_same_state(void **unused)
{
	struct scripted_job job;
	struct state again;
	json_t *a, *b;

	(void)unused;
	scripted_start(&job, ENGLISH, 2500);
	job.model.fault = FAULT_META;
	job.model.fault_every = 3;
	assert_int_equal(scripted_job_run(&job), OK);
	state_init(&again);
	for (size_t i = 0; i < job.n_log; i++) {
		assert_int_equal(job.log[i].at_byte, again.text.len);
		assert_int_equal(state_apply(&again, &job.log[i]), OK);
	}
	assert_string_equal(buf_str(&again.text), scripted_text(&job));
	assert_int_equal(again.words, job.state.words);
	a = json_deep_copy(again.end_data);
	b = json_deep_copy(job.state.end_data);
	assert_true(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	assert_int_equal(state_apply(&again, &job.log[0]), ERR_INVALID);
	state_release(&again);
	scripted_job_release(&job);
}

/* Answers that make no sense at all, in any pieces: the same text, and an end. */
static void test_noise_gives_the_same_text_in_any_pieces(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		static const size_t pieces[] = { 0, 1, 5 };
		struct scripted_job jobs[COUNT_OF(pieces)];

		for (size_t i = 0; i < COUNT_OF(pieces); i++) {
			scripted_start(&jobs[i], seed % 3 == 0 ? CHINESE : ENGLISH, 700);
			jobs[i].model.seed = seed * 15485863;
			jobs[i].model.fault = FAULT_NOISE;
			jobs[i].model.fault_every = 1 + (unsigned)(seed % 2);
			jobs[i].piece_bytes = pieces[i];
			assert_int_equal(scripted_job_run(&jobs[i]), OK);
			if (jobs[i].state.text.len > 0)
				assert_true(text_is_valid(scripted_text(&jobs[i]),
							  jobs[i].state.text.len));
			if (strcmp(scripted_text(&jobs[i]), scripted_text(&jobs[0])) != 0)
				print_error("seed %d, pieces of %zu\n", (int)seed, pieces[i]);
			assert_string_equal(scripted_text(&jobs[i]), scripted_text(&jobs[0]));
		}
		for (size_t i = 0; i < COUNT_OF(pieces); i++)
			scripted_job_release(&jobs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_fault_in_every_third_call_leaves_no_trace),
		cmocka_unit_test(test_a_list_may_end_without_an_end_mark),
		cmocka_unit_test(test_a_fault_in_every_call_still_ends),
		cmocka_unit_test(test_an_empty_model_fails_the_job_by_name),
		cmocka_unit_test(test_a_backend_that_stays_down_fails_the_job_with_the_text_kept),
		cmocka_unit_test(test_chinese_faults_leave_no_trace),
		cmocka_unit_test(test_pieces_of_any_size_give_the_same_text),
		cmocka_unit_test(test_cancel_at_any_action_ends_with_a_report),
		cmocka_unit_test(test_a_new_engine_goes_on_from_anywhere),
		cmocka_unit_test(test_replaying_a_log_gives_the_same_state),
		cmocka_unit_test(test_noise_gives_the_same_text_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
