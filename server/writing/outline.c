#include "writing/outline.h"
#include "base/text.h"
#include "writing/length.h"
#include "writing/lexicon.h"
#include "writing/outline_line.h"
#include "writing/visible.h"
#include <stdbool.h>
#include <string.h>

enum {
	ITEMS_MIN = 2,
	INLINE_MIN = 3,
	INLINE_TRIES_MAX = 8,  /* in one line */
	TITLE_MAX_BYTES = 120, /* longer ones are sentences: points */
	INLINE_MAX_BYTES = 60,
	CUE_BYTES = 240, /* of the end of a line */
};

struct finder {
	const char *text;
	const char *end;
	struct outline_item *items;
	size_t count;
};

static const char *const cues[] = { "outline:",
				    "this outline",
				    "following outline",
				    "outline below",
				    "structure:",
				    "this structure",
				    "following structure",
				    "structure below",
				    "structured as follows",
				    "organized as follows",
				    "organised as follows",
				    "structure as follows",
				    "sections:",
				    "following sections",
				    "these sections",
				    "sections below",
				    "section headings",
				    "chapters:",
				    "following chapters",
				    "these chapters",
				    "following headings",
				    "these headings",
				    "headings:",
				    "table of contents",
				    "following parts",
				    "these parts",
				    "following framework",
				    "this framework",
				    "文章结构",
				    "结构如下",
				    "如下结构",
				    "以下结构",
				    "结构：",
				    "以下章节",
				    "章节如下",
				    "章节安排",
				    "章节：",
				    "以下几个部分",
				    "以下部分",
				    "如下部分",
				    "几部分：",
				    "部分：",
				    "分为以下",
				    "框架如下",
				    "以下框架",
				    "框架：",
				    "下列大纲",
				    "以下大纲",
				    "下面大纲",
				    "大纲如下",
				    "大纲：",
				    "下列提纲",
				    "以下提纲",
				    "下面的提纲",
				    "下面的大纲",
				    "提纲如下",
				    "提纲：",
				    "按大纲",
				    "按提纲",
				    "目录如下",
				    "目录：",
				    "以下目录",
				    NULL };
static const char *const no_cues[] = { "requirement", "requirements", "references", "keywords",
				       "facts",	      "要求如下",     "要求：",	    "参考文献",
				       "关键词",      "采访提纲",     NULL };
/* Before a list in the same line; `is_loose` ones may be followed by mere
 * adjectives. */
static const struct {
	const char *text;
	bool is_loose;
} inline_cues[] = {
	{ "sections:", false }, { "chapters:", false }, { "headings:", false },
	{ "outline:", false },	{ "structure:", true }, { "章节：", false },
	{ "目录：", false },	{ "大纲：", false },	{ "提纲：", false },
	{ "结构：", true },	{ "文章结构：", true },
};
static const char *const part_names[] = { "introduction", "intro", "conclusion", "background",
					  "summary",	  "引言",  "开头",	 "背景",
					  "结论",	  "总结",  "结尾",	 "导语",
					  "正文",	  "前言",  NULL };

static bool is_blank(const struct outline_line *line)
{
	return text_trim(line->start, (size_t)(line->end - line->start)).len == 0;
}

/* Trimmed of space, emphasis and closing punctuation. */
static struct slice clean(const char *at, const char *end)
{
	static const char *const tails[] = {
		".", ",", ";", ":", "*", "。", "，", "；", "：", NULL
	};
	struct slice slice = text_trim(at, (size_t)(end - at));
	size_t before;

	while (slice.len > 0 && *slice.data != '\0' && strchr("*:# ", *slice.data) != NULL) {
		slice.data++;
		slice.len--;
	}
	do {
		before = slice.len;
		for (size_t i = 0; tails[i] != NULL; i++) {
			size_t len = strlen(tails[i]);

			if (slice.len >= len &&
			    memcmp(slice.data + slice.len - len, tails[i], len) == 0)
				slice.len -= len;
		}
		slice = text_trim(slice.data, slice.len);
	} while (slice.len < before);
	return slice;
}

/* The length named in [at, end), 0 for none; *ret_is_all: nothing else is
 * there. */
static long words_in(const char *at, const char *end, bool *ret_is_all)
{
	struct visible visible;
	struct length length;

	*ret_is_all = false;
	visible_read(&visible, at, (size_t)(end - at));
	if (!length_next(visible.text, 0, &length) || length.unit != LENGTH_WORDS || length.is_each)
		return 0;
	*ret_is_all = length.before == 0 && length.end + 1 >= visible.len;
	return length.high;
}

