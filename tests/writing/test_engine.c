/* The engine driven against a model that misbehaves: the text is whole, clean and ends. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fakes/scripted_job.h"
#include "base/text.h"
#include "writing/budget.h"
#include "writing/repeat.h"
#include "writing/sentence.h"

#define ENGLISH "Write a long text about the harbour."
#define CHINESE "写一篇关于港口的长文。"

static void start(struct scripted_job *job, const char *request, long target_words)
{
	struct spec spec;

	scripted_spec(&spec, request, target_words);
	scripted_job_init(job, &spec);
}

static const char *text_of(const struct scripted_job *job)
{
	return buf_str(&job->state.text);
}

static bool has(const struct scripted_job *job, const char *needle)
{
	return strstr(text_of(job), needle) != NULL;
}

static void assert_length(const struct scripted_job *job, long slack)
{
	long off = labs(job->state.words - job->state.target_words);

	if (off > slack)
		print_error("%ld words for %ld\n", job->state.words, job->state.target_words);
	assert_true(off <= slack);
}

/* No white space at the ends, no more than one blank line, no space before a line break. */
static void assert_clean(const struct scripted_job *job)
{
	const char *text = text_of(job);
	size_t len = job->state.text.len;

	assert_true(len > 0);
	assert_null(strchr(" \n\t", text[0]));
	assert_null(strchr(" \n\t", text[len - 1]));
	assert_null(strstr(text, "\n\n\n"));
	assert_null(strstr(text, " \n"));
	assert_null(strstr(text, "  "));
	assert_true(text_is_valid(text, len));
}

static bool has_repair(const struct scripted_job *job, const char *kind)
{
	size_t i;
	json_t *repair;

	json_array_foreach(job->state.repairs, i,
			   repair) if (strcmp(json_string_value(json_object_get(repair, "kind")),
					      kind) == 0) return true;
	return false;
}

static const json_t *report_of(const struct scripted_job *job)
{
	return json_object_get(job->state.end_data, "report");
}

static bool has_unmet(const struct scripted_job *job, const char *kind)
{
	size_t i;
	json_t *unmet;

	json_array_foreach(json_object_get(report_of(job), "unmet"), i,
			   unmet) if (strcmp(json_string_value(json_object_get(unmet, "kind")),
					     kind) == 0) return true;
	return false;
}

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
	struct slice rest = { text_of(job), job->state.text.len };
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

	start(&job, ENGLISH, 2000);
	job.model.seed = seed;
	job.model.factor_min = 0.5;
	job.model.factor_max = 0.9; /* so that what comes at an answer's end is read */
	job.model.fault = faults[i].fault;
	job.model.fault_every = every;
	job.failures_left = 1000;
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.state.end, EVENT_DONE);
	assert_clean(&job);
	for (size_t k = 0; k < COUNT_OF(faults[i].never) && faults[i].never[k] != NULL; k++) {
		if (has(&job, faults[i].never[k]))
			print_error("fault %d: %s\n%s\n", (int)faults[i].fault, faults[i].never[k],
				    text_of(&job));
		assert_false(has(&job, faults[i].never[k]));
	}
	is_repaired = faults[i].repair == NULL || has_repair(&job, faults[i].repair);
	if (reused_grams(&job) > 20)
		print_error("fault %d: %zu grams again\n", (int)faults[i].fault,
			    reused_grams(&job));
	assert_true(reused_grams(&job) <= 20);
	assert_true(sentence_is_finished(text_of(&job), job.state.text.len));
	assert_length(&job, 40);
	assert_false(has_unmet(&job, "length"));
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

/* A model that does the same wrong in every call still gives a text, or a job that says so. */
static void test_a_fault_in_every_call_still_ends(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct scripted_job job;

		start(&job, ENGLISH, 1500);
		job.model.fault = faults[i].fault;
		job.model.fault_every = 1;
		assert_int_equal(scripted_job_run(&job), OK);
		for (size_t k = 0; k < COUNT_OF(faults[i].never) && faults[i].never[k] != NULL; k++)
			if (faults[i].fault != FAULT_FLIP)
				assert_false(has(&job, faults[i].never[k]));
		if (job.state.text.len > 0)
			assert_clean(&job);
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

		start(&job, ENGLISH, 1500);
		job.model.fault = empties[i];
		job.model.fault_every = 1;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_FAILED);
		assert_string_equal(json_string_value(json_object_get(job.state.end_data, "code")),
				    "no_text");
		assert_true(has_unmet(&job, "section_empty"));
		assert_true(job.n_asks <= 1 + 3 * job.state.plan.n_sections + 2);
		scripted_job_release(&job);
	}
}

