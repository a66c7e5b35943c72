#include "writing/take.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "writing/repeat.h"
#include "writing/sentence.h"

enum { CIRCLING_STEP_BYTES = 600, HELD_FIRST = 8, INDENT_MAX = 12 };
enum { LOOK_BYTES_MAX = TAKE_SENTENCE_BYTES_MAX + 200 };

void take_init(struct take *take, enum word_rule count)
{
	*take = (struct take){ .count = count, .is_line_start = true };
	think_init(&take->think);
	buf_init(&take->pending, TAKE_BYTES_MAX);
}

void take_release(struct take *take)
{
	take_forget_held(take, take->n_held);
	mem_free(take->held);
	buf_release(&take->pending);
	take_init(take, take->count);
}

enum err take_feed(struct take *take, const char *text, size_t len)
{
	if (take->start > 0) {
		buf_consume(&take->pending, take->start);
		take->start = 0;
	}
	return think_feed(&take->think, text, len, &take->pending);
}

enum err take_end(struct take *take)
{
	take->is_ended = true;
	return think_finish(&take->think, &take->pending);
}

bool take_drop_thinking(struct take *take)
{
	size_t upto = take->think.out_bytes;

	if (!take->think.has_unopened)
		return false;
	take->think.has_unopened = false;
	if (upto > take->start && upto <= take->pending.len)
		take->start = upto;
	return true;
}

const char *gap_text(enum gap gap)
{
	static const char *const texts[] = {
		[GAP_NONE] = "", [GAP_SPACE] = " ", [GAP_LINE] = "\n", [GAP_PARAGRAPH] = "\n\n"
	};

	return texts[gap];
}

static enum gap gap_of(const char *text, size_t len)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (lines > 0)
		return lines > 1 ? GAP_PARAGRAPH : GAP_LINE;
	return len > 0 ? GAP_SPACE : GAP_NONE;
}

static enum gap larger_gap(enum gap a, enum gap b)
{
	return a > b ? a : b;
}

/* Where an endless sentence is cut by force: at its last space, or where it is. */
static size_t forced_end(const char *text, size_t len)
{
	size_t at = len < TAKE_SENTENCE_BYTES_MAX ? len : TAKE_SENTENCE_BYTES_MAX;

	for (size_t i = at; i > at / 2; i--)
		if (text[i - 1] == ' ')
			return i;
	return text_whole(text, at);
}

static size_t next_end(const struct take *take)
{
	const char *text = buf_str(&take->pending) + take->start;
	size_t len = take->pending.len - take->start, end;
	/* What lies behind the longest sentence is not looked at: it would be, for each one that
	 * is cut by force. */
	bool is_far = len > LOOK_BYTES_MAX;
	size_t near = is_far ? LOOK_BYTES_MAX : len;

	if (is_far || !take->is_ended)
		near = text_whole(text, near);
	if (near == 0)
		return 0;
	end = sentence_end(text, near, take->is_ended && !is_far);
	if (end > TAKE_SENTENCE_BYTES_MAX || (end == 0 && near >= TAKE_SENTENCE_BYTES_MAX))
		return forced_end(text, len);
	return end;
}

static bool is_only_space(const char *text, size_t len)
{
	return text_trim(text, len).len == 0;
}

/* Blanks behind the last line break in white space; all of it when there is none. */
static size_t blanks_after_line(const char *space, size_t len)
{
	size_t n = 0;

	while (n < len && (space[len - 1 - n] == ' ' || space[len - 1 - n] == '\t'))
		n++;
	return n;
}

/* List items stand indented under others; anything else begins its line. */
static size_t indent_of(const struct take *take, struct slice front, char first)
{
	size_t n = blanks_after_line(front.data, front.len);

	if (n == front.len)
		n = take->is_line_start ? n + take->indent : 0;
	if (strchr("-*+0123456789`", first) == NULL)
		return 0;
	return n < INDENT_MAX ? n : INDENT_MAX;
}

static char *copy_indented(struct slice body, size_t indent)
{
	char *text = mem_alloc(indent + body.len + 1);

	if (text == NULL)
		return NULL;
	memset(text, ' ', indent);
	memcpy(text + indent, body.data, body.len);
	return text;
}

static enum err make_unit(struct take *take, struct slice all, struct take_unit *ret_unit)
{
	struct slice body = text_trim(all.data, all.len);
	size_t front = (size_t)(body.data - all.data);
	size_t back = all.len - front - body.len;
	enum gap before = larger_gap(take->gap, gap_of(all.data, front));
	enum gap after = gap_of(body.data + body.len, back);
	struct take_unit unit = { .gap = before };
	size_t indent;

	indent = indent_of(take, (struct slice){ all.data, front }, body.data[0]);
	unit.len = body.len + indent;
	unit.text = copy_indented(body, indent);
	if (unit.text == NULL)
		return ERR_NO_MEMORY;
	unit.words = words_count(take->count, unit.text, unit.len);
	unit.is_line = (take->is_line_start || before >= GAP_LINE) &&
		       (after >= GAP_LINE ||
			(take->is_ended && take->start + all.len == take->pending.len));
	unit.is_last = take->is_ended && take->start + all.len == take->pending.len;
	unit.is_finished = sentence_is_finished(body.data, body.len);
	take->gap = after;
	take->is_line_start = after >= GAP_LINE;
	take->indent = blanks_after_line(body.data + body.len, back);
	take->n_units++;
	take->words_read += unit.words;
	*ret_unit = unit;
	return OK;
}

enum err take_next(struct take *take, struct take_unit *ret_unit, bool *ret_has)
{
	enum err err;
	size_t end;

	*ret_has = false;
	while ((end = next_end(take)) > 0) {
		struct slice all = { take->pending.data + take->start, end };

		if (is_only_space(all.data, all.len)) {
			take->gap = larger_gap(take->gap, gap_of(all.data, all.len));
			take->start += end;
			continue;
		}
		err = make_unit(take, all, ret_unit);
		if (err != OK)
			return err;
		take->start += end;
		take->circling_checked = 0;
		*ret_has = true;
		return OK;
	}
	return OK;
}

enum err take_is_circling(struct take *take, bool *ret_is_circling)
{
	struct slice text = { buf_str(&take->pending) + take->start,
			      take->pending.len - take->start };

	*ret_is_circling = false;
	if (text.len < take->circling_checked + CIRCLING_STEP_BYTES)
		return OK;
	take->circling_checked = text.len - text.len % CIRCLING_STEP_BYTES;
	text.len = take->circling_checked;
	return repeat_is_circling(text, ret_is_circling);
}

enum err take_hold(struct take *take, struct take_unit *unit)
{
	if (take->n_held == take->held_size) {
		size_t size = take->held_size > 0 ? take->held_size * 2 : HELD_FIRST;
		struct take_unit *held = mem_realloc(take->held, size * sizeof(*held));

		if (held == NULL)
			return ERR_NO_MEMORY;
		take->held = held;
		take->held_size = size;
	}
	take->held[take->n_held++] = *unit;
	take->words_held += unit->words;
	*unit = (struct take_unit){ .text = NULL };
	return OK;
}

void take_forget_held(struct take *take, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		take->words_held -= take->held[i].words;
		take_unit_release(&take->held[i]);
	}
	if (n > 0 && n < take->n_held)
		memmove(take->held, take->held + n, (take->n_held - n) * sizeof(*take->held));
	take->n_held -= n;
}

void take_unit_release(struct take_unit *unit)
{
	mem_free(unit->text);
	*unit = (struct take_unit){ .text = NULL };
}
