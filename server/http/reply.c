#include "http/reply.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "base/logging.h"
#include "base/mem.h"
#include "base/must.h"
#include "http/connection.h"

enum { NAME_BYTES = 128, RAW_BYTES = 64 << 10, BARE_BLOCK_BYTES = 16 };

/* "Name: value" into its parts: false when it is none. */
static bool split_header(const char *line, char name[NAME_BYTES], const char **ret_value)
{
	size_t len = strcspn(line, ":");

	if (len == 0 || len >= NAME_BYTES || line[len] == '\0')
		return false;
	memcpy(name, line, len);
	name[len] = '\0';
	*ret_value = line + len + 1;
	*ret_value += strspn(*ret_value, " \t");
	return true;
}

/* A header that cannot be sent (no name, empty, control characters) is left out. */
static void add_header(struct MHD_Response *response, const char *line)
{
	char name[NAME_BYTES];
	const char *value;

	if (split_header(line, name, &value))
		(void)MHD_add_response_header(response, name, value);
}

/* The line after this one of those added, the first for NULL; NULL: there is none. */
static const char *next_added(const struct exchange *exchange, const char *line)
{
	const char *start = exchange->added.data;

	if (exchange->added.len == 0)
		return NULL;
	line = line != NULL ? line + strlen(line) + 1 : start;
	return line < start + exchange->added.len ? line : NULL;
}

void reply_add_header(struct request *request, const char *line)
{
	struct exchange *exchange = exchange_of(request);

	if (buf_append(&exchange->added, line, strlen(line) + 1) != OK)
		log_warn("header_left_out", "request=%s", request->id);
}

/* What a backend says about origins is for its own clients. */
static bool is_overruled(const struct exchange *exchange, const char *line)
{
	static const char prefix[] = "access-control-";

	return exchange->added.len > 0 && strncasecmp(line, prefix, sizeof(prefix) - 1) == 0;
}

void reply_begin(struct exchange *exchange, struct MHD_Response *response, int status,
		 const char *const *headers)
{
	if (response == NULL) {
		connection_cut(exchange->connection);
		return;
	}
	for (; headers != NULL && *headers != NULL; headers++)
		if (!is_overruled(exchange, *headers))
			add_header(response, *headers);
	for (const char *line = NULL; (line = next_added(exchange, line)) != NULL;)
		add_header(response, line);
	(void)MHD_add_response_header(response, "X-Request-Id", exchange->request.id);
	if (exchange->server->is_draining || exchange->phase == EXCHANGE_REFUSED)
		(void)MHD_add_response_header(response, "Connection", "close");
	exchange->response = response;
	exchange->status = (unsigned)status;
	connection_wake(exchange->connection);
}

static struct MHD_Response *whole_response(struct buf *body)
{
	size_t len = body != NULL ? body->len : 0;
	struct MHD_Response *response;
	char *data;

	if (len == 0) {
		if (body != NULL)
			buf_release(body);
		return MHD_create_response_from_buffer(0, (void *)(uintptr_t)"",
						       MHD_RESPMEM_PERSISTENT);
	}
	data = buf_steal(body);
	response = MHD_create_response_from_buffer_with_free_callback(len, data, mem_free);
	if (response == NULL)
		mem_free(data);
	return response;
}

static enum err raw_answer(const struct exchange *exchange, int status,
			   const char *const *headers, const struct buf *body, struct buf *raw)
{
	enum err err;

	err = buf_printf(raw, "HTTP/1.1 %d %s\r\n", status,
			 MHD_get_reason_phrase_for((unsigned)status));
	for (; err == OK && headers != NULL && *headers != NULL; headers++)
		err = buf_printf(raw, "%s\r\n", *headers);
	for (const char *line = NULL; err == OK && (line = next_added(exchange, line)) != NULL;)
		err = buf_printf(raw, "%s\r\n", line);
	if (err == OK)
		err = buf_printf(raw,
				 "X-Request-Id: %s\r\nContent-Length: %zu\r\n"
				 "Connection: close\r\n\r\n",
				 exchange->request.id, body != NULL ? body->len : 0);
	if (err == OK && body != NULL)
		err = buf_append(raw, body->data, body->len);
	return err;
}

/* libmicrohttpd takes no answer while a body is being read, but nothing else has been written to
 * the socket then (100 Continue apart): the answer goes straight there, and the connection ends.
 * It is small; a client that does not even take that gets the close alone. */
static void send_raw(struct exchange *exchange, int status, const char *const *headers,
		     struct buf *body)
{
	struct buf raw;

	buf_init(&raw, RAW_BYTES);
	if (raw_answer(exchange, status, headers, body, &raw) == OK)
		(void)send(exchange->connection->fd, raw.data, raw.len,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_release(&raw);
	if (body != NULL)
		buf_release(body);
}

void reply_send(struct request *request, int status, const char *const *headers, struct buf *body)
{
	struct exchange *exchange = exchange_of(request);

	MUST(!exchange->is_begun);
	exchange->is_begun = true;
	if (exchange->connection == NULL) {
		if (body != NULL)
			buf_release(body);
	} else if (exchange->is_raw) {
		send_raw(exchange, status, headers, body);
	} else {
		reply_begin(exchange, whole_response(body), status, headers);
	}
}

/* libmicrohttpd asks for no byte of a body that is not sent. */
static ssize_t no_body(void *context, uint64_t at, char *data, size_t max)
{
	(void)context;
	(void)at;
	(void)data;
	(void)max;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

void reply_send_bare(struct request *request, int status, const char *const *headers,
		     int64_t length_bytes)
{
	struct exchange *exchange = exchange_of(request);
	uint64_t size = length_bytes >= 0 ? (uint64_t)length_bytes : MHD_SIZE_UNKNOWN;

	MUST(!exchange->is_begun);
	exchange->is_begun = true;
	if (exchange->connection != NULL)
		reply_begin(exchange,
			    MHD_create_response_from_callback(size, BARE_BLOCK_BYTES, no_body, NULL,
							      NULL),
			    status, headers);
}

bool reply_is_begun(const struct request *request)
{
	return exchange_of(request)->is_begun;
}
