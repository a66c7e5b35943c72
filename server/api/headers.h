/* headers - lines that go through a proxy, and those that end at it (RFC 9110, 7.6.1). */
#ifndef LONGHAND_API_HEADERS_H
#define LONGHAND_API_HEADERS_H
#include <stdbool.h>
#include "base/buf.h"
#include "http/request.h"

enum { HEADERS_MAX = 46, HEADERS_BYTES_MAX = 64 << 10 };

/* Lines "Name: value", each terminated, and pointers to them. */
struct header_lines {
	struct buf bytes;
	const char *lines[HEADERS_MAX + 1]; /* NULL at the end */
};

void header_lines_init(struct header_lines *headers);
void header_lines_release(struct header_lines *headers);
/* What is to be done with the client's headers. */
enum header_rule {
	HEADERS_JSON = 1,   /* the body is JSON, whatever they say */
	HEADERS_NO_KEY = 2, /* the client's key is for us, not for the backend */
};
/* What of the client's request goes to the backend. `rules`: enum header_rule, together. `extra` is
 * added ("Name: value"), NULL: none. More than HEADERS_MAX lines: the client's last ones are left
 * out. */
MUST_CHECK enum err headers_to_backend(const struct request *request, unsigned rules,
				       const char *extra, struct header_lines *out);
/* The client's key as a line, for calls of ours to a backend that has no key of its own: a new
 * string, NULL when there is none (or memory is out: the backend will miss the key and say so). */
char *headers_authorization(const struct request *request);
/* What of the backend's answer (raw lines) goes to the client, and `extra` ("Name: value"; NULL:
 * none). */
MUST_CHECK enum err headers_to_client(struct slice head, const char *extra,
				      struct header_lines *out);
/* The first value with this name (without case) in raw lines; data NULL: none. */
struct slice headers_find(struct slice head, const char *wanted);
#endif
