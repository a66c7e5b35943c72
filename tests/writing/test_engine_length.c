/* The closed loop: whatever the model makes of the words it is asked for, the text is as long as it
 * was to be. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/scripted_job.h"
#include "writing/budget.h"
#include "writing/sentence.h"

/* Half of the longest sentence the scripted model writes. */
enum { HALF_SENTENCE_WORDS = 13, HALF_SENTENCE_CHARS = 21 };

struct row {
	const char *request;
	long target_words;
	enum word_rule count;
	enum headings headings;
};

#define ENGLISH "Write a long text about the harbour."
#define CHINESE "写一篇关于港口的长文。"

static const struct row rows[] = {
	{ ENGLISH, 200, WORDS_NATURAL, HEADINGS_NONE },
	{ ENGLISH, 350, WORDS_BENCHMARK, HEADINGS_NONE },
	{ ENGLISH, 500, WORDS_BENCHMARK, HEADINGS_NONE },
	{ ENGLISH, 800, WORDS_NATURAL, HEADINGS_MARKDOWN },
	{ ENGLISH, 1000, WORDS_BENCHMARK, HEADINGS_MARKDOWN },
	{ ENGLISH, 1500, WORDS_BENCHMARK, HEADINGS_NONE },
	{ ENGLISH, 2000, WORDS_NATURAL, HEADINGS_NONE },
	{ ENGLISH, 3000, WORDS_BENCHMARK, HEADINGS_MARKDOWN },
	{ ENGLISH, 5000, WORDS_BENCHMARK, HEADINGS_MARKDOWN },
	{ ENGLISH, 8000, WORDS_NATURAL, HEADINGS_NONE },
	{ ENGLISH, 15000, WORDS_BENCHMARK, HEADINGS_MARKDOWN },
	{ CHINESE, 200, WORDS_BENCHMARK, HEADINGS_NONE },
	{ CHINESE, 500, WORDS_NATURAL, HEADINGS_NONE },
	{ CHINESE, 1000, WORDS_BENCHMARK, HEADINGS_MARKDOWN },
	{ CHINESE, 3000, WORDS_BENCHMARK, HEADINGS_NONE },
	{ CHINESE, 10000, WORDS_BENCHMARK, HEADINGS_MARKDOWN },
};

static long bound_of(const struct state *state)
{
	long bound = budget_tolerance(state);
	long half = state->spec.demand.language == LANGUAGE_CHINESE ? HALF_SENTENCE_CHARS
								    : HALF_SENTENCE_WORDS;

	return bound > half ? bound : half;
}

static long words_of(const struct state *state)
{
	return words_count(state->spec.count, buf_str(&state->text), state->text.len);
}

static void run_row(const struct row *row, uint64_t seed, struct scripted_job *job)
{
	struct spec spec;

	scripted_spec(&spec, row->request, row->target_words);
	spec.count = row->count;
	spec.headings = row->headings;
	scripted_job_init(job, &spec);
	job->model.seed = seed;
	job->model.factor_min = 0.5;
	job->model.factor_max = 1.6;
	assert_int_equal(scripted_job_run(job), OK);
}

static void test_total_is_within_the_bound_from_half_to_1_6_times(void **unused)
{
	double score = 0;
	unsigned calls = 0, sections = 0, cut = 0;
	long dropped = 0, words = 0;
	int n = 0;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (uint64_t seed = 1; seed <= 12; seed++, n++) {
			struct scripted_job job;
			long got, off;

			run_row(&rows[i], seed * 7919, &job);
			got = words_of(&job.state);
			off = labs(got - rows[i].target_words);
			assert_int_equal(job.state.end, EVENT_DONE);
			assert_int_equal(got, job.state.words);
			if (off > bound_of(&job.state))
				print_error("row %zu seed %d: %ld for %ld\n", i, (int)seed, got,
					    rows[i].target_words);
			assert_true(off <= bound_of(&job.state));
			assert_true(sentence_is_finished(job.state.text.data, job.state.text.len));
			score += words_score(rows[i].target_words, got);
			calls += job.state.calls;
			sections += (unsigned)job.state.plan.n_sections;
			cut += job.state.sections_cut;
			dropped += job.state.words_dropped;
			words += got;
			scripted_job_release(&job);
		}
	}
	print_message(
		"mean S_l %.2f over %d jobs; %.2f calls a section, %.0f%% of the sections ended "
		"by us, %.1f%% of the words discarded\n",
		score / n, n, (double)calls / sections, 100.0 * cut / sections,
		100.0 * (double)dropped / (double)words);
	assert_true(score / n >= 99.3);
}

/* A small model stops after a few sentences whatever it is asked for, and gets one plain sentence.
 */
static void test_a_small_model_that_stops_early_still_makes_the_length(void **unused)
{
	static const long targets[] = { 300, 1000, 2500 };

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		for (uint64_t seed = 1; seed <= 10; seed++) {
			struct scripted_job job;
			struct spec spec;

			scripted_spec(&spec, ENGLISH, targets[i]);
			spec.mode = WRITING_SERIAL;
			spec.traits.is_small = true;
			spec.traits.can_continue = true;
			scripted_job_init(&job, &spec);
			job.model.seed = seed * 104729;
			job.model.factor_min = 0.3;
			job.model.factor_max = 1.6;
			assert_int_equal(scripted_job_run(&job), OK);
			assert_int_equal(job.state.end, EVENT_DONE);
			assert_true(labs(job.state.words - targets[i]) <= bound_of(&job.state));
			scripted_job_release(&job);
		}
	}
}

static long usage_of(const struct scripted_job *job, const char *what)
{
	const json_t *report = json_object_get(job->state.end_data, "report");

	return (long)json_integer_value(json_object_get(json_object_get(report, "usage"), what));
}

/* A call that we end never says what it used, some backends never do: it counts by estimate, and
 * nothing is learned from that. */
static void test_calls_without_usage_count_by_estimate(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scripted_job told, untold;
		struct spec spec;
		long calls;

		run_row(&rows[i], 7919, &told);
		scripted_spec(&spec, rows[i].request, rows[i].target_words);
		scripted_job_init(&untold, &spec);
		untold.has_no_usage = true;
		assert_int_equal(scripted_job_run(&untold), OK);
		assert_int_equal(untold.state.written_tokens, 0);
		calls = (long)untold.state.calls;
		assert_true(usage_of(&untold, "prompt_tokens") >= 30 * calls);
		assert_true(usage_of(&untold, "completion_tokens") >= untold.state.words);
		assert_true(usage_of(&untold, "completion_tokens") < untold.state.words * 4);
		assert_true(usage_of(&told, "completion_tokens") * 2 > told.state.words);
		assert_true(usage_of(&told, "prompt_tokens") > 30 * (long)told.state.calls);
		scripted_job_release(&told);
		scripted_job_release(&untold);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_total_is_within_the_bound_from_half_to_1_6_times),
		cmocka_unit_test(test_calls_without_usage_count_by_estimate),
		cmocka_unit_test(test_a_small_model_that_stops_early_still_makes_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
