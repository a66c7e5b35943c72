#include "http/request.h"
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "http/connection.h"

static const char *const methods[] = { "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH" };

struct exchange *exchange_of(const struct request *request)
{
	return container_of((struct request *)(uintptr_t)request, struct exchange, request);
}

/* Tells requests apart, in logs and answers; it opens nothing, so it may be guessed. */
static void make_id(struct reactor *reactor, char id[33])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 32; i += 16) {
		uint64_t bits = reactor->random(reactor);

		for (int digit = 0; digit < 16; digit++)
			id[i + digit] = digits[bits >> (4 * digit) & 15];
	}
	id[32] = '\0';
}

/* RFC 9112, 3.2.2: what a proxy is sent, "http://host/path", is to be understood too. */
static const char *skip_authority(const char *uri)
{
	const char *path;

	if (strncasecmp(uri, "http://", 7) != 0)
		return uri;
	path = uri + 7 + strcspn(uri + 7, "/?");
	return *path == '/' ? path : "/";
}

struct exchange *exchange_new(struct http_server *server, struct connection *connection,
			      const char *uri)
{
	size_t len = strlen(uri);
	struct exchange *exchange = mem_alloc(sizeof(*exchange) + len + 1);
	char *mark;

	if (exchange == NULL)
		return NULL;
	memcpy(exchange->text, uri, len + 1);
	make_id(reactor_uv_base(server->reactor), exchange->request.id);
	exchange->server = server;
	exchange->connection = connection;
	exchange->request.method = "";
	exchange->request.query = exchange->text + len;
	mark = strchr(exchange->text, '?');
	if (mark != NULL) {
		*mark = '\0';
		exchange->request.query = mark + 1;
	}
	exchange->started_ms = connection_now_ms(connection);
	exchange->request.path = skip_authority(exchange->text);
	buf_init(&exchange->request.body, server->options.body_bytes_max);
	buf_init(&exchange->unsent, SIZE_MAX / 2);
	buf_init(&exchange->added, ADDED_BYTES_MAX);
	return exchange;
}

void exchange_free(struct exchange *exchange)
{
	struct reactor *reactor;

	if (exchange == NULL)
		return;
	reactor = reactor_uv_base(exchange->server->reactor);
	reactor->undefer(reactor, &exchange->drain);
	if (exchange->response != NULL)
		MHD_destroy_response(exchange->response);
	if (exchange->is_method_owned)
		mem_free((char *)(uintptr_t)exchange->request.method);
	buf_release(&exchange->request.body);
	buf_release(&exchange->unsent);
	buf_release(&exchange->added);
	list_remove(&exchange->node);
	mem_free(exchange);
}

enum err exchange_set_method(struct exchange *exchange, const char *method)
{
	char *copy;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i], method) == 0) {
			exchange->request.method = methods[i];
			return OK;
		}
	}
	copy = mem_strdup(method);
	if (copy == NULL)
		return ERR_NO_MEMORY;
	exchange->request.method = copy;
	exchange->is_method_owned = true;
	return OK;
}

void exchange_tell_gone(struct exchange *exchange)
{
	struct request *request = &exchange->request;

	if (exchange->phase != EXCHANGE_HANDED_OUT || exchange->is_gone_told)
		return;
	exchange->is_gone_told = true;
	request->is_client_gone = true;
	if (request->on_gone != NULL)
		request->on_gone(request);
}

const char *request_header(const struct request *request, const char *name)
{
	const struct exchange *exchange = exchange_of(request);

	if (exchange->connection == NULL)
		return NULL;
	return MHD_lookup_connection_value(exchange->connection->mhd, MHD_HEADER_KIND, name);
}

struct each_header {
	request_header_fn each;
	void *context;
};

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	const struct each_header *header = context;

	(void)kind;
	header->each(header->context, name, value != NULL ? value : "");
	return MHD_YES;
}

void request_each_header(const struct request *request, request_header_fn each, void *context)
{
	const struct exchange *exchange = exchange_of(request);
	struct each_header header = { .each = each, .context = context };

	if (exchange->connection != NULL)
		(void)MHD_get_connection_values(exchange->connection->mhd, MHD_HEADER_KIND,
						on_header, &header);
}

/* What the headers say about where the body ends. */
struct framing {
	unsigned lengths;
	unsigned codings;
	bool is_odd;
};

/* RFC 9112, 5.1 and 6.1-6.3: a proxy in front may have read any of these otherwise than
 * libmicrohttpd does, and whoever can make two readers disagree about the end of a request can
 * smuggle another one in. */
static void see_framing(void *context, const char *name, const char *value)
{
	struct framing *framing = context;

	if (name[strcspn(name, " \t\r")] != '\0')
		framing->is_odd = true;
	if (strcasecmp(name, "Content-Length") == 0) {
		framing->lengths++;
		if (value[0] == '\0' || strspn(value, "0123456789") != strlen(value))
			framing->is_odd = true;
	}
	if (strcasecmp(name, "Transfer-Encoding") == 0) {
		framing->codings++;
		if (strcasecmp(value, "chunked") != 0)
			framing->is_odd = true;
	}
}

bool request_is_ambiguous(const struct exchange *exchange)
{
	struct framing framing = { 0 };

	request_each_header(&exchange->request, see_framing, &framing);
	if (framing.is_odd || framing.lengths + framing.codings > 1)
		return true;
	return framing.codings > 0 && exchange->request.is_http_1_0;
}

bool request_has_body(const struct exchange *exchange)
{
	return request_content_length(exchange) > 0 ||
	       request_header(&exchange->request, "Transfer-Encoding") != NULL;
}

size_t request_content_length(const struct exchange *exchange)
{
	const char *digit = request_header(&exchange->request, "Content-Length");
	size_t length = 0;

	if (digit == NULL)
		return 0;
	for (; isdigit((unsigned char)*digit); digit++) {
		if (length > SIZE_MAX / 10 - 9)
			return SIZE_MAX;
		length = length * 10 + (size_t)(*digit - '0');
	}
	return length;
}
