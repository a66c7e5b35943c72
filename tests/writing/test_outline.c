/* Outline: the user's own structure is kept, and nothing else is taken for one.
 */
#include "base/mem.h"
#include "check.h"
#include "writing/outline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 6 };

static const struct {
	const char *text;
	struct {
		const char *title;
		const char *point;
		long words;
	} items[ITEMS_MAX];
} rows[] = {
	{ "Write an essay with this structure:\n1. Introduction (200 words)\n2. "
	  "Causes: the tide and "
	  "the law (500 words)\n3. Conclusion - 200 words\nUse simple words.",
	  { { "Introduction", "", 200 },
	    { "Causes", "the tide and the law (500 words)", 500 },
	    { "Conclusion", "", 200 } } },
	{ "把下面的提纲扩写成3000字的文章：\n一、古桥的历史\n二、古桥的结构（500字）"
	  "\n三、古桥的传说",
	  { { "古桥的历史", "", 0 }, { "古桥的结构", "", 500 }, { "古桥的传说", "", 0 } } },
	{ "按照下列大纲，写篇文章，3000字左右。标题：老站\n\n导语：介绍改造。\n第二"
	  "段，车站的历史。\n\n"
	  "第三段，改造的过程。\n",
	  { { "", "导语：介绍改造。", 0 }, { "", "车站的历史。", 0 }, { "", "改造的过程。", 0 } } },
	{ "Write a novel.\n\nChapter 1: The bell\nChapter 2: The thaw - Anna "
	  "leaves\nChapter 3: Salt\n",
	  { { "Chapter 1: The bell", "", 0 },
	    { "Chapter 2: The thaw", "Anna leaves", 0 },
	    { "Chapter 3: Salt", "", 0 } } },
	{ "写一部小说，每章两千字。\n第一章 风起\n第二章 雨落\n",
	  { { "第一章 风起", "", 0 }, { "第二章 雨落", "", 0 } } },
	{ "Use the following sections:\n\n- **History**\n  - founding\n  - fire of "
	  "1802\n- Food\n\nThanks",
	  { { "History", "- founding\n  - fire of 1802", 0 }, { "Food", "", 0 } } },
	{ "Write a guide.\nSections: history, food, hiking, and practical "
	  "tips.\nLength: 3500 words.",
	  { { "history", "", 0 },
	    { "food", "", 0 },
	    { "hiking", "", 0 },
	    { "practical tips", "", 0 } } },
	{ "写一篇普法文章\n文章结构：引言、主题论述、相关案例、结论与建议，2500字以"
	  "上。",
	  { { "引言", "", 0 },
	    { "主题论述", "", 0 },
	    { "相关案例", "", 0 },
	    { "结论与建议", "", 0 } } },
	{ "Write a report as in this outline:\n1) Scope\n2) Method\n   samples and "
	  "tests\n3) Results",
	  { { "Scope", "", 0 }, { "Method", "samples and tests", 0 }, { "Results", "", 0 } } },
	{ "Write a 1,500-word report about tea with exactly these headings:\n\n# Tea\n## Origins & "
	  "Myths\nOld ones.\n\n## Trade: 1600-1800\n### Ships\n## Law (1773)\n\n",
	  { { "Origins & Myths", "Old ones.", 0 },
	    { "Trade: 1600-1800", "### Ships", 0 },
	    { "Law (1773)", "", 0 } } },
	{ "Write an article. Use the following headings:\n## Origins (300 words)\n## Trade",
	  { { "Origins", "", 300 }, { "Trade", "", 0 } } },
	/* no outlines */
	{ "# Task\nWrite about tea.\n## Style\nPlain.\n## Length\n2,000 words", { { 0 } } },
	{ "Use these headings:\n#one #two\n#three", { { 0 } } },
	{ "Write an essay.\nRequirements:\n1. Use British spelling.\n2. No "
	  "lists.\n3. Be kind.",
	  { { 0 } } },
	{ "Facts:\n1. The bridge opened in 1890.\n2. It fell in 1912.\nWrite a "
	  "story.",
	  { { 0 } } },
	{ "写一篇文章。结构要求：\n1. 条理清晰\n2. 语言生动", { { 0 } } },
	{ "Structure: clear, logical, engaging. Write about tea.", { { 0 } } },
	{ "文章结构：清晰、严谨、完整。写写茶。", { { 0 } } },
	{ "<context>\nThe outline:\n1. One\n2. Two\n</context>\nWrite an article.", { { 0 } } },
	{ "```\noutline:\n1. One\n2. Two\n```\nWhat is this?", { { 0 } } },
	{ "> with this structure:\n> 1. One\n> 2. Two\nAnswer him.", { { 0 } } },
	{ "Use this structure:\n1. Only one", { { 0 } } },
	{ "Tell me about 1. e4 e5 2. Nf3 in this structure: sharp", { { 0 } } },
	{ "", { { 0 } } },
};

