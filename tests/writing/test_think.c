/* Thinking comes out of an answer whatever the pieces it is cut into. */
#include "check.h"

#include <string.h>

#include "writing/think.h"

static const struct {
	const char *text, *out;
	bool has_found;
} cases[] = {
	{ "<think>plan</think>Text.", "Text.", true },
	{ "<THINKING>\nplan\n</Thinking>\n\nText.", "\n\nText.", true },
	{ "Text <reasoning>x</reasoning>goes on.", "Text goes on.", true },
	{ "<think>never closed", "", true },
	{ "a < b and b <= c", "a < b and b <= c", false },
	{ "<<think>x</think>y", "<y", true },
	{ "<thin ice> is dangerous", "<thin ice> is dangerous", false },
	{ "<thinker>", "<thinker>", false },
	{ "the end <", "the end <", false },
	{ "<think>a<b</think>c", "c", true },
	{ "", "", false },
};

static void test_any_pieces(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].text) + 1; piece++) {
			struct think think;
			struct buf out;
			size_t len = strlen(cases[i].text);

			think_init(&think);
			buf_init(&out, 1000);
			for (size_t at = 0; at < len; at += piece)
				assert_int_equal(
					think_feed(&think, cases[i].text + at,
						   at + piece < len ? piece : len - at, &out),
					OK);
			assert_int_equal(think_finish(&think, &out), OK);
			assert_string_equal(buf_str(&out), cases[i].out);
			assert_int_equal(think.has_found, cases[i].has_found);
			buf_release(&out);
		}
	}
}

static void test_a_lone_closing_tag_says_where_the_text_begins(void **unused)
{
	static const char text[] = "I plan.</think>Text.";
	struct think think;
	struct buf out;

	(void)unused;
	think_init(&think);
	buf_init(&out, 1000);
	assert_int_equal(think_feed(&think, text, sizeof(text) - 1, &out), OK);
	assert_true(think.has_unopened);
	assert_string_equal(buf_str(&out) + think.out_bytes, "Text.");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_a_lone_closing_tag_says_where_the_text_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
