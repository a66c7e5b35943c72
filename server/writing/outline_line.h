/* outline_line - one line of a request as a line of a list: its mark, and what stands behind it.
 *
 * The reading part of outline.c. Pure, no allocation; any bytes are accepted. */
#ifndef LONGHAND_WRITING_OUTLINE_LINE_H
#define LONGHAND_WRITING_OUTLINE_LINE_H
#include <stdbool.h>
#include <stddef.h>

enum outline_mark {
	OUTLINE_NONE,
	OUTLINE_NUMBER,	 /* 1. 1) (1) 1、 */
	OUTLINE_CHINESE, /* 一、 （一） */
	OUTLINE_BULLET,
	OUTLINE_HEADING,   /* ## Title; indent_bytes grows with its depth */
	OUTLINE_CHAPTER,   /* "Chapter 1", 第一章: part of the title */
	OUTLINE_PARAGRAPH, /* 第一段, 导语：: no title */
};

struct outline_line {
	const char *start;
	const char *end;
	size_t indent_bytes;
	enum outline_mark mark;
	const char *body; /* behind mark and space; of a chapter: behind its number */
};

/* The line that begins at `at`, without its line end. */
struct outline_line outline_read_line(const char *at, const char *text_end);

bool outline_begins(const char *at, const char *end, const char *with);
bool outline_begins_nocase(const char *at, const char *end, const char *with);
/* Behind spaces, tabs and ideographic spaces. */
const char *outline_skip_blank(const char *at, const char *end);
/* Behind the first of the signs (they end with NULL) that stands at `at`, or NULL. */
const char *outline_skip_sign(const char *at, const char *end, const char *const *signs);
#endif
