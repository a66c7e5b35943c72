/* redis_lines - an entry's lines as Redis keeps them: the sentences, which are most of a log, as
 *
 *   [section, at_byte, t_ms, "text"]        instead of
 *   {"v":1,"id":"1-7","kind":"text","section":2,"at_byte":310,"t_ms":1767225600000,"text":"..."}
 *
 * and every other line as it is. The id stands in the entry already: the last event has the
 * entry's, those before it the numbers before. A log takes two thirds of the memory so, and stays
 * JSON. Only lines that come back byte by byte are shortened, so to the store's user nothing has
 * changed. Pure: bytes in, bytes out. */
#ifndef LONGHAND_STORE_REDIS_LINES_H
#define LONGHAND_STORE_REDIS_LINES_H
#include "base/buf.h"
#include "store/store.h"

/* Appends the lines, shortened; `first` is the place of the first one. Errors of buf_append. */
MUST_CHECK enum err redis_lines_pack(struct slice lines, struct store_place first, struct buf *out);
/* Appends the lines as they were; `last` is the entry's place, `n` its number of events.
 * ERR_INVALID: an array that is none of ours; errors of buf_append. */
MUST_CHECK enum err redis_lines_unpack(struct slice packed, struct store_place last, uint64_t n,
				       struct buf *out);
#endif
