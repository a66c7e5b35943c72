#include "model/forward.h"
#include "base/mem.h"
#include "model/rate_news.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct forwarding {
	struct http_call http;
	struct forward_call *call;
	struct backend *backend;
	char *url;
	bool is_clients_key; /* limits in the answer's headers are the client's own */
	const char *headers[BACKEND_HEADERS_MAX + 2];
};

static struct forwarding *of_op(struct op *op)
{
	struct stream_op *stream = container_of(op, struct stream_op, op);
	struct http_call *http = container_of(stream, struct http_call, stream);

	return container_of(http, struct forwarding, http);
}

static struct forwarding *of_call(struct stream_op *stream)
{
	return container_of(stream, struct forward_call, stream)->provider;
}

static void forwarding_free(struct forwarding *forwarding)
{
	mem_free(forwarding->url);
	mem_free(forwarding);
}

static void on_head(struct http_call *http)
{
	struct forwarding *forwarding = container_of(http, struct forwarding, http);
	struct forward_call *call = forwarding->call;

	struct reactor *reactor = forwarding->backend->reactor;
	struct rate_news news = { .pause_ms = 0 };

	call->status = http->status;
	if (!forwarding->is_clients_key)
		rate_news_read(http, reactor->wall_ms(reactor), &news);
	call->news = &news;
	call->on_head(call);
	call->news = NULL;
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct forwarding *forwarding = of_op(&stream->op);

	/* False only when cancelled: a pause of the call has paused the source too. */
	(void)!stream_op_push(&forwarding->call->stream, data, len);
}

static void on_done(struct op *op)
{
	struct forwarding *forwarding = of_op(op);
	struct forward_call *call = forwarding->call;
	enum err result = op->result;

	call->is_sent = forwarding->http.is_sent;
	call->retry_after_ms = backend_retry_after_ms(&forwarding->http);
	if (result != OK)
		(void)snprintf(call->message, sizeof(call->message), "backend %s: %s",
			       forwarding->backend->options->name,
			       forwarding->http.failure != NULL ? forwarding->http.failure
								: err_text(result));
	backend_report(forwarding->backend, result, call->status);
	call->provider = NULL;
	forwarding_free(forwarding);
	op_finish(&call->stream.op, result);
}

static void on_cancel(struct op *op)
{
	struct forwarding *forwarding = of_call(container_of(op, struct stream_op, op));

	op_cancel(&forwarding->http.stream.op, op->canceled);
}

static void on_pause(struct stream_op *stream)
{
	stream_op_pause(&of_call(stream)->http.stream);
}

static void on_resume(struct stream_op *stream)
{
	stream_op_resume(&of_call(stream)->http.stream);
}

static const struct stream_provider provider = { on_cancel, on_pause, on_resume };

static bool is_authorization(const char *header)
{
	static const char name[] = "authorization:";

	return strncasecmp(header, name, sizeof(name) - 1) == 0;
}

/* The client's headers, its key replaced by the backend's where there is one. */
static void collect_headers(struct forwarding *forwarding)
{
	const char *authorization = forwarding->backend->authorization;
	const char *const *from = forwarding->call->headers;
	size_t n = 0;

	for (; from != NULL && *from != NULL && n < BACKEND_HEADERS_MAX; from++) {
		bool is_key = is_authorization(*from);

		if (authorization == NULL || !is_key)
			forwarding->headers[n++] = *from;
		if (authorization == NULL && is_key)
			forwarding->is_clients_key = true;
	}
	if (authorization != NULL)
		forwarding->headers[n++] = authorization;
}

static void send_request(struct forwarding *forwarding)
{
	struct http_call *http = &forwarding->http;
	struct forward_call *call = forwarding->call;
	const struct backend_options *options = forwarding->backend->options;

	http_call_prepare(http, forwarding->backend->reactor, options->total_ms, on_data, on_done);
	collect_headers(forwarding);
	http->method = call->method;
	http->url = forwarding->url;
	http->headers = forwarding->headers;
	memcpy(http->body, call->body, sizeof(http->body));
	http->is_stream = call->is_stream;
	http->connect_ms = options->connect_ms;
	http->first_byte_ms = options->first_byte_ms;
	http->idle_ms = options->idle_ms;
	http->on_head = on_head;
	http_client_start(forwarding->backend->http, http);
}

void forward_start(struct backend *backend, struct forward_call *call)
{
	uint64_t now_ms = backend->reactor->now_ms(backend->reactor);
	struct forwarding *forwarding;

	if (!stream_op_begin(&call->stream, &provider))
		return;
	if (!breaker_allows(&backend->breaker, now_ms)) {
		call->retry_after_ms = breaker_wait_ms(&backend->breaker, now_ms);
		(void)snprintf(call->message, sizeof(call->message),
			       "backend %s has failed repeatedly and is left alone for a while",
			       backend->options->name);
		op_finish(&call->stream.op, ERR_BUSY);
		return;
	}
	forwarding = mem_alloc(sizeof(*forwarding));
	if (forwarding != NULL)
		forwarding->url = backend_url(backend, call->path_and_query);
	if (forwarding == NULL || forwarding->url == NULL) {
		mem_free(forwarding);
		breaker_forget(&backend->breaker);
		op_finish(&call->stream.op, ERR_NO_MEMORY);
		return;
	}
	forwarding->call = call;
	forwarding->backend = backend;
	call->provider = forwarding;
	send_request(forwarding);
}

struct slice forward_head(const struct forward_call *call)
{
	const struct forwarding *forwarding = call->provider;

	return (struct slice){ buf_str(&forwarding->http.head), forwarding->http.head.len };
}
