#include "writing/plan_lines.h"
#include <string.h>
#include "base/text.h"
#include "writing/plan_marks.h"
#include "writing/words.h"

enum {
	TAB_COLUMNS = 4,
	LEVELS = 7,		/* of headings, 1 to 6 */
	PLAIN_WORDS_MAX = 15,	/* of a title without any mark */
	SUBTITLE_WORDS_MAX = 4, /* "Tea: A Short History" is one title */
	SUBTITLE_HAN_MAX = 12,
	INDENT_SLACK = 1
};

/* One line of the answer, taken apart. */
struct line {
	struct slice text; /* trimmed */
	struct slice body; /* behind the marks */
	enum mark mark;
	size_t indent;	/* columns; the level of a heading */
	bool is_detail; /* "Main Point: ...": of the section before it */
};

/* Which lines are the titles. */
struct pattern {
	enum mark mark; /* MARK_NONE: plain lines */
	size_t indent;
	bool is_none; /* no line is one: a single plain line is an answer, not a plan */
};

struct lines {
	const char *at;
	const char *end;
};

static bool starts_nocase(struct slice text, const char *prefix)
{
	return strlen(prefix) <= text.len && text_starts_nocase(text.data, prefix);
}

static struct slice behind(struct slice text, size_t len)
{
	return text_trim(text.data + len, text.len - len);
}

/* Bytes of a "Main Point:" kind of label at the start, colon included, 0 for none. */
static size_t label_len(struct slice text)
{
	static const char *const labels[] = {
		"main points", "main point",  "key points", "key point", "points",
		"point",       "description", "summary",    "content",	 "focus",
		"details",     "goal",	      "word count", "words",	 "length",
		"要点",	       "主要内容",    "内容",	    "概要",	 "字数",
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		size_t len = strlen(labels[i]);
		struct slice rest;

		if (!starts_nocase(text, labels[i]))
			continue;
		rest = behind(text, len);
		while (rest.len > 0 && rest.data[0] == '*')
			rest = behind(rest, 1);
		if (starts_nocase(rest, ":"))
			return (size_t)(rest.data - text.data) + 1;
		if (starts_nocase(rest, "："))
			return (size_t)(rest.data - text.data) + strlen("：");
	}
	return 0;
}

static bool is_dotted_number(struct slice text)
{
	size_t at = 0;

	while (at < text.len && strchr("#* ", text.data[at]) != NULL)
		at++;
	while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
		at++;
	return at > 0 && at + 1 < text.len && text.data[at] == '.' && text.data[at + 1] >= '0' &&
	       text.data[at + 1] <= '9';
}

static size_t indent_of(const char *at, const char *end, enum mark mark, struct slice text)
{
	size_t columns = 0;

	if (mark == MARK_HEADING) {
		while (columns < text.len && columns < LEVELS - 1 && text.data[columns] == '#')
			columns++;
		return columns;
	}
	for (; at < end && (*at == ' ' || *at == '\t'); at++)
		columns += *at == '\t' ? TAB_COLUMNS : 1;
	return columns + (mark == MARK_NUMBER && is_dotted_number(text) ? TAB_COLUMNS : 0);
}

/* false: no more lines. */
static bool next_line(struct lines *lines, struct line *ret_line)
{
	const char *start = lines->at;
	const char *stop;

	if (start >= lines->end)
		return false;
	stop = memchr(start, '\n', (size_t)(lines->end - start));
	if (stop == NULL)
		stop = lines->end;
	lines->at = stop < lines->end ? stop + 1 : stop;
	ret_line->text = text_trim(start, (size_t)(stop - start));
	ret_line->body = marks_skip(ret_line->text, &ret_line->mark);
	if (ret_line->mark == MARK_NONE && starts_nocase(ret_line->text, "**"))
		ret_line->mark = MARK_BOLD;
	ret_line->indent = indent_of(start, stop, ret_line->mark, ret_line->text);
	ret_line->is_detail = ret_line->mark < MARK_HEADING && label_len(ret_line->body) > 0;
	return true;
}

struct census {
	size_t counts[MARK_WORD + 1]; /* at the smallest indent */
	size_t indents[MARK_WORD + 1];
	size_t levels[LEVELS]; /* headings by level */
	size_t firsts;	       /* lines that begin with "1." */
	size_t n_plain;	       /* lines without marks that may be titles */
};

