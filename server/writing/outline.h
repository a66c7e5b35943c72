/* outline - the structure that a request prescribes: its own sections, in its
 * own words.
 *
 * Strict: a list counts only under a line that calls it an outline, structure,
 * sections or chapters
 * ("按照下列大纲：", "with this structure:"), as lines of "Chapter 1: …" /
 * 第一段，… of their own, or behind "Sections: a, b, c". A list of facts,
 * points or requirements is no outline. What stands in code fences, quoted
 * lines and wrapped documents is not the user's.
 *
 * Items without a title of their own (第二段，…; whole sentences) have only a
 * point. */
#ifndef LONGHAND_WRITING_OUTLINE_H
#define LONGHAND_WRITING_OUTLINE_H
#include "base/buf.h"
#include "writing/plan.h"
#include <stddef.h>

enum { OUTLINE_ITEMS_MAX = 64 };

/* Slices of the text it was found in. */
struct outline_item {
	struct slice title; /* without list marks and length; may be empty */
	struct slice point; /* what is said about it, later lines included; may be empty */
	long words;	    /* its own length; 0: none */
};

/* The items in order; returns how many, 0 where there is no outline, never 1.
 * No allocation. */
size_t outline_find(const char *text, size_t len, struct outline_item items[OUTLINE_ITEMS_MAX]);

/* Adds them to an empty plan as sections, titles and lengths marked as the
 * user's; none for a text without an outline. ERR_NO_MEMORY, ERR_LIMIT as
 * plan_add(). */
MUST_CHECK enum err outline_read(const char *text, size_t len, struct plan *plan);
#endif
