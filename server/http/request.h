/* request - one HTTP request as the handler sees it. Owned by http_server, see there. */
#ifndef LONGHAND_HTTP_REQUEST_H
#define LONGHAND_HTTP_REQUEST_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct request;
typedef void (*request_fn)(struct request *request);
typedef void (*request_header_fn)(void *context, const char *name, const char *value);

struct request {
	const char *method;
	const char *path;     /* as sent, still percent-encoded, without the query */
	const char *query;    /* behind the '?', as sent; "" when there is none */
	struct buf body;      /* the handler may steal or release it early */
	char id[33];	      /* ours, 32 hex digits; sent back as x-request-id */
	bool is_http_1_0;
	bool is_client_gone;  /* true before on_closed when that is why */

	/* The handler's. on_gone: the client has left (at once, also while the answer is held up);
	 * on_closed follows on a later turn. on_drain: see reply_stream.h. NULL ok for all. */
	void *user;
	request_fn on_gone;
	request_fn on_drain;
	request_fn on_closed;
};

/* The first value of a header, name without case; NULL when absent. */
const char *request_header(const struct request *request, const char *name);
void request_each_header(const struct request *request, request_header_fn each, void *context);
#endif
