#include "fuzz/fuzz.h"
#include <string.h>
#include "base/logging.h"
#include "base/mem.h"
#include "base/text.h"

enum { TEXT_BYTES_MAX = 4 << 20 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	mem_init();
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

bool fuzz_cut(struct slice *rest, char mark, struct slice *ret_part)
{
	const char *end = rest->len > 0 ? memchr(rest->data, mark, rest->len) : NULL;
	size_t len = end != NULL ? (size_t)(end - rest->data) : rest->len;
	size_t step = end != NULL ? len + 1 : len;

	if (rest->len == 0)
		return false;
	*ret_part = (struct slice){ rest->data, len };
	rest->data += step;
	rest->len -= step;
	return true;
}

struct buf fuzz_text(struct slice bytes)
{
	const char *at = bytes.data;
	const char *end = bytes.data + bytes.len;
	struct buf text;

	buf_init(&text, TEXT_BYTES_MAX);
	MUST(buf_append(&text, "", 0) == OK);
	while (at < end) {
		const char *from = at;
		uint32_t code = text_next(&at, end);
		bool is_bad = code == TEXT_REPLACEMENT && at - from == 1;

		MUST(buf_append(&text, is_bad ? "?" : from, (size_t)(at - from)) == OK);
	}
	return text;
}
