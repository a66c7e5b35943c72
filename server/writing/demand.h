/* demand - what a user's message asks for: how many words, of what, in which
 * language.
 *
 * Only the user's own request counts (visible.h): a number in a quotation, in
 * code or in a wrapped document is not a demand, nor is the length of a text
 * that exists already ("my 2,000-word essay"), a question about length, or a
 * text to be judged or translated.
 *
 * How a bound becomes the target: about N: N. At least N: N (at_least keeps the
 * floor). At most N: 3% under N, so that the tolerance of the length control
 * stays below the ceiling. A range: 3% under its upper end, not under its lower
 * one. Pages: 200 words for fiction (dialogue, short lines), 300 for other
 * prose, 500 characters for Chinese. "5 diaries of 400 words each" is 2,000;
 * lengths of listed sections are summed where no total is given. Without a
 * number a long form (novel, report, thesis ...) gets the default of its kind.
 *
 * Pure: no allocation, no clock; any bytes are accepted. */
#ifndef LONGHAND_WRITING_DEMAND_H
#define LONGHAND_WRITING_DEMAND_H
#include <stdbool.h>
#include <stddef.h>

enum demand_kind {
	DEMAND_OTHER, /* no form named */
	DEMAND_ARTICLE,
	DEMAND_REPORT,
	DEMAND_MANUAL,
	DEMAND_GUIDE,
	DEMAND_STORY,
	DEMAND_NOVEL,
	DEMAND_LETTER,
	DEMAND_SPEECH,
	DEMAND_POEM,
	DEMAND_ESSAY,
	DEMAND_THESIS,
	DEMAND_PLAN,
	DEMAND_LESSON,
	DEMAND_SCRIPT, /* dialogue too */
	DEMAND_REVIEW,
	DEMAND_POST, /* blog post, newsletter */
	DEMAND_LIST,
	DEMAND_KINDS
};

enum demand_bound { DEMAND_ABOUT, DEMAND_AT_LEAST, DEMAND_AT_MOST, DEMAND_RANGE };
enum language { LANGUAGE_ENGLISH, LANGUAGE_CHINESE, LANGUAGE_OTHER };

struct demand {
	long target_words;	/* 0: none */
	long at_least;		/* 0: no floor */
	long at_most;		/* 0: no ceiling */
	enum language language; /* of the text to be written */
	enum demand_kind kind;
	enum demand_bound bound;
	bool has_number; /* the target was said, not taken from the kind's default */
	bool is_writing; /* strict: a writing verb or a bare specification asks for
			    new text */
};

/* Reads the last user turn, `len` bytes. */
void demand_read(const char *user_text, size_t len, struct demand *ret_demand);

/* "article", "story" ...; never NULL. */
const char *demand_kind_name(enum demand_kind kind);
/* Words for a long form asked for without a number; 0: the kind has no default.
 */
long demand_default_words(enum demand_kind kind);
#endif
