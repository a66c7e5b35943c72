#include "writing/memory.h"
#include <string.h>
#include "writing/sentence.h"

enum {
	RECENT_WORDS = 250,  /* bounded: the tail, word for word */
	SUMMARY_WORDS = 600, /* bounded: all earlier sections together */
	OPENING_WORDS = 40,  /* of one earlier section */
	NAMES_WORDS = 40,    /* of the summary, when it has this many four times */
	CANDIDATES_MAX = 64,
	NAME_BYTES_MIN = 3,
	NAME_BYTES_MAX = 60
};

static struct slice slice_between(const char *from, const char *to)
{
	return (struct slice){ .data = from, .len = (size_t)(to - from) };
}

static long count(struct slice text)
{
	return words_count(WORDS_NATURAL, text.data, text.len);
}

static const char *step_back(const char *start, const char *at)
{
	do
		at--;
	while (at > start && ((unsigned char)*at & 0xc0) == 0x80);
	return at;
}

/* Where the last `words` words begin. */
static const char *words_back(struct slice text, long words)
{
	const char *at = text.data + text.len;
	const char *word = at; /* the start of the words counted so far */
	bool is_open = false;

	while (at > text.data) {
		uint32_t code = text_before(text.data, at);
		bool is_one = text_is_han(code) || text_is_kana(code);

		at = step_back(text.data, at);
		if (!is_one && text_is_space(code)) {
			is_open = false;
			continue;
		}
		if (is_one || (!is_open && (text_is_letter(code) || text_is_digit(code)))) {
			if (words-- <= 0)
				break;
		}
		is_open = !is_one && (is_open || text_is_letter(code) || text_is_digit(code));
		word = at;
	}
	return word;
}

/* The first start of a sentence at or behind `from`; the end of the text when there is none. */
static const char *sentence_from(struct slice text, const char *from)
{
	const char *end = text.data + text.len;
	const char *at = from;

	while (at > text.data && at[-1] != '\n')
		at--;
	while (at < from) {
		size_t len = sentence_end(at, (size_t)(end - at), true);

		if (len == 0)
			return end;
		at += len;
	}
	return at;
}

struct slice memory_tail(struct slice text, long words)
{
	const char *end;
	const char *from;
	const char *start;

	text = text_trim(text.data != NULL ? text.data : "", text.len);
	end = text.data + text.len;
	if (words <= 0)
		return slice_between(end, end);
	from = words_back(text, words);
	start = sentence_from(text, from);
	return slice_between(start < end ? start : from, end);
}

/* As memory_tail(), from the start of a paragraph where there is one. */
static struct slice paragraphs_tail(struct slice text, long words)
{
	struct slice tail = memory_tail(text, words);
	const char *gap;

	if (tail.len == text.len)
		return tail;
	gap = memmem(tail.data, tail.len, "\n\n", 2);
	if (gap == NULL || gap > tail.data + tail.len / 2)
		return tail;
	return slice_between(gap + 2, tail.data + tail.len);
}

static struct slice last_sentence(struct slice text, long words)
{
	struct slice tail = memory_tail(text, words < OPENING_WORDS ? words : OPENING_WORDS);
	const char *end = tail.data + tail.len;
	const char *at = tail.data;
	const char *last = at;

	while (at < end) {
		size_t len = sentence_end(at, (size_t)(end - at), true);

		if (len == 0)
			break;
		last = at;
		at += len;
	}
	return slice_between(last, end);
}

static long recent_words(const struct memory_source *source)
{
	return source->words_max < RECENT_WORDS ? source->words_max : RECENT_WORDS;
}

static struct slice recent_of(const struct memory_source *source)
{
	struct slice text =
		text_trim(source->text.data != NULL ? source->text.data : "", source->text.len);

	if (source->words_max <= 0)
		return slice_between(text.data + text.len, text.data + text.len);
	switch (source->context) {
	case CONTEXT_FULL:
		return paragraphs_tail(text, source->words_max);
	case CONTEXT_DIRECT:
		return last_sentence(text, source->words_max);
	case CONTEXT_AUTO:
	case CONTEXT_BOUNDED:
		break;
	}
	return memory_tail(text, recent_words(source));
}

enum err memory_recent(const struct memory_source *source, struct buf *out)
{
	struct slice recent = recent_of(source);

	return buf_append(out, recent.data, recent.len);
}

/* The first sentence of a section, or as many words of it as are allowed. */
static struct slice opening_of(const struct memory_source *source, size_t index)
{
	const struct memory_section *section = &source->sections[index];
	struct slice prose = text_trim(source->text.data + section->at_byte,
				       section->end_byte - section->at_byte);
	const char *end;
	const char *at = prose.data;
	long words = 1;

	prose.len = sentence_end(prose.data, prose.len, true);
	end = prose.data + prose.len;
	while (at < end) {
		uint32_t code = text_next(&at, end);

		words += text_is_space(code) || text_is_han(code) || text_is_kana(code) ? 1 : 0;
		if (words > OPENING_WORDS)
			end = at;
	}
	return text_trim(prose.data, (size_t)(end - prose.data));
}

