/* request - which lengths in a message are demands, by what is said around
 * them.
 *
 * A length is one when a writing verb of its sentence governs it, or when it
 * stands as a specification and the message's first verb asks for writing. It
 * is none in a question, beside a text that exists, as the subject ("titles for
 * a 2,000-word article"), behind a verb that processes text, in what follows
 * "translate this:", and where the thing to be written is code or a prompt. The
 * parts of demand.c; pure, no allocation. The text is that of visible.h. */
#ifndef LONGHAND_WRITING_REQUEST_H
#define LONGHAND_WRITING_REQUEST_H
#include "writing/length.h"
#include "writing/lexicon.h"
#include <stdbool.h>
#include <stddef.h>

enum { REQUEST_LENGTHS_MAX = 64 };

struct span {
	size_t from;
	size_t to;
};

struct request {
	const char *text;
	size_t len;
	struct match lead; /* the first verb of the whole text */
	struct span lead_sentence;
	bool is_material; /* what follows the lead sentence is to be processed */
	struct length lengths[REQUEST_LENGTHS_MAX]; /* those that are demands */
	size_t count;
	bool has_refused; /* a length was named that is no demand */
	bool is_writing;  /* a writing verb or a specification governs one of them */
};

/* Reads all; the text is borrowed and must outlive `request`. */
void request_read(struct request *request, const char *text, size_t len);
/* A judge's, an agent's or a parser's prompt: no request to a writer at all. */
bool request_is_foreign(const struct request *request);
/* A question that wants an answer, not "can you write ...?". */
bool request_is_question(const struct request *request, struct span sentence);
/* Whether the verb's object, before `to`, is for a machine or a mere line: a
 * function, a prompt. */
bool request_is_for_machine(const struct request *request, struct match verb, size_t to);
/* The sentence around [at, end), its end mark included. */
struct span request_sentence(const struct request *request, size_t at, size_t end);
/* Where the clause ends that `at` is in. */
size_t request_clause_end(const struct request *request, size_t at);
#endif
