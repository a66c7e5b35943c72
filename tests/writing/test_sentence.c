/* Sentences: a text is exactly its sentences in a row, and nothing is decided
 * too early. */
#include "check.h"
#include "writing/sentence.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 12 };

/* Each row: the sentences of the text that they make when joined. */
static const char *const rows[][MAX_PARTS] = {
	{ "It rained. ", "Nobody came." },
	{ "Dr. Smith met Mrs. Jones at 5 p.m. on Jan. 3. ", "They talked." },
	{ "He moved to the U.S. ", "The house was small." },
	{ "The U.S. Army paid. ", "So did we." },
	{ "Pi is 3.14 and e is 2.72. ", "Both go on." },
	{ "See e.g. Newton, i.e. the elder, J. R. R. Tolkien, or Fig. 3. ", "Fine." },
	{ "\"Is it over?\" she asked. ", "\"Yes.\" ", "He left." },
	{ "“Stop!” he cried, and ran. ", "(It was late.) ", "The end." },
	{ "Well... perhaps not. ", "Then again... ", "No." },
	{ "No. ", "I said no. ", "That was all." },
	{ "See No. 5 on the list. ", "It helps." },
	{ "Wait… what? ", "Oh… ", "Right." },
	{ "Visit example.com today. ", "It is v1.2.3." },
	{ "It was shown.[12] ", "Nobody disagreed.[3][4] ", "Later." },
	{ "**Bold claim.** ", "Then proof." },
	{ "Really?! ", "Yes!! ", "Good." },
	{ "今天下雨。", "没有人来！", "为什么？", "不知道。" },
	{ "“你好。”", "他说。", "（完。）" },
	{ "我……我不知道。", "算了……\n", "走吧。" },
	{ "他说：“等等！”\n\n", "门开了。" },
	{ "圆周率是3.14。", "U.S.很大。" },
	{ "## 1. The plan: now. Or never\n\n", "We began. ", "It worked." },
	{ "# 第一章 风。雨\n", "雨停了。" },
	{ "A line without a mark\n\n", "Another paragraph." },
	{ "This line only\nwraps here. ", "Next." },
	{ "Roses are red\n", "Violets are blue\n" },
	{ "床前明月光\n", "疑是地上霜\n" },
	{ "1. First item. ", "More of it.\n", "2. Second item\n", "3. Third" },
	{ "- apples and pears\n", "- plums. ", "Ripe ones.\n" },
	{ "Look:\n", "```c\nint a = 1; // Done. Yes.\n\nreturn a;\n```\n\n", "That was it." },
	{ "| a. b | c |\n", "| d | e |\n", "Text." },
	{ "\n\n  Leading space. ", "Then." },
	{ "यह है। ", "वह है।" },
	{ "Plain words with no end" },
};

static size_t join(const char *const *parts, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < MAX_PARTS && parts[i] != NULL; i++)
		len += (size_t)snprintf(out + len, size - len, "%s", parts[i]);
	return len;
}

static void check_parts(const char *const *parts, const char *text, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < MAX_PARTS && parts[i] != NULL; i++) {
		size_t got = sentence_end(text + at, len - at, true);

		if (got != strlen(parts[i]))
			fail_msg("expected [%s], got [%.*s]", parts[i], (int)got, text + at);
		at += got;
	}
	assert_int_equal(at, len);
}

static void each_text_falls_into_its_sentences(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[400];

		check_parts(rows[i], text, join(rows[i], text, sizeof(text)));
	}
}

/* The text comes byte by byte; what is decided early must be what is decided at
 * the end. */
static void nothing_is_decided_too_early(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[400];
		size_t len = join(rows[i], text, sizeof(text));
		size_t first = strlen(rows[i][0]);

		for (size_t seen = 0; seen <= len; seen++) {
			size_t got = sentence_end(text, seen, false);

			if (got != 0 && got != first)
				fail_msg("[%.*s] was ended early at %zu", (int)seen, text, got);
		}
	}
}

static void a_complete_sentence_is_given_before_the_end(void **state)
{
	(void)state;
	assert_int_equal(sentence_end("It rained. N", 12, false), 0); /* may be "No. 5" */
	assert_int_equal(sentence_end("It rained. Nobody ", 18, false), 11);
	assert_int_equal(sentence_end("下雨。风", 12, false), 9);
	assert_int_equal(sentence_end("下雨。", 9, false), 0); /* a quote may follow */
	assert_int_equal(sentence_end("in the U.S", 10, false), 0);
	assert_int_equal(sentence_end("", 0, false), 0);
	assert_int_equal(sentence_end("", 0, true), 0);
	assert_int_equal(sentence_end(" \n", 2, true), 2);
	assert_int_equal(sentence_end("```\na. B.\n", 10, false), 0);
}

static void finished_or_not(void **state)
{
	static const struct {
		const char *text;
		bool is_finished;
	} cases[] = {
		{ "The end.", true },
		{ "The end", false },
		{ "The end.\n\n", true },
		{ "“No!”", true },
		{ "结束了。”\n", true },
		{ "然后，", false },
		{ "and then:", false },
		{ "He left...", true },
		{ "我不知道……", true },
		{ "...", true },
		{ "Text.\n\n1.", false },
		{ "Text.\n\n## More.", false },
		{ "Text.\n- item", false },
		{ "- An item.", true },
		{ "```\nx\n```", true },
		{ "```", false },
		{ "| a | b |", true },
		{ "**Done.**", true },
		{ "", false },
		{ "(in the U.S.)", true },
		{ "It cost 3.", true },
		{ "Done.[3]", true },
		{ "\xff\xfe", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (sentence_is_finished(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].is_finished)
			fail_msg("[%s] should%s be finished", cases[i].text,
				 cases[i].is_finished ? "" : " not");
}

static void any_bytes_are_taken(void **state)
{
	static const char *const bits[] = {
		".", "\n", "`", "\xe3\x80\x82", "\xe2", " ", "a",  "A",
		"#", "|",  "1", "\xff",		"[",	"]", "\"", "```"
	};
	unsigned random = 3;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[64];
		char *exact; /* so that a read past the end is seen */
		size_t len = 0;
		size_t at = 0;
		size_t early;

		for (int i = 0; i < 18; i++) {
			const char *bit = bits[(random >> 16) % COUNT_OF(bits)];

			random = random * 1103515245u + 12345u;
			memcpy(text + len, bit, strlen(bit));
			len += strlen(bit);
		}
		exact = malloc(len);
		assert_non_null(exact);
		memcpy(exact, text, len);
		while (at < len) {
			size_t got = sentence_end(exact + at, len - at, true);

			assert_in_range(got, 1, len - at);
			at += got;
		}
		sentence_is_finished(exact, len);
		early = sentence_end(exact, len, false);
		free(exact);
		assert_in_range(early, 0, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_falls_into_its_sentences),
		cmocka_unit_test(nothing_is_decided_too_early),
		cmocka_unit_test(a_complete_sentence_is_given_before_the_end),
		cmocka_unit_test(finished_or_not),
		cmocka_unit_test(any_bytes_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
