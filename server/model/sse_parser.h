/* sse_parser - server-sent events out of bytes that come in any pieces.
 *
 * Lines end by LF, CRLF or CR; a byte-order mark, comments and fields other than data are dropped;
 * several data lines of one event are joined by LF. on_data() is called once per event that has
 * data, inside sse_parser_feed(); its bytes are valid during the call. */
#ifndef LONGHAND_MODEL_SSE_PARSER_H
#define LONGHAND_MODEL_SSE_PARSER_H
#include <stdbool.h>
#include "base/buf.h"

typedef void (*sse_data_fn)(void *context, const char *data, size_t len);

struct sse_parser {
	sse_data_fn on_data;
	void *context;
	struct buf line; /* the line that is not complete yet */
	struct buf data; /* of the event that is not complete yet */
	bool has_data;
	bool was_cr; /* the last byte was a CR: an LF after it belongs to it */
	bool is_past_start;
};

/* `event_bytes_max` bounds a line and an event's data. */
void sse_parser_init(struct sse_parser *parser, size_t event_bytes_max, sse_data_fn on_data,
		     void *context);
void sse_parser_release(struct sse_parser *parser);
/* ERR_TOO_LARGE, ERR_NO_MEMORY: the parser may not be fed any more. */
MUST_CHECK enum err sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t len);
/* The stream is over: an event whose final blank line is missing still counts. */
MUST_CHECK enum err sse_parser_end(struct sse_parser *parser);
#endif
