/* responses - OpenAI's Responses API: POST /v1/responses, and /v1/responses/ID with what is below.
 *
 *   responses.c            a request: read, routed as a chat is, written long or passed on
 *   responses_request, responses_items   its body
 *   responses_chain        the turns before it
 *   responses_render, responses_events, responses_object   a job's log as a response
 *   responses_view         the answer by a job
 *   responses_translate    the answer by a backend that has chat completions only
 *   responses_stored.c     what was asked for before
 */
#ifndef LONGHAND_API_RESPONSES_H
#define LONGHAND_API_RESPONSES_H
#include "api/api.h"

void responses_create(struct api *api, struct request *request, const char *rest,
		      const char *owner);
/* `rest`: what follows /v1/responses/. What is not ours is the backend's. */
void responses_one(struct api *api, struct request *request, const char *rest, const char *owner);
#endif
