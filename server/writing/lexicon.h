/* lexicon - the words by which a request is understood: verbs, forms of text,
 * bounds, phrases.
 *
 * Tables and the search in them, nothing else; the rules are in demand.c and
 * length.c. The text is that of visible.h. English entries match whole words,
 * Chinese ones anywhere; where two entries match at one place the longer wins,
 * and what it covers is not looked at again ("缩写" is no "写").
 * */
#ifndef LONGHAND_WRITING_LEXICON_H
#define LONGHAND_WRITING_LEXICON_H
#include "writing/demand.h"
#include <stdbool.h>
#include <stddef.h>

enum term_role {
	TERM_NONE,
	TERM_WRITE,   /* asks for new text */
	TERM_PROCESS, /* does something with a text or with words that exist */
	TERM_REDUCE,  /* as TERM_PROCESS, and its result has a length: summarise,
			 shorten */
	TERM_INTENT,  /* the user writes: maybe a request, maybe not ("I need to
			 write") */
	TERM_NEUTRAL, /* covers a verb that is none here: "写作风格" */
	TERM_FORM,    /* a kind of text: `kind` */
	TERM_CODE,    /* what is written is for a machine */
};

struct term {
	const char *text;
	enum term_role role;
	enum demand_kind kind; /* of TERM_FORM */
	bool is_imperative;    /* a verb only at the head of a clause ("cut", "grade") */
	bool is_telling;       /* its object is the subject, not the text: "explain" */
};

struct match {
	const struct term *term; /* NULL: none */
	size_t at;
	size_t end;
};

/* The first or last verb (TERM_WRITE, _PROCESS, _REDUCE) that lies in [from,
 * to). */
struct match lexicon_first_verb(const char *text, size_t from, size_t to);
struct match lexicon_last_verb(const char *text, size_t from, size_t to);
/* The first or last form or code noun. */
struct match lexicon_first_noun(const char *text, size_t from, size_t to);
struct match lexicon_last_noun(const char *text, size_t from, size_t to);

/* The lists of phrases end with NULL.
 * Where [from, to) ends with one of them (white space aside): where that phrase
 * begins; else `to`.
 * */
size_t lexicon_strip(const char *text, size_t from, size_t to, const char *const *phrases);
/* Whether `text` at `at` begins with one of the phrases (white space and a
 * hyphen skipped before it); *ret_end is behind it. */
bool lexicon_begins_with(const char *text, size_t at, const char *const *phrases, size_t *ret_end);
/* Whether one of the phrases is in [from, to). */
bool lexicon_contains(const char *text, size_t from, size_t to, const char *const *phrases);
#endif
