/* plan_check - what is wrong with a model's plan, and the repair, in code.
 *
 * Drops: empty titles, titles that repeat another or share most of their words with an earlier
 * one, the request echoed as a title, numbering and marks at a title's start ("Section 3:",
 * "**", "第三章"), titles of more than 20 words, meta titles ("Outline", "Word count"). A title that
 * is empty without its marks is made of the point. Keeps sections with the user's own title or
 * length, in the user's order, whatever they are. Too many: the tail before the last is
 * dropped; the last stays for the end. Too few: says how many are missing. */
#ifndef LONGHAND_WRITING_PLAN_CHECK_H
#define LONGHAND_WRITING_PLAN_CHECK_H
#include "writing/plan.h"

struct plan_check {
	size_t wanted;	/* how many sections there should be */
	bool is_strict; /* titles of a small model: cut at a colon or dash; dropped when longer than
			   60 bytes, with a digit, with no word of their own besides the request's,
			   or with more than half of those in an earlier title */
	size_t missing; /* out: still to be named */
	size_t dropped; /* out: were named and are not any more */
};

/* Repairs `plan` in place. `request` is the user's text. */
void plan_check(struct plan *plan, struct slice request, struct plan_check *check);
/* Fills what is missing when the model will not name more: splits the longest section into
 * "title (part 2)"-free continuations: untitled sections that continue the one before.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err plan_fill(struct plan *plan, size_t wanted);
/* Share of words of the shorter title that the other has too, 0..1, case and plural folded, words
 * like "the" left out; of Chinese, pairs of characters. */
double plan_title_overlap(const char *a, const char *b);
#endif