static void test_a_backend_that_stays_down_fails_the_job_with_the_text_kept(void **unused)
{
	struct scripted_job job;

	(void)unused;
	start(&job, ENGLISH, 1500);
	job.model.fault = FAULT_BREAK;
	job.model.fault_every = 1;
	job.failures_left = 2;
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.state.end, EVENT_FAILED);
	assert_true(job.state.text.len > 0);
	assert_true(sentence_is_finished(text_of(&job), job.state.text.len));
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

		if (fault == FAULT_FLIP || fault == FAULT_CONCLUDE)
			continue;
		start(&job, CHINESE, 3000);
		job.model.fault = (enum scripted_fault)fault;
		job.model.fault_every = 3;
		job.model.factor_min = 0.5;
		job.failures_left = 1000;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_clean(&job);
		for (size_t i = 0; i < COUNT_OF(never); i++) {
			if (has(&job, never[i]))
				print_error("fault %d: %s\n", fault, never[i]);
			assert_false(has(&job, never[i]));
		}
		assert_length(&job, 60);
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

		start(&whole, fault % 2 == 0 ? ENGLISH : CHINESE, 1200);
		whole.model.fault = (enum scripted_fault)fault;
		whole.model.fault_every = 2;
		whole.failures_left = 1000;
		assert_int_equal(scripted_job_run(&whole), OK);
		for (size_t i = 0; i < COUNT_OF(pieces); i++) {
			struct scripted_job job;

			start(&job, fault % 2 == 0 ? ENGLISH : CHINESE, 1200);
			job.model.fault = (enum scripted_fault)fault;
			job.model.fault_every = 2;
			job.failures_left = 1000;
			job.piece_bytes = pieces[i];
			assert_int_equal(scripted_job_run(&job), OK);
			if (strcmp(text_of(&job), text_of(&whole)) != 0)
				print_error("fault %d, pieces of %zu\n", fault, pieces[i]);
			assert_string_equal(text_of(&job), text_of(&whole));
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

		start(&job, ENGLISH, 900);
		job.piece_bytes = 200;
		job.cancel_at = at;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_int_equal(job.log[job.n_log - 1].kind, EVENT_DONE);
		assert_non_null(report_of(&job));
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
		assert_clean(&job);
		assert_length(&job, 20);
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
	start(&job, ENGLISH, 2500);
	job.model.fault = FAULT_META;
	job.model.fault_every = 3;
	assert_int_equal(scripted_job_run(&job), OK);
	state_init(&again);
	for (size_t i = 0; i < job.n_log; i++) {
		assert_int_equal(job.log[i].at_byte, again.text.len);
		assert_int_equal(state_apply(&again, &job.log[i]), OK);
	}
	assert_string_equal(buf_str(&again.text), text_of(&job));
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

static void set_stop(struct spec *spec, const char *stop)
{
	spec->stops[spec->n_stops] = mem_strdup(stop);
	assert_non_null(spec->stops[spec->n_stops]);
	spec->n_stops++;
}

/* A stop string ends the text before it, wherever the pieces and sentences are cut. */
static void test_stop_strings_end_the_text_before_them(void **unused)
{
	struct scripted_job plain;

	(void)unused;
	start(&plain, ENGLISH, 1000);
	assert_int_equal(scripted_job_run(&plain), OK);
	for (size_t from = 40; from + 30 < plain.state.text.len; from += 97) {
		struct scripted_job job;
		struct spec spec;
		char stop[24] = { 0 };
		const char *first;

		memcpy(stop, text_of(&plain) + from, 16 + from % 7);
		first = strstr(text_of(&plain), stop);
		scripted_spec(&spec, ENGLISH, 1000);
		set_stop(&spec, "never there");
		set_stop(&spec, stop);
		scripted_job_init(&job, &spec);
		job.piece_bytes = from % 2 == 0 ? 0 : 11;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_null(strstr(text_of(&job), stop));
		assert_memory_equal(text_of(&job), text_of(&plain), job.state.text.len);
		assert_true(job.state.text.len + 3 >= (size_t)(first - text_of(&plain)));
		assert_true(has_repair(&job, "stop_string"));
		assert_false(has_unmet(&job, "ending"));
		scripted_job_release(&job);
	}
	scripted_job_release(&plain);
}

static void test_max_tokens_make_a_complete_shorter_text(void **unused)
{
	static const long limits[] = { 150, 400, 1000, 3000 };

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct scripted_job job;
		struct spec spec;

		scripted_spec(&spec, ENGLISH, 5000);
		spec.max_tokens = limits[i];
		scripted_job_init(&job, &spec);
		assert_int_equal(scripted_job_run(&job), OK);
		assert_string_equal(
			json_string_value(json_object_get(job.state.end_data, "finish_reason")),
			"stop");
		assert_true(has_unmet(&job, "client_max_tokens"));
		assert_true(sentence_is_finished(text_of(&job), job.state.text.len));
		assert_true((double)job.state.words * 1.4 <= (double)limits[i] * 1.1);
		assert_true((double)job.state.words * 1.4 >= (double)limits[i] * 0.75);
		scripted_job_release(&job);
	}
}

