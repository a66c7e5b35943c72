/* What counts as said before. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "writing/repeat.h"

static struct slice slice(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static const char first[] = "The old harbour lay quiet under the first snow of the year.";

static void test_shares(void **unused)
{
	static const struct {
		const char *sentence;
		size_t grams, known;
	} cases[] = {
		{ "The old harbour lay quiet under the first snow of the year.", 8, 8 },
		{ "THE OLD HARBOUR lay quiet - under the first snow, of the year!", 8, 8 },
		{ "Nobody came down to the water that whole long week.", 6, 0 },
		{ "It was the first snow of the year.", 4, 2 },
		{ "Quiet under the first snow.", 1, 1 },
		{ "Too short.", 0, 0 },
		{ "", 0, 0 },
	};
	struct repeat repeat;

	(void)unused;
	repeat_init(&repeat);
	assert_int_equal(repeat_add(&repeat, slice(first)), OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct repeat_share share = repeat_share(&repeat, slice(cases[i].sentence));

		assert_int_equal(share.grams, cases[i].grams);
		assert_int_equal(share.known, cases[i].known);
	}
	repeat_remove(&repeat, slice(first));
	assert_int_equal(repeat_share(&repeat, slice(first)).known, 0);
	repeat_release(&repeat);
}

/* A name of five characters is no repetition, a clause is. */
static void test_chinese_grams_are_of_eight_characters(void **unused)
{
	struct repeat repeat;

	(void)unused;
	repeat_init(&repeat);
	assert_int_equal(repeat_add(&repeat, slice("中华人民共和国的港口在清晨很安静。")), OK);
	assert_int_equal(repeat_share(&repeat, slice("中华人民共和国成立了。")).known, 0);
	assert_true(repeat_share(&repeat, slice("港口在清晨很安静。")).known > 0);
	repeat_release(&repeat);
}

static void test_circling(void **unused)
{
	struct buf text;
	bool is_circling = true;

	(void)unused;
	buf_init(&text, 10000);
	assert_int_equal(repeat_is_circling(slice(first), &is_circling), OK);
	assert_false(is_circling);
	for (int i = 0; i < 20; i++)
		assert_int_equal(buf_append_str(&text, "and on and on it goes "), OK);
	assert_int_equal(repeat_is_circling((struct slice){ text.data, text.len }, &is_circling),
			 OK);
	assert_true(is_circling);
	buf_release(&text);
}

static void test_many_sentences_and_no_memory(void **unused)
{
	struct repeat repeat;
	char sentence[80];

	(void)unused;
	repeat_init(&repeat);
	mem_fail_at(1);
	assert_int_equal(repeat_add(&repeat, slice(first)), ERR_NO_MEMORY);
	mem_fail_at(2);
	assert_int_equal(repeat_add(&repeat, slice(first)), ERR_NO_MEMORY);
	mem_fail_at(0);
	for (int i = 0; i < 3000; i++) {
		assert_true(snprintf(sentence, sizeof(sentence), "w%d x%d y%d z%d v%d u%d.", i, i,
				     i, i, i, i) > 0);
		assert_int_equal(repeat_share(&repeat, slice(sentence)).known, 0);
		assert_int_equal(repeat_add(&repeat, slice(sentence)), OK);
	}
	assert_int_equal(repeat_share(&repeat, slice("w7 x7 y7 z7 v7 u7")).known, 2);
	repeat_release(&repeat);
}

static void test_fingerprints_know_words_only(void **unused)
{
	(void)unused;
	assert_true(repeat_fingerprint(slice("It is so.")) ==
		    repeat_fingerprint(slice("it IS so!")));
	assert_false(repeat_fingerprint(slice("It is so.")) ==
		     repeat_fingerprint(slice("So it is.")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_chinese_grams_are_of_eight_characters),
		cmocka_unit_test(test_circling),
		cmocka_unit_test(test_many_sentences_and_no_memory),
		cmocka_unit_test(test_fingerprints_know_words_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