static void check_slice(struct slice slice, const char *expected)
{
	if (slice.len != strlen(expected) || memcmp(slice.data, expected, slice.len) != 0)
		fail_msg("expected [%s], got [%.*s]", expected, (int)slice.len, slice.data);
}

static void each_outline_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct outline_item items[OUTLINE_ITEMS_MAX];
		size_t count = outline_find(rows[i].text, strlen(rows[i].text), items);
		size_t expected = 0;

		while (expected < ITEMS_MAX && rows[i].items[expected].title != NULL)
			expected++;
		if (count != expected)
			fail_msg("%zu items, expected %zu: %s", count, expected, rows[i].text);
		for (size_t k = 0; k < count; k++) {
			check_slice(items[k].title, rows[i].items[k].title);
			check_slice(items[k].point, rows[i].items[k].point);
			assert_int_equal(items[k].words, rows[i].items[k].words);
		}
	}
}

static void a_long_list_is_cut_at_its_bound(void **state)
{
	char text[4000] = "Use these sections:\n";
	size_t len = strlen(text);
	struct outline_item items[OUTLINE_ITEMS_MAX];

	(void)state;
	for (int i = 1; i <= 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d. Title %d\n", i, i);
	assert_int_equal(outline_find(text, len, items), OUTLINE_ITEMS_MAX);
}

static void it_becomes_a_plan(void **state)
{
	struct plan plan;
	enum err err;

	(void)state;
	plan_init(&plan);
	err = outline_read(rows[0].text, strlen(rows[0].text), &plan);
	assert_int_equal(err, OK);
	assert_int_equal(plan.n_sections, 3);
	assert_string_equal(plan.sections[0].title, "Introduction");
	assert_true(plan.sections[0].is_title_users);
	assert_true(plan.sections[0].is_words_users);
	assert_int_equal(plan.sections[1].words, 500);
	plan_release(&plan);
}

static void memory_may_run_out(void **state)
{
	size_t failed = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK && nth < 100; nth++) {
		struct plan plan;

		plan_init(&plan);
		mem_fail_at(nth);
		err = outline_read(rows[1].text, strlen(rows[1].text), &plan);
		mem_fail_at(0);
		failed += err == ERR_NO_MEMORY;
		plan_release(&plan);
	}
	assert_int_equal(err, OK);
	assert_true(failed > 0);
}

static void any_bytes_are_taken(void **state)
{
	static const char *const bits[] = {
		"outline:\n", "1. ",	 "\n",	       "- ", "第",	  "一",	    "段",   "(",
		"2",	      " words)", "：",	       "**", "Chapter 1", "\xe7",   "\xff", "#",
		"sections: ", ", ",	 "</context>", "> ", "```",	  "结构：", "、"
	};
	unsigned random = 5;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[400];
		size_t len = 0;
		size_t count;
		char *exact; /* so that a read past the end is seen */
		struct outline_item items[OUTLINE_ITEMS_MAX];

		for (int i = 0; i < 24; i++) {
			const char *bit = bits[(random >> 16) % COUNT_OF(bits)];

			random = random * 1103515245u + 12345u;
			memcpy(text + len, bit, strlen(bit));
			len += strlen(bit);
		}
		exact = malloc(len);
		assert_non_null(exact);
		memcpy(exact, text, len);
		count = outline_find(exact, len, items);
		free(exact);
		assert_in_range(count, 0, OUTLINE_ITEMS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outline_is_found),
		cmocka_unit_test(a_long_list_is_cut_at_its_bound),
		cmocka_unit_test(it_becomes_a_plan),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(any_bytes_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
