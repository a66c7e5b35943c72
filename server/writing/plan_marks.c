#include "writing/plan_marks.h"
#include <string.h>
#include "base/text.h"

enum { DIGITS_MAX = 9 };

static const char *const section_words[] = { "section", "chapter", "part",    "paragraph",
					     "step",	"title",   "heading", "point",
					     "topic",	"item",	   "段落" };
static const char *const number_words[] = { "one",   "two",   "three", "four", "five",	 "six",
					    "seven", "eight", "nine",  "ten",  "eleven", "twelve" };
static const char *const bullets[] = { "-", "*", "+", "•", "·", "●", "◦", "▪", "–", "—", ">" };
/* What may stand between a number and the title. */
static const char *const delimiters[] = { ".",	":",  ")",  "-",  "–", "—", "、",
					  "：", "．", "）", "，", "]", "|" };
static const char *const chapter_signs[] = {
	"部分", "章", "节", "篇", "段", "回", "讲", "步", "幕"
};

/* How many bytes of one of the words stand at the start of `text`, 0 for none. */
static size_t match_any(struct slice text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (len <= text.len && text_starts_nocase(text.data, words[i]))
			return len;
	}
	return 0;
}

#define MATCH(text, table) match_any(text, table, sizeof(table) / sizeof((table)[0]))

static struct slice behind(struct slice text, size_t len)
{
	return (struct slice){ .data = text.data + len, .len = text.len - len };
}

static struct slice trim(struct slice text)
{
	return text_trim(text.data, text.len);
}

static bool starts_with(struct slice text, const char *prefix)
{
	size_t len = strlen(prefix);

	return len <= text.len && memcmp(text.data, prefix, len) == 0;
}