/* Drops a bracket with a length at the end: "Causes (500 words)". */
static struct slice without_length(struct slice title)
{
	for (size_t i = title.len; i-- > 1;) {
		const char *end = title.data + title.len;
		bool is_all;

		if (title.data[i] != '(' && !outline_begins(title.data + i, end, "（") &&
		    title.data[i] != '[')
			continue;
		return words_in(title.data + i, end, &is_all) > 0
			       ? clean(title.data, title.data + i)
			       : title;
	}
	return title;
}

/* Where the title ends in [at, end) and its point begins; `end` twice where all
 * is title. */
static const char *split_title(const char *at, const char *end, const char **ret_point)
{
	static const char *const separators[] = { "：", ": ", " - ", " – ", " — ", "——", NULL };

	for (const char *from = at; from < end; from++) {
		*ret_point = outline_skip_sign(from, end, separators);
		if (*ret_point != NULL)
			return from;
	}
	*ret_point = end;
	return end;
}

static void add_item(struct finder *finder, const struct outline_line *line)
{
	struct outline_item *item = &finder->items[finder->count];
	const char *from = outline_skip_blank(line->body, line->end);
	const char *point;
	const char *title_end;
	bool is_length;

	if (line->mark == OUTLINE_CHAPTER) /* "Chapter 1: The bell" is all title */
		while (from < line->end && (*from == ':' || outline_begins(from, line->end, "：")))
			from = outline_skip_blank(from + (*from == ':' ? 1 : 3), line->end);
	title_end = line->mark == OUTLINE_HEADING ? point = line->end
						  : split_title(from, line->end, &point);
	*item = (struct outline_item){ .title = { line->start, 0 },
				       .point = { line->start, 0 },
				       .words = words_in(line->body, line->end, &is_length) };
	if (line->mark == OUTLINE_PARAGRAPH) {
		const char *comma = outline_begins(from, line->end, "，") ? from + 3 : from;

		item->point = text_trim(comma, (size_t)(line->end - comma));
	} else {
		from = line->mark == OUTLINE_CHAPTER ? outline_skip_blank(line->start, line->end)
						     : from;
		item->title = without_length(clean(from, title_end));
		item->point = text_trim(point, (size_t)(line->end - point));
	}
	words_in(item->point.data, item->point.data + item->point.len, &is_length);
	if (is_length)
		item->point.len = 0;
	if (item->title.len > TITLE_MAX_BYTES) {
		item->point = text_trim(from, (size_t)(line->end - from));
		item->title.len = 0;
	}
	if (item->title.len + item->point.len > 0)
		finder->count++;
}

/* A line below an item that is none itself belongs to the item's point. */
static void extend_point(struct finder *finder, const struct outline_line *line)
{
	struct outline_item *item = &finder->items[finder->count - 1];
	struct slice more = text_trim(line->start, (size_t)(line->end - line->start));

	if (item->point.len == 0)
		item->point = more;
	else
		item->point.len = (size_t)(more.data + more.len - item->point.data);
}

static bool is_same_level(const struct outline_line *line, const struct outline_line *first)
{
	bool is_label = line->mark >= OUTLINE_CHAPTER && first->mark >= OUTLINE_CHAPTER;

	return line->mark != OUTLINE_NONE && line->indent_bytes <= first->indent_bytes + 1 &&
	       (line->mark == first->mark || is_label);
}

/* Whether the first heading is the whole text's title: another one is below it
 * at once. */
static bool is_title_above(const struct finder *finder, const struct outline_line *line,
			   const struct outline_line *first)
{
	return first->mark == OUTLINE_HEADING && line->mark == OUTLINE_HEADING &&
	       finder->count == 1 && finder->items[0].point.len == 0 &&
	       line->indent_bytes > first->indent_bytes;
}

/* Collects the list that begins at the first line with text at or after `at`.
 */
static void collect(struct finder *finder, const char *at)
{
	struct outline_line first = { .mark = OUTLINE_NONE };

	finder->count = 0;
	for (; at < finder->end && finder->count < OUTLINE_ITEMS_MAX;) {
		struct outline_line line = outline_read_line(at, finder->end);

		at = line.end < finder->end ? line.end + 1 : finder->end;
		if (is_blank(&line))
			continue;
		if (first.mark == OUTLINE_NONE || is_title_above(finder, &line, &first)) {
			first = line;
			finder->count = 0;
		}
		if (first.mark == OUTLINE_NONE)
			return;
		if (is_same_level(&line, &first))
			add_item(finder, &line);
		else if (finder->count > 0 &&
			 (line.indent_bytes > first.indent_bytes ||
			  first.mark == OUTLINE_HEADING ||
			  (line.mark == OUTLINE_BULLET && first.mark != OUTLINE_BULLET)))
			extend_point(finder, &line);
		else
			break;
	}
}

