/* event_codec - events as lines of JSON: what a store keeps, what other tools may read.
 *
 *   {"v":1,"id":"1-7","kind":"text","section":2,"at_byte":310,"t_ms":1767225600000,"text":"..."}
 *
 * `section` is left out when 0, `text` and `data` when there is none or nothing in it. Readers
 * ignore members they do not know and refuse a `v` above EVENT_VERSION. */
#ifndef LONGHAND_JOB_EVENT_CODEC_H
#define LONGHAND_JOB_EVENT_CODEC_H
#include "writing/event.h"

/* Appends the line with its newline. ERR_NO_MEMORY, ERR_TOO_LARGE; nothing is appended then. */
MUST_CHECK enum err event_encode(const struct event *event, struct buf *out);
/* One line, with or without its newline. ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err event_decode(const char *line, size_t len, struct event *ret_event);
#endif
