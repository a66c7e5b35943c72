/* think - takes a model's <think> ... </think> out of its answer as it comes, cut at any byte.
 *
 * Tags: think, thinking, thought, reasoning, in any case. A closing tag without an opening one
 * says that all before it was thinking (templates open it in the prompt): has_unopened tells the
 * caller to drop what it has not passed on yet. A tag that never closes swallows the rest. */
#ifndef LONGHAND_WRITING_THINK_H
#define LONGHAND_WRITING_THINK_H
#include <stdbool.h>
#include "base/buf.h"

struct think {
	char tag[16]; /* a "<..." that may become a tag */
	size_t tag_len;
	bool is_inside;
	bool has_found;	   /* some thinking was taken out */
	bool has_unopened; /* a lone closing tag came: set here, cleared by the caller */
	size_t out_bytes;  /* of `out` when that tag came: what is before it is thinking */
};

void think_init(struct think *think);
/* Appends what is not thinking to `out`. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err think_feed(struct think *think, const char *text, size_t len, struct buf *out);
/* At the end of the answer: what looked like the start of a tag was none. */
MUST_CHECK enum err think_finish(struct think *think, struct buf *out);
#endif
