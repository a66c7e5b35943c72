/* describe - asks all backends for their models at once and puts the answers together. */
#ifndef LONGHAND_MODEL_DESCRIBE_H
#define LONGHAND_MODEL_DESCRIBE_H
#include "model/backend.h"

/* call->op must be prepared. Each backend keeps its newest answer in `models`; one that does not
 * answer now is listed by its last answer, and counted in backends_failed. */
void describe_start(struct backend *backends, size_t n_backends, struct describe_call *call);
#endif
