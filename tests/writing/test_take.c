/* An answer becomes the same sentences and gaps whatever the pieces it comes in. */
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "writing/take.h"

struct want {
	enum gap gap;
	const char *text;
	bool is_line;
};

static const struct {
	const char *answer;
	struct want wants[6];
} cases[] = {
	{ "One goes. Two stays.\n\nThree comes.",
	  { { GAP_NONE, "One goes.", false },
	    { GAP_SPACE, "Two stays.", false },
	    { GAP_PARAGRAPH, "Three comes.", true } } },
	{ "  \n\n One goes. \n\n\n\n Two stays.  \n",
	  { { GAP_PARAGRAPH, "One goes.", true }, { GAP_PARAGRAPH, "Two stays.", true } } },
	{ "海很深。山很高。\n人很小。",
	  { { GAP_NONE, "海很深。", false },
	    { GAP_NONE, "山很高。", false },
	    { GAP_LINE, "人很小。", true } } },
	{ "<think>x</think>\n\nOne goes. Two is n",
	  { { GAP_PARAGRAPH, "One goes.", false }, { GAP_SPACE, "Two is n", false } } },
	{ "- One goes.\n  - Two stays.\n",
	  { { GAP_NONE, "- One goes.", true }, { GAP_LINE, "  - Two stays.", true } } },
	{ " \n ", { { GAP_NONE, NULL, false } } },
	{ "", { { GAP_NONE, NULL, false } } },
};

static void drain(struct take *take, const struct want *wants, size_t *at)
{
	bool has = true;

	while (has) {
		struct take_unit unit;

		assert_int_equal(take_next(take, &unit, &has), OK);
		if (!has)
			return;
		assert_non_null(wants[*at].text);
		assert_string_equal(unit.text, wants[*at].text);
		assert_int_equal(unit.gap, wants[*at].gap);
		assert_int_equal(unit.is_line, wants[*at].is_line);
		assert_int_equal(unit.words, words_count(WORDS_NATURAL, unit.text, unit.len));
		take_unit_release(&unit);
		(*at)++;
	}
}

static void test_sentences_in_any_pieces(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t len = strlen(cases[i].answer);

		for (size_t piece = 1; piece <= len + 1; piece++) {
			struct take take;
			size_t n = 0;

			take_init(&take, WORDS_NATURAL);
			for (size_t at = 0; at < len; at += piece) {
				assert_int_equal(take_feed(&take, cases[i].answer + at,
							   at + piece < len ? piece : len - at),
						 OK);
				drain(&take, cases[i].wants, &n);
			}
			assert_int_equal(take_end(&take), OK);
			drain(&take, cases[i].wants, &n);
			assert_null(cases[i].wants[n].text);
			take_release(&take);
		}
	}
}

static void test_an_endless_sentence_is_cut_at_a_space(void **unused)
{
	struct take take;
	struct take_unit unit;
	bool has;

	(void)unused;
	take_init(&take, WORDS_NATURAL);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(take_feed(&take, "word ", 5), OK);
	assert_int_equal(take_next(&take, &unit, &has), OK);
	assert_true(has);
	assert_true(unit.len <= TAKE_SENTENCE_BYTES_MAX);
	assert_false(unit.is_finished);
	assert_memory_equal(unit.text + unit.len - 4, "word", 4);
	take_unit_release(&unit);
	take_release(&take);
}

static void test_thinking_that_was_not_opened_is_dropped(void **unused)
{
	struct take take;
	struct take_unit unit;
	bool has;

	(void)unused;
	take_init(&take, WORDS_NATURAL);
	assert_int_equal(take_feed(&take, "I plan</think>The text.", 23), OK);
	assert_true(take_drop_thinking(&take));
	assert_false(take_drop_thinking(&take));
	assert_int_equal(take_end(&take), OK);
	assert_int_equal(take_next(&take, &unit, &has), OK);
	assert_true(has);
	assert_string_equal(unit.text, "The text.");
	assert_true(unit.is_last);
	take_unit_release(&unit);
	take_release(&take);
}

static void test_held_sentences_leave_from_the_front(void **unused)
{
	struct take take;

	(void)unused;
	take_init(&take, WORDS_NATURAL);
	for (int i = 0; i < 20; i++) {
		struct take_unit unit = { .words = i, .text = mem_strdup("x"), .len = 1 };

		assert_int_equal(take_hold(&take, &unit), OK);
		assert_null(unit.text);
	}
	assert_int_equal(take.words_held, 190);
	take_forget_held(&take, 5);
	assert_int_equal(take.n_held, 15);
	assert_int_equal(take.held[0].words, 5);
	assert_int_equal(take.words_held, 180);
	take_release(&take);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences_in_any_pieces),
		cmocka_unit_test(test_an_endless_sentence_is_cut_at_a_space),
		cmocka_unit_test(test_thinking_that_was_not_opened_is_dropped),
		cmocka_unit_test(test_held_sentences_leave_from_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
