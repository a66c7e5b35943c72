#include "api/headers.h"
#include <string.h>
#include <strings.h>

/* Of one connection only, or set anew by whoever sends: never passed on. */
static const char *const hop_by_hop[] = {
	"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
	"te", "trailer", "transfer-encoding", "upgrade", "content-length",
};
static const char *const clients_only[] = { "host", "expect", "x-request-id" };
static const char *const backends_only[] = { "x-request-id", "date", "server" };
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
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0)
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

struct collecting {
	struct buf *bytes;
	bool is_json;
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
	    (collecting->is_json && is_type))
		return;
	collecting->err = add_line(collecting->bytes, (struct slice){ name, len },
				   (struct slice){ value, strlen(value) });
}

enum err headers_to_backend(const struct request *request, bool is_json, const char *extra,
			    struct header_lines *out)
{
	struct collecting collecting = { &out->bytes, is_json, OK };

	request_each_header(request, collect_clients, &collecting);
	/* curl says "form" for what is JSON: backends are told what it is. */
	if (collecting.err == OK && is_json)
		collecting.err = buf_append(&out->bytes, "Content-Type: application/json",
					    sizeof("Content-Type: application/json"));
	if (collecting.err == OK && extra != NULL)
		collecting.err = buf_append(&out->bytes, extra, strlen(extra) + 1);
	point_to_lines(out);
	return collecting.err;
}

static enum err pass_line(struct header_lines *out, const char *line, const char *end)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	const char *value;

	if (colon == NULL || IS_AMONG(line, (size_t)(colon - line), hop_by_hop) ||
	    IS_AMONG(line, (size_t)(colon - line), backends_only))
		return OK;
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	return add_line(&out->bytes, (struct slice){ line, (size_t)(colon - line) },
			(struct slice){ value, (size_t)(end - value) });
}

enum err headers_to_client(struct slice head, struct header_lines *out)
{
	const char *at = head.data;
	const char *end = head.data + head.len;
	enum err err = OK;

	while (err == OK && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *next = stop != NULL ? stop + 1 : end;
		const char *line_end = stop != NULL ? stop : end;

		if (line_end > at && line_end[-1] == '\r')
			line_end--;
		err = pass_line(out, at, line_end);
		at = next;
	}
	point_to_lines(out);
	return err;
}
