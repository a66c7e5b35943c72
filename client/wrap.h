/* wrap - prose in lines of a terminal's width, broken between words, as it comes in pieces.
 *
 * A word is held until its end is seen, so that it moves to the next line whole. Han and kana may
 * be broken anywhere and take two columns. */
#ifndef LONGHAND_CLIENT_WRAP_H
#define LONGHAND_CLIENT_WRAP_H
#include <stdio.h>
#include "base/buf.h"

struct wrap {
	FILE *out;
	int columns; /* 0: no wrapping */
	int column;
	int word_columns;
	struct buf word;
	struct buf partial; /* a code point that has not come whole */
};

void wrap_init(struct wrap *wrap, FILE *out, int columns);
void wrap_release(struct wrap *wrap);
/* Any cut, inside a code point too. */
void wrap_write(struct wrap *wrap, const char *text, size_t len);
/* What is held. */
void wrap_flush(struct wrap *wrap);
#endif
