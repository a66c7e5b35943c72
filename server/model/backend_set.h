/* backend_set - all backends behind the model port (model.h). The first one is the default.
 *
 * A client's id is found: among the configured aliases, as a backend's configured model, in what
 * the backends last listed; an id nobody knows goes to the default backend as it is, whose answer
 * to it is the truth. */
#ifndef LONGHAND_MODEL_BACKEND_SET_H
#define LONGHAND_MODEL_BACKEND_SET_H
#include "model/backend.h"

enum { BACKENDS_MAX = 64 };

struct backend_set;

/* `options` (n of them, at least one) is borrowed for the set's life. */
MUST_CHECK enum err backend_set_new(struct reactor *reactor, struct http_client *http,
				    const struct backend_options *options, size_t n,
				    struct backend_set **ret_set);
/* No call may be live; NULL ok. */
void backend_set_free(struct backend_set *set);
struct model *backend_set_model(struct backend_set *set);
#endif
