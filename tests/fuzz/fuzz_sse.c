/* Server-sent events in any pieces: the same events as in one piece. */
#include <string.h>
#include "fuzz/fuzz.h"
#include "model/sse_parser.h"

enum { EVENT_BYTES_MAX = 4096, GOT_BYTES_MAX = 8 << 20 };

static void on_data(void *context, const char *data, size_t len)
{
	struct buf *got = context;

	MUST(buf_append(got, data, len) == OK && buf_append(got, "\0", 1) == OK);
}

static enum err parse(struct slice stream, size_t piece_bytes, struct buf *got)
{
	struct sse_parser parser;
	enum err err = OK;

	sse_parser_init(&parser, EVENT_BYTES_MAX, on_data, got);
	while (err == OK && stream.len > 0) {
		size_t len = stream.len < piece_bytes ? stream.len : piece_bytes;

		err = sse_parser_feed(&parser, stream.data, len);
		stream.data += len;
		stream.len -= len;
	}
	if (err == OK)
		err = sse_parser_end(&parser);
	sse_parser_release(&parser);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 5 };
	struct slice stream = { (const char *)data, size };
	struct buf whole;
	enum err result;

	buf_init(&whole, GOT_BYTES_MAX);
	result = parse(stream, size > 0 ? size : 1, &whole);
	MUST(result == OK || result == ERR_TOO_LARGE);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct buf got;

		buf_init(&got, GOT_BYTES_MAX);
		MUST(parse(stream, pieces[i], &got) == result);
		MUST(got.len == whole.len);
		MUST(got.len == 0 || memcmp(got.data, whole.data, got.len) == 0);
		buf_release(&got);
	}
	buf_release(&whole);
	return 0;
}
