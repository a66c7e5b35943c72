/* stops - finds the client's stop strings in the delivered text, across the pieces it comes in.
 *
 * What may be the beginning of a stop string is held back until more text decides. The caller
 * owns the struct; the strings are borrowed. */
#ifndef LONGHAND_WRITING_STOPS_H
#define LONGHAND_WRITING_STOPS_H
#include <stdbool.h>
#include "base/buf.h"

struct stops {
	char *const *strings;
	size_t n_strings;
	struct buf held; /* came, not passed on yet */
	bool is_found;	 /* nothing is passed on any more */
};

void stops_init(struct stops *stops, char *const *strings, size_t n_strings);
void stops_release(struct stops *stops);
/* Appends to `out` what may be delivered: up to the stop string when one is found.
 * ERR_NO_MEMORY, ERR_TOO_LARGE: nothing has been appended. */
MUST_CHECK enum err stops_feed(struct stops *stops, struct slice text, struct buf *out);
/* What is held back goes out; `next` is the text that will come after it, which may complete a
 * stop string with it. */
MUST_CHECK enum err stops_flush(struct stops *stops, struct slice next, struct buf *out);
#endif
