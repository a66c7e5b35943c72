/* The arithmetic of the closed loop. */
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "writing/budget.h"

/* A job of `n` sections of `words` each, sections before `at` written as told. */
static void make(struct state *state, size_t n, long words, size_t at)
{
	state_init(state);
	state->phase = STATE_WRITING;
	state->habit = 1.0;
	state->target_words = (long)n * words;
	state->spec.target_words = state->target_words;
	state->spec.headings = HEADINGS_NONE;
	state->spec.context = CONTEXT_BOUNDED;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(plan_add(&state->plan, (struct slice){ "Tide", 4 },
					  (struct slice){ "", 0 }, words),
				 OK);
	state->sections = mem_alloc(n * sizeof(*state->sections));
	assert_non_null(state->sections);
	state->section = at;
}

static void begin(struct state *state)
{
	struct state_section *section = &state->sections[state->section];

	section->is_started = true;
	section->words_before = state->words;
	section->words_asked = budget_section_words(state);
}

/* So many words of the running section are there. */
static void write_words(struct state *state, long words)
{
	struct state_section *section = &state->sections[state->section];

	section->words += words;
	section->end_byte += (size_t)words * 6;
	state->words += words;
}

static void test_what_is_missed_is_spread_over_the_rest(void **unused)
{
	struct state state;

	(void)unused;
	make(&state, 5, 400, 2);
	state.words = 800;
	assert_int_equal(budget_section_words(&state), 400);
	state.words = 680;
	assert_int_equal(budget_section_words(&state), 440);
	state.words = 1100;
	assert_int_equal(budget_section_words(&state), 300);
	state.section = 4;
	state.words = 1500;
	assert_int_equal(budget_section_words(&state), 500);
	state_release(&state);
}

static void test_the_users_own_lengths_give_way_a_little_only(void **unused)
{
	struct state state;

	(void)unused;
	make(&state, 3, 400, 1);
	state.plan.sections[1].is_words_users = true;
	state.words = 200;
	assert_int_equal(budget_section_words(&state), 440);
	state.words = 700;
	assert_int_equal(budget_section_words(&state), 360);
	state_release(&state);
}

static void test_headings_are_paid_for(void **unused)
{
	struct state state;

	(void)unused;
	make(&state, 2, 400, 0);
	state.spec.headings = HEADINGS_MARKDOWN;
	assert_int_equal(budget_heading_words(&state, 0), 1);
	assert_int_equal(budget_section_words(&state), 399);
	state_release(&state);
}

static void test_next_calls_of_a_section(void **unused)
{
	struct state state;
	struct budget budget;

	(void)unused;
	make(&state, 3, 400, 0);
	begin(&state);
	assert_int_equal(budget_next(&state), WRITE_SECTION);
	assert_int_equal(budget_ask_words(&state, WRITE_SECTION), 400);
	state.habit = 0.5;
	assert_int_equal(budget_ask_words(&state, WRITE_SECTION), 800);
	write_words(&state, 200);
	assert_int_equal(budget_next(&state), WRITE_CONTINUE);
	assert_true(budget_is_short(&state));
	state.sections[0].continues = 2;
	assert_int_equal(budget_next(&state), WRITE_NONE);
	state.sections[0].continues = 0;
	write_words(&state, 170);
	assert_int_equal(budget_next(&state), WRITE_NONE);
	budget_for(&state, WRITE_SECTION, &budget);
	assert_int_equal(budget.goal, 400);
	assert_int_equal(budget.hold_from, 400);
	assert_int_equal(budget.cut_at, 400);
	state_release(&state);
}

static void test_the_last_section_keeps_words_for_a_closing(void **unused)
{
	struct state state;
	struct budget budget;

	(void)unused;
	make(&state, 3, 400, 2);
	state.words = 800;
	begin(&state);
	budget_for(&state, WRITE_SECTION, &budget);
	assert_int_equal(budget.goal, 1200);
	assert_int_equal(budget.cut_at, 1200 - 48);
	assert_int_equal(budget.hold_from, budget.cut_at);
	assert_int_equal(budget.hold_to, 1212);
	write_words(&state, 350);
	assert_int_equal(budget_next(&state), WRITE_CLOSING);
	assert_int_equal(budget_ask_words(&state, WRITE_CLOSING), 50);
	budget_for(&state, WRITE_CLOSING, &budget);
	assert_int_equal(budget.cut_at, 1200);
	write_words(&state, 45);
	assert_int_equal(budget_next(&state), WRITE_NONE);
	state.spec.at_least = 1200;
	assert_int_equal(budget_next(&state), WRITE_CLOSING);
	state.sections[2].closings = 5;
	assert_int_equal(budget_next(&state), WRITE_NONE);
	state_release(&state);
}

