/* budget - the closed loop that makes a text as long as it was asked to be. Pure: all functions of
 * the state.
 *
 * All words are in the spec's count. The budget of a section is its share of what is left, so that
 * what one misses or exceeds is spread over the rest; headings are paid for out of the whole. A
 * section ends at the sentence end nearest its goal. The last one first keeps words back for a
 * closing: if the model's own ending does not fall on the goal, it is asked for one of exactly
 * the words that are left. The total then lies within budget_tolerance() of the target, or half of
 * the longest sentence that was offered at the end. */
#ifndef LONGHAND_WRITING_BUDGET_H
#define LONGHAND_WRITING_BUDGET_H
#include "writing/state.h"

enum write_role { WRITE_NONE, WRITE_SECTION, WRITE_CONTINUE, WRITE_CLOSING };

/* Where sentences go, as words of the whole text. Up to hold_from they are delivered at once;
 * beyond it they wait; an answer that ends by itself up to hold_to is taken whole; one that goes on
 * beyond is cut at the sentence end nearest to cut_at. */
struct budget {
	long goal;
	long hold_from, hold_to, cut_at;
	long floor, ceiling; /* of the cut; 0: none */
};

/* The target of a job that is not planned yet: the spec's, within its bounds, or what the client's
 * max_tokens leave room for. */
long budget_plan_target(const struct spec *spec);
/* How many sections the text should have. */
size_t budget_sections(const struct spec *spec, long target_words);
/* max(2% of the target, 12 words or 16 characters of Chinese). */
long budget_tolerance(const struct state *state);
/* The most words the client's max_tokens allow, by the tokens per word seen; 0: no limit. */
long budget_words_max(const struct state *state);
/* Tokens one word of this job takes: seen in its own calls, else the traits', else by language. */
double budget_tokens_per_word(const struct state *state);
/* What the section that is about to begin gets, heading left out. */
long budget_section_words(const struct state *state);
/* For the running section. */
void budget_for(const struct state *state, enum write_role role, struct budget *ret_budget);
/* What the running section needs next; WRITE_NONE: it is done. */
enum write_role budget_next(const struct state *state);
/* Whether the running section needs to be continued because the model wrote too little, which it is
 * not where its budget takes several calls, or where small models write as they do. */
bool budget_is_short(const struct state *state);
/* How many words to ask the model for, by its habit. */
long budget_ask_words(const struct state *state, enum write_role role);
/* Words of a section's heading line; 0 when it gets none. */
long budget_heading_words(const struct state *state, size_t section);
#endif
