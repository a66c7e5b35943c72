/* reply - the answer to a request: whole, or as a stream.
 *
 * Headers are "Name: value" lines, NULL at the end, copied. Both kinds add x-request-id. An
 * answer is begun once per request: a second begin is illegal. When memory runs out the
 * connection is closed; the caller need not care. */
#ifndef LONGHAND_HTTP_REPLY_H
#define LONGHAND_HTTP_REPLY_H
#include "http/request.h"

/* A line "Name: value" for the answer that is still to begin, whoever gives it. Where lines were
 * added, Access-Control-* of the answer's own headers are left out: these are ours then. Without
 * memory it is left out. */
void reply_add_header(struct request *request, const char *line);
/* Sends status, headers and body with Content-Length. Takes the body's memory over (the buf is
 * empty afterwards). */
void reply_send(struct request *request, int status, const char *const *headers, struct buf *body);

/* An answer whose body nobody is sent: to HEAD, or 304, or 204. `length_bytes`: what the body would
 * have; -1: not known. */
void reply_send_bare(struct request *request, int status, const char *const *headers,
		     int64_t length_bytes);

/* Begins a chunked answer (closed by the end of the connection for HTTP/1.0). The headers leave
 * at once, before the first byte of data. */
void reply_stream_start(struct request *request, int status, const char *const *headers);
/* Queues bytes, sent as one HTTP chunk where that fits. Never blocks and never refuses: bounding
 * is the caller's duty by reply_stream_is_full(). Ignored when the client has gone. */
void reply_stream_write(struct request *request, const char *data, size_t len);
/* Unsent bytes above stream_high_bytes. request->on_drain() fires on a later turn once below
 * stream_low_bytes. */
bool reply_stream_is_full(const struct request *request);
size_t reply_stream_unsent(const struct request *request);
/* The end, after what is queued. */
void reply_stream_end(struct request *request);
/* Cuts the connection after what is queued, without the last chunk: the client sees a failure. */
void reply_stream_abort(struct request *request);
bool reply_is_begun(const struct request *request);
#endif
