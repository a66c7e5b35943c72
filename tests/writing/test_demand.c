/* Demand: the requests of tests/writing/data, written down before the detector.
 */
#include "check.h"
#include "writing/demand.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/writing/data/"
enum { LINE_MAX_BYTES = 1 << 16, PLANNED_FROM = 1000 };

/* Calls `check` with each row of a jsonl file; returns how many there were. */
static int each_row(const char *path, void (*check)(json_t *row))
{
	FILE *file = fopen(path, "r");
	char *line = malloc(LINE_MAX_BYTES);
	int count = 0;

	assert_non_null(file);
	assert_non_null(line);
	while (fgets(line, LINE_MAX_BYTES, file) != NULL) {
		json_t *row = json_loads(line, 0, NULL);

		assert_non_null(row);
		check(row);
		json_decref(row);
		count++;
	}
	free(line);
	fclose(file);
	return count;
}

static const char *text_of(json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	assert_non_null(text);
	return text;
}

static int wrong;

static void expect(json_t *row, const char *what, const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0)
		return;
	print_error("%s: expected %s, got %s: %.80s\n", what, expected, got, text_of(row, "text"));
	wrong++;
}

static void expect_long(json_t *row, const char *what, long got, long expected)
{
	char got_text[32];
	char expected_text[32];

	snprintf(got_text, sizeof(got_text), "%ld", got);
	snprintf(expected_text, sizeof(expected_text), "%ld", expected);
	expect(row, what, got_text, expected_text);
}

static void check_writing(json_t *row)
{
	static const char *const bounds[] = { "about", "at_least", "at_most", "range" };
	static const char *const languages[] = { "en", "zh", "other" };
	const char *text = text_of(row, "text");
	struct demand demand;

	demand_read(text, strlen(text), &demand);
	expect_long(row, "target", demand.target_words,
		    (long)json_integer_value(json_object_get(row, "target")));
	expect(row, "language", languages[demand.language], text_of(row, "language"));
	expect(row, "bound", bounds[demand.bound], text_of(row, "bound"));
	if (strcmp(text_of(row, "kind"), "other") != 0)
		expect(row, "kind", demand_kind_name(demand.kind), text_of(row, "kind"));
	expect_long(row, "number", demand.has_number, json_is_true(json_object_get(row, "number")));
	expect_long(row, "writing", demand.is_writing, true);
}

static void each_writing_request_is_understood(void **state)
{
	(void)state;
	wrong = 0;
	assert_true(each_row(DATA "writing.jsonl", check_writing) >= 100);
	assert_int_equal(wrong, 0);
}

static void check_passing(json_t *row)
{
	const char *text = text_of(row, "text");
	struct demand demand;

	demand_read(text, strlen(text), &demand);
	expect_long(row, "planned",
		    demand.has_number && demand.is_writing && demand.target_words >= PLANNED_FROM,
		    strcmp(text_of(row, "why"), "housekeeping") == 0 ? demand.is_writing : 0);
}

static void nothing_else_is_taken_for_one(void **state)
{
	(void)state;
	wrong = 0;
	assert_true(each_row(DATA "passing.jsonl", check_passing) >= 100);
	assert_int_equal(wrong, 0);
}

static int near;

static void count_near(json_t *row)
{
	const char *prompt = text_of(row, "prompt");
	long label = (long)json_integer_value(json_object_get(row, "length"));
	struct demand demand;

	demand_read(prompt, strlen(prompt), &demand);
	if (labs(demand.target_words - label) * 10 > label)
		print_error("label %ld, read %ld: %.80s\n", label, demand.target_words, prompt);
	else
		near++;
}

static void the_label_is_met(void **state)
{
	int count;

	(void)state;
	near = 0;
	count = each_row(DATA "rows.jsonl", count_near);
	assert_true(count >= 40);
	assert_int_equal(near, count);
}

