/* http_server - our side of HTTP/1.1: listeners, connections, requests; libmicrohttpd inside.
 *
 *   listener --accept4--> daemon_pool (many small MHD daemons) --> request --> on_request()
 *                                  close_watch: tells when a client has gone
 *
 * The handler gets each request once, when its headers and body are complete (within the limits:
 * what is over them is answered by `refuse`, see below, and never reaches on_request). From then
 * on it owes an answer: reply_send(), or reply_stream_start() ... reply_stream_end(). It may
 * answer at once or much later. The request's memory belongs to this layer: it stays until
 * on_closed(), which comes exactly once for each request that on_request was called with, when
 * the answer has been sent or the client has gone; after it the request may not be touched.
 * Nothing comes before on_request. on_request runs inside libmicrohttpd and may answer at once;
 * it must not call http_server_drain.
 *
 * A client that closes its sending half before the answer has begun counts as gone. Requests
 * whose end two readers may see in different places are refused (HTTP_REFUSAL_LENGTH_AND_CODING).
 *
 * libmicrohttpd answers some broken requests itself, in HTML, before any of our code sees them:
 * 431 (headers larger than header_pool_bytes), 414 (first line larger than that), 400 (HTTP/1.1
 * without Host, a header without colon, a bad Content-Length or chunk size), 413 (a
 * Content-Length or chunk above 2^64). Other nonsense it closes without an answer. */
#ifndef LONGHAND_HTTP_HTTP_SERVER_H
#define LONGHAND_HTTP_HTTP_SERVER_H
#include "http/request.h"
#include "loop/reactor_uv.h"

struct http_server;

struct http_server_options {
	size_t connections_max; /* over it: 429 on the spare connections, then Connection: close */
	size_t body_bytes_max;	    /* 413 by Content-Length before it is read, else while read */
	size_t header_pool_bytes;   /* of one connection: headers above it are answered 431 */
	uint64_t header_ms;	    /* to send the request's headers and body; then it is closed */
	uint64_t idle_ms;	    /* of a kept-alive connection between requests */
	uint64_t stuck_ms;	    /* a client that takes no byte for so long counts as gone */
	size_t stream_high_bytes;   /* reply_stream: unsent bytes above it: is_full */
	size_t stream_low_bytes;    /* unsent bytes below it after is_full: on_drain */
};

enum http_refusal {
	HTTP_REFUSAL_TOO_LARGE,	       /* 413 */
	HTTP_REFUSAL_CONNECTIONS,      /* 429 */
	HTTP_REFUSAL_LENGTH_AND_CODING, /* 400: doubt about where the body ends */
	HTTP_REFUSAL_UNWANTED,		/* is_wanted() said so */
	HTTP_REFUSAL_COUNT
};

struct http_handler {
	void *context;
	void (*on_request)(void *context, struct request *request);
	/* Asked at the headers of a request that has a body, before 100 Continue and before the
	 * body is read. False: HTTP_REFUSAL_UNWANTED follows at once. NULL: all are. */
	bool (*is_wanted)(void *context, const struct request *request);
	/* Called in place of on_request; must answer at once with reply_send (own error shape). The
	 * request has no body. on_closed is not called for it. */
	void (*on_refused)(void *context, struct request *request, enum http_refusal refusal);
};

MUST_CHECK enum err http_server_new(struct reactor_uv *reactor,
				    const struct http_server_options *options,
				    const struct http_handler *handler,
				    struct http_server **ret_server);
/* `address`: "host:port", "[v6]:port" or "unix:/path"; port 0 picks a free one. On OK the bound
 * address is written to ret_bound ("127.0.0.1:41234"). ERR_INVALID: not an address; ERR_IO: errno
 * says why. */
MUST_CHECK enum err http_server_listen(struct http_server *server, const char *address,
				       bool is_port_shared, char ret_bound[128]);
/* Accepts what waits in the queue, then closes the listeners; open connections go on, each
 * answer from now on says Connection: close, idle ones are closed. */
void http_server_drain(struct http_server *server);
/* Closes every connection now: the open requests get on_closed on later turns, then on_stopped. */
void http_server_stop(struct http_server *server, void (*on_stopped)(void *context), void *context);
/* Only after on_stopped. NULL ok. */
void http_server_free(struct http_server *server);
size_t http_server_connections(const struct http_server *server);
size_t http_server_requests(const struct http_server *server); /* handed out and not closed yet */
#endif
