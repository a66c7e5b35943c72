/* plan - the sections of a text: titles and points by the model or the user, words by our
 * arithmetic. The words of all sections always sum to the plan's target exactly. */
#ifndef LONGHAND_WRITING_PLAN_H
#define LONGHAND_WRITING_PLAN_H
#include <jansson.h>
#include <stdbool.h>
#include "base/buf.h"

enum { PLAN_SECTIONS_MAX = 400, PLAN_TITLE_BYTES_MAX = 300, PLAN_POINT_BYTES_MAX = 2000 };

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
	char *title; /* of the whole text; "" for none */
};

void plan_init(struct plan *plan);
void plan_release(struct plan *plan);
/* Copies. ERR_NO_MEMORY; ERR_LIMIT above PLAN_SECTIONS_MAX; too long titles and points are cut on
 * a code point. */
MUST_CHECK enum err plan_add(struct plan *plan, struct slice title, struct slice point, long words);
void plan_remove(struct plan *plan, size_t index);
/* How many sections a text of `target` words gets (sections of `per_section` words, at least 1). */
size_t plan_count_for(long target_words, long per_section_words, size_t sections_max);
/* Distributes target over the sections: those with is_words_users keep theirs when that can be
 * (scaled when their sum passes the target), the rest by their wishes (`words` > 0) or evenly;
 * none below 1; the sum is exactly target_words. */
void plan_distribute(struct plan *plan, long target_words);
long plan_words(const struct plan *plan);
/* {"title":..., "sections":[{"title","point","words"}]}; NULL when memory is out. */
json_t *plan_to_json(const struct plan *plan);
/* Errors: ERR_INVALID with a message for people and the JSON path in ret_param ("longhand.plan[2].words"). */
MUST_CHECK enum err plan_from_json(const json_t *json, struct plan *ret_plan, struct buf *ret_message,
				   struct buf *ret_param);
#endif
