/* passthrough - a request that is the backend's: its bytes go there, the answer's bytes come back
 * as they come, status and error bodies included.
 *
 * Both ways are bounded: a client that reads slowly pauses the backend's answer; a client that
 * leaves closes the backend's connection at once. Short whole answers are sent with their length,
 * everything else in chunks. A failure before the first byte is an error of ours (429, 502, 503 or
 * 504); after it the connection is cut, or, between two events of a stream, an error event ends
 * it. */
#ifndef LONGHAND_API_PASSTHROUGH_H
#define LONGHAND_API_PASSTHROUGH_H
#include "api/api.h"

/* Any path and method under /v1, to the default backend. */
void passthrough_any(struct api *api, struct request *request);

struct passthrough_chat { /* ranges of request->body */
	const struct model_target *target;
	const char *model;	  /* as the body names it */
	struct slice model_range; /* the value, with its quotes */
	struct slice longhand_range; /* the value of our own member, left out; data NULL: none */
	long tokens;		     /* of prompt and answer, estimated */
	bool is_stream;
	/* Called once, last. With the request where the backend has no such path (404, 405, 501):
	 * nothing was sent, it is the callee's to answer, without its body. Else with NULL: it is
	 * answered, or has gone. NULL: what the backend says is the answer. */
	void (*on_over)(void *context, struct request *request);
	void *context;
};

/* What a client is told of a call to a backend that failed. */
enum api_error passthrough_error(enum err result);

/* A chat completion, or a response. */
void passthrough_chat(struct api *api, struct request *request,
		      const struct passthrough_chat *chat);
#endif