static void test_max_tokens_below_one_sentence_cut_it(void **unused)
{
	struct scripted_job job;
	struct spec spec;

	(void)unused;
	scripted_spec(&spec, ENGLISH, 1000);
	spec.max_tokens = 6;
	scripted_job_init(&job, &spec);
	assert_int_equal(scripted_job_run(&job), OK);
	assert_string_equal(json_string_value(json_object_get(job.state.end_data, "finish_reason")),
			    "length");
	assert_true(job.state.words <= 5);
	assert_clean(&job);
	scripted_job_release(&job);
}

static void test_no_plan_of_a_model_can_stop_the_text(void **unused)
{
	static const char *const plans[] = {
		"",
		"I'm sorry, I can't.",
		"{",
		"{\"sections\":[]}",
		"[]",
		"null",
		"[1,2,3]",
		"{\"sections\":[{\"title\":\"\"}]}",
		"{\"sections\":[{\"title\":\"A\"},{\"title\":\"A\"}]}",
		"1. One\n2. One\n3. One",
		"Outline",
		"```json\n{\"sections\":[{\"title\":\"A wharf\"",
		"<think>no end",
		"Sure! Here is the outline:\n\n",
		"{\"sections\":\"none\"}",
		"\xff\xfe\xfd",
		"## \n## \n",
		"Paragraph 1 - Main Point: - Word Count: 0",
		"1. The harbour\n2. The harbour\n3. Harbour, the\n",
		"just one line of prose and no more.",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(plans); i++) {
		struct scripted_job job;

		start(&job, ENGLISH, 2500);
		job.model.plan_text = plans[i];
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_true(job.state.plan_calls <= 3);
		assert_true(has_unmet(&job, "plan"));
		assert_int_equal(plan_words(&job.state.plan), 2500);
		assert_length(&job, 40);
		assert_clean(&job);
		scripted_job_release(&job);
	}
}

static void test_the_clients_plan_is_kept_and_its_titles_are_headings(void **unused)
{
	struct scripted_job job;
	struct spec spec;

	(void)unused;
	scripted_spec(&spec, ENGLISH, 1200);
	spec.headings = HEADINGS_MARKDOWN;
	assert_int_equal(plan_add(&spec.plan, (struct slice){ "Low Water", 9 },
				  (struct slice){ "mud", 3 }, 300),
			 OK);
	assert_int_equal(plan_add(&spec.plan, (struct slice){ "High Water", 10 },
				  (struct slice){ "", 0 }, 900),
			 OK);
	spec.plan.sections[0].is_title_users = spec.plan.sections[0].is_words_users = true;
	spec.plan.sections[1].is_title_users = spec.plan.sections[1].is_words_users = true;
	scripted_job_init(&job, &spec);
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.state.plan_calls, 0);
	assert_int_equal(job.state.plan.n_sections, 2);
	assert_memory_equal(text_of(&job), "## Low Water\n\n", 14);
	assert_true(has(&job, "\n\n## High Water\n\n"));
	assert_true(labs(job.state.sections[0].words - 300) < 40);
	assert_length(&job, 24);
	scripted_job_release(&job);
}

static void test_plan_only_ends_after_the_plan(void **unused)
{
	struct scripted_job job;
	struct spec spec;
	const json_t *plan;

	(void)unused;
	scripted_spec(&spec, ENGLISH, 4000);
	spec.is_plan_only = true;
	scripted_job_init(&job, &spec);
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.state.end, EVENT_DONE);
	assert_int_equal(job.state.text.len, 0);
	assert_int_equal(job.n_asks, 1);
	plan = json_object_get(job.state.end_data, "plan");
	assert_int_equal(json_integer_value(json_object_get(plan, "target_words")), 4000);
	assert_int_equal(json_array_size(json_object_get(plan, "sections")),
			 job.state.plan.n_sections);
	assert_true(json_integer_value(json_object_get(json_object_get(plan, "estimate"),
						       "completion_tokens")) > 4000);
	scripted_job_release(&job);
}

