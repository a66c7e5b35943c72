/* buf - bytes that grow up to a bound given at birth.
 *
 * The bound turns every "unbounded memory" bug into ERR_TOO_LARGE. `data` is always terminated
 * with a NUL that `len` does not count, and never NULL after the first successful append.
 * A failed append leaves the buffer as it was. The owner embeds it and releases it. */
#ifndef LONGHAND_BASE_BUF_H
#define LONGHAND_BASE_BUF_H
#include <stddef.h>
#include "base/err.h"

struct buf {
	char *data;
	size_t len;
	size_t size;      /* allocated */
	size_t max_bytes; /* `len` never passes it */
};

/* Borrowed bytes; not terminated. */
struct slice {
	const char *data;
	size_t len;
};

void buf_init(struct buf *buf, size_t max_bytes);
/* Frees; the buffer is then empty and usable again under its old bound. */
void buf_release(struct buf *buf);
/* Empties, keeps the memory. */
void buf_clear(struct buf *buf);
/* Errors of all appends: ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err buf_append(struct buf *buf, const void *data, size_t len);
MUST_CHECK enum err buf_append_str(struct buf *buf, const char *text);
MUST_CHECK enum err buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
MUST_CHECK enum err buf_append_json(struct buf *buf, const char *text, size_t len);
/* Drops the first `len` bytes. */
void buf_consume(struct buf *buf, size_t len);
/* Cuts to the first `len` bytes. */
void buf_truncate(struct buf *buf, size_t len);
/* The text, owned by the caller from now on (mem_free), or NULL when memory ran out;
 * the buffer is empty afterwards. */
char *buf_steal(struct buf *buf);
/* "" instead of NULL. */
const char *buf_str(const struct buf *buf);
#endif
