/* redis_reply - one answer of Redis as a value, and the reader that makes it from bytes.
 *
 * The reader is hiredis's parser, which knows the protocol; the values are our own, so that they
 * come from base/mem.h and can be kept, handed on and freed one by one. */
#ifndef LONGHAND_LOOP_REDIS_REPLY_H
#define LONGHAND_LOOP_REDIS_REPLY_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum redis_kind {
	REDIS_KIND_TEXT,
	REDIS_KIND_STATUS, /* +OK */
	REDIS_KIND_ERROR,  /* -ERR ... */
	REDIS_KIND_INTEGER,
	REDIS_KIND_NIL,
	REDIS_KIND_ARRAY,
};

struct redis_reply {
	enum redis_kind kind;
	int64_t integer;
	struct slice text; /* of text, status, error; a zero byte stands behind it */
	size_t n_elements;
	struct redis_reply *elements[]; /* never NULL within n_elements of a whole reply */
};

void redis_reply_free(struct redis_reply *reply); /* NULL ok */
/* NULL and other kinds are false; `prefix` e.g. "READONLY ". */
bool redis_reply_is_error(const struct redis_reply *reply, const char *prefix);
bool redis_reply_is_status(const struct redis_reply *reply, const char *text);
/* An array of exactly `n` elements. */
bool redis_reply_is_array(const struct redis_reply *reply, size_t n);

struct redis_reader;

MUST_CHECK enum err redis_reader_new(size_t reply_bytes_max, struct redis_reader **ret_reader);
void redis_reader_free(struct redis_reader *reader); /* NULL ok */
/* ERR_NO_MEMORY; ERR_TOO_LARGE: an unfinished reply holds more than its bound. */
MUST_CHECK enum err redis_reader_feed(struct redis_reader *reader, const char *data, size_t len);
/* The next whole reply, the caller's own from now on, or NULL while there is none. ERR_NO_MEMORY,
 * ERR_INVALID (not the protocol); the reader is of no use afterwards. */
MUST_CHECK enum err redis_reader_next(struct redis_reader *reader, struct redis_reply **ret_reply);
#endif