static void census_add(struct census *census, const struct line *line)
{
	enum mark mark = line->mark;

	if (line->is_detail || line->body.len == 0)
		return;
	if (mark == MARK_HEADING)
		census->levels[line->indent]++;
	if (mark == MARK_NUMBER &&
	    (starts_nocase(line->text, "1.") || starts_nocase(line->text, "1)")))
		census->firsts++;
	if (census->counts[mark] == 0 || line->indent + INDENT_SLACK < census->indents[mark]) {
		census->counts[mark] = 0;
		census->indents[mark] = line->indent;
	}
	if (line->indent <= census->indents[mark] + INDENT_SLACK)
		census->counts[mark]++;
}

/* The highest level that more than one heading has; else the lowest there is. */
static void census_choose_level(struct census *census)
{
	size_t last = 0;

	for (size_t level = 1; level < LEVELS; level++) {
		if (census->levels[level] > 0)
			last = level;
		if (census->levels[level] > 1)
			break;
	}
	census->indents[MARK_HEADING] = last;
	census->counts[MARK_HEADING] = last > 0 ? census->levels[last] : 0;
}

static struct pattern census_pattern(struct census *census)
{
	static const enum mark order[] = { MARK_WORD, MARK_NUMBER, MARK_HEADING, MARK_BULLET,
					   MARK_BOLD };
	struct pattern pattern = { .mark = MARK_NONE };

	census_choose_level(census);
	/* numbers that start again under each heading are points */
	if (census->firsts > 1 &&
	    (census->counts[MARK_HEADING] > 1 || census->counts[MARK_BOLD] > 1))
		census->counts[MARK_NUMBER] = 0;
	census->counts[MARK_NONE] = census->n_plain;
	for (size_t least = 2; least > 0 && pattern.mark == MARK_NONE; least--) {
		for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
			if (census->counts[order[i]] < least)
				continue;
			pattern.mark = order[i];
			break;
		}
	}
	pattern.indent = census->indents[pattern.mark];
	pattern.is_none = pattern.mark == MARK_NONE && census->counts[MARK_NONE] < 2;
	return pattern;
}

static bool is_plain_title(const struct line *line)
{
	static const char *const ends[] = { ":", "：", ".", "。", "!", "！", ",", "，" };

	if (line->is_detail || line->body.len == 0 || strchr("`{}[]<|", line->text.data[0]) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t len = strlen(ends[i]);

		if (len <= line->text.len &&
		    memcmp(line->text.data + line->text.len - len, ends[i], len) == 0)
			return false;
	}
	return words_count(WORDS_NATURAL, line->body.data, line->body.len) <= PLAIN_WORDS_MAX;
}

static bool is_title_line(const struct line *line, const struct pattern *pattern)
{
	if (pattern->mark == MARK_NONE)
		return line->mark == MARK_NONE && is_plain_title(line);
	if (line->mark != pattern->mark || line->is_detail)
		return false;
	return pattern->mark == MARK_HEADING ? line->indent == pattern->indent
					     : line->indent <= pattern->indent + INDENT_SLACK;
}

/* A title, what it is about, and a wish, out of one line. */
struct entry {
	struct slice title;
	struct slice point;
	long words;
};

/* Whether what stands behind the colon is a subtitle and no point. */
static bool is_subtitle(struct slice rest)
{
	long words = words_count(WORDS_NATURAL, rest.data, rest.len);
	const char *at = rest.data;

	if (rest.len == 0)
		return false;
	if (text_is_han(text_next(&at, rest.data + rest.len)))
		return words <= SUBTITLE_HAN_MAX;
	return words <= SUBTITLE_WORDS_MAX && rest.data[rest.len - 1] != '.';
}

