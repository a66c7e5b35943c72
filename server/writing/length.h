/* length - lengths named in a text: "at least 2,000 words", "100至200字",
 * "每章两千字", "字数：1500".
 *
 * Finds them and says what they bound; whether one is a demand is demand.c's to
 * judge. The text is that of visible.h. Pure, no allocation. */
#ifndef LONGHAND_WRITING_LENGTH_H
#define LONGHAND_WRITING_LENGTH_H
#include "writing/demand.h"
#include <stdbool.h>
#include <stddef.h>

enum length_unit { LENGTH_WORDS, LENGTH_PAGES };

struct length {
	size_t at;     /* its number */
	size_t before; /* where its bound and fillers begin ("at least about"); <= at */
	size_t end;    /* behind unit, bound and "each" */
	long low;      /* == high but in a range */
	long high;
	enum length_unit unit;
	enum demand_bound bound;
	bool is_each;	      /* of each of several parts */
	bool is_total;	      /* said to be of the whole */
	bool is_chinese;      /* unit in Chinese characters: 字, 页 */
	bool is_english_unit; /* words of a foreign language in a Chinese text: 词 */
	bool has_label;	      /* "word count", 字数 before it */
};

/* The first length at or after `from`; false where there is none. */
bool length_next(const char *text, size_t from, struct length *ret_length);
/* How many parts a length "each" is of: the nearest count of parts ("12
 * lessons", 十二章) before it, else after it; 0 where none is named. */
long length_parts(const char *text, const struct length *length);
#endif
