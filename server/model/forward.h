/* forward - one forward_call against one backend: the client's bytes there, the answer's back. */
#ifndef LONGHAND_MODEL_FORWARD_H
#define LONGHAND_MODEL_FORWARD_H
#include "model/backend.h"

/* call->stream must be prepared. ERR_BUSY with status 503: the breaker is open, nothing was
 * sent. */
void forward_start(struct backend *backend, struct forward_call *call);
/* Raw header lines of the answer. */
struct slice forward_head(const struct forward_call *call);
#endif