static long cost_of(const struct memory_source *source, size_t index)
{
	const char *title = source->sections[index].title;

	return 1 + count((struct slice){ .data = title, .len = strlen(title) }) +
	       count(opening_of(source, index)); /* 1: its number */
}

/* Sections that stand wholly or mostly before what memory_recent() shows. */
static size_t count_earlier(const struct memory_source *source)
{
	size_t shown_from = (size_t)(recent_of(source).data - source->text.data);
	size_t n = 0;

	while (n < source->n_sections && source->sections[n].at_byte < shown_from)
		n++;
	return n;
}

/* The first section that still fits when the newest ones go first. */
static size_t first_fitting(const struct memory_source *source, size_t n, long words)
{
	while (n > 0) {
		words -= cost_of(source, n - 1);
		if (words < 0)
			break;
		n--;
	}
	return n;
}

struct names {
	struct slice name[CANDIDATES_MAX];
	unsigned count[CANDIDATES_MAX];
	size_t n;
};

static void names_add(struct names *names, struct slice name)
{
	if (name.len < NAME_BYTES_MIN || name.len > NAME_BYTES_MAX)
		return;
	for (size_t i = 0; i < names->n; i++) {
		if (names->name[i].len != name.len ||
		    memcmp(names->name[i].data, name.data, name.len) != 0)
			continue;
		names->count[i]++;
		return;
	}
	if (names->n == CANDIDATES_MAX)
		return;
	names->name[names->n] = name;
	names->count[names->n++] = 1;
}

static bool is_capital(char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

static bool is_name_byte(char byte)
{
	return is_capital(byte) || (byte >= 'a' && byte <= 'z') || byte == '-' ||
	       (unsigned char)byte >= 0x80;
}

/* The end of a capitalised word and of those that follow it on the same line. */
static const char *name_end(const char *at, const char *end)
{
	for (;;) {
		while (at < end && is_name_byte(*at))
			at++;
		if (end - at < 2 || *at != ' ' || !is_capital(at[1]))
			return at;
		at++;
	}
}

/* Capitalised words inside a sentence: English and its kin; Chinese shows no names this way. */
static void names_find(struct slice text, struct names *names)
{
	const char *end = text.data + text.len;
	const char *at = text.data;

	while (at < end) {
		const char *stop;

		if (!is_capital(*at)) {
			at++;
			continue;
		}
		stop = name_end(at, end);
		if (at - text.data >= 2 && at[-1] == ' ' && (is_name_byte(at[-2]) || at[-2] == ','))
			names_add(names, slice_between(at, stop));
		at = stop > at ? stop : at + 1;
	}
}

/* Those that come more than once, as many as go into `words`. */
static enum err append_names(struct slice text, bool is_chinese, long words, struct buf *out)
{
	const char *lead = is_chinese ? "已出现的名称：" : "Names so far: ";
	struct names names = { .n = 0 };
	bool is_first = true;
	enum err err = OK;

	names_find(text, &names);
	words -= count((struct slice){ .data = lead, .len = strlen(lead) });
	for (size_t i = 0; err == OK && i < names.n; i++) {
		if (names.count[i] < 2)
			continue;
		words -= count(names.name[i]);
		if (words < 0)
			break;
		err = buf_append_str(out, is_first ? lead : ", ");
		if (err == OK)
			err = buf_append(out, names.name[i].data, names.name[i].len);
		is_first = false;
	}
	return err == OK && !is_first ? buf_append_str(out, "\n") : err;
}

static enum err append_section(const struct memory_source *source, size_t index, struct buf *out)
{
	struct slice opening = opening_of(source, index);
	const char *title = source->sections[index].title;
	enum err err = buf_printf(out, "%zu. %s%s", index + 1, title,
				  title[0] != '\0' && opening.len > 0 ? ": " : "");

	if (err == OK)
		err = buf_append(out, opening.data, opening.len);
	return err == OK ? buf_append_str(out, "\n") : err;
}

static bool is_chinese_title(const struct memory_source *source)
{
	const char *title = source->n_sections > 0 ? source->sections[0].title : "";
	const char *end = title + strlen(title);

	return title < end && text_is_han(text_next(&title, end));
}

enum err memory_summary(const struct memory_source *source, struct buf *out)
{
	long words = source->words_max - recent_words(source);
	long names_words;
	size_t n;
	enum err err = OK;

	if (source->context == CONTEXT_FULL || source->context == CONTEXT_DIRECT || words <= 0 ||
	    source->text.len == 0)
		return OK;
	if (words > SUMMARY_WORDS)
		words = SUMMARY_WORDS;
	names_words = words >= 4 * NAMES_WORDS ? NAMES_WORDS : 0;
	n = count_earlier(source);
	for (size_t i = first_fitting(source, n, words - names_words); err == OK && i < n; i++)
		err = append_section(source, i, out);
	if (err == OK && n > 0)
		err = append_names(source->text, is_chinese_title(source), names_words, out);
	return err;
}
