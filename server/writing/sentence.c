#include "writing/sentence.h"
#include "base/text.h"
#include <string.h>

/* A mark, and when it ends a sentence. */
enum mark {
	MARK_NONE,
	MARK_FULL,     /* always: the Chinese full stop and its like */
	MARK_STOP,     /* ! ?: with white space behind it and no small letter after that
			*/
	MARK_DOT,      /* as MARK_STOP, abbreviations aside */
	MARK_ELLIPSIS, /* as MARK_STOP, never right before a letter */
};

struct scan {
	const char *start;
	const char *end;
	bool is_final;
};

static enum mark mark_of(uint32_t code)
{
	static const struct {
		uint32_t code;
		enum mark mark;
	} marks[] = {
		{ '.', MARK_DOT },     { '!', MARK_STOP },	  { '?', MARK_STOP },
		{ 0x203c, MARK_STOP }, { 0x2047, MARK_STOP },	  { 0x2048, MARK_STOP },
		{ 0x2049, MARK_STOP }, { 0x3002, MARK_FULL }, /* ideographic full stop */
		{ 0xff01, MARK_FULL }, { 0xff1f, MARK_FULL },	  { 0xff61, MARK_FULL },
		{ 0x0964, MARK_FULL }, /* danda */
		{ 0x061f, MARK_FULL }, /* Arabic question mark */
		{ 0x06d4, MARK_FULL }, { 0x2026, MARK_ELLIPSIS },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i].code == code)
			return marks[i].mark;
	return MARK_NONE;
}

static bool is_closer(uint32_t code)
{
	static const uint32_t closers[] = { '"',    '\'',   ')',    ']',    '}',    '*',    '_',
					    '`',    '~',    0x201d, 0x2019, 0x300d, 0x300f, 0x300b,
					    0x3009, 0xff09, 0x3011, 0xff3d, 0xbb,   0x3015 };

	for (size_t i = 0; i < sizeof(closers) / sizeof(closers[0]); i++)
		if (closers[i] == code)
			return true;
	return false;
}

static bool is_ascii_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What never ends a sentence; what does not before a number; and what does only
 * before a word that begins one. */
static const char *const never_ends[] = {
	"mr",  "mrs", "ms", "dr",  "prof", "gen", "rep", "sen",	   "rev", "capt", "lt", "col",
	"sgt", "hon", "vs", "e.g", "i.e",  "cf",  "ca",	 "approx", "viz", "al",	  "mt",
};
static const char *const before_number[] = {
	"no", "nos", "fig", "figs", "eq", "vol", "p", "pp", "sec", "ch", "art", "par",
};
static const char *const may_end[] = {
	"etc",	"inc", "ltd", "co",  "corp", "jr",  "sr",  "st",   "a.m", "p.m", "ph.d",
	"dept", "est", "jan", "feb", "mar",  "apr", "aug", "sept", "oct", "nov", "dec",
};
static const char *const sentence_starters[] = {
	"the",	  "a",	 "an",	 "he",	  "she",     "it",    "they", "we",    "you",	"i",
	"in",	  "on",	 "at",	 "but",	  "and",     "this",  "that", "these", "those", "for",
	"its",	  "his", "her",	 "their", "our",     "my",    "if",   "when",  "while", "after",
	"before", "as",	 "so",	 "no",	  "however", "there", "what", "who",   "why",	"how",
	"to",	  "by",	 "from", "with",  "then",    "some",  "each",
};

static bool is_in(const char *word, size_t len, const char *const *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(table[i]) == len && text_starts_nocase(word, table[i]))
			return true;
	return false;
}

#define IS_IN(word, len, table) is_in(word, len, table, sizeof(table) / sizeof((table)[0]))

/* The word of letters and inner dots right before the dot at `dot`. */
static const char *word_before(const struct scan *scan, const char *dot)
{
	const char *at = dot;

	while (at > scan->start && (is_ascii_alnum(at[-1]) || at[-1] == '.'))
		at--;
	return at;
}

static bool starts_sentence(const struct scan *scan, const char *next)
{
	const char *at = next;

	while (at < scan->end && is_ascii_alnum(*at))
		at++;
	return IS_IN(next, (size_t)(at - next), sentence_starters);
}

/* "1." or "a." or "iv." where the sentence begins, Markdown marks aside: a list
 * number. */
static bool is_list_number(const struct scan *scan, const char *word, const char *dot)
{
	const char *at = word;

	while (at > scan->start && strchr(" \t\n\r*_-#>(", at[-1]) != NULL)
		at--;
	if (at > scan->start || dot == word || dot - word > 3)
		return false;
	if (is_ascii_digit(*word) || dot - word == 1)
		return true;
	while (word < dot && strchr("ivxIVX", *word) != NULL)
		word++;
	return word == dot;
}

