/* chat_view - one client's answer to a long request: a reader of the job's log, as a streamed
 * completion or as one JSON body.
 *
 * Status and headers wait for the first success of the backend, first_status_ms at most, so that
 * an early failure has its own status. A stream is kept alive by ": hb" comments when it is
 * silent; a JSON answer by white space. A failure after the status has gone out is an error event
 * without [DONE] in a stream, and cuts the connection of a JSON answer. The view holds one chunk
 * at a time: a slow client stops its own cursor, never the job. It frees itself when its request
 * is closed. */
#ifndef LONGHAND_API_CHAT_VIEW_H
#define LONGHAND_API_CHAT_VIEW_H
#include "api/api.h"

struct chat_view_wishes {
	bool is_stream, has_usage, is_plan_shown;
	bool is_resumed; /* the job is known: the status need not wait for a success */
	/* Content from this byte on; the caller has seen to it that it is one of the log, and not
	 * inside a code point. */
	uint64_t from_byte;
	struct buf *entries; /* as in log_cursor_options */
};

/* Answers the request from the log of the job `id`: that of `job`, which is in api->registry, or
 * with NULL the one in the store. */
void chat_view_start(struct api *api, struct request *request, struct job *job, const char *id,
		     const struct chat_view_wishes *wishes);
#endif
