#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "writing/engine_parts.h"
#include "writing/plan_marks.h"

enum {
	REDOS_MAX = 2,
	DROPPED_ROW_MAX = 4,
	DROPPED_MAX = 10,
	ECHOES_MAX = 40,
	FLIPPED_ROW_MAX = 3,
	LOOP_WORDS_MIN = 4,
	LOOP_SHORT_TIMES = 4,
	POEM_TIMES = 4,
	LONG_SENTENCE_BYTES = 600,
	LINE_WORDS_MAX = 30,	  /* a line without an end mark that may still be whole */
	PLAIN_LINE_WORDS_MAX = 7, /* the same where it looks like prose: a signature, a date */
	PLAIN_LINE_CHARS_MAX = 12,
};
static const double known_share_max = 0.3;
/* Small models tell everything again in slightly other words, and have more to say when asked. */
static const double small_share_max = 0.06;

static const struct state_section *running(const struct engine *engine)
{
	return &engine->state->sections[engine->state->section];
}

static bool is_poem(const struct engine *engine)
{
	return engine->state->spec.demand.kind == DEMAND_POEM;
}

static void want_stop(struct engine *engine)
{
	engine->call.is_stop_wanted = true;
}

static bool can_redo(const struct engine *engine)
{
	return !engine->call.has_text && running(engine)->redos < REDOS_MAX;
}

/* Ends the answer for a fault: asked again from the start when nothing of it is out, else what is
 * there stays and the section is continued. */
static enum err give_up(struct engine *engine, enum repair_kind kind, long words)
{
	struct engine_call *call = &engine->call;
	bool is_redo = can_redo(engine) && kind != REPAIR_LOOP;

	want_stop(engine);
	engine->nudges++;
	engine->fault = repair_kind_name(kind);
	call->is_redo = is_redo;
	return engine_queue_repair(engine, kind, is_redo ? ACTION_REDO : ACTION_CONTINUE, words);
}

static enum err drop(struct engine *engine, enum repair_kind kind, long words)
{
	struct engine_call *call = &engine->call;
	size_t max = kind == REPAIR_ECHO ? ECHOES_MAX : DROPPED_MAX;

	call->n_dropped++;
	call->n_dropped_row++;
	if (!call->is_over && (call->n_dropped >= max || (kind == REPAIR_REPETITION &&
							  call->n_dropped_row >= DROPPED_ROW_MAX)))
		return give_up(engine, kind, words);
	return engine_queue_repair(engine, kind, ACTION_DROP, words);
}

static bool is_personal(enum demand_kind kind)
{
	return kind == DEMAND_STORY || kind == DEMAND_NOVEL || kind == DEMAND_LETTER ||
	       kind == DEMAND_SPEECH || kind == DEMAND_POEM || kind == DEMAND_SCRIPT ||
	       kind == DEMAND_REVIEW;
}

static struct guard_place place_of(const struct engine *engine)
{
	const struct state *state = engine->state;
	enum demand_kind kind = state->spec.demand.kind;
	struct guard_place place = {
		.title = state->plan.sections[state->section].title,
		.unit = engine->call.take.n_units - 1,
		.is_section_start = running(engine)->end_byte == running(engine)->prose_byte &&
				    engine->call.take.n_held == 0,
		.is_last_section = state->section + 1 == state->plan.n_sections,
		.is_single = state->plan.n_sections == 1,
		.has_headings = spec_has_headings(&state->spec),
		.is_direct = spec_context(&state->spec) == CONTEXT_DIRECT,
		.is_personal = is_personal(kind),
		.is_letter = kind == DEMAND_LETTER || kind == DEMAND_SCRIPT,
	};

	if (state->spec.demand.language == LANGUAGE_ENGLISH)
		place.script = SCRIPT_LATIN;
	else if (state->spec.demand.language == LANGUAGE_CHINESE)
		place.script = SCRIPT_HAN;
	return place;
}

/* The flipped language of an answer's first sentences is worth another try, that of a quotation in
 * its middle is not. */
static enum err judge_flipped(struct engine *engine, long words, bool *ret_is_kept)
{
	struct engine_call *call = &engine->call;

	call->n_flipped_row++;
	*ret_is_kept = true;
	engine->n_flipped++;
	if (call->is_over && !can_redo(engine))
		return OK;
	if ((can_redo(engine) && call->take.n_held == 0) ||
	    (call->n_flipped_row >= FLIPPED_ROW_MAX && engine->nudges <= REDOS_MAX)) {
		*ret_is_kept = false;
		engine->n_flipped--;
		return give_up(engine, REPAIR_LANGUAGE, words);
	}
	return OK;
}

