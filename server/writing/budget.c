#include "writing/budget.h"

#include <math.h>
#include <string.h>

enum {
	SECTION_WORDS = 500,
	SECTION_WORDS_MAX = 1000,
	SECTION_WORDS_SMALL = 180,
	SECTIONS_WANTED_MAX = 30, /* longer texts get longer sections first, then more of them */
	CALL_WORDS_MAX = 1000,
	CALLS_MAX = 50,
	TWO_SECTIONS_WORDS = 800,
	CONTINUES_MAX = 2,
	CONTINUES_SMALL_MAX = 4,
	CONTINUES_SMALL_LAST_MAX = 6,
	ASK_WORDS_SMALL_MIN = 60,
	CLOSINGS_MAX = 3,
	CLOSINGS_FLOOR_MAX = 5,
	EMPTIES_MAX = 3,
	CLOSING_BUDGET_MIN = 100,
	CLOSING_WORDS_MIN = 30,
	CLOSING_WORDS_MAX = 120,
	CLOSING_WORDS_SMALL = 50, /* what a small model makes of "two sentences" */
	ASK_WORDS_MIN = 12
};
/* One English word says about as much as this many Chinese characters. */
static const double chars_per_word = 1.6;
static const double short_share = 0.9;		/* of its budget: a section below is continued */
static const double continue_share = 1.15;	/* of what is missing: asked of a continuation */
static const double closing_share = 0.12;	/* of the last section's budget */
static const double client_tokens_share = 0.96; /* of max_tokens: tokens per word is a guess */
static const double users_words_slack = 0.1;

static bool is_chinese(const struct spec *spec)
{
	return spec->demand.language == LANGUAGE_CHINESE;
}

static long scaled(const struct spec *spec, double words)
{
	return lround(is_chinese(spec) ? words * chars_per_word : words);
}

static long at_least(long value, long low)
{
	return value < low ? low : value;
}

static long at_most(long value, long high)
{
	return value > high ? high : value;
}

static double tokens_per_word_of(const struct spec *spec)
{
	if (spec->traits.tokens_per_word > 0)
		return spec->traits.tokens_per_word;
	return is_chinese(spec) ? 1.0 : 1.4;
}

double budget_tokens_per_word(const struct state *state)
{
	if (state->written_words >= 200)
		return (double)state->written_tokens / (double)state->written_words;
	return tokens_per_word_of(&state->spec);
}

long budget_words_max(const struct state *state)
{
	if (state->spec.max_tokens <= 0)
		return 0;
	return at_least((long)((double)state->spec.max_tokens / budget_tokens_per_word(state)), 1);
}

long budget_plan_target(const struct spec *spec)
{
	long target = spec->target_words;
	long room;

	if (spec->at_most > 0)
		target = at_most(target, spec->at_most);
	if (spec->at_least > 0)
		target = at_least(target, spec->at_least);
	if (spec->max_tokens <= 0)
		return at_least(target, 1);
	room = (long)((double)spec->max_tokens * client_tokens_share / tokens_per_word_of(spec));
	return at_least(at_most(target, room), 1);
}

/* What one call may be asked for. */
static long trusted_words(const struct spec *spec)
{
	long words = spec->traits.call_words_max;

	return words > 0 ? words : scaled(spec, CALL_WORDS_MAX);
}

size_t budget_sections(const struct spec *spec, long target_words)
{
	long trusted = trusted_words(spec);
	double per_section = SECTION_WORDS;
	size_t n;

	if (spec->mode == WRITING_SINGLE)
		return 1;
	if (spec_context(spec) == CONTEXT_DIRECT)
		per_section = SECTION_WORDS_SMALL;
	else if (target_words / SECTIONS_WANTED_MAX > scaled(spec, per_section))
		per_section = SECTION_WORDS_MAX;
	n = plan_count_for(target_words, at_most(scaled(spec, per_section), trusted),
			   PLAN_SECTIONS_MAX);
	if (n < 2 && target_words >= scaled(spec, TWO_SECTIONS_WORDS))
		return 2;
	return n;
}

long budget_heading_words(const struct state *state, size_t section)
{
	const char *title = state->plan.sections[section].title;

	if (!spec_has_headings(&state->spec))
		return 0;
	return words_count(state->spec.count, title, strlen(title));
}

static bool is_last(const struct state *state)
{
	return state->section + 1 == state->plan.n_sections;
}

static long target_now(const struct state *state)
{
	long room = (long)((double)budget_words_max(state) * client_tokens_share);

	return state->spec.max_tokens > 0 ? at_most(state->target_words, at_least(room, 1))
					  : state->target_words;
}

long budget_section_words(const struct state *state)
{
	const struct plan_section *section = &state->plan.sections[state->section];
	long left = target_now(state) - state->words;
	double weight = 0;
	long words;

	for (size_t i = state->section; i < state->plan.n_sections; i++) {
		left -= budget_heading_words(state, i);
		weight += (double)at_least(state->plan.sections[i].words, 1);
	}
	if (is_last(state))
		return at_least(left, 1);
	words = lround((double)left * (double)at_least(section->words, 1) / weight);
	if (section->is_words_users) {
		double own = (double)section->words;

		words = at_least(words, lround(own * (1 - users_words_slack)));
		words = at_most(words, lround(own * (1 + users_words_slack)));
	}
	return at_least(words, 1);
}

long budget_tolerance(const struct state *state)
{
	long share = state->target_words / 50;

	return at_least(share, is_chinese(&state->spec) ? 16 : 12);
}

