/* repeat - which runs of words a text has already: a set of n-grams with their counts.
 *
 * A gram is five words in a row within one sentence; where all five are Han or kana characters it
 * is eight characters, since five of those are often no more than a name. Letters of ASCII are
 * folded, marks do not count. Sentences are added when they are kept and removed when they are
 * dropped after all. */
#ifndef LONGHAND_WRITING_REPEAT_H
#define LONGHAND_WRITING_REPEAT_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct repeat {
	uint64_t *keys;	  /* open addressing; 0: free */
	uint32_t *counts; /* 0: was there once */
	size_t size, used;
};

struct repeat_share {
	size_t words; /* of the sentence */
	size_t grams;
	size_t known; /* grams that are in the set */
};

void repeat_init(struct repeat *repeat);
void repeat_release(struct repeat *repeat);
/* One sentence. ERR_NO_MEMORY: nothing was added. */
MUST_CHECK enum err repeat_add(struct repeat *repeat, struct slice sentence);
/* Illegal for a sentence that was not added. */
void repeat_remove(struct repeat *repeat, struct slice sentence);
/* All sentences of a text. */
MUST_CHECK enum err repeat_add_text(struct repeat *repeat, struct slice text);
struct repeat_share repeat_share(const struct repeat *repeat, struct slice sentence);
/* Whether a text that has not come to a sentence's end goes round in circles: of at least 40 words
 * (characters), more than half of the grams come twice. ERR_NO_MEMORY. */
MUST_CHECK enum err repeat_is_circling(struct slice text, bool *ret_is_circling);
/* The same for two sentences that differ in case, marks and white space only. */
uint64_t repeat_fingerprint(struct slice sentence);
#endif
