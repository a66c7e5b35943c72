/* completion_stream - one streamed chat completion, read as it comes. Blocking; on libcurl.
 *
 * The callbacks run inside completion_stream_run(), in the order of the chunks. */
#ifndef LONGHAND_CLIENT_COMPLETION_STREAM_H
#define LONGHAND_CLIENT_COMPLETION_STREAM_H
#include <jansson.h>
#include <stdbool.h>
#include "base/buf.h"

struct completion_stream {
	const char *server; /* "http://host:port/v1" */
	const char *key;    /* NULL: none */
	void *context;
	void (*on_content)(void *context, const char *text, size_t len);
	void (*on_reasoning)(void *context, const char *text, size_t len);
	/* The extension object: progress, or the report at the end. Borrowed. */
	void (*on_longhand)(void *context, const json_t *longhand);

	/* The result. */
	char finish_reason[32]; /* "" when the stream did not end well */
	char job[40];		/* X-Longhand-Job; "" when there is none */
	char error[1024];	/* "" when all went well */
	long status;		/* HTTP, 0 without an answer */
};

/* Sends `body` (a chat completion with "stream":true). OK: the stream ended with a finish reason
 * and [DONE]; else `error` says what happened. */
MUST_CHECK enum err completion_stream_run(struct completion_stream *stream, const char *body);
#endif
