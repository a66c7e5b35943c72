#include "writing/plan_scan.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "writing/plan_marks.h"

enum { DEPTH_MAX = 16, STRING_BYTES_MAX = 4096, NO_SECTION = -1 };

enum key_kind { KEY_OTHER, KEY_TITLE, KEY_POINT, KEY_WORDS, KEY_LIST, KEY_IGNORED, KEY_NUMBER };

/* Compared without case, white space, '_' and '-'. */
static const struct {
	const char *name;
	enum key_kind kind;
} keys[] = {
	{ "title", KEY_TITLE },	       { "name", KEY_TITLE },	      { "heading", KEY_TITLE },
	{ "section", KEY_TITLE },      { "sectiontitle", KEY_TITLE }, { "chapter", KEY_TITLE },
	{ "chaptertitle", KEY_TITLE }, { "paragraph", KEY_TITLE },    { "part", KEY_TITLE },
	{ "headline", KEY_TITLE },     { "标题", KEY_TITLE },	      { "章节", KEY_TITLE },
	{ "题目", KEY_TITLE },	       { "小标题", KEY_TITLE },	      { "名称", KEY_TITLE },
	{ "point", KEY_POINT },	       { "mainpoint", KEY_POINT },    { "description", KEY_POINT },
	{ "summary", KEY_POINT },      { "content", KEY_POINT },      { "details", KEY_POINT },
	{ "about", KEY_POINT },	       { "goal", KEY_POINT },	      { "focus", KEY_POINT },
	{ "points", KEY_POINT },       { "mainpoints", KEY_POINT },   { "keypoints", KEY_POINT },
	{ "要点", KEY_POINT },	       { "内容", KEY_POINT },	      { "主要内容", KEY_POINT },
	{ "概要", KEY_POINT },	       { "描述", KEY_POINT },	      { "words", KEY_WORDS },
	{ "wordcount", KEY_WORDS },    { "targetwords", KEY_WORDS },  { "length", KEY_WORDS },
	{ "字数", KEY_WORDS },	       { "sections", KEY_LIST },      { "chapters", KEY_LIST },
	{ "paragraphs", KEY_LIST },    { "outline", KEY_LIST },	      { "plan", KEY_LIST },
	{ "titles", KEY_LIST },	       { "steps", KEY_LIST },	      { "parts", KEY_LIST },
	{ "headings", KEY_LIST },      { "大纲", KEY_LIST },	      { "keywords", KEY_IGNORED },
	{ "tags", KEY_IGNORED },       { "notes", KEY_IGNORED },      { "references", KEY_IGNORED },
	{ "characters", KEY_IGNORED }, { "themes", KEY_IGNORED },
};

struct frame {
	bool is_object;
	bool is_owner;	   /* holds the list of sections: its title is the whole text's */
	bool is_ignored;   /* nothing in it counts */
	long section;	   /* of this object, NO_SECTION */
	struct slice key;  /* of the value that comes next */
	struct slice name; /* the key it stands under, when that may be a title */
};

struct scan {
	const char *at;
	const char *end;
	struct plan *plan;
	struct frame frames[DEPTH_MAX];
	size_t depth;
	struct buf string; /* the last one, decoded */
};

static bool key_equals(struct slice key, const char *name)
{
	for (size_t i = 0; i < key.len; i++) { /* none at all where no key was read */
		char byte = key.data[i];

		if (byte == ' ' || byte == '_' || byte == '-')
			continue;
		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte + 32);
		if (*name == '\0' || *name != byte) /* a zero byte in the key is not the end */
			return false;
		name++;
	}
	return *name == '\0';
}

static enum key_kind kind_of(struct slice key)
{
	struct slice rest;
	enum mark mark;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (key_equals(key, keys[i].name))
			return keys[i].kind;
	rest = marks_skip(key, &mark);
	if (rest.len == 0 ||
	    (key.len > 0 && key.data[key.len - 1] >= '0' && key.data[key.len - 1] <= '9'))
		return KEY_NUMBER; /* "1", "Section 2", "第三章", "section_1" */
	return KEY_OTHER;
}

/* A key that may itself be a title: "Introduction", "茶的历史", not "topic". */
static bool is_title_key(struct slice key)
{
	for (size_t i = 0; i < key.len; i++) {
		unsigned char byte = (unsigned char)key.data[i];

		if (byte == ' ' || byte >= 0x80 || (byte >= 'A' && byte <= 'Z'))
			return true;
	}
	return false;
}

static struct frame *top(struct scan *scan)
{
	return scan->depth > 0 ? &scan->frames[scan->depth - 1] : NULL;
}

/* The section of the innermost object that has one; NO_SECTION. */
static long enclosing_section(const struct scan *scan)
{
	for (size_t i = scan->depth; i-- > 0;)
		if (scan->frames[i].section != NO_SECTION)
			return scan->frames[i].section;
	return NO_SECTION;
}

static bool is_ignored(const struct scan *scan)
{
	for (size_t i = 0; i < scan->depth; i++)
		if (scan->frames[i].is_ignored)
			return true;
	return false;
}