/* Whether the end of the line announces a structure. */
static bool is_cue(const struct outline_line *line)
{
	struct visible visible;
	const char *from =
		line->end - line->start > CUE_BYTES ? line->end - CUE_BYTES : line->start;

	visible_read(&visible, from, (size_t)(line->end - from));
	return lexicon_contains(visible.text, 0, visible.len, cues) &&
	       !lexicon_contains(visible.text, 0, visible.len, no_cues);
}

/* The items of "Sections: a, b, c." from `at` on. */
static void collect_inline(struct finder *finder, const char *at, const char *line_end)
{
	static const char *const ends[] = { "。", ". ", "，", NULL };
	static const char *const separators[] = { ", ", "; ", "、", "；", NULL };
	const char *from = at;
	bool is_last = false;
	bool is_length;

	finder->count = 0;
	while (!is_last && finder->count < OUTLINE_ITEMS_MAX) {
		const char *behind = outline_skip_sign(at, line_end, separators);
		struct slice title;

		is_last = at == line_end || outline_skip_sign(at, line_end, ends) != NULL;
		if (behind == NULL && !is_last) {
			at++;
			continue;
		}
		title = clean(from, at);
		if (title.len > 4 && outline_begins_nocase(title.data, at, "and "))
			title = clean(title.data + 4, at);
		if (title.len == 0 || title.len > INLINE_MAX_BYTES) {
			finder->count = 0;
			return;
		}
		finder->items[finder->count++] =
			(struct outline_item){ .title = without_length(title),
					       .point = { at, 0 },
					       .words = words_in(from, at, &is_length) };
		at = from = is_last ? at : behind;
	}
}

static bool has_part_name(const struct finder *finder)
{
	for (size_t i = 0; i < finder->count; i++) {
		struct visible visible;

		visible_read(&visible, finder->items[i].title.data, finder->items[i].title.len);
		if (lexicon_contains(visible.text, 0, visible.len, part_names))
			return true;
	}
	return false;
}

static bool find_inline(struct finder *finder, const struct outline_line *line)
{
	int tries = 0;

	for (const char *at = line->start; at < line->end && tries < INLINE_TRIES_MAX; at++) {
		for (size_t i = 0; i < sizeof(inline_cues) / sizeof(inline_cues[0]); i++) {
			if (!outline_begins_nocase(at, line->end, inline_cues[i].text))
				continue;
			tries++;
			collect_inline(finder, at + strlen(inline_cues[i].text), line->end);
			if (finder->count >= INLINE_MIN &&
			    (!inline_cues[i].is_loose || has_part_name(finder)))
				return true;
		}
	}
	finder->count = 0;
	return false;
}

/* Behind the last wrapped document. */
static const char *skip_wrapped(const char *text, size_t len)
{
	static const char *const closers[] = { "</context>", "</documents>", "</document>",
					       "</source>",  "</text>",	     "</article>" };
	const char *from = text;
	const char *found;

	for (size_t i = 0; i < sizeof(closers) / sizeof(closers[0]); i++)
		while ((found = memmem(from, (size_t)(text + len - from), closers[i],
				       strlen(closers[i]))) != NULL)
			from = found + strlen(closers[i]);
	return from;
}

/* Whether the list under, in or at this line is an outline; then finder->items
 * are it. */
static bool try_line(struct finder *finder, const struct outline_line *line)
{
	if (find_inline(finder, line))
		return true;
	if (line->mark >= OUTLINE_CHAPTER)
		collect(finder, line->start);
	else if (is_cue(line))
		collect(finder, line->end);
	else
		finder->count = 0;
	return finder->count >= ITEMS_MIN;
}

size_t outline_find(const char *text, size_t len, struct outline_item items[OUTLINE_ITEMS_MAX])
{
	const char *at = skip_wrapped(text, len);
	struct finder finder = { .text = text, .end = text + len, .items = items };
	bool is_fenced = false;

	while (at < finder.end) {
		struct outline_line line = outline_read_line(at, finder.end);

		at = line.end < finder.end ? line.end + 1 : finder.end;
		if (outline_begins(line.body, line.end, "```"))
			is_fenced = !is_fenced;
		else if (!is_fenced && line.start < line.end && *line.start != '>' &&
			 try_line(&finder, &line))
			return finder.count;
	}
	return 0;
}

enum err outline_read(const char *text, size_t len, struct plan *plan)
{
	struct outline_item items[OUTLINE_ITEMS_MAX];
	size_t count = outline_find(text, len, items);
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++) {
		err = plan_add(plan, items[i].title, items[i].point, items[i].words);
		if (err != OK)
			break;
		plan->sections[plan->n_sections - 1].is_title_users = items[i].title.len > 0;
		plan->sections[plan->n_sections - 1].is_words_users = items[i].words > 0;
	}
	return err;
}
