/* visible - the part of a user's message that is the user's own request, made
 * plain to match on.
 *
 * Left out, one VISIBLE_GAP in their place: quotations, titles in book marks,
 * code (fences and inline), quoted mail lines, and wrappers of other people's
 * text (`<context>…</context>`, blocks between long dashes, everything before a
 * "Question:" line that follows such material). Made plain: ASCII is lower
 * case, full-width digits and letters are ASCII, common traditional characters
 * are simplified, apostrophes straight, emphasis marks gone. Of a long message
 * the beginning and the end are kept: requests stand there.
 *
 * A struct of its own size, no allocation, always terminated; any bytes are
 * accepted. */
#ifndef LONGHAND_WRITING_VISIBLE_H
#define LONGHAND_WRITING_VISIBLE_H
#include <stdbool.h>
#include <stddef.h>

enum { VISIBLE_MAX_BYTES = 24 * 1024 };
#define VISIBLE_GAP '\x01'

struct visible {
	char text[VISIBLE_MAX_BYTES + 1];
	size_t len;
};

void visible_read(struct visible *visible, const char *text, size_t len);
#endif