static bool is_in_array(const struct scan *scan)
{
	for (size_t i = 0; i < scan->depth; i++)
		if (!scan->frames[i].is_object)
			return true;
	return false;
}

static const struct slice none = { .data = "", .len = 0 };

static enum err add_section(struct scan *scan, struct slice title, struct slice point)
{
	return plan_add(scan->plan, title, point, 0);
}

/* The section of the object on top, made when there is none. */
static enum err need_section(struct scan *scan)
{
	struct frame *frame = top(scan);
	enum err err;

	if (frame->section != NO_SECTION)
		return OK;
	err = add_section(scan, none, none);
	if (err == OK)
		frame->section = (long)scan->plan->n_sections - 1;
	return err;
}

static enum err append_to(struct scan *scan, long section, struct slice point)
{
	return plan_section_append_point(&scan->plan->sections[section], point);
}

static enum err on_title(struct scan *scan, struct slice value)
{
	struct frame *frame = top(scan);
	struct plan_section *section;
	enum err err;

	if (frame->is_owner)
		return plan_set_title(scan->plan, value);
	err = need_section(scan);
	if (err != OK)
		return err;
	section = &scan->plan->sections[frame->section];
	if (section->title[0] != '\0')
		return plan_section_append_point(section, value);
	return plan_section_set_title(section, value);
}

static long number_of(struct slice value)
{
	struct slice span;
	long words = marks_words(value, &span);
	char digits[16] = { 0 };
	size_t len = value.len < sizeof(digits) - 1 ? value.len : sizeof(digits) - 1;

	if (words > 0)
		return words;
	memcpy(digits, value.data, len);
	return strtol(digits, NULL, 10);
}

static enum err on_words(struct scan *scan, struct slice value)
{
	long words = number_of(value);
	enum err err;

	if (top(scan)->is_owner || words <= 0)
		return OK;
	err = need_section(scan);
	if (err == OK)
		scan->plan->sections[top(scan)->section].words =
			words < PLAN_WORDS_MAX ? words : PLAN_WORDS_MAX;
	return err;
}

/* A value in an object that belongs to no section yet, or to its own. */
static enum err on_member(struct scan *scan, struct slice value)
{
	struct frame *frame = top(scan);
	enum err err;

	switch (kind_of(frame->key)) {
	case KEY_TITLE:
		return on_title(scan, value);
	case KEY_WORDS:
		return on_words(scan, value);
	case KEY_POINT:
		if (frame->is_owner)
			return OK;
		err = need_section(scan);
		return err == OK ? append_to(scan, frame->section, value) : err;
	case KEY_NUMBER:
		return frame->section == NO_SECTION ? add_section(scan, value, none) : OK;
	case KEY_OTHER:
		if (frame->section != NO_SECTION || frame->is_owner || !is_title_key(frame->key))
			return OK;
		return add_section(scan, frame->key, value);
	case KEY_LIST:
	case KEY_IGNORED:
		break;
	}
	return OK;
}

static bool has_letter(struct slice text)
{
	const char *at = text.data;
	const char *end = text.data + text.len;

	while (at < end)
		if (text_is_letter(text_next(&at, end)))
			return true;
	return false;
}

static enum err on_value(struct scan *scan, struct slice value)
{
	struct frame *frame = top(scan);
	long section = enclosing_section(scan);
	bool is_words = frame->is_object && kind_of(frame->key) == KEY_WORDS;

	if (is_ignored(scan) || (!has_letter(value) && !is_words))
		return OK; /* "paragraph": 1 */
	if (frame->is_object && (section == NO_SECTION || section == frame->section))
		return on_member(scan, value);
	if (section != NO_SECTION)
		return is_words ? OK : append_to(scan, section, value);
	return add_section(scan, value, none);
}

/* An object that holds a list of sections is not one: its title is the whole text's. */
static enum err make_owner(struct scan *scan, struct frame *frame)
{
	struct plan *plan = scan->plan;
	size_t index = (size_t)frame->section;
	const char *title;
	enum err err = OK;

	frame->is_owner = true;
	if (frame->section == NO_SECTION || index + 1 != plan->n_sections)
		return OK;
	title = plan->sections[index].title;
	if (title[0] != '\0')
		err = plan_set_title(plan, (struct slice){ .data = title, .len = strlen(title) });
	plan_remove(plan, index);
	frame->section = NO_SECTION;
	return err;
}

static enum err open_frame(struct scan *scan, bool is_object)
{
	struct frame *parent = top(scan);
	struct frame frame = { .is_object = is_object, .section = NO_SECTION };
	enum key_kind kind = parent != NULL && parent->is_object ? kind_of(parent->key) : KEY_LIST;
	enum err err = OK;

	if (scan->depth == DEPTH_MAX)
		return ERR_LIMIT;
	frame.is_ignored = kind == KEY_IGNORED;
	if (parent != NULL && parent->is_object && !is_in_array(scan) &&
	    (kind == KEY_LIST || (!is_object && kind == KEY_OTHER)))
		err = make_owner(scan, parent);
	if (is_object && kind == KEY_OTHER && is_title_key(parent->key))
		frame.name = parent->key;
	if (err == OK)
		scan->frames[scan->depth++] = frame;
	return err;
}