static enum err judge_by_guard(struct engine *engine, struct take_unit *unit, bool *ret_is_kept)
{
	struct guard_place place = place_of(engine);
	struct guard_finding finding =
		guard_judge(&place, (struct slice){ unit->text, unit->len }, unit->is_line);

	*ret_is_kept = finding.verdict == GUARD_KEEP;
	if (*ret_is_kept)
		engine->call.n_flipped_row = 0;
	if (finding.verdict == GUARD_KEEP && finding.skip_bytes > 0) {
		long before = unit->words;

		unit->len -= finding.skip_bytes;
		memmove(unit->text, unit->text + finding.skip_bytes, unit->len);
		unit->words = words_count(engine->call.take.count, unit->text, unit->len);
		return engine_queue_repair(engine, finding.kind, ACTION_DROP, before - unit->words);
	}
	if (finding.verdict == GUARD_KEEP)
		return OK;
	if (finding.kind == REPAIR_LANGUAGE)
		return judge_flipped(engine, unit->words, ret_is_kept);
	if (finding.verdict == GUARD_REDO && can_redo(engine))
		return give_up(engine, finding.kind, engine->call.take.words_read);
	return drop(engine, finding.kind, unit->words);
}

/* Neither an item of a list, nor a row of a table, nor tags. */
static bool looks_like_prose(struct slice text)
{
	enum mark mark = MARK_NONE;
	const char *at = text.data;
	uint32_t first = text_next(&at, text.data + text.len);

	(void)marks_skip(text, &mark);
	return mark == MARK_NONE && (text_is_letter(first) || text_is_han(first));
}

static bool ends_with_comma(const struct take_unit *unit)
{
	uint32_t last = text_before(unit->text, unit->text + unit->len);

	return last == ',' || last == ';' || last == 0xff0c || last == 0xff1b || last == 0x3001;
}

/* A text may end without an end mark where a line is: in a poem, a list, a signature. */
static bool may_end_so(const struct engine *engine, const struct take_unit *unit)
{
	const struct spec *spec = &engine->state->spec;
	enum demand_kind kind = spec->demand.kind;
	bool is_chinese = spec->demand.language == LANGUAGE_CHINESE;

	if (!unit->is_line)
		return false;
	if (kind == DEMAND_POEM || kind == DEMAND_LETTER || kind == DEMAND_SCRIPT ||
	    spec_context(spec) == CONTEXT_DIRECT ||
	    !looks_like_prose((struct slice){ unit->text, unit->len }))
		return unit->words <= LINE_WORDS_MAX;
	return !ends_with_comma(unit) &&
	       unit->words <= (is_chinese ? PLAIN_LINE_CHARS_MAX : PLAIN_LINE_WORDS_MAX);
}

static enum err judge_cut_off(struct engine *engine, struct take_unit *unit, bool *ret_is_kept)
{
	const struct call_end *end = &engine->call.end;
	bool is_alone = engine->call.take.n_units == 1 && running(engine)->empties > 0;

	*ret_is_kept = true;
	if (!unit->is_last || unit->is_finished)
		return OK;
	if (end->result == OK &&
	    (is_alone || (end->finish == FINISH_STOP && may_end_so(engine, unit))))
		return OK;
	*ret_is_kept = false;
	if (engine->call.max_tokens > 0 && end->finish == FINISH_LENGTH) {
		engine->call.words_discarded += unit->words; /* we cut it off ourselves */
		return OK;
	}
	return engine_queue_repair(engine, REPAIR_CUT_OFF, ACTION_DROP, unit->words);
}

/* How often the answer's latest sentences were this one. */
static size_t times_recent(struct engine_call *call, uint64_t print)
{
	size_t times = 0, n = call->n_recent < ENGINE_RECENT ? call->n_recent : ENGINE_RECENT;

	for (size_t i = 0; i < n; i++)
		times += call->recent[i] == print;
	call->recent[call->n_recent++ % ENGINE_RECENT] = print;
	return times;
}

static bool is_loop(struct engine *engine, struct slice text, size_t words)
{
	size_t times = times_recent(&engine->call, repeat_fingerprint(text));

	if (words == 0)
		return times >= LOOP_SHORT_TIMES;
	if (is_poem(engine))
		return times >= POEM_TIMES;
	return times >= (words >= LOOP_WORDS_MIN ? 1 : LOOP_SHORT_TIMES);
}

/* Of a continuation's first sentences: it says again what it was to go on from. */
static bool is_echo(const struct engine *engine, struct slice text, struct repeat_share share)
{
	const struct engine_call *call = &engine->call;
	const struct buf *all = &engine->state->text;

	if (call->role == WRITE_SECTION || (call->take.n_units > 1 && !call->is_echoing))
		return false;
	if (share.grams > 0)
		return (double)share.known > known_share_max * (double)share.grams;
	return call->is_echoing && memmem(buf_str(all), all->len, text.data, text.len) != NULL;
}

