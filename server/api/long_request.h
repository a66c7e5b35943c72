/* long_request - a chat completion that asks for a long text, as the spec of a job. */
#ifndef LONGHAND_API_LONG_REQUEST_H
#define LONGHAND_API_LONG_REQUEST_H
#include "api/api.h"
#include "api/chat_options.h"

struct long_request {
	struct chat_request *chat;
	const struct chat_options *options;
	const struct api_preset *preset; /* NULL: a plain model id */
	const struct demand *demand;
	enum writing_mode mode;
	struct model_target target;
};

/* Checks what only the long path reads (max_tokens, stop, seed, temperature ...) and fills
 * `ret_spec`, which is the caller's to release, also on failure. False: ret_fault says why. */
MUST_CHECK bool long_request_spec(struct api *api, const struct long_request *request,
				  struct spec *ret_spec, struct api_fault *ret_fault);
#endif
