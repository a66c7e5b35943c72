/* Server-sent events as real backends send them, cut at every byte. */
#include "check.h"
#include <string.h>
#include "model/sse_parser.h"

struct seen {
	char text[256];
	size_t len;
};

static void on_data(void *context, const char *data, size_t len)
{
	struct seen *seen = context;

	assert_true(seen->len + len + 2 < sizeof(seen->text));
	memcpy(seen->text + seen->len, data, len);
	seen->len += len;
	seen->text[seen->len++] = '|';
	seen->text[seen->len] = '\0';
}

static const struct {
	const char *bytes;
	const char *events;
} rows[] = {
	{ "data: a\n\ndata: b\n\n", "a|b|" },
	{ "data:a\r\n\r\ndata:  b\r\n\r\n", "a| b|" },
	{ "data: a\r\rdata: b\r\r", "a|b|" },
	{ ": hello\n\ndata: a\n\n", "a|" },
	{ "event: x\nid: 7\nretry: 5\ndata: a\n\n", "a|" },
	{ "data: a\ndata: b\n\n", "a\nb|" },
	{ "data\n\n", "|" },
	{ "data: a", "a|" },
	{ "data: a\n", "a|" },
	{ "\xef\xbb\xbf" "data: a\n\n", "a|" },
	{ "\n\n\n", "" },
	{ "dat: a\nxdata: b\n\n", "" },
	{ "data: \xe4\xbd\xa0\n\n", "\xe4\xbd\xa0|" },
};

static void parse_in_two(const char *bytes, size_t cut, struct seen *seen)
{
	struct sse_parser parser;

	*seen = (struct seen){ .len = 0 };
	sse_parser_init(&parser, 64, on_data, seen);
	assert_int_equal(sse_parser_feed(&parser, bytes, cut), OK);
	assert_int_equal(sse_parser_feed(&parser, bytes + cut, strlen(bytes) - cut), OK);
	assert_int_equal(sse_parser_end(&parser), OK);
	sse_parser_release(&parser);
}

static void every_cut_gives_the_same_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t cut = 0; cut <= strlen(rows[i].bytes); cut++) {
			struct seen seen;

			parse_in_two(rows[i].bytes, cut, &seen);
			assert_string_equal(seen.text, rows[i].events);
		}
	}
}

static void a_line_over_the_bound_is_refused(void **state)
{
	struct sse_parser parser;
	struct seen seen = { .len = 0 };
	enum err err = OK;

	(void)state;
	sse_parser_init(&parser, 64, on_data, &seen);
	for (int i = 0; i < 100 && err == OK; i++)
		err = sse_parser_feed(&parser, "x", 1);
	assert_int_equal(err, ERR_TOO_LARGE);
	sse_parser_release(&parser);
}

/* However its bytes come: the bound is no matter of luck. */
static void a_line_over_the_bound_is_refused_in_one_piece_too(void **state)
{
	static const char line[] = ": a comment that is longer than the parser was told\n";
	struct sse_parser parser;
	struct seen seen = { .len = 0 };

	(void)state;
	sse_parser_init(&parser, sizeof(line) - 3, on_data, &seen);
	assert_int_equal(sse_parser_feed(&parser, line, strlen(line)), ERR_TOO_LARGE);
	sse_parser_release(&parser);
	sse_parser_init(&parser, sizeof(line) - 2, on_data, &seen);
	assert_int_equal(sse_parser_feed(&parser, line, strlen(line)), OK);
	sse_parser_release(&parser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_gives_the_same_events),
		cmocka_unit_test(a_line_over_the_bound_is_refused),
		cmocka_unit_test(a_line_over_the_bound_is_refused_in_one_piece_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