/* Cuts `text` at the first separator of title and point. */
static void split_entry(struct slice text, struct entry *entry)
{
	static const struct {
		const char *text;
		bool may_join; /* a subtitle may follow it */
	} marks[] = { { "**", false },	{ ": ", true },	  { "：", true }, { " - ", false },
		      { " – ", false }, { " — ", false }, { "——", true } };
	const char *first = NULL;
	size_t len = 0;
	bool may_join = false;
	struct slice rest;

	entry->title = text;
	entry->point = (struct slice){ .data = "", .len = 0 };
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t mark = strlen(marks[i].text);
		const char *at = memmem(text.data, text.len, marks[i].text, mark);

		if (at == NULL || at == text.data || (first != NULL && at >= first))
			continue;
		first = at;
		len = mark;
		may_join = marks[i].may_join;
	}
	if (first == NULL)
		return;
	rest = behind(text, (size_t)(first - text.data) + len);
	if (may_join && is_subtitle(rest))
		return;
	entry->title.len = (size_t)(first - text.data);
	while (rest.len > 0 && strchr(":-* ", rest.data[0]) != NULL)
		rest = behind(rest, 1);
	entry->point = rest;
}

/* Without the length; when words stand on both sides of it, the right ones are the point. */
static struct slice cut_length(struct slice text, struct entry *entry, struct slice *ret_rest)
{
	struct slice span;
	struct slice left;

	*ret_rest = (struct slice){ .data = "", .len = 0 };
	entry->words = marks_words(text, &span);
	if (entry->words == 0)
		return text;
	left = text_trim(text.data, (size_t)(span.data - text.data));
	*ret_rest = marks_title(
		(struct slice){ .data = span.data + span.len,
				.len = (size_t)(text.data + text.len - (span.data + span.len)) });
	while (ret_rest->len > 0 && strchr(":-,;.", ret_rest->data[0]) != NULL)
		*ret_rest = behind(*ret_rest, 1);
	if (left.len > 0)
		return left;
	left = *ret_rest;
	ret_rest->len = 0;
	return left;
}

static struct entry entry_of(struct slice body)
{
	struct entry entry = { 0 };
	struct slice rest;
	struct slice text = cut_length(body, &entry, &rest);
	size_t label = label_len(text);

	if (label > 0) { /* "Paragraph 1 - Main Point: ..." */
		entry.title = (struct slice){ .data = "", .len = 0 };
		entry.point = behind(text, label);
		return entry;
	}
	if (starts_nocase(text, "title:"))
		text = behind(text, strlen("title:"));
	if (rest.len > 0) {
		entry.title = text;
		entry.point = rest;
	} else {
		split_entry(text, &entry);
	}
	entry.title = marks_title(entry.title);
	return entry;
}

static enum err add_entry(struct plan *plan, struct slice body)
{
	struct entry entry = entry_of(body);

	return plan_add(plan, entry.title, entry.point, entry.words);
}

/* A line below a title: its point, or its length. */
static enum err add_detail(struct plan_section *section, const struct line *line)
{
	struct entry entry = { 0 };
	struct slice rest;
	struct slice text = cut_length(line->body, &entry, &rest);
	size_t label;

	if (entry.words > 0 && section->words == 0)
		section->words = entry.words < PLAN_WORDS_MAX ? entry.words : PLAN_WORDS_MAX;
	label = label_len(text);
	text = behind(text, label);
	while (text.len > 0 && text.data[0] == '*')
		text = behind(text, 1);
	return text.len > 0 ? plan_section_append_point(section, text) : OK;
}

static struct pattern find_pattern(struct slice text)
{
	struct lines lines = { .at = text.data, .end = text.data + text.len };
	struct census census = { 0 };
	struct line line;

	while (next_line(&lines, &line)) {
		census_add(&census, &line);
		census.n_plain += line.mark == MARK_NONE && is_plain_title(&line) ? 1 : 0;
	}
	return census_pattern(&census);
}

enum err plan_lines(struct slice text, struct plan *plan)
{
	struct pattern pattern = find_pattern(text);
	struct lines lines = { .at = text.data, .end = text.data + text.len };
	size_t before = plan->n_sections;
	struct line line;
	enum err err = OK;

	while (err == OK && !pattern.is_none && next_line(&lines, &line)) {
		bool is_below = plan->n_sections > before && line.mark != MARK_HEADING;

		if (is_title_line(&line, &pattern))
			err = add_entry(plan, line.body);
		else if (is_below && line.body.len > 0 &&
			 (line.mark != MARK_NONE || line.is_detail || line.indent > pattern.indent))
			err = add_detail(&plan->sections[plan->n_sections - 1], &line);
	}
	return err;
}