static void bounds_become_targets(void **state)
{
	static const struct {
		const char *text;
		long target;
		long at_least;
		long at_most;
	} rows[] = {
		{ "Write an essay of 1000 words.", 1000, 0, 0 },
		{ "Write an essay of at least 1000 words.", 1000, 1000, 0 },
		{ "Write an essay of at most 1000 words.", 970, 0, 1000 },
		{ "Write an essay of 800 to 1000 words.", 970, 800, 1000 },
		{ "Write an essay of 990 to 1000 words.", 990, 990, 1000 },
		{ "Write at least 800 words, but no more than 1200 words, about tea.", 1164, 800,
		  1200 },
		{ "写一篇3-5千字的文章", 4850, 3000, 5000 },
		{ "写一篇1-1.5万字的文章", 14550, 10000, 15000 },
		{ "写一篇1万5千字的文章", 15000, 0, 0 },
		{ "写一篇几千字的文章", 1000, 0, 0 }, /* vague: the default of its kind */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct demand demand;

		demand_read(rows[i].text, strlen(rows[i].text), &demand);
		if (demand.target_words != rows[i].target || demand.at_least != rows[i].at_least ||
		    demand.at_most != rows[i].at_most)
			fail_msg("%s: %ld, %ld to %ld", rows[i].text, demand.target_words,
				 demand.at_least, demand.at_most);
	}
}

/* The request stands behind 200 KB of somebody's notes. */
static void a_long_message_is_read_at_both_ends(void **state)
{
	static const char note[] = "The canal was quiet that year and nobody painted it. ";
	static const char request[] = "\n\nNow write a 3000-word article from these notes.";
	size_t len = 0;
	char *text = malloc(300000);
	struct demand demand;

	(void)state;
	assert_non_null(text);
	while (len < 200000) {
		memcpy(text + len, note, sizeof(note) - 1);
		len += sizeof(note) - 1;
	}
	memcpy(text + len, request, sizeof(request) - 1);
	demand_read(text, len + sizeof(request) - 1, &demand);
	free(text);
	assert_int_equal(demand.target_words, 3000);
	assert_true(demand.is_writing);
}

static void any_bytes_are_taken(void **state)
{
	static const char *const bits[] = { "write ",	 "1000",  " words", "字",      "写",
					    "\n",	 "\"",	  "<a>",    "</a>",    "`",
					    "```",	 "\xe4",  "\xff",   "万",      ",",
					    "-----\n",	 "each ", "to ",    "第",      "a ",
					    "thousand ", ".",	  "：",	    "\xe2\x80" };
	unsigned random = 11;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[400];
		size_t len = 0;
		char *exact; /* so that a read past the end is seen */
		struct demand demand;

		for (int i = 0; i < 30; i++) {
			const char *bit = bits[(random >> 16) % COUNT_OF(bits)];

			random = random * 1103515245u + 12345u;
			memcpy(text + len, bit, strlen(bit));
			len += strlen(bit);
		}
		exact = malloc(len);
		assert_non_null(exact);
		memcpy(exact, text, len);
		demand_read(exact, len, &demand);
		free(exact);
		assert_true(demand.target_words >= 0);
	}
	demand_read("", 0, &(struct demand){ 0 });
}

/* A length of nothing is no length; a form has its default all the same. */
static void zero_is_no_length(void **state)
{
	static const struct {
		const char *text;
		long target_words; /* 0: none was said */
	} rows[] = {
		{ "Write an essay of 0 words, 0 pages.", 0 },
		{ "Write 0 words.", 0 },
		{ "Write a story of 0 pages in all, or 00000 words.", 0 },
		{ "Write an essay of 0 pages, or 1500 words.", 1500 },
		{ "请写一篇0字的文章。", 0 },
		{ "Write:\n1. a beginning, 0 words\n2. and an end of 0 words", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct demand demand;

		demand_read(rows[i].text, strlen(rows[i].text), &demand);
		if (rows[i].target_words > 0)
			assert_int_equal(demand.target_words, rows[i].target_words);
		assert_int_equal(demand.has_number, rows[i].target_words > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_writing_request_is_understood),
		cmocka_unit_test(nothing_else_is_taken_for_one),
		cmocka_unit_test(the_label_is_met),
		cmocka_unit_test(bounds_become_targets),
		cmocka_unit_test(a_long_message_is_read_at_both_ends),
		cmocka_unit_test(any_bytes_are_taken),
		cmocka_unit_test(zero_is_no_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
