/* failover - calls to a model that several backends may have: sent to the one that can take it
 * (dispatch.h), and to another when that one could not and nothing is lost by it.
 *
 *   generate   another one tries while no text has been delivered, whatever happened
 *   forward    another one tries only where the first has certainly done nothing: no connection,
 *              an open breaker, or a 429 or 503 while somebody else can take it at once; all other
 *              answers are the client's, errors included
 *
 * Each attempt is a call of its own, to one backend (generate.h, forward.h). */
#ifndef LONGHAND_MODEL_FAILOVER_H
#define LONGHAND_MODEL_FAILOVER_H
#include "model/backend.h"
#include "model/model.h"

/* call->op must be prepared. The backends (n of them, in the order in which they are tried)
 * outlive the call. */
void failover_generate(struct backend *backends, size_t n, struct generate_call *call);
/* The same, of call->stream. */
void failover_forward(struct backend *backends, size_t n, struct forward_call *call);
/* Raw header lines of the answer to a call of failover_forward(). */
struct slice failover_head(const struct forward_call *call);
#endif
