#include "api/headers.h"
#include "base/text.h"
#include <string.h>
#include <strings.h>

/* Of one connection only, or set anew by whoever sends: never passed on. */
static const char *const hop_by_hop[] = {
	"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
	"te", "trailer", "transfer-encoding", "upgrade", "content-length",
};
static const char *const clients_only[] = { "host", "expect", "x-request-id" };
static const char *const backends_only[] = { "x-request-id", "date", "server" };
static const char *const keys[] = { "authorization", "x-api-key", "api-key" };
static const char longhand_prefix[] = "x-longhand-";

void header_lines_init(struct header_lines *headers)
{
	buf_init(&headers->bytes, HEADERS_BYTES_MAX);
	headers->lines[0] = NULL;
}

void header_lines_release(struct header_lines *headers)
{
	buf_release(&headers->bytes);
	headers->lines[0] = NULL;
}

static bool is_among(const char *name, size_t len, const char *const *names, size_t count)
{
	/* The first letter tells most apart; the names are in small letters. */
	for (size_t i = 0; i < count; i++)
		if ((name[0] | 0x20) == names[i][0] && strlen(names[i]) == len &&
		    strncasecmp(name, names[i], len) == 0)
			return true;
	return false;
}

#define IS_AMONG(name, len, names) is_among(name, len, names, sizeof(names) / sizeof((names)[0]))

static enum err add_line(struct buf *bytes, struct slice name, struct slice value)
{
	enum err err = buf_append(bytes, name.data, name.len);

	if (err == OK)
		err = buf_append_str(bytes, ": ");
	if (err == OK)
		err = buf_append(bytes, value.data, value.len);
	if (err == OK)
		err = buf_append(bytes, "", 1);
	return err;
}

/* The bytes do not move any more: point to the lines. */
static void point_to_lines(struct header_lines *headers)
{
	const char *at = buf_str(&headers->bytes);
	const char *end = at + headers->bytes.len;
	size_t n = 0;

	for (; at < end && n < HEADERS_MAX; at += strlen(at) + 1)
		headers->lines[n++] = at;
	headers->lines[n] = NULL;
}

/* Whether a Connection header ("close, X-Trace") names the header: it is then of one connection
 * only, too. */
static bool is_named(struct slice connection, const char *name, size_t len)
{
	const char *at = connection.data;
	const char *end = connection.data + connection.len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct slice token = text_trim(
			at, (size_t)((comma != NULL ? comma : end) - at));

		if (token.len == len && strncasecmp(token.data, name, len) == 0)
			return true;
		at = comma != NULL ? comma + 1 : end;
	}
	return false;
}

struct collecting {
	struct buf *bytes;
	struct slice connection; /* the client's Connection header */
	unsigned rules;
	enum err err;
};

static void collect_clients(void *context, const char *name, const char *value)
{
	struct collecting *collecting = context;
	size_t len = strlen(name);
	bool is_type = strcasecmp(name, "content-type") == 0;

	if (collecting->err != OK || IS_AMONG(name, len, hop_by_hop) ||
	    IS_AMONG(name, len, clients_only) ||
	    strncasecmp(name, longhand_prefix, sizeof(longhand_prefix) - 1) == 0 ||
	    ((collecting->rules & HEADERS_JSON) != 0 && is_type) ||
	    ((collecting->rules & HEADERS_NO_KEY) != 0 && IS_AMONG(name, len, keys)) ||
	    is_named(collecting->connection, name, len))
		return;
	collecting->err = add_line(collecting->bytes, (struct slice){ name, len },
				   (struct slice){ value, strlen(value) });
}

enum err headers_to_backend(const struct request *request, unsigned rules, const char *extra,
			    struct header_lines *out)
{
	const char *connection = request_header(request, "Connection");
	struct collecting collecting = { .bytes = &out->bytes, .rules = rules, .err = OK };

	if (connection != NULL)
		collecting.connection = (struct slice){ connection, strlen(connection) };
	/* Ours first: what is above HEADERS_MAX is left out. curl says "form" for what is JSON:
	 * backends are told what it is. */
	if ((rules & HEADERS_JSON) != 0)
		collecting.err = buf_append(&out->bytes, "Content-Type: application/json",
					    sizeof("Content-Type: application/json"));
	if (collecting.err == OK && extra != NULL)
		collecting.err = buf_append(&out->bytes, extra, strlen(extra) + 1);
	request_each_header(request, collect_clients, &collecting);
	point_to_lines(out);
	return collecting.err;
}

/* Takes the next line off `head`. False: none is left. Lines without a colon have no name. */
static bool next_line(struct slice *head, struct slice *ret_name, struct slice *ret_value)
{
	const char *at = head->data;
	const char *stop = head->len > 0 ? memchr(at, '\n', head->len) : NULL;
	size_t len = stop != NULL ? (size_t)(stop - at) : head->len;
	const char *colon;

	if (head->len == 0)
		return false;
	head->data += stop != NULL ? len + 1 : len;
	head->len -= stop != NULL ? len + 1 : len;
	colon = memchr(at, ':', len);
	*ret_name = (struct slice){ at, colon != NULL ? (size_t)(colon - at) : 0 };
	if (colon != NULL)
		*ret_value = text_trim(colon + 1, (size_t)(at + len - colon - 1));
	return true;
}

struct slice headers_find(struct slice head, const char *wanted)
{
	struct slice name;
	struct slice value;
	size_t len = strlen(wanted);

	while (next_line(&head, &name, &value))
		if (name.len == len && strncasecmp(name.data, wanted, len) == 0)
			return value;
	return (struct slice){ NULL, 0 };
}

enum err headers_to_client(struct slice head, const char *extra, struct header_lines *out)
{
	struct slice connection = headers_find(head, "Connection");
	struct slice name;
	struct slice value;
	enum err err = OK;

	if (extra != NULL) /* first: see above */
		err = buf_append(&out->bytes, extra, strlen(extra) + 1);
	while (err == OK && next_line(&head, &name, &value))
		if (name.len > 0 && !IS_AMONG(name.data, name.len, hop_by_hop) &&
		    !IS_AMONG(name.data, name.len, backends_only) &&
		    !is_named(connection, name.data, name.len))
			err = add_line(&out->bytes, name, value);
	point_to_lines(out);
	return err;
}

char *headers_authorization(const struct request *request)
{
	const char *value = request_header(request, "Authorization");
	struct buf line;

	if (value == NULL || value[0] == '\0')
		return NULL;
	buf_init(&line, HEADERS_BYTES_MAX);
	if (buf_printf(&line, "Authorization: %s", value) != OK) {
		buf_release(&line);
		return NULL;
	}
	return buf_steal(&line);
}
