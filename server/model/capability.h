/* capability - what is known of a model at a backend: said by the configuration and the dialect,
 * corrected by what calls showed. In memory; a restart learns again. */
#ifndef LONGHAND_MODEL_CAPABILITY_H
#define LONGHAND_MODEL_CAPABILITY_H
#include "base/list.h"
#include "model/model.h"

enum { CAPABILITIES_MAX = 200 }; /* models that are remembered; the oldest makes room */

struct capability {
	struct list node;
	char *backend;
	char *model;
	unsigned language;
	double tokens_per_word; /* 0: not learned */
	double habit;
};

struct capability_table {
	struct list entries;
	size_t n_entries;
};

void capability_table_init(struct capability_table *table);
void capability_table_release(struct capability_table *table);
/* NULL: nothing learned yet. */
const struct capability *capability_find(const struct capability_table *table,
					 const struct model_target *target);
/* Slow averages (3/4 old, 1/4 new), clamped: habit to 0.5..2, tokens per word to 0.5..6; values
 * that are not above 0 are not learned. Out of memory: nothing is learned. */
void capability_learn(struct capability_table *table, const struct model_target *target,
		      double habit, double tokens_per_word);
/* By its name ("…-135m-…", "0.5b"), a model of fewer than 1.5 billion parameters. */
bool capability_is_small_name(const char *model);
#endif
