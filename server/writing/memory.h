/* memory - what a section's prompt says of the text so far. Pure: a function of the state's text.
 *
 * full     all previous text, as far as the window allows (the head is cut at a paragraph)
 * bounded  the first sentences of each earlier section as a running summary, names seen so far,
 *          and the last 200 to 300 words
 * direct   nothing but the last sentence: small models lose themselves in anything longer */
#ifndef LONGHAND_WRITING_MEMORY_H
#define LONGHAND_WRITING_MEMORY_H
#include "writing/spec.h"

struct memory_section { /* one finished or running section of the text */
	const char *title;
	size_t at_byte, end_byte; /* of its prose in `text` */
};

struct memory_source {
	struct slice text; /* all content so far */
	const struct memory_section *sections;
	size_t n_sections;
	enum context context;
	long words_max; /* the most that may go into a prompt */
	enum word_rule count;
};

/* The tail: the last `words` words of the text, from a sentence's start. */
struct slice memory_tail(struct slice text, long words);
/* Appends what the prompt's {memory} and {summary} get. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err memory_summary(const struct memory_source *source, struct buf *out);
MUST_CHECK enum err memory_recent(const struct memory_source *source, struct buf *out);
#endif
