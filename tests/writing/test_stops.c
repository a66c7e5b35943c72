/* Stop strings are found whatever the pieces the text comes in, and nothing else is held for ever.
 */
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "writing/stops.h"

static const struct {
	const char *text, *stops[2], *out;
} cases[] = {
	{ "one two three", { "two", NULL }, "one " },
	{ "one two three", { "four", NULL }, "one two three" },
	{ "aaab", { "aab", NULL }, "a" },
	{ "one two three", { "three", "two" }, "one " },
	{ "one", { "one", NULL }, "" },
	{ "ends like ST", { "STOP", NULL }, "ends like ST" },
	{ "海很深。\n\n山很高。", { "\n\n", NULL }, "海很深。" },
	{ "STSTOP", { "STOP", NULL }, "ST" },
};

static void test_any_pieces(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t len = strlen(cases[i].text);
		char *strings[2] = { (char *)cases[i].stops[0], (char *)cases[i].stops[1] };

		for (size_t piece = 1; piece <= len; piece++) {
			struct stops stops;
			struct buf out;

			stops_init(&stops, strings, strings[1] != NULL ? 2 : 1);
			buf_init(&out, 1000);
			for (size_t at = 0; at < len && !stops.is_found; at += piece) {
				struct slice text = { cases[i].text + at,
						      at + piece < len ? piece : len - at };

				assert_int_equal(stops_feed(&stops, text, &out), OK);
			}
			assert_int_equal(stops_flush(&stops, (struct slice){ "", 0 }, &out), OK);
			assert_string_equal(buf_str(&out), cases[i].out);
			stops_release(&stops);
			buf_release(&out);
		}
	}
}

static void test_what_comes_next_may_complete_it(void **unused)
{
	char *strings[] = { (char *)".\n\n##" };
	struct stops stops;
	struct buf out;

	(void)unused;
	stops_init(&stops, strings, 1);
	buf_init(&out, 1000);
	assert_int_equal(stops_feed(&stops, (struct slice){ "The end.", 8 }, &out), OK);
	assert_string_equal(buf_str(&out), "The end");
	assert_int_equal(stops_flush(&stops, (struct slice){ "\n\n## Next\n\n", 11 }, &out), OK);
	assert_true(stops.is_found);
	assert_string_equal(buf_str(&out), "The end");
	stops_release(&stops);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_what_comes_next_may_complete_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
