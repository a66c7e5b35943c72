/* The engine and what the client asked for: stops, limits, plans, sampling. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fakes/scripted_checks.h"
#include "writing/sentence.h"

#define ENGLISH "Write a long text about the harbour."

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
	scripted_start(&plain, ENGLISH, 1000);
	assert_int_equal(scripted_job_run(&plain), OK);
	for (size_t from = 40; from + 30 < plain.state.text.len; from += 97) {
		struct scripted_job job;
		struct spec spec;
		char stop[24] = { 0 };
		const char *first;

		memcpy(stop, scripted_text(&plain) + from, 16 + from % 7);
		first = strstr(scripted_text(&plain), stop);
		scripted_spec(&spec, ENGLISH, 1000);
		set_stop(&spec, "never there");
		set_stop(&spec, stop);
		scripted_job_init(&job, &spec);
		job.piece_bytes = from % 2 == 0 ? 0 : 11;
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_null(strstr(scripted_text(&job), stop));
		assert_memory_equal(scripted_text(&job), scripted_text(&plain), job.state.text.len);
		assert_true(job.state.text.len + 3 >= (size_t)(first - scripted_text(&plain)));
		assert_true(scripted_has_repair(&job, "stop_string"));
		assert_false(scripted_has_unmet(&job, "ending"));
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
		assert_true(scripted_has_unmet(&job, "client_max_tokens"));
		assert_true(sentence_is_finished(scripted_text(&job), job.state.text.len));
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
	assert_scripted_clean(&job);
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

		scripted_start(&job, ENGLISH, 2500);
		job.model.plan_text = plans[i];
		assert_int_equal(scripted_job_run(&job), OK);
		assert_int_equal(job.state.end, EVENT_DONE);
		assert_true(job.state.plan_calls <= 3);
		assert_true(scripted_has_unmet(&job, "plan"));
		assert_int_equal(plan_words(&job.state.plan), 2500);
		assert_scripted_length(&job, 40);
		assert_scripted_clean(&job);
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
	assert_memory_equal(scripted_text(&job), "## Low Water\n\n", 14);
	assert_true(scripted_has(&job, "\n\n## High Water\n\n"));
	assert_true(labs(job.state.sections[0].words - 300) < 40);
	assert_scripted_length(&job, 24);
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
		assert_scripted_length(&low, 40);
		scripted_job_release(&low);
		scripted_spec(&spec, ENGLISH, 582);
		spec.at_most = 600;
		scripted_job_init(&high, &spec);
		high.model.seed = seed;
		high.model.factor_min = 0.5;
		high.model.factor_max = 1.6;
		assert_int_equal(scripted_job_run(&high), OK);
		assert_true(high.state.words <= 600);
		assert_scripted_length(&high, 20);
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

		scripted_start(&job, ENGLISH, 900);
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