static enum err close_frame(struct scan *scan)
{
	struct frame *frame = top(scan);
	enum err err = OK;

	if (frame->section != NO_SECTION && frame->name.len > 0 &&
	    scan->plan->sections[frame->section].title[0] == '\0')
		err = plan_section_set_title(&scan->plan->sections[frame->section], frame->name);
	scan->depth--;
	return err;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
		at++;
	return at;
}

/* Whether the quote at `at` ends a string: what follows must be able to follow one. */
static bool is_closing(const struct scan *scan, const char *at)
{
	const char *next = skip_space(at + 1, scan->end);

	return next == scan->end || strchr(",:]}`", *next) != NULL || (*at == '"' && *next == '"');
}

static uint32_t hex4(const char *at)
{
	char digits[5] = { at[0], at[1], at[2], at[3], '\0' };

	return (uint32_t)strtoul(digits, NULL, 16);
}

/* The escape at `at` (a backslash), decoded; returns the bytes it took. */
static size_t decode_escape(const char *at, const char *end, char out[4], size_t *ret_len)
{
	uint32_t code;
	size_t took = 6;

	*ret_len = 1;
	if (end - at < 2)
		return 1;
	out[0] = strchr("nrtbf", at[1]) != NULL ? ' ' : at[1];
	if (at[1] != 'u' || end - at < 6)
		return 2;
	code = hex4(at + 2);
	if (code >= 0xd800 && code < 0xdc00 && end - at >= 12 && at[6] == '\\') {
		code = 0x10000 + ((code - 0xd800) << 10) + ((hex4(at + 8) - 0xdc00) & 0x3ff);
		took = 12;
	}
	if (code >= 0xd800 && code < 0xe000)
		code = TEXT_REPLACEMENT;
	*ret_len = text_put(out, code);
	return took;
}

/* At an opening quote. false in ret_is_whole: the text ends inside the string. */
static enum err read_string(struct scan *scan, bool *ret_is_whole)
{
	char quote = *scan->at++;
	enum err err = OK;

	buf_clear(&scan->string);
	*ret_is_whole = false;
	while (scan->at < scan->end && err == OK) {
		char decoded[4] = { *scan->at };
		size_t len = 1;

		if (*scan->at == quote && is_closing(scan, scan->at)) {
			scan->at++;
			*ret_is_whole = true;
			break;
		}
		if (*scan->at == '\\')
			scan->at += decode_escape(scan->at, scan->end, decoded, &len);
		else
			scan->at++;
		err = buf_append(&scan->string, decoded, len);
		if (err == ERR_TOO_LARGE)
			err = OK; /* the rest of it is dropped */
	}
	return err;
}

static enum err on_string(struct scan *scan)
{
	const char *start = scan->at + 1;
	struct frame *frame = top(scan);
	struct slice value;
	const char *next;
	bool is_whole;
	enum err err = read_string(scan, &is_whole);

	if (err != OK || !is_whole)
		return err;
	next = skip_space(scan->at, scan->end);
	if (frame->is_object && next < scan->end && *next == ':') {
		frame->key = (struct slice){ .data = start, .len = (size_t)(scan->at - start) - 1 };
		scan->at = next + 1;
		return OK;
	}
	value = (struct slice){ .data = buf_str(&scan->string), .len = scan->string.len };
	return on_value(scan, value);
}

static enum err on_number(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return on_value(scan, (struct slice){ .data = start, .len = (size_t)(scan->at - start) });
}

/* Whether JSON may begin here: a bracket with what can follow it. */
static bool is_root(const struct scan *scan)
{
	const char *next;

	if (*scan->at != '{' && *scan->at != '[')
		return false;
	next = skip_space(scan->at + 1, scan->end);
	return next < scan->end && *next != '\0' && strchr("\"'{[", *next) != NULL;
}

static enum err step(struct scan *scan)
{
	char byte = *scan->at;

	if (scan->depth == 0 && !is_root(scan)) {
		scan->at++;
		return OK;
	}
	if (byte == '"' || byte == '\'')
		return on_string(scan);
	if (byte >= '0' && byte <= '9')
		return on_number(scan);
	scan->at++;
	if (byte == '{' || byte == '[')
		return open_frame(scan, byte == '{');
	if (byte == '}' || byte == ']')
		return close_frame(scan);
	return OK;
}

enum err plan_scan(struct slice text, struct plan *plan)
{
	struct scan scan = { .at = text.data, .end = text.data + text.len, .plan = plan };
	enum err err = OK;

	buf_init(&scan.string, STRING_BYTES_MAX);
	while (err == OK && scan.at < scan.end)
		err = step(&scan);
	while (err == OK && scan.depth > 0) /* cut off: what is open ends here */
		err = close_frame(&scan);
	buf_release(&scan.string);
	return err;
}
