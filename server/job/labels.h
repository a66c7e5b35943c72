/* labels - by what a job's log is found when its id is not known: store labels, made of hashes, so
 * that nothing of owners, keys or requests stands in a store's index.
 *
 *   owner:H  the owner's jobs, for the list
 *   key:H    owner and Idempotency-Key
 *   same:H   owner and request: two requests of one owner with equal labels are the same request
 *   fresh:H  the same, until a byte of the job's content was delivered to anybody
 *
 * api/origin.c makes them; the `created` event has them, for whoever takes the job over. */
#ifndef LONGHAND_JOB_LABELS_H
#define LONGHAND_JOB_LABELS_H
#include <jansson.h>
#include "store/store.h"

struct labels { /* each "" when there is none */
	char owner[STORE_LABEL_BYTES], key[STORE_LABEL_BYTES];
	char same[STORE_LABEL_BYTES], fresh[STORE_LABEL_BYTES];
};

/* Those that there are, then NULL; they point into `labels`. */
void labels_list(const struct labels *labels, const char *ret_list[STORE_LABELS_MAX + 1]);
/* What is no label of ours is left out; `json` NULL: there are none. */
void labels_from_json(const json_t *json, struct labels *ret_labels);
#endif