static bool is_ascii_alnum(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

/* Bytes at the start that are all in `set`. */
static size_t run_of(struct slice text, const char *set)
{
	size_t len = 0;

	while (len < text.len && text.data[len] != '\0' && strchr(set, text.data[len]) != NULL)
		len++;
	return len;
}

/* Bytes of Chinese numerals at the start. */
static size_t run_of_han_number(struct slice text)
{
	static const char *const numerals[] = { "一", "二", "三", "四", "五", "六", "七",
						"八", "九", "十", "百", "零", "〇", "两" };
	size_t len = 0;
	size_t step;

	while ((step = MATCH(behind(text, len), numerals)) > 0)
		len += step;
	return len;
}

/* 3, 2.1, IV, one: what may follow "Section". */
static size_t run_of_number(struct slice text)
{
	size_t len = run_of(text, "0123456789");

	if (len > 0)
		len += run_of(behind(text, len), ".0123456789");
	while (len > 0 && text.data[len - 1] == '.')
		len--;
	if (len == 0)
		len = run_of(text, "IVXL");
	if (len == 0)
		len = MATCH(text, number_words);
	if (len < text.len && is_ascii_alnum(text.data[len]))
		return 0; /* "5G", "Part oneness" */
	return len;
}

/* Bytes of white space at the start. */
static size_t spaces(struct slice text)
{
	return (size_t)(trim(text).data - text.data);
}

/* Delimiters and the white space around them. */
static size_t run_of_delimiters(struct slice text)
{
	size_t len = 0;
	size_t step;

	while (len < text.len) {
		step = spaces(behind(text, len));
		if (step == 0)
			step = MATCH(behind(text, len), delimiters);
		if (step == 0)
			break;
		len += step;
	}
	return len;
}

/* "Section 2 - ", "Part IV:", "Chapter 7" alone. */
static size_t skip_section_word(struct slice text)
{
	size_t word = MATCH(text, section_words);
	size_t space;
	size_t number;
	size_t delimiter;

	if (word == 0)
		return 0;
	space = spaces(behind(text, word));
	number = run_of_number(behind(text, word + space));
	if (number == 0)
		return 0;
	word += space + number;
	delimiter = run_of_delimiters(behind(text, word));
	/* "Part 2 of the journey" is a title; "Section 2  Title" too rare to cut */
	if (delimiter > 0 && MATCH(trim(behind(text, word)), delimiters) == 0)
		return 0;
	if (delimiter == 0 && word < text.len && text.data[word] != '*')
		return 0;
	return word + delimiter;
}

/* "第三章", "第2节：": behind 章 and 部分 no delimiter is needed. */
static size_t skip_han_chapter(struct slice text)
{
	size_t len = strlen("第");
	size_t number;
	size_t sign;
	size_t delimiter;

	if (!starts_with(text, "第"))
		return 0;
	number = run_of_han_number(behind(text, len));
	if (number == 0)
		number = run_of(behind(text, len), "0123456789");
	if (number == 0)
		return 0;
	sign = MATCH(behind(text, len + number), chapter_signs);
	if (sign == 0)
		return 0;
	delimiter = run_of_delimiters(behind(text, len + number + sign));
	if (delimiter == 0 && len + number + sign < text.len &&
	    !starts_with(behind(text, len + number), "章") &&
	    !starts_with(behind(text, len + number), "部分"))
		return 0;
	return len + number + sign + delimiter;
}

/* "(1)", "（一）", "[2]", "①". */
static size_t skip_bracketed_number(struct slice text)
{
	static const char *const open[] = { "(", "（", "[", "【" };
	static const char *const close[] = { ")", "）", "]", "】" };
	size_t len = MATCH(text, open);
	size_t number;
	size_t end;

	if (text.len >= 3 && memcmp(text.data, "\xe2\x91\xa0", 3) >= 0 &&
	    memcmp(text.data, "\xe2\x91\xb3", 3) <= 0)
		return 3; /* circled 1 to 20 */
	if (len == 0)
		return 0;
	number = run_of(behind(text, len), "0123456789");
	if (number == 0)
		number = run_of_han_number(behind(text, len));
	end = number > 0 ? MATCH(behind(text, len + number), close) : 0;
	return end > 0 ? len + number + end : 0;
}

/* 3, 2.1, 四, IV before a stop, b before a bracket: what may number a line. 0: nothing does. */
static size_t run_of_line_number(struct slice text)
{
	size_t number = run_of(text, "0123456789");
	size_t roman = run_of(text, "IVXL");

	if (number > 0)
		return number <= DIGITS_MAX ? run_of_number(text) : 0;
	number = run_of_han_number(text);
	if (number > 0)
		return number;
	if (roman > 0 && roman < text.len && strchr(".)", text.data[roman]) != NULL)
		return roman;
	return text.len > 1 && is_ascii_alnum(text.data[0]) && text.data[1] == ')' ? 1 : 0;
}

/* "1.", "2.1 ", "3)", "4、", "IV.", "b)", "一、". Without a delimiter it is a title ("1984"). */
static size_t skip_number(struct slice text)
{
	size_t number = run_of_line_number(text);
	struct slice rest = behind(text, number);
	bool is_dotted = memchr(text.data, '.', number) != NULL && spaces(rest) > 0;

	if (number == 0 || (!is_dotted && MATCH(trim(rest), delimiters) == 0))
		return 0;
	/* "10-minute meals" */
	if (starts_with(rest, "-") || starts_with(rest, "–"))
		return 0;
	return number + run_of_delimiters(rest);
}

static size_t skip_bullet(struct slice text)
{
	size_t len = MATCH(text, bullets);

	return len > 0 && (len == text.len || spaces(behind(text, len)) > 0) ? len : 0;
}

static size_t skip_one(struct slice text, enum mark *mark)
{
	static const struct {
		size_t (*skip)(struct slice text);
		enum mark mark;
	} kinds[] = {
		{ skip_section_word, MARK_WORD },	{ skip_han_chapter, MARK_WORD },
		{ skip_bracketed_number, MARK_NUMBER }, { skip_number, MARK_NUMBER },
		{ skip_bullet, MARK_BULLET },
	};
	size_t len = run_of(text, "#");

	*mark = MARK_HEADING;
	if (len > 0)
		return len;
	len = run_of(text, "*_`");
	*mark = MARK_NONE;
	if (len >= 2 || (len == 1 && spaces(behind(text, len)) == 0))
		return len;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		len = kinds[i].skip(text);
		*mark = kinds[i].mark;
		if (len > 0)
			return len;
	}
	return 0;
}

struct slice marks_skip(struct slice text, enum mark *ret_mark)
{
	enum mark best = MARK_NONE;
	size_t len;

	for (text = trim(text); text.len > 0; text = trim(behind(text, len))) {
		enum mark mark;

		len = skip_one(text, &mark);
		if (len == 0)
			break;
		if (mark > best)
			best = mark;
	}
	if (ret_mark != NULL)
		*ret_mark = best;
	return text;
}

/* Whether `text` ends in `suffix`; then it is cut off. */
static bool cut_end(struct slice *text, const char *suffix)
{
	size_t len = strlen(suffix);

	if (len > text->len || memcmp(text->data + text->len - len, suffix, len) != 0)
		return false;
	text->len -= len;
	*text = trim(*text);
	return true;
}

/* One full stop at the end goes; those of "U.S." and "..." stay. */
static bool cut_full_stop(struct slice *text)
{
	const char *stop = text->data + text->len - 1;
	const char *at = stop;

	if (text->len < 2 || *stop != '.')
		return false;
	while (at > text->data && at[-1] != ' ')
		at--;
	if (memchr(at, '.', (size_t)(stop - at)) != NULL)
		return false;
	return cut_end(text, ".");
}

