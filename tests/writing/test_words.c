/* Words: the benchmark's vectors, our own count, and text that comes in pieces.
 */
#include "check.h"
#include "writing/words.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS "tests/writing/data/word-count-vectors.txt"

/* A line reads: "text" (CJK, English) sum. */
static void each_vector_counts_as_python_does(void **state)
{
	FILE *file = fopen(VECTORS, "r");
	char line[500];
	int seen = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *end = strstr(line, "\" (");

		if (line[0] != '"' || end == NULL)
			continue;
		long sum = strtol(strchr(end, ')') + 1, NULL, 10);

		assert_int_equal(words_count(WORDS_BENCHMARK, line + 1, (size_t)(end - line - 1)),
				 sum);
		seen++;
	}
	fclose(file);
	assert_int_equal(seen, 21);
}

static void each_score_vector_holds(void **state)
{
	FILE *file = fopen(VECTORS, "r");
	char line[500];
	int seen = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		long asked;
		long written;
		double score;

		if (sscanf(line, "%ld %ld %lf", &asked, &written, &score) != 3)
			continue;
		assert_true(fabs(words_score(asked, written) - score) < 0.0001);
		seen++;
	}
	fclose(file);
	assert_int_equal(seen, 12);
	assert_true(words_score(1000, 0) == 0);
	assert_true(words_score(0, 10) == 0);
}

static const struct {
	const char *text;
	long natural;
} natural_rows[] = {
	{ "", 0 },
	{ "用AI写作", 4 },
	{ "state-of-the-art", 1 },
	{ "don't stop", 2 },
	{ "GPT4o costs 3.14 dollars", 4 },
	{ "café naïve", 2 },
	{ "caf\x65\xcc\x81 x", 2 },
	{ "- * — ...", 0 },
	{ "2024年", 2 },
	{ "AI，写作", 3 },
	{ "ひらがな カタカナ", 8 },
	{ "か\xe3\x82\x99", 1 }, /* ka and a combining voice mark: one kana in NFC */
	{ "한국어 텍스트", 2 },
	{ "東京タワー", 5 },
	{ "\xff\xfe word", 1 },
	{ "word\xe4\xbd", 1 },
	{ "one\xe3\x80\x80two\nthree", 3 },
};

static void our_own_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(natural_rows); i++) {
		const char *text = natural_rows[i].text;

		assert_int_equal(words_count(WORDS_NATURAL, text, strlen(text)),
				 natural_rows[i].natural);
	}
}

static void nfc_does_not_change_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(natural_rows); i++) {
		struct buf nfc;
		const char *text = natural_rows[i].text;

		buf_init(&nfc, 1000);
		assert_int_equal(text_nfc(text, strlen(text), &nfc), OK);
		assert_int_equal(words_count(WORDS_NATURAL, buf_str(&nfc), nfc.len),
				 natural_rows[i].natural);
		buf_release(&nfc);
	}
}

static void check_cut(const char *text, size_t len, size_t cut)
{
	struct word_count whole = words_count_both(text, len);
	struct word_counter counter;

	word_counter_init(&counter);
	word_counter_feed(&counter, text, cut);
	word_counter_feed(&counter, text + cut, len - cut);
	assert_int_equal(word_counter_total(&counter).natural, whole.natural);
	assert_int_equal(word_counter_total(&counter).benchmark, whole.benchmark);
}

static void no_cut_changes_the_count(void **state)
{
	const char *text = "Plan B: 用AI写作, café GPT4o \xe4\xbd x \xf0\x9f\x98 "
			   "\xff\xf0\x9f\x98\x80y "
			   "\xe4\xe5\xe4\xbd\xa0 don't \xf0\x9f\xe4\xbd\xa0 end\xe4\xbd";
	size_t len = strlen(text);
	struct word_count whole = words_count_both(text, len);
	struct word_counter counter;

	(void)state;
	for (size_t cut = 0; cut <= len; cut++)
		check_cut(text, len, cut);
	word_counter_init(&counter);
	for (size_t i = 0; i < len; i++)
		word_counter_feed(&counter, text + i, 1);
	assert_int_equal(word_counter_total(&counter).natural, whole.natural);
	assert_int_equal(word_counter_total(&counter).benchmark, whole.benchmark);
}

static void any_bytes_in_any_pieces(void **state)
{
	unsigned random = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		static const unsigned char bytes[] = { 'a',  ' ',  0xe4, 0xbd, 0xa0, 0xf0,
						       0x9f, 0x98, 0x80, 0xff, '1',  '_' };
		char text[24];

		for (size_t i = 0; i < sizeof(text); i++) {
			random = random * 1103515245u + 12345u;
			text[i] = (char)bytes[(random >> 16) % sizeof(bytes)];
		}
		check_cut(text, sizeof(text), (random >> 8) % sizeof(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vector_counts_as_python_does),
		cmocka_unit_test(each_score_vector_holds),
		cmocka_unit_test(our_own_count),
		cmocka_unit_test(nfc_does_not_change_it),
		cmocka_unit_test(no_cut_changes_the_count),
		cmocka_unit_test(any_bytes_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
