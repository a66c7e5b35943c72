#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"
#include "http/connection.h"
#include "http/reply.h"

/* What a stream keeps between two writes, and how much of it HTTP/1.0 moves at a time. A chunked
 * answer is built in the connection's pool: the response's own block is not used. */
enum { KEEP_BYTES = 2048, BLOCK_BYTES = 1024, CHUNKED_BLOCK_BYTES = 16, TRIM_ABOVE_BYTES = 8192 };

static size_t unsent_bytes(const struct exchange *exchange)
{
	return exchange->unsent.len - exchange->taken;
}

static void on_drain(struct deferred *deferred)
{
	struct exchange *exchange = container_of(deferred, struct exchange, drain);
	struct request *request = &exchange->request;

	if (request->on_drain != NULL && !request->is_client_gone)
		request->on_drain(request);
}

static void check_drain(struct exchange *exchange)
{
	struct reactor *reactor = reactor_uv_base(exchange->server->reactor);

	if (!exchange->is_full ||
	    unsent_bytes(exchange) >= exchange->server->options.stream_low_bytes)
		return;
	exchange->is_full = false;
	reactor->defer(reactor, &exchange->drain, on_drain);
}

/* The buffer that is to be filled is most of the connection's pool, and reading the request has
 * touched all its pages. A stream that has nothing to say gives them back: that is the greater
 * part of its memory. What they held is nobody's. */
static void trim(struct exchange *exchange, char *data, size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = ((uintptr_t)data + page - 1) / page * page;
	uintptr_t end = ((uintptr_t)data + len) / page * page;

	if (exchange->is_trimmed)
		return;
	exchange->is_trimmed = true;
	if (end > first)
		(void)madvise((void *)first, end - first, MADV_DONTNEED);
}

/* Without chunks the end of the connection is the end of the answer: only a reset tells the client
 * that it is not whole. Disconnecting sends one at once; on a unix socket nothing does. */
static void reset(const struct connection *connection)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)connect(connection->fd, &nobody, sizeof(nobody));
}

static size_t take(struct exchange *exchange, char *data, size_t max)
{
	size_t len = unsent_bytes(exchange) < max ? unsent_bytes(exchange) : max;

	memcpy(data, exchange->unsent.data + exchange->taken, len);
	exchange->taken += len;
	if (len > TRIM_ABOVE_BYTES)
		exchange->is_trimmed = false;
	if (unsent_bytes(exchange) == 0) {
		exchange->taken = 0;
		if (exchange->unsent.size > KEEP_BYTES)
			buf_release(&exchange->unsent);
		else
			buf_clear(&exchange->unsent);
	}
	check_drain(exchange);
	return len;
}

/* libmicrohttpd asks for more: what it had is in the kernel. */
static ssize_t on_read(void *context, uint64_t position, char *data, size_t max)
{
	struct exchange *exchange = context;
	struct connection *connection = exchange->connection;

	(void)position;
	connection->since_ms = connection_now_ms(connection);
	if (connection->is_gone || connection->is_cut) {
		connection_hasten(connection);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (unsent_bytes(exchange) > 0)
		return (ssize_t)take(exchange, data, max);
	if (exchange->is_aborted) {
		if (exchange->request.is_http_1_0)
			reset(connection);
		connection_hasten(connection);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (exchange->is_ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	trim(exchange, data, max);
	connection_hold(connection);
	return 0;
}

void reply_stream_start(struct request *request, int status, const char *const *headers)
{
	struct exchange *exchange = exchange_of(request);
	size_t block_bytes = request->is_http_1_0 ? BLOCK_BYTES : CHUNKED_BLOCK_BYTES;

	MUST(!exchange->is_begun && exchange->phase == EXCHANGE_HANDED_OUT);
	exchange->is_begun = true;
	exchange->is_stream = true;
	if (exchange->connection == NULL)
		return;
	reply_begin(exchange,
		    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block_bytes, on_read,
						      exchange, NULL),
		    status, headers);
}

/* False: nobody takes bytes any more. */
static bool can_write(const struct exchange *exchange)
{
	const struct connection *connection = exchange->connection;

	MUST(exchange->is_stream);
	return connection != NULL && !connection->is_gone && !connection->is_cut &&
	       !exchange->is_ended && !exchange->is_aborted;
}

/* What was taken is dropped only when it is the larger part: moving costs less than it frees. */
static void compact(struct exchange *exchange)
{
	if (exchange->taken <= exchange->unsent.len / 2)
		return;
	buf_consume(&exchange->unsent, exchange->taken);
	exchange->taken = 0;
}

void reply_stream_write(struct request *request, const char *data, size_t len)
{
	struct exchange *exchange = exchange_of(request);

	if (!can_write(exchange) || len == 0)
		return;
	compact(exchange);
	if (buf_append(&exchange->unsent, data, len) != OK) {
		connection_cut(exchange->connection);
		return;
	}
	if (reply_stream_is_full(request))
		exchange->is_full = true;
	connection_wake(exchange->connection);
}

bool reply_stream_is_full(const struct request *request)
{
	const struct exchange *exchange = exchange_of(request);

	return unsent_bytes(exchange) > exchange->server->options.stream_high_bytes;
}

size_t reply_stream_unsent(const struct request *request)
{
	return unsent_bytes(exchange_of(request));
}

void reply_stream_end(struct request *request)
{
	struct exchange *exchange = exchange_of(request);

	if (!can_write(exchange))
		return;
	exchange->is_ended = true;
	connection_wake(exchange->connection);
}

void reply_stream_abort(struct request *request)
{
	struct exchange *exchange = exchange_of(request);

	if (!can_write(exchange))
		return;
	exchange->is_aborted = true;
	connection_wake(exchange->connection);
}