/* Whether the dot at `dot` belongs to a word and the sentence goes on; `next`
 * is the first character after the white space that follows. */
static bool is_abbreviation(const struct scan *scan, const char *dot, const char *next)
{
	const char *word = word_before(scan, dot);
	size_t len = (size_t)(dot - word);
	bool is_initials;

	if (len == 0)
		return false;
	if (is_list_number(scan, word, dot))
		return true;
	if (IS_IN(word, len, never_ends))
		return true;
	if (IS_IN(word, len, before_number) && is_ascii_digit(*next))
		return true;
	is_initials = (len == 1 && *word >= 'A' && *word <= 'Z' && *word != 'I') ||
		      (len >= 3 && word[1] == '.' && !is_ascii_digit(*word));
	if (!is_initials && !IS_IN(word, len, may_end))
		return false;
	return !starts_sentence(scan, next);
}

/* Behind the run of end marks that begins at `at`; *ret_mark is the strongest
 * of them. */
static const char *skip_marks(const struct scan *scan, const char *at, enum mark *ret_mark)
{
	const char *dot_end = at;
	size_t dots = 0;

	*ret_mark = MARK_NONE;
	while (at < scan->end) {
		enum mark mark = mark_of(text_next(&at, scan->end));

		if (mark == MARK_NONE)
			break;
		dots += mark == MARK_DOT;
		if (mark == MARK_DOT && dots > 1)
			mark = MARK_ELLIPSIS;
		if (*ret_mark == MARK_NONE || *ret_mark == MARK_DOT || mark == MARK_FULL)
			*ret_mark = mark;
		dot_end = at;
	}
	return dot_end;
}

/* Behind closing quotes, brackets, emphasis and citations such as [12]. */
static const char *skip_closers(const struct scan *scan, const char *at)
{
	while (at < scan->end) {
		const char *next = at;
		uint32_t code = text_next(&next, scan->end);

		if (code == '[' && next < scan->end && is_ascii_digit(*next)) {
			while (next < scan->end && is_ascii_digit(*next))
				next++;
			if (next == scan->end || *next != ']')
				return at;
			next++;
		} else if (!is_closer(code)) {
			return at;
		}
		at = next;
	}
	return at;
}

/* Behind white space; *ret_lines counts its line breaks. */
static const char *skip_space(const struct scan *scan, const char *at, size_t *ret_lines)
{
	*ret_lines = 0;
	while (at < scan->end) {
		const char *next = at;
		uint32_t code = text_next(&next, scan->end);

		if (!text_is_space(code))
			break;
		*ret_lines += code == '\n';
		at = next;
	}
	return at;
}

/* Whether the character at `at` is all there. */
static bool is_whole(const struct scan *scan, const char *at)
{
	size_t len = (size_t)(scan->end - at);
	const char *next = at;

	if (scan->is_final || len == 0)
		return scan->is_final;
	if (len < 4 && text_whole(at, len) == 0)
		return false;
	text_next(&next, scan->end);
	/* A whole word is needed to tell "U.S. The" from "U.S. Army". */
	while (next < scan->end && is_ascii_alnum(*next))
		next++;
	return next < scan->end || !is_ascii_alnum(*at);
}

/* What stands around a run of end marks. */
struct ending {
	const char *marks;  /* where they begin */
	const char *after;  /* behind them */
	const char *closed; /* behind the closers */
	const char *next;   /* the next sentence, if this one ends; never the end of the text */
	enum mark mark;
	bool is_line_end;
};

/* Whether a mark that does not always end a sentence does so here. */
static bool is_end_of_sentence(const struct scan *scan, const struct ending *ending)
{
	const char *peek = ending->next;
	uint32_t code = text_next(&peek, scan->end);
	bool is_chinese = text_is_han(code) || text_is_kana(code);

	if (ending->next == ending->closed && (ending->mark == MARK_ELLIPSIS || !is_chinese))
		return false;
	if (ending->mark == MARK_DOT && ending->closed == ending->after &&
	    is_abbreviation(scan, ending->marks, ending->next))
		return false;
	return ending->is_line_end || !text_is_lower(code);
}

/* Decides about the end marks at `mark_at`. True: a sentence ends, *at is behind it and its white
 * space (or NULL: not decided yet). False: it goes on, *at is behind the marks. */
static bool ends_here(const struct scan *scan, const char *mark_at, const char **at)
{
	struct ending ending = { .marks = mark_at };
	size_t lines;

	ending.after = skip_marks(scan, mark_at, &ending.mark);
	ending.closed = skip_closers(scan, ending.after);
	ending.next = skip_space(scan, ending.closed, &lines);
	ending.is_line_end = lines > 0;
	*at = ending.next;
	if (ending.next == scan->end || !is_whole(scan, ending.next)) {
		if (!scan->is_final)
			*at = NULL;
		return true;
	}
	if (ending.mark == MARK_FULL || (ending.is_line_end && ending.mark != MARK_DOT))
		return true;
	if (is_end_of_sentence(scan, &ending))
		return true;
	*at = ending.after;
	return false;
}

