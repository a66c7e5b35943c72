/* generate - one generate_call against one backend: a streamed chat completion, its events parsed,
 * its end judged. */
#ifndef LONGHAND_MODEL_GENERATE_H
#define LONGHAND_MODEL_GENERATE_H
#include "model/backend.h"

/* call->op must be prepared. The backend outlives the call. */
void generate_start(struct backend *backend, struct generate_call *call);
#endif
