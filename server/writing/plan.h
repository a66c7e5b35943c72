/* plan - the sections of a text: titles and points by the model or the user, words by our
 * arithmetic. The words of all sections always sum to the plan's target exactly. */
#ifndef LONGHAND_WRITING_PLAN_H
#define LONGHAND_WRITING_PLAN_H
#include <jansson.h>
#include <stdbool.h>
#include "base/buf.h"

enum {
	PLAN_SECTIONS_MAX = 400,
	PLAN_TITLE_BYTES_MAX = 300,
	PLAN_POINT_BYTES_MAX = 2000,
	PLAN_WORDS_MAX = 10000000 /* of one section */
};

struct plan_section {
	char *title;	  /* never NULL; "" for untitled */
	char *point;	  /* what it is about; "" for none */
	long words;	  /* to write, in the job's count */
	bool is_title_users; /* the user's own heading: kept exactly */
	bool is_words_users; /* the user's own length: kept */
};

struct plan {
	struct plan_section *sections;
	size_t n_sections;
	char *title; /* of the whole text; NULL or "" for none */
};

void plan_init(struct plan *plan);
void plan_release(struct plan *plan);
/* Copies. ERR_NO_MEMORY; ERR_LIMIT above PLAN_SECTIONS_MAX; too long titles and points are cut on
 * a code point. Bytes that are not UTF-8 become U+FFFD, control characters (line ends too, in a
 * title) spaces. `words` below 0 is 0, above PLAN_WORDS_MAX is that. */
MUST_CHECK enum err plan_add(struct plan *plan, struct slice title, struct slice point, long words);
/* The same before the section that now has `index` (<= n_sections). */
MUST_CHECK enum err plan_insert(struct plan *plan, size_t index, struct slice title,
				struct slice point, long words);
/* New title or point of a section, new title of the whole; ERR_NO_MEMORY leaves the old one. */
MUST_CHECK enum err plan_set_title(struct plan *plan, struct slice title);
MUST_CHECK enum err plan_section_set_title(struct plan_section *section, struct slice title);
MUST_CHECK enum err plan_section_set_point(struct plan_section *section, struct slice point);
/* Adds to the point, after "; " when there is one already; what does not fit is cut. */
MUST_CHECK enum err plan_section_append_point(struct plan_section *section, struct slice point);
/* A deep copy into an initialized, empty plan. On ERR_NO_MEMORY it is empty again. */
MUST_CHECK enum err plan_copy(const struct plan *plan, struct plan *ret_plan);
void plan_remove(struct plan *plan, size_t index);
/* How many sections a text of `target` words gets (sections of `per_section` words, at least 1). */
size_t plan_count_for(long target_words, long per_section_words, size_t sections_max);
/* Distributes target_words over the sections: those with is_words_users keep theirs when that can
 * be (scaled when their sum passes the target), the rest by their wishes (`words` > 0) or evenly;
 * none below 1; the sum is exactly target_words. (A target below the number of sections cannot be:
 * then each gets 1.) */
void plan_distribute(struct plan *plan, long target_words);
long plan_words(const struct plan *plan);
/* For people: [{"title","point","words"}]; NULL when memory is out. */
json_t *plan_sections_to_json(const struct plan *plan);
/* For the log: {"title":..., "sections":[{"title","point","words"}]}, where a section also has
 * "own_title" and "own_words" (true) when these are the user's. NULL when memory is out. */
json_t *plan_to_json(const struct plan *plan);
/* Takes both: what plan_to_json() made, and the client's own array, whose titles and words are the
 * user's and which is checked strictly (unknown members, types, ranges; null is absent). */
/* Errors: ERR_INVALID with a message for people and the JSON path in ret_param
 * ("longhand.plan[2].words"). */
MUST_CHECK enum err plan_from_json(const json_t *json, struct plan *ret_plan,
				   struct buf *ret_message, struct buf *ret_param);
#endif