static bool begins(const char *at, const char *end, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}

static const char *line_end(const char *at, const char *end)
{
	const char *found = memchr(at, '\n', (size_t)(end - at));

	return found == NULL ? end : found;
}

/* A line that stands alone because of how it begins: heading, list, quote,
 * table, fence. */
static bool is_block_line(const char *at, const char *end)
{
	const char *digits = at;

	if (at == end || *at == '\0')
		return false;
	if (strchr("#|>", *at) != NULL || begins(at, end, "```") || begins(at, end, "~~~"))
		return true;
	if (begins(at, end, "- ") || begins(at, end, "* ") || begins(at, end, "+ "))
		return true;
	while (digits < end && is_ascii_digit(*digits))
		digits++;
	return digits > at && digits < end && (*digits == '.' || *digits == ')');
}

/* The end of the text from `at`, white space included; 0 while more may follow.
 */
static size_t closed_at(const struct scan *scan, const char *at)
{
	size_t lines;
	const char *next = skip_space(scan, at, &lines);

	if (next == scan->end && !scan->is_final)
		return 0;
	return (size_t)(next - scan->start);
}

/* Decides about the line break at `at`: as ends_here(). */
static bool line_ends(const struct scan *scan, const char *line, const char **at)
{
	size_t lines;
	const char *next = skip_space(scan, *at, &lines);
	const char *peek = next;

	if (next == scan->end || !is_whole(scan, next)) {
		*at = scan->is_final ? scan->end : NULL;
		return true;
	}
	*at = next;
	if (lines > 1 || is_block_line(line, scan->end) || is_block_line(next, scan->end))
		return true;
	return !text_is_lower(text_next(&peek, scan->end));
}

static size_t fence_end(const struct scan *scan, const char *fence)
{
	const char *at = line_end(fence, scan->end);

	while (at < scan->end) {
		const char *line = at + 1;

		while (line < scan->end && *line == ' ')
			line++;
		at = line_end(line, scan->end);
		if (begins(line, scan->end, "```") || begins(line, scan->end, "~~~"))
			return closed_at(scan, at);
	}
	return scan->is_final ? (size_t)(scan->end - scan->start) : 0;
}

static size_t prose_end(const struct scan *scan, const char *line)
{
	const char *at = line;

	while (at < scan->end) {
		const char *next = at;
		uint32_t code = text_next(&next, scan->end);
		bool is_end = false;

		if (code == '\n')
			is_end = line_ends(scan, line, &at);
		else if (mark_of(code) != MARK_NONE)
			is_end = ends_here(scan, at, &at);
		else
			at = next;
		if (is_end)
			return at == NULL ? 0 : (size_t)(at - scan->start);
	}
	return scan->is_final ? (size_t)(scan->end - scan->start) : 0;
}

size_t sentence_end(const char *text, size_t len, bool is_final)
{
	const struct scan scan = { .start = text, .end = text + len, .is_final = is_final };
	size_t lines;
	const char *line = skip_space(&scan, text, &lines);

	if (line == scan.end)
		return is_final ? len : 0;
	if (begins(line, scan.end, "```") || begins(line, scan.end, "~~~"))
		return fence_end(&scan, line);
	if (*line == '#' || *line == '|') {
		line = line_end(line, scan.end);
		return line == scan.end && !is_final ? 0 : closed_at(&scan, line);
	}
	return prose_end(&scan, line);
}

static const char *last_line(const struct slice *text)
{
	const char *at = text->data + text->len;

	while (at > text->data && at[-1] != '\n')
		at--;
	return at;
}

bool sentence_is_finished(const char *text, size_t len)
{
	struct slice trimmed = text_trim(text, len);
	const char *end = trimmed.data + trimmed.len;
	const char *line = last_line(&trimmed);
	struct scan scan = { .start = line, .end = end, .is_final = true };
	const char *at = line;
	bool is_finished = false;

	if (begins(line, end, "```") || begins(line, end, "~~~") || begins(line, end, "|"))
		return trimmed.data < line || *line == '|';
	if (begins(line, end, "#"))
		return false;
	while (at < end) {
		const char *next = at;
		uint32_t code = text_next(&next, end);
		enum mark mark = mark_of(code);

		if (mark == MARK_DOT && is_list_number(&scan, word_before(&scan, at), at))
			is_finished = false;
		else if (mark != MARK_NONE)
			is_finished = true;
		else if (!is_closer(code))
			is_finished = false;
		at = is_finished ? skip_closers(&scan, next) : next;
	}
	return is_finished;
}
