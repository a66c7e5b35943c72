#include <string.h>

#include "base/text.h"
#include "writing/engine_parts.h"

enum { PIECE_BYTES_MAX = 4 << 20 };

static const struct state_section *running(const struct engine *engine)
{
	return &engine->state->sections[engine->state->section];
}

/* Nothing of the section is in the text yet, its heading aside. */
static bool is_fresh(const struct engine *engine)
{
	return running(engine)->end_byte == running(engine)->at_byte && engine->stops.held.len == 0;
}

static const char *heading_of(const struct engine *engine, size_t section)
{
	return spec_has_headings(&engine->state->spec) ? engine->state->plan.sections[section].title
						       : "";
}

long engine_words_before_held(const struct engine *engine)
{
	const struct state *state = engine->state;
	const struct buf *waiting = &engine->stops.held;
	long words = state->words + words_count(state->spec.count, buf_str(waiting), waiting->len);

	return is_fresh(engine) ? words + budget_heading_words(state, state->section) : words;
}

/* What parts a section from the text before it: a blank line and its heading. */
static enum err append_seam(const struct engine *engine, size_t section, struct buf *out)
{
	const char *heading = heading_of(engine, section);
	enum err err = OK;

	if (engine->state->text.len > 0 || engine->stops.held.len > 0)
		err = buf_append_str(out, "\n\n");
	if (err == OK && heading[0] != '\0')
		err = buf_printf(out, "## %s\n\n", heading);
	return err;
}

/* Through the stop strings into the queue. The end of a text that a stop string cut off has no
 * white space. */
static enum err deliver(struct engine *engine, const struct buf *piece, bool is_heading)
{
	struct buf out;
	enum err err;

	buf_init(&out, PIECE_BYTES_MAX);
	err = stops_feed(&engine->stops, (struct slice){ buf_str(piece), piece->len }, &out);
	if (err == OK && engine->stops.is_found) {
		while (out.len > 0 && strchr(" \t\n", out.data[out.len - 1]) != NULL)
			buf_truncate(&out, out.len - 1);
		engine->is_stop_found = true;
		engine->call.is_stop_wanted = engine->call.is_settled = true;
		err = engine_queue_repair(engine, REPAIR_STOP_STRING, ACTION_CUT, 0);
	}
	if (err == OK && out.len > 0) {
		engine->call.has_text = true;
		err = engine_queue_event(engine, EVENT_TEXT, (struct slice){ out.data, out.len },
					 is_heading ? json_pack("{s:b}", "is_heading", 1)
						    : json_object());
	}
	buf_release(&out);
	return err;
}

static enum err append_units(const struct engine *engine, size_t n, bool has_gap, struct buf *piece)
{
	const struct take_unit *held = engine->call.take.held;
	enum err err = OK;

	for (size_t i = 0; i < n && err == OK; i++) {
		if (i > 0 || has_gap)
			err = buf_append_str(piece, gap_text(held[i].gap));
		if (err == OK)
			err = buf_append(piece, held[i].text, held[i].len);
	}
	return err;
}

enum err engine_emit(struct engine *engine, size_t n)
{
	size_t section = engine->state->section;
	bool is_first = is_fresh(engine);
	struct buf piece;
	enum err err = OK;

	if (n == 0)
		return OK;
	buf_init(&piece, PIECE_BYTES_MAX);
	if (is_first)
		err = append_seam(engine, section, &piece);
	if (err == OK && is_first && heading_of(engine, section)[0] != '\0') {
		err = deliver(engine, &piece, true);
		buf_clear(&piece);
	}
	if (err == OK && !engine->is_stop_found) {
		err = append_units(engine, n, !is_first, &piece);
		if (err == OK)
			err = deliver(engine, &piece, false);
	}
	buf_release(&piece);
	if (err == OK)
		take_forget_held(&engine->call.take, n);
	return err;
}

enum err engine_emit_rest(struct engine *engine)
{
	size_t next = engine->state->section + 1;
	struct buf seam, out;
	enum err err = OK;

	if (engine->stops.held.len == 0 || engine->is_stop_found)
		return OK;
	buf_init(&seam, PIECE_BYTES_MAX);
	buf_init(&out, PIECE_BYTES_MAX);
	if (next < engine->state->plan.n_sections)
		err = append_seam(engine, next, &seam);
	if (err == OK)
		err = stops_flush(&engine->stops, (struct slice){ buf_str(&seam), seam.len }, &out);
	if (err == OK && engine->stops.is_found) {
		engine->is_stop_found = true;
		err = engine_queue_repair(engine, REPAIR_STOP_STRING, ACTION_CUT, 0);
	}
	if (err == OK && out.len > 0)
		err = engine_queue_event(engine, EVENT_TEXT, (struct slice){ out.data, out.len },
					 json_object());
	buf_release(&seam);
	buf_release(&out);
	return err;
}
