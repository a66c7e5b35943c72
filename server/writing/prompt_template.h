/* prompt_template - one prompt file, filled in.
 *
 * Paragraphs stand between blank lines. {name} is replaced by its value, once: values are never
 * looked at again, so braces in the user's text stay. A paragraph with a placeholder that has no
 * value is left out, and so is one that begins with {?name} where that condition does not hold.
 * From a line {:assistant} on, the text is the beginning of the answer, for models that continue
 * one. All other braces are plain text. */
#ifndef LONGHAND_WRITING_PROMPT_TEMPLATE_H
#define LONGHAND_WRITING_PROMPT_TEMPLATE_H
#include <stdbool.h>
#include "base/buf.h"

#define TEMPLATE_VALUES(X)                                                                    \
	X(REQUEST, "request") X(PLAN, "plan") X(SUMMARY, "summary") X(RECENT, "recent")       \
	X(TAIL, "tail") X(TITLE, "title") X(POINT, "point") X(NEXT, "next")                   \
	X(SECTION, "section") X(SECTIONS, "sections") X(TITLES, "titles") X(WORDS, "words")   \
	X(SUBJECT, "subject") X(FAULT, "fault")

#define TEMPLATE_CONDITIONS(X)                                                                \
	X(FIRST, "first") X(LATER, "later") X(MIDDLE, "middle") X(LAST, "last")               \
	X(TITLED, "titled") X(UNTITLED, "untitled") X(NAMELESS, "nameless")                   \
	X(PREFILLED, "prefilled") X(NOT_PREFILLED, "not_prefilled")                           \
	X(HEADINGS, "headings") X(NO_HEADINGS, "no_headings") X(HAS_SUBJECT, "subject")       \
	X(NO_SUBJECT, "no_subject")

enum template_value {
#define X(name, text) VALUE_##name,
	TEMPLATE_VALUES(X)
#undef X
	VALUE_COUNT
};

enum template_condition {
#define X(name, text) CONDITION_##name,
	TEMPLATE_CONDITIONS(X)
#undef X
	CONDITION_COUNT
};

struct template_input {
	struct slice values[VALUE_COUNT]; /* borrowed; len 0: none */
	bool conditions[CONDITION_COUNT];
};

/* ERR_INVALID for a placeholder or condition that nobody knows: its line from 1 and its name are
 * appended to the message. ERR_NO_MEMORY, ERR_TOO_LARGE of the message. */
MUST_CHECK enum err template_check(const char *template, struct buf *message);
/* Whether it has an {:assistant} part. */
bool template_has_assistant(const char *template);
/* Appends the user's and the assistant's part; errors are those of appends. */
MUST_CHECK enum err template_render(const char *template, const struct template_input *input,
				    struct buf *user, struct buf *assistant);
#endif