static bool cut_quotes(struct slice *text)
{
	static const char *const pairs[][2] = { { "\"", "\"" }, { "'", "'" },	{ "“", "”" },
						{ "‘", "’" },	{ "「", "」" }, { "『", "』" },
						{ "【", "】" } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct slice inner = *text;

		if (!starts_with(inner, pairs[i][0]))
			continue;
		inner = behind(inner, strlen(pairs[i][0]));
		if (!cut_end(&inner, pairs[i][1]) || inner.len == 0)
			continue;
		if (memmem(inner.data, inner.len, pairs[i][1], strlen(pairs[i][1])) != NULL)
			continue; /* "A" and "B" */
		*text = trim(inner);
		return true;
	}
	return false;
}

struct slice marks_title(struct slice text)
{
	static const char *const ends[] = { "*", "`", "__", ":", "：", "。", "；", ";", "#" };
	bool again = true;

	text = marks_skip(text, NULL);
	while (again && text.len > 0) {
		again = cut_quotes(&text) || cut_full_stop(&text);
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			again = cut_end(&text, ends[i]) || again;
		if (again)
			text = marks_skip(text, NULL);
	}
	return text;
}

static const char *const labels[] = {
	"target word count", "word count", "target words", "words", "length", "字数"
};
/* What belongs to a length, left and right of it. */
static const char *const befores[] = { "approximately",
				       "approx.",
				       "around",
				       "about",
				       "roughly",
				       "大约",
				       "约",
				       "~",
				       "≈",
				       ":",
				       "：",
				       "(",
				       "（",
				       "[",
				       "*",
				       "-",
				       "–",
				       "—",
				       ",",
				       "，",
				       "|",
				       "/" };
static const char *const afters[] = { "左右", "以内", "each", ")", "）", "]", "*" };

/* As cut_end(), of any of the words, case aside for ASCII. */
static bool cut_any_end(struct slice *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (len > text->len || !text_starts_nocase(text->data + text->len - len, words[i]))
			continue;
		text->len -= len;
		*text = trim(*text);
		return true;
	}
	return false;
}

#define CUT_END(text, table) cut_any_end(text, table, sizeof(table) / sizeof((table)[0]))

/* 400, 1,200 at the start; *ret_len its bytes, 0 for none. */
static long parse_number(struct slice text, size_t *ret_len)
{
	long value = 0;
	size_t len = 0;

	for (; len < text.len && len <= DIGITS_MAX; len++) {
		char byte = text.data[len];

		if (byte == ',' && len > 0 && run_of(behind(text, len + 1), "0123456789") >= 3)
			continue;
		if (byte < '0' || byte > '9')
			break;
		value = value * 10 + (byte - '0');
	}
	*ret_len = len;
	return value;
}

/* The same, and 300-400: their mean. */
static long parse_amount(struct slice text, size_t *ret_len)
{
	long value = parse_number(text, ret_len);
	size_t dash = run_of(behind(text, *ret_len), "-~");
	size_t more;
	long upper;

	if (starts_with(behind(text, *ret_len), "–"))
		dash = strlen("–");
	if (*ret_len == 0 || dash == 0)
		return value;
	upper = parse_number(behind(text, *ret_len + dash), &more);
	if (more == 0)
		return value;
	*ret_len += dash + more;
	return (value + upper) / 2;
}

/* Bytes of "words", " words", "字" at the start. */
static size_t match_unit(struct slice text)
{
	static const char *const units[] = { "words", "word", "字", "词" };
	size_t space = spaces(text);
	size_t unit = MATCH(behind(text, space), units);

	if (unit == 0)
		return 0;
	if (space + unit < text.len && is_ascii_alnum(text.data[space + unit]))
		return 0;
	return space + unit;
}

/* The span grown over brackets and labels around [start, start + len). */
static struct slice grow_span(struct slice text, size_t start, size_t len)
{
	struct slice before = trim((struct slice){ .data = text.data, .len = start });
	const char *end = text.data + start + len;
	size_t step;

	while (CUT_END(&before, befores) || CUT_END(&before, labels))
		;
	do {
		struct slice rest = { .data = end, .len = (size_t)(text.data + text.len - end) };

		step = MATCH(trim(rest), afters);
		end += step > 0 ? spaces(rest) + step : 0;
	} while (step > 0);
	before.len += (size_t)(before.data - text.data);
	return (struct slice){ .data = text.data + before.len,
			       .len = (size_t)(end - text.data) - before.len };
}

static bool has_label_before(struct slice text, size_t start)
{
	struct slice before = trim((struct slice){ .data = text.data, .len = start });

	while (CUT_END(&before, befores))
		;
	return CUT_END(&before, labels);
}

long marks_words(struct slice text, struct slice *ret_span)
{
	*ret_span = (struct slice){ .data = text.data + text.len, .len = 0 };
	for (size_t at = 0; at < text.len; at++) {
		size_t len;
		size_t unit;
		long words;

		if (text.data[at] < '0' || text.data[at] > '9')
			continue;
		words = parse_amount(behind(text, at), &len);
		unit = match_unit(behind(text, at + len));
		if (words > 0 && (unit > 0 || has_label_before(text, at))) {
			*ret_span = grow_span(text, at, len + unit);
			return words;
		}
		at += len;
	}
	return 0;
}
