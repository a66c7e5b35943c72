#include "writing/report.h"

#include <stdlib.h>

#include "writing/budget.h"
#include "writing/sentence.h"

/* Of a prompt beside the text it carries: instruction, plan, progress. */
enum { PROMPT_TOKENS_BASE = 400, TOKENS_PER_SECOND = 40 };

static const char *mode_name(const struct spec *spec)
{
	return spec->mode == WRITING_SINGLE ? "single" : "serial";
}

static const char *language_name(enum language language)
{
	static const char *const names[] = { [LANGUAGE_ENGLISH] = "english",
					     [LANGUAGE_CHINESE] = "chinese",
					     [LANGUAGE_OTHER] = "other" };

	return names[language];
}

/* Of two errors the first wins: a NULL anywhere ends in NULL. */
static int append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value);
}

static json_t *sections_json(const struct state *state)
{
	json_t *array = json_array();
	int failed = array == NULL;

	for (size_t i = 0; i < state->plan.n_sections && !failed; i++) {
		const struct state_section *section = &state->sections[i];

		failed = append(
			array,
			json_pack("{s:s, s:I, s:I, s:I}", "title", state->plan.sections[i].title,
				  "words_asked", (json_int_t)section->words_asked, "words",
				  (json_int_t)section->words, "calls", (json_int_t)section->calls));
	}
	if (!failed)
		return array;
	json_decref(array);
	return NULL;
}

static int add_unmet(json_t *array, const char *kind, const char *detail)
{
	return append(array, json_pack("{s:s, s:s}", "kind", kind, "detail", detail));
}

static bool is_length_missed(const struct state *state)
{
	long off = state->words - state->target_words;

	if (state->spec.at_least > 0 && state->words < state->spec.at_least &&
	    state->target_words >= state->spec.at_least)
		return true;
	if (state->spec.at_most > 0 && state->words > state->spec.at_most)
		return true;
	/* Half of the longest sentence may be on top; a fiftieth more stands for it. */
	return labs(off) > 2 * budget_tolerance(state);
}

/* What only the end can tell. */
static int add_final_unmet(const struct state *state, json_t *array)
{
	const struct buf *text = &state->text;
	int failed = 0;

	if (state->phase == STATE_PLANNING || state->spec.is_plan_only)
		return 0;
	if (is_length_missed(state))
		failed = add_unmet(array, "length",
				   state->is_cancelled ? "the job was cancelled"
						       : "the text is not of the length aimed at");
	if (!failed && text->len > 0 && !state->is_stop_found &&
	    !sentence_is_finished(text->data, text->len))
		failed = add_unmet(array, "ending",
				   "the text does not end with a finished sentence");
	return failed;
}

static json_t *unmet_json(const struct state *state)
{
	json_t *array = state->unmet != NULL ? json_copy(state->unmet) : json_array();

	if (array != NULL && add_final_unmet(state, array) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *usage_json(const struct usage *usage)
{
	return json_pack("{s:I, s:I, s:I, s:{s:I}, s:{s:I}}", "prompt_tokens",
			 (json_int_t)usage->prompt_tokens, "completion_tokens",
			 (json_int_t)usage->completion_tokens, "total_tokens",
			 (json_int_t)(usage->prompt_tokens + usage->completion_tokens),
			 "completion_tokens_details", "reasoning_tokens",
			 (json_int_t)usage->reasoning_tokens, "prompt_tokens_details",
			 "cached_tokens", (json_int_t)usage->cached_tokens);
}

/* Of every word delivered, what was dropped included. */
static double tokens_per_word(const struct state *state)
{
	if (state->words == 0)
		return 0;
	return (double)state->usage.completion_tokens / (double)state->words;
}

static int set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value);
}

json_t *report_build(const struct state *state)
{
	const struct buf *text = &state->text;
	struct word_count both = words_count_both(buf_str(text), text->len);
	json_t *report = json_pack(
		"{s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I}", "target_words",
		(json_int_t)state->spec.target_words, "words", (json_int_t)both.natural,
		"words_benchmark", (json_int_t)both.benchmark, "mode", mode_name(&state->spec),
		"calls", (json_int_t)state->calls, "calls_failed", (json_int_t)state->calls_failed,
		"words_discarded", (json_int_t)state->words_dropped, "sections_ended_by_us",
		(json_int_t)state->sections_cut);
	json_t *repairs = state->repairs != NULL ? json_incref(state->repairs) : json_array();

	if (report == NULL || set(report, "sections", sections_json(state)) != 0 ||
	    set(report, "usage", usage_json(&state->usage)) != 0 ||
	    set(report, "tokens_per_word", json_real(tokens_per_word(state))) != 0 ||
	    json_object_set(report, "repairs", repairs) != 0 ||
	    set(report, "unmet", unmet_json(state)) != 0) {
		json_decref(report);
		report = NULL;
	}
	json_decref(repairs);
	return report;
}

static json_t *plan_sections(const struct state *state)
{
	json_t *plan = plan_to_json(&state->plan);
	json_t *sections = json_incref(json_object_get(plan, "sections"));
	size_t i;
	json_t *section;

	json_array_foreach(sections, i, section)
	{
		(void)json_object_del(section, "own_title");
		(void)json_object_del(section, "own_words");
	}
	json_decref(plan);
	return sections;
}

/* Calls read the plan and what the context shows of the text; the model writes every word once. */
static json_t *estimate(const struct state *state)
{
	double per_word = budget_tokens_per_word(state);
	double completion = per_word * (double)state->target_words;
	double sections = (double)state->plan.n_sections;
	double context = 300 * per_word;

	if (spec_context(&state->spec) == CONTEXT_FULL)
		context = completion / 2;
	else if (spec_context(&state->spec) == CONTEXT_DIRECT)
		context = 0;
	return json_pack("{s:I, s:I, s:I}", "prompt_tokens",
			 (json_int_t)(sections * (PROMPT_TOKENS_BASE + 20 * sections + context)),
			 "completion_tokens", (json_int_t)(completion * 1.1), "seconds",
			 (json_int_t)(completion * 1.1 / TOKENS_PER_SECOND) + 1);
}

json_t *report_plan(const struct state *state)
{
	const struct spec *spec = &state->spec;
	json_t *plan = json_pack(
		"{s:I, s:I, s:I, s:s, s:s}", "target_words", (json_int_t)state->target_words,
		"at_least", (json_int_t)spec->at_least, "at_most", (json_int_t)spec->at_most,
		"language", language_name(spec->demand.language), "mode", mode_name(spec));

	if (plan != NULL && set(plan, "sections", plan_sections(state)) == 0 &&
	    set(plan, "estimate", estimate(state)) == 0)
		return plan;
	json_decref(plan);
	return NULL;
}