static bool is_repetition(const struct engine *engine, struct repeat_share share)
{
	if (is_poem(engine) || share.grams == 0)
		return false;
	if (spec_context(&engine->state->spec) == CONTEXT_DIRECT)
		return (double)share.known > small_share_max * (double)share.grams;
	/* One run in common is not a repetition yet, unless the sentence is nothing else. */
	if (share.known == 1 && share.grams > 1)
		return false;
	return (double)share.known > known_share_max * (double)share.grams;
}

static enum err judge_circling(struct engine *engine, const struct take_unit *unit,
			       bool *ret_is_kept)
{
	bool is_circling = false;
	enum err err = OK;

	*ret_is_kept = true;
	for (size_t len = LONG_SENTENCE_BYTES; len <= unit->len && !is_circling && err == OK;
	     len += LONG_SENTENCE_BYTES)
		err = repeat_is_circling((struct slice){ unit->text, len }, &is_circling);
	if (err != OK || !is_circling)
		return err;
	*ret_is_kept = false;
	return give_up(engine, REPAIR_LOOP, unit->words);
}

static enum err judge_repetition(struct engine *engine, const struct take_unit *unit,
				 bool *ret_is_kept)
{
	struct slice text = { unit->text, unit->len };
	struct repeat_share share = repeat_share(&engine->seen, text);
	bool is_again = is_echo(engine, text, share);

	*ret_is_kept = false;
	engine->call.is_echoing = is_again;
	if (is_again)
		return drop(engine, REPAIR_ECHO, unit->words);
	if (is_loop(engine, text, share.words))
		return give_up(engine, REPAIR_LOOP, unit->words);
	if (is_repetition(engine, share))
		return drop(engine, REPAIR_REPETITION, unit->words);
	*ret_is_kept = true;
	return OK;
}

/* A small model makes lists where prose was asked for: the sentences are kept, the marks are not.
 */
static void strip_list_marks(struct take_unit *unit, enum word_rule count)
{
	enum mark mark = MARK_NONE;
	struct slice rest = marks_skip((struct slice){ unit->text, unit->len }, &mark);
	size_t len = 0;

	if (mark != MARK_BULLET && mark != MARK_NUMBER)
		rest = (struct slice){ unit->text, unit->len };
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] != '*')
			unit->text[len++] = rest.data[i];
	unit->text[len] = '\0';
	unit->len = len;
	unit->words = words_count(count, unit->text, len);
}

/* In order of how cheap a finding is to be sure of; the first that speaks decides. */
static enum err judge(struct engine *engine, struct take_unit *unit, bool *ret_is_kept)
{
	enum err err;

	if (spec_context(&engine->state->spec) == CONTEXT_DIRECT)
		strip_list_marks(unit, engine->call.take.count);
	*ret_is_kept = unit->len > 0;
	if (unit->len == 0)
		return OK;
	err = judge_cut_off(engine, unit, ret_is_kept);
	if (err == OK && *ret_is_kept)
		err = judge_by_guard(engine, unit, ret_is_kept);
	if (err == OK && *ret_is_kept)
		err = judge_circling(engine, unit, ret_is_kept);
	if (err == OK && *ret_is_kept)
		err = judge_repetition(engine, unit, ret_is_kept);
	return err;
}

static enum err read_unit(struct engine *engine, struct take_unit *unit)
{
	bool is_kept = false;
	enum err err = judge(engine, unit, &is_kept);

	if (err == OK && is_kept)
		err = engine_accept(engine, unit);
	take_unit_release(unit);
	return err;
}

static enum err look_for_circling(struct engine *engine)
{
	bool is_circling;
	enum err err = take_is_circling(&engine->call.take, &is_circling);

	if (err != OK || !is_circling)
		return err;
	return give_up(engine, REPAIR_LOOP, 0);
}

enum err engine_read(struct engine *engine)
{
	struct engine_call *call = &engine->call;
	enum err err = OK;
	bool has = true;

	while (err == OK && has && !call->is_stop_wanted && engine->queue.n == 0) {
		struct take_unit unit;

		err = take_next(&call->take, &unit, &has);
		if (err == OK && has)
			err = read_unit(engine, &unit);
	}
	if (err != OK || engine->queue.n > 0 || call->is_settled)
		return err;
	if (!call->is_over && !call->is_stop_wanted)
		return look_for_circling(engine);
	return engine_settle(engine);
}
