/* http_client - HTTP/1.1 calls to the backends, on libcurl's multi interface, sharded.
 *
 * One multi handle serves calls with whole answers, N more serve streams, round robin: libcurl
 * scans all its connections to a host on every new request. Nothing is followed, nothing is
 * decoded, no proxy is read from the environment, no signal is used; https is HTTP/1.1.
 *
 * The caller embeds `struct http_call`, fills the request part and owns everything it points to
 * until done(). Order of callbacks: on_head once (when the status line and headers are complete;
 * never for informational answers), on_data as often as bytes come, done() once. A status of 4xx
 * or 5xx is an answer: done() says OK. done() with another result: see `failure`.
 * An on_head may cancel or pause. Cancelled calls close their connection at once.
 *
 * Connections are kept for the next call. One that turns out to be dead before any byte of the
 * answer came is replaced by a new one, once and silently: backends close idle connections when
 * they like. Content-Length, Transfer-Encoding and Expect among `headers` are left out, and
 * nothing is added to them but Host, Content-Length and the user agent. */
#ifndef LONGHAND_LOOP_HTTP_CLIENT_H
#define LONGHAND_LOOP_HTTP_CLIENT_H
#include "async/stream_op.h"
#include "base/buf.h"
#include "loop/reactor_uv.h"

struct http_client;
struct http_call;
struct http_call_handle;
typedef void (*http_head_fn)(struct http_call *call);

struct http_client_options {
	unsigned stream_shards;	 /* 32 */
	size_t header_bytes_max; /* of one answer, 64 KiB */
	const char *user_agent;	 /* borrowed for ever; NULL: none */
};

enum { HTTP_BODY_PARTS_MAX = 3 };

struct http_call {
	struct stream_op stream; /* prepared by http_call_prepare */

	/* The request. */
	const char *method;
	const char *url;
	const char *const *headers;		/* "Name: value", NULL at the end; may be NULL */
	struct slice body[HTTP_BODY_PARTS_MAX]; /* sent one after the other, with Content-Length */
	bool is_stream;				/* which kind of shard */
	uint64_t connect_ms;
	uint64_t first_byte_ms; /* from the connection to the first byte of the answer */
	uint64_t idle_ms;	/* between two reads of an unpaused answer */
	http_head_fn on_head;	/* may be NULL */

	/* The answer. */
	int status; /* 0 before on_head */
	struct buf
		head; /* raw header lines "Name: value\r\n"; the call's own, freed after done() */
	uint64_t connected_ms; /* reactor time, 0: never */
	uint64_t first_byte_at_ms;
	bool is_sent;	     /* some of the request may have reached the backend */
	bool is_body_taken;  /* set before on_head: nothing needs `body` any more */
	const char *failure; /* static or call-owned sentence part when result != OK */

	struct http_call_handle *handle; /* http_client's own */
	op_done_fn on_done;		 /* the caller's; stream.op.done is http_client's */
};

MUST_CHECK enum err http_client_new(struct reactor_uv *reactor,
				    const struct http_client_options *options,
				    struct http_client **ret_client);
/* No call may be live; NULL ok. */
void http_client_free(struct http_client *client);
/* Zeroes the call and prepares its op; `total_ms` 0: no total deadline. */
void http_call_prepare(struct http_call *call, struct reactor *reactor, uint64_t total_ms,
		       stream_data_fn on_data, op_done_fn done);
/* Results: OK, ERR_CANCELED, ERR_TIMEOUT (any deadline), ERR_REFUSED (no connection: nothing was
 * sent), ERR_BROKEN (the connection ended too early), ERR_TOO_LARGE (headers), ERR_INVALID (the
 * url, a header), ERR_NO_MEMORY. */
void http_client_start(struct http_client *client, struct http_call *call);
/* The value of a header of the answer, NULL-data when absent; first match, name without case. */
struct slice http_call_header(const struct http_call *call, const char *name);
/* Calls that are open now. */
size_t http_client_open(const struct http_client *client);
#endif
