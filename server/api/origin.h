/* origin - what a long request is known by when it comes a second time: the SHA-256 of its path,
 * its raw body and its X-Longhand-* headers, and its Idempotency-Key, both its owner's own. */
#ifndef LONGHAND_API_ORIGIN_H
#define LONGHAND_API_ORIGIN_H
#include "http/request.h"
#include "job/labels.h"

/* A key that is longer counts as none. */
enum { ORIGIN_KEY_BYTES_MAX = 255 };
/* What the log of a job of this owner with that request is found by. */
void origin_of(const struct request *request, struct slice body, const char *owner,
	       struct labels *ret_labels);
/* The label of all jobs of an owner. */
void origin_of_owner(const char *owner, char ret_label[STORE_LABEL_BYTES]);
/* The client's library says that it sends the request again (x-stainless-retry-count above 0). */
bool origin_is_retry(const struct request *request);
#endif
