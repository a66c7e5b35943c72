/* plan_marks - numbering and marks around a title, as models write them: "## 3. ", "**Section
 * 2:**", "第三章 ", "- ", quotes. Slices in, slices out; nothing is copied or owned. */
#ifndef LONGHAND_WRITING_PLAN_MARKS_H
#define LONGHAND_WRITING_PLAN_MARKS_H
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

/* In order of how surely a line with it names a section. */
enum mark {
	MARK_NONE,
	MARK_BOLD,    /* **Title** alone on its line */
	MARK_BULLET,  /* - * + and the like */
	MARK_HEADING, /* # */
	MARK_NUMBER,  /* 1. 1) (1) 1.2 IV. a) 一、 （一） */
	MARK_WORD     /* Section 2, Chapter IV, Part one, 第三章 */
};

/* What stands behind the marks at the start of `text`; ret_mark (NULL ok): the surest of them. */
struct slice marks_skip(struct slice text, enum mark *ret_mark);
/* A title without marks at its start, and without emphasis, quotes around it, and a colon or full
 * stop at its end. */
struct slice marks_title(struct slice text);
/* A title made of a point: its first clause, at most 12 words or 24 characters of Chinese. */
struct slice marks_title_of_point(struct slice point);
/* Finds "(400 words)", "Word Count: 400", "约400字" in `text`: the words, 0 for none; ret_span: what
 * of the text says so, brackets and label included. */
long marks_words(struct slice text, struct slice *ret_span);
#endif
