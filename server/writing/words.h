/* words - how long a text is, by two rules, and the length score.
 *
 * WORDS_NATURAL: each Han or kana character is one word, and so is every other
 * run between white space and such characters that holds a letter or a digit:
 * "用AI写作" is 4, "don't" is 1. The count does not change when the text is
 * brought to NFC, so nobody has to do that first. WORDS_BENCHMARK: as
 * LongBench-Write counts: characters in U+4E00..U+9FFF plus the matches of
 * Python's \b[a-zA-Z]+\b, where \w is Unicode's: "don't" is 2, "GPT4o" and
 * "café" are 0.
 *
 * Nothing allocates; any bytes are accepted, a byte that is not UTF-8 counts as
 * U+FFFD. */
#ifndef LONGHAND_WRITING_WORDS_H
#define LONGHAND_WRITING_WORDS_H
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

enum word_rule { WORDS_NATURAL, WORDS_BENCHMARK };

struct word_count {
	long natural;
	long benchmark;
};

/* Counts a text that comes in pieces. The pieces may be cut anywhere, inside a
 * code point too. Fields are private. */
struct word_counter {
	struct word_count closed;
	bool is_natural_open; /* inside a run that has been counted already */
	enum { RUN_NONE, RUN_LETTERS, RUN_OTHER } run; /* the \w run at the end of the text */
	char pending[8];			       /* a code point that has not ended yet */
	size_t pending_len;
};

/* Words in `len` bytes by one rule. */
long words_count(enum word_rule rule, const char *text, size_t len);
/* Both in one pass. */
struct word_count words_count_both(const char *text, size_t len);

void word_counter_init(struct word_counter *counter);
void word_counter_feed(struct word_counter *counter, const char *text, size_t len);
/* The count of all text so far; equal to words_count_both() of the pieces
 * joined. */
struct word_count word_counter_total(const struct word_counter *counter);

/* The length score S_l of LongBench-Write, 0 to 100, for words asked and
 * written: written > asked: 100 max(0, 1 - (written/asked - 1)/3), else 100
 * max(0, 1 - (asked/written - 1)/2); nothing asked or nothing written: 0. */
double words_score(long asked, long written);
#endif
