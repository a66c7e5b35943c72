#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "writing/engine_parts.h"

enum { PARAGRAPH_WORDS = 150, PARAGRAPH_WORDS_SMALL = 80 };

static const struct state_section *running(const struct engine *engine)
{
	return &engine->state->sections[engine->state->section];
}

/* The held sentences from `first` on are not wanted. */
static void discard_held(struct engine *engine, size_t first)
{
	struct take *take = &engine->call.take;

	while (take->n_held > first) {
		struct take_unit *unit = &take->held[--take->n_held];

		repeat_remove(&engine->seen, (struct slice){ unit->text, unit->len });
		take->words_held -= unit->words;
		engine->call.words_discarded += unit->words;
		take_unit_release(unit);
	}
}

/* How many of the held sentences to deliver, the total being nearest to `cut_at`. The first of a
 * section is delivered in any case, and a lead-in is not left at the end. */
static size_t best_cut(const struct engine *engine, const struct budget *budget)
{
	const struct take *take = &engine->call.take;
	bool is_empty = running(engine)->end_byte == running(engine)->prose_byte;
	long total = engine_words_before_held(engine), best_off = -1;
	size_t best = 0;

	for (size_t n = 0; n <= take->n_held; n++) {
		long off;

		if (n > 0)
			total += take->held[n - 1].words;
		off = labs(total - budget->cut_at);
		if (is_empty && n == 0)
			continue;
		if (best_off >= 0 && n > 0 && take->held[n - 1].is_lead_in)
			continue;
		if (budget->ceiling > 0 && total > budget->ceiling && best_off >= 0)
			break;
		if (best_off < 0 || off < best_off ||
		    (budget->floor > 0 && total - take->held[n - 1].words < budget->floor)) {
			best = n;
			best_off = off;
		}
	}
	return best;
}

/* The client's max_tokens do not even hold the first sentence: cut inside it. */
static void cut_to_room(struct engine *engine, const struct budget *budget)
{
	struct take_unit *unit = &engine->call.take.held[0];
	size_t len = unit->len;

	if (engine->state->text.len > 0 || engine->state->spec.max_tokens <= 0 ||
	    unit->words <= budget->ceiling)
		return;
	while (len > 0 && words_count(engine->call.take.count, unit->text, len) > budget->ceiling)
		len = text_whole(unit->text, len - 1);
	len = text_trim(unit->text, len).len;
	if (len == 0)
		return;
	engine->call.take.words_held -= unit->words;
	unit->len = len;
	unit->words = words_count(engine->call.take.count, unit->text, len);
	engine->call.take.words_held += unit->words;
}

static enum err cut(struct engine *engine, const struct budget *budget)
{
	struct engine_call *call = &engine->call;

	if (call->take.n_held > 0 && budget->ceiling > 0)
		cut_to_room(engine, budget);
	discard_held(engine, best_cut(engine, budget));
	call->is_cut = true;
	call->is_settled = true;
	call->is_stop_wanted = true;
	return engine_emit(engine, call->take.n_held);
}

/* The answer is at its end: what is held is delivered, as far as the budget has room for it. */
enum err engine_settle(struct engine *engine)
{
	struct engine_call *call = &engine->call;
	struct take *take = &call->take;
	struct budget budget;

	call->is_settled = true;
	if (call->is_redo) {
		discard_held(engine, 0);
		return OK;
	}
	while (take->n_held > 1 && take->held[take->n_held - 1].is_lead_in)
		discard_held(engine, take->n_held - 1);
	if (take->n_held == 0)
		return OK;
	budget_for(engine->state, call->role, &budget);
	if (call->end.result != OK || !call->is_over)
		budget.hold_to = budget.goal;
	if (engine_words_before_held(engine) + take->words_held > budget.hold_to)
		return cut(engine, &budget);
	return engine_emit(engine, take->n_held);
}

static enum err place_held(struct engine *engine)
{
	struct take *take = &engine->call.take;
	long total = engine_words_before_held(engine) + take->words_held;
	struct budget budget;

	budget_for(engine->state, engine->call.role, &budget);
	if (total > budget.hold_to)
		return cut(engine, &budget);
	if (total <= budget.hold_from && !take->held[take->n_held - 1].is_lead_in)
		return engine_emit(engine, take->n_held);
	return OK;
}

/* Words since the last blank line of the section, those held included. */
static long paragraph_words(const struct engine *engine)
{
	const struct take *take = &engine->call.take;
	const struct state_section *section = running(engine);
	const char *start = buf_str(&engine->state->text) + section->prose_byte;
	const char *end = buf_str(&engine->state->text) + section->end_byte, *at = end;
	long words = 0;

	for (size_t i = 0; i < take->n_held; i++)
		words = take->held[i].gap == GAP_PARAGRAPH ? take->held[i].words
							   : words + take->held[i].words;
	while (at > start && at[-1] != '\n')
		at--;
	return words + words_count(take->count, at, (size_t)(end - at));
}

/* How a continuation's first sentence joins the text. */
static enum gap first_gap(const struct engine *engine, const struct take_unit *unit)
{
	const struct engine_call *call = &engine->call;

	if (unit->gap >= GAP_LINE)
		return unit->gap;
	if (call->role == WRITE_CLOSING || paragraph_words(engine) > PARAGRAPH_WORDS)
		return GAP_PARAGRAPH;
	if (engine->state->spec.demand.language == LANGUAGE_CHINESE)
		return GAP_NONE;
	return GAP_SPACE;
}

enum err engine_accept(struct engine *engine, struct take_unit *unit)
{
	struct engine_call *call = &engine->call;
	enum err err = repeat_add(&engine->seen, (struct slice){ unit->text, unit->len });

	if (err != OK)
		return err;
	if (!call->has_text && call->take.n_held == 0)
		unit->gap = first_gap(engine, unit);
	if (spec_context(&engine->state->spec) == CONTEXT_DIRECT)
		unit->gap =
			paragraph_words(engine) > PARAGRAPH_WORDS_SMALL ? GAP_PARAGRAPH : GAP_SPACE;
	unit->is_lead_in = guard_is_lead_in((struct slice){ unit->text, unit->len });
	err = take_hold(&call->take, unit);
	if (err != OK)
		return err;
	call->n_dropped_row = 0;
	return place_held(engine);
}