/* It ends with two sentences of its own, and where it only repeats itself they come earlier. */
static void test_a_small_model_closes_with_two_sentences(void **unused)
{
	struct state state;
	struct budget budget;

	(void)unused;
	make(&state, 3, 200, 2);
	state.spec.context = CONTEXT_DIRECT;
	state.words = 400;
	begin(&state);
	budget_for(&state, WRITE_SECTION, &budget);
	assert_int_equal(budget.cut_at, 600 - 50);
	write_words(&state, 60);
	assert_int_equal(budget_next(&state), WRITE_CONTINUE);
	state.sections[2].empties = 1;
	assert_int_equal(budget_next(&state), WRITE_CLOSING);
	state.sections[2].empties = 0;
	state.sections[2].closings = 1;
	write_words(&state, 40);
	assert_int_equal(budget_next(&state), WRITE_CLOSING);
	state.sections[2].closings = 3;
	assert_int_equal(budget_next(&state), WRITE_NONE);
	state_release(&state);
}

static void test_three_empty_answers_end_a_section(void **unused)
{
	struct state state;

	(void)unused;
	make(&state, 3, 400, 0);
	begin(&state);
	state.sections[0].empties = 2;
	assert_int_equal(budget_next(&state), WRITE_SECTION);
	state.sections[0].empties = 3;
	assert_int_equal(budget_next(&state), WRITE_NONE);
	state_release(&state);
}

static void test_long_sections_are_asked_for_in_parts(void **unused)
{
	struct state state;

	(void)unused;
	make(&state, 2, 3000, 0);
	begin(&state);
	assert_int_equal(budget_ask_words(&state, WRITE_SECTION), 1000);
	write_words(&state, 1000);
	state.sections[0].continues = 2;
	assert_int_equal(budget_next(&state), WRITE_CONTINUE);
	assert_false(budget_is_short(&state));
	state_release(&state);
}

static void test_how_many_sections(void **unused)
{
	static const struct {
		long target;
		bool is_small, is_chinese, is_single;
		long call_words;
		size_t least, most;
	} cases[] = {
		{ 500, false, false, false, 0, 1, 1 },
		{ 900, false, false, false, 0, 2, 2 },
		{ 5000, false, false, false, 0, 9, 11 },
		{ 15000, false, false, false, 0, 28, 30 },
		{ 60000, false, false, false, 0, 58, 61 },
		{ 1000, true, false, false, 0, 5, 6 },
		{ 5000, false, true, false, 0, 6, 7 },
		{ 5000, false, false, true, 0, 1, 1 },
		{ 5000, false, false, false, 250, 20, 20 },
		{ 10000000, false, false, false, 0, 400, 400 },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct spec spec;
		size_t n;

		spec_init(&spec);
		spec.mode = cases[i].is_single ? WRITING_SINGLE : WRITING_SERIAL;
		spec.target_words = cases[i].target;
		spec.traits.is_small = cases[i].is_small;
		spec.traits.call_words_max = cases[i].call_words;
		spec.demand.language = cases[i].is_chinese ? LANGUAGE_CHINESE : LANGUAGE_ENGLISH;
		n = budget_sections(&spec, cases[i].target);
		if (n < cases[i].least || n > cases[i].most)
			print_error("case %zu: %zu\n", i, n);
		assert_in_range(n, cases[i].least, cases[i].most);
		spec_release(&spec);
	}
}

static void test_the_clients_tokens_bound_the_target(void **unused)
{
	struct state state;

	(void)unused;
	make(&state, 2, 400, 0);
	assert_int_equal(budget_words_max(&state), 0);
	state.spec.max_tokens = 700;
	assert_int_equal(budget_words_max(&state), 500);
	assert_int_equal(budget_plan_target(&state.spec), 480);
	state.written_words = 400;
	state.written_tokens = 800;
	assert_int_equal(budget_words_max(&state), 350);
	state.spec.max_tokens = 0;
	state.spec.at_least = 900;
	assert_int_equal(budget_plan_target(&state.spec), 900);
	state_release(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_missed_is_spread_over_the_rest),
		cmocka_unit_test(test_the_users_own_lengths_give_way_a_little_only),
		cmocka_unit_test(test_headings_are_paid_for),
		cmocka_unit_test(test_next_calls_of_a_section),
		cmocka_unit_test(test_the_last_section_keeps_words_for_a_closing),
		cmocka_unit_test(test_a_small_model_closes_with_two_sentences),
		cmocka_unit_test(test_three_empty_answers_end_a_section),
		cmocka_unit_test(test_long_sections_are_asked_for_in_parts),
		cmocka_unit_test(test_how_many_sections),
		cmocka_unit_test(test_the_clients_tokens_bound_the_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