static void test_a_floor_is_never_missed_and_a_ceiling_never_passed(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct scripted_job low, high;
		struct spec spec;

		scripted_spec(&spec, ENGLISH, 600);
		spec.at_least = 600;
		scripted_job_init(&low, &spec);
		low.model.seed = seed;
		low.model.factor_min = 0.5;
		low.model.factor_max = 1.6;
		assert_int_equal(scripted_job_run(&low), OK);
		assert_true(low.state.words >= 600);
		assert_length(&low, 40);
		scripted_job_release(&low);
		scripted_spec(&spec, ENGLISH, 582);
		spec.at_most = 600;
		scripted_job_init(&high, &spec);
		high.model.seed = seed;
		high.model.factor_min = 0.5;
		high.model.factor_max = 1.6;
		assert_int_equal(scripted_job_run(&high), OK);
		assert_true(high.state.words <= 600);
		assert_length(&high, 20);
		scripted_job_release(&high);
	}
}

static void test_sampling_is_the_clients_with_a_seed_of_each_calls_own(void **unused)
{
	struct scripted_job job;
	struct spec spec;

	(void)unused;
	scripted_spec(&spec, ENGLISH, 300);
	spec.sampling.temperature = 1.2;
	spec.sampling.has_seed = true;
	spec.sampling.seed = 40;
	spec.traits.is_small = true;
	spec.sampling.presence_penalty = 0;
	scripted_job_init(&job, &spec);
	job.model.fault = FAULT_REFUSE;
	job.model.fault_every = 5;
	assert_int_equal(scripted_job_run(&job), OK);
	assert_int_equal(job.sampling.seed, 40 + (long long)job.n_asks - 1);
	assert_true(fabs(job.sampling.frequency_penalty - 0.4) < 1e-9);
	assert_true(fabs(job.sampling.presence_penalty) < 1e-9);
	assert_true(job.sampling.temperature > 1.25); /* after the refusal */
	scripted_job_release(&job);
}

static void test_every_allocation_may_fail(void **unused)
{
	size_t nth = 1;
	bool is_beyond = false;

	(void)unused;
	while (!is_beyond) {
		struct scripted_job job;
		size_t before;
		enum err err;

		start(&job, ENGLISH, 900);
		job.model.fault = FAULT_META;
		job.model.fault_every = 2;
		job.piece_bytes = 300;
		before = mem_count();
		mem_fail_at(nth);
		err = scripted_job_run(&job);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		is_beyond = mem_count() - before < nth;
		scripted_job_release(&job);
		nth++;
	}
	assert_true(nth > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_fault_in_every_third_call_leaves_no_trace),
		cmocka_unit_test(test_a_fault_in_every_call_still_ends),
		cmocka_unit_test(test_an_empty_model_fails_the_job_by_name),
		cmocka_unit_test(test_a_backend_that_stays_down_fails_the_job_with_the_text_kept),
		cmocka_unit_test(test_chinese_faults_leave_no_trace),
		cmocka_unit_test(test_pieces_of_any_size_give_the_same_text),
		cmocka_unit_test(test_cancel_at_any_action_ends_with_a_report),
		cmocka_unit_test(test_a_new_engine_goes_on_from_anywhere),
		cmocka_unit_test(test_replaying_a_log_gives_the_same_state),
		cmocka_unit_test(test_stop_strings_end_the_text_before_them),
		cmocka_unit_test(test_max_tokens_make_a_complete_shorter_text),
		cmocka_unit_test(test_max_tokens_below_one_sentence_cut_it),
		cmocka_unit_test(test_no_plan_of_a_model_can_stop_the_text),
		cmocka_unit_test(test_the_clients_plan_is_kept_and_its_titles_are_headings),
		cmocka_unit_test(test_plan_only_ends_after_the_plan),
		cmocka_unit_test(test_a_floor_is_never_missed_and_a_ceiling_never_passed),
		cmocka_unit_test(test_sampling_is_the_clients_with_a_seed_of_each_calls_own),
		cmocka_unit_test(test_every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