static bool is_direct(const struct state *state)
{
	return spec_context(&state->spec) == CONTEXT_DIRECT;
}

/* Small models stop after a few sentences whatever they were asked for. */
static unsigned continues_max(const struct state *state)
{
	long calls = state->sections[state->section].words_asked / trusted_words(&state->spec);

	/* A section of more than one call's words is not short for being continued. */
	if (!is_direct(state))
		return CONTINUES_MAX + (unsigned)at_most(calls, CALLS_MAX);
	return is_last(state) ? CONTINUES_SMALL_LAST_MAX : CONTINUES_SMALL_MAX;
}

/* What may be missing at the end without another call. */
static long short_tolerance(const struct state *state)
{
	long share = (long)((double)state->target_words * 0.007);

	return at_least(at_most(share, 40), is_chinese(&state->spec) ? 12 : 8);
}

static long over_tolerance(const struct state *state)
{
	return at_least(state->target_words / 100, is_chinese(&state->spec) ? 16 : 12);
}

static long closing_words(const struct state *state)
{
	const struct spec *spec = &state->spec;
	long budget = state->sections[state->section].words_asked;
	long words = lround((double)budget * closing_share);

	if (budget < scaled(spec, CLOSING_BUDGET_MIN))
		return 0;
	if (is_direct(state))
		return scaled(spec, CLOSING_WORDS_SMALL);
	words = at_least(words, scaled(spec, CLOSING_WORDS_MIN));
	return at_most(words, scaled(spec, CLOSING_WORDS_MAX));
}

static long goal_of(const struct state *state)
{
	const struct state_section *section = &state->sections[state->section];
	long goal = section->words_before + section->words_asked +
		    budget_heading_words(state, state->section);

	return is_last(state) ? at_most(goal, at_least(target_now(state), 1)) : goal;
}

void budget_for(const struct state *state, enum write_role role, struct budget *ret_budget)
{
	long goal = goal_of(state), room = budget_words_max(state), closing;
	struct budget budget = { .goal = goal, .hold_from = goal, .hold_to = goal, .cut_at = goal };

	budget.ceiling = room;
	if (is_last(state)) {
		closing = role == WRITE_CLOSING ? 0 : closing_words(state);
		budget.floor = closing > 0 ? 0 : state->spec.at_least;
		if (state->spec.at_most > 0 && (room == 0 || state->spec.at_most < room))
			budget.ceiling = state->spec.at_most;
		budget.hold_to = goal + over_tolerance(state);
		if (budget.ceiling > 0)
			budget.hold_to = at_most(budget.hold_to, at_least(budget.ceiling, goal));
		budget.cut_at = goal - closing;
		budget.hold_from = closing > 0 ? budget.cut_at : goal - over_tolerance(state);
	}
	*ret_budget = budget;
}

/* A text below its floor is tried for longer than one that only misses its target. */
static bool is_below_floor(const struct state *state)
{
	long low = state->spec.at_least;

	return low > 0 && low <= target_now(state) && state->words < low;
}

static enum write_role next_in_last(const struct state *state)
{
	const struct state_section *section = &state->sections[state->section];
	long missing = goal_of(state) - state->words;
	unsigned closings_max = is_below_floor(state) ? CLOSINGS_FLOOR_MAX : CLOSINGS_MAX;
	/* Where a small model repeats itself, another question brings words that are new. */
	bool is_stuck = is_direct(state) && (section->empties > 0 || section->closings > 0);
	bool is_near = is_stuck || missing * 2 <= closing_words(state) * 3;

	if (missing <= short_tolerance(state) && !is_below_floor(state))
		return WRITE_NONE;
	if (!is_near && section->continues < continues_max(state))
		return WRITE_CONTINUE;
	return section->closings < closings_max ? WRITE_CLOSING : WRITE_NONE;
}

enum write_role budget_next(const struct state *state)
{
	const struct state_section *section = &state->sections[state->section];

	if (section->empties >= EMPTIES_MAX)
		return WRITE_NONE;
	if (section->end_byte == section->prose_byte)
		return WRITE_SECTION;
	if (is_last(state))
		return next_in_last(state);
	if ((double)(state->words - section->words_before) >=
	    short_share * (double)section->words_asked)
		return WRITE_NONE;
	return section->continues < continues_max(state) ? WRITE_CONTINUE : WRITE_NONE;
}

bool budget_is_short(const struct state *state)
{
	const struct state_section *section = &state->sections[state->section];

	return section->words > 0 && !section->is_cut && !is_direct(state) &&
	       section->words_asked <= trusted_words(&state->spec);
}

/* Round figures for people's eyes, where that changes little. */
static long rounded(double words)
{
	return words >= 200 ? lround(words / 10) * 10 : lround(words);
}

long budget_ask_words(const struct state *state, enum write_role role)
{
	const struct state_section *section = &state->sections[state->section];
	long need = goal_of(state) - state->words;
	double habit = state->habit;

	if (!section->has_heading)
		need -= budget_heading_words(state, state->section);
	if (is_direct(state)) /* the same words in every call of a section; they change little */
		return at_least(lround((double)section->words_asked / 10) * 10,
				ASK_WORDS_SMALL_MIN);
	/* A continuation that ends short costs another call; one too long costs a cut. */
	if (role == WRITE_CONTINUE && habit > 1)
		habit = 1;
	if (role == WRITE_CONTINUE)
		habit /= continue_share;
	need = at_most(need, trusted_words(&state->spec));
	return at_least(rounded((double)need / habit), ASK_WORDS_MIN);
}
