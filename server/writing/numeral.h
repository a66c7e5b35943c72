/* numeral - numbers as people write them: "1,000", "1 000", "2k", "1.5万",
 * "fifteen hundred", "一万五千", "两千五".
 *
 * Pure, no allocation. The text is the plain text of visible.h: lower case,
 * ASCII digits, simplified characters, terminated. */
#ifndef LONGHAND_WRITING_NUMERAL_H
#define LONGHAND_WRITING_NUMERAL_H
#include <stdbool.h>
#include <stddef.h>

enum { NUMERAL_MAX = 10000000 };

struct numeral {
	long value;	 /* rounded; at most NUMERAL_MAX */
	long multiplier; /* 1000 in "2k", 10000 in "1.5万", else 1 */
	size_t end;	 /* offset behind it */
};

/* Whether a number begins at text[at]; then *ret_numeral is it. */
bool numeral_parse(const char *text, size_t at, struct numeral *ret_numeral);
#endif
