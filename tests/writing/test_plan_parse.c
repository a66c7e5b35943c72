/* Sections out of what models really answer: JSON whole, wrapped, broken; lines of every kind. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "writing/plan_parse.h"

/* The plan as one line: "title{point}[words]/..." with empty parts left out. */
static void render(const struct plan *plan, struct buf *out)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < plan->n_sections; i++) {
		const struct plan_section *section = &plan->sections[i];

		err = buf_printf(out, "%s%s", i > 0 ? "/" : "", section->title);
		if (err == OK && section->point[0] != '\0')
			err = buf_printf(out, "{%s}", section->point);
		if (err == OK && section->words > 0)
			err = buf_printf(out, "[%ld]", section->words);
	}
	assert_int_equal(err, OK);
}

struct row {
	const char *answer;
	const char *plan;
};

static const struct row json_rows[] = {
	{ "{\"sections\":[{\"title\":\"A one\",\"point\":\"p\"}"
	  ",{\"title\":\"B two\",\"point\":\"q\"}]}",
	  "A one{p}/B two{q}" },
	{ "Here is your plan:\n```json\n{\"sections\": [{\"title\": "
	  "\"Roots\"}, {\"title\": \"Trade\"}]}\n```\nEnjoy!",
	  "Roots/Trade" },
	{ "[\"Roots\", \"Trade\", \"Today\"]", "Roots/Trade/Today" },
	{ "{\"titles\": [\"Roots\", \"Trade\"]}", "Roots/Trade" },
	{ "[{\"heading\":\"Roots\",\"description\":\"d\",\"word_count\":\"400 words\"},"
	  "{\"heading\":\"Trade\",\"word_count\":300}]",
	  "Roots{d}[400]/Trade[300]" },
	{ "{\"title\":\"All of Tea\",\"sections\":[{\"title\":\"Roots\"},{\"title\":\"Trade\"}]}",
	  "Roots/Trade" },
	{ "{\"sections\":[{\"title\":\"Roots\"},{\"title\":\"Trade\"}"
	  "],\"title\":\"All\",\"total_words\":900}",
	  "Roots/Trade" },
	{ "{\"sections\":[{\"title\":\"Roots\",\"point\":\"p\"},{\"title\":\"Tra", "Roots{p}" },
	{ "{\"sections\":[{\"title\":\"Roots\",\"point\":\"how it be", "Roots" },
	{ "{\"sections\":[\"Roots\",\"Trade\",\"To", "Roots/Trade" },
	{ "{'sections': ['Roots', 'Trade\\'s end', 'It's late']}", "Roots/Trade's end/It's late" },
	{ "{\"sections\":[{\"title\":\"The \"Great\" War\"},{\"title\":\"After\"},]}",
	  "The \"Great\" War/After" },
	{ "{\"sections\":[{\"title\":\"Roots\",\"points\":[\"x\",\"y\"]},{\"title\":\"Trade\"}]}",
	  "Roots{x; y}/Trade" },
	{ "{\"outline\":{\"title\":\"T\",\"sections\":[{\"title\":\"Roots\"}"
	  ",{\"title\":\"Trade\"}]}}",
	  "Roots/Trade" },
	{ "{\"Introduction\":\"what tea is\",\"Trade Routes\":\"how it moved\"}",
	  "Introduction{what tea is}/Trade Routes{how it moved}" },
	{ "{\"sections\":{\"Introduction\":{\"point\":\"p\","
	  "\"words\":200},\"Body\":{\"words\":300}}}",
	  "Introduction{p}[200]/Body[300]" },
	{ "{\"1\":\"Roots\",\"2\":\"Trade\"}", "Roots/Trade" },
	{ "{\"section_1\":\"Roots\",\"section_2\":\"Trade\"}", "Roots/Trade" },
	{ "{\"section_1\":{\"title\":\"Roots\"},\"section_2\":{\"title\":\"Trade\"}}",
	  "Roots/Trade" },
	{ "{\"title\":\"Roots\",\"point\":\"p\"}\n{\"title\":\"Trade\",\"point\":\"q\"}",
	  "Roots{p}/Trade{q}" },
	{ "[{\"paragraph\":1,\"main_point\":\"Tell of roots\",\"word_count\":250}]",
	  "{Tell of roots}[250]" },
	{ "{\"sections\":[{\"title\":\"\\u8336\\u7684\\u5386\\u53f2\"}"
	  ",{\"title\":\"\\ud83c\\udf75 tea\"}]}",
	  "茶的历史/🍵 tea" },
	{ "{\"章节\":[{\"标题\":\"茶的历史\",\"要点\":\"起源\",\"字数\":500},{\"标题\":\"茶的制作\"}]}",
	  "茶的历史{起源}[500]/茶的制作" },
	{ "<think>maybe [\"Wrong\", \"Bad\"]</think>{\"sections\":[{\"title\":\"Roots\"}]}",
	  "Roots" },
	{ "{\"sections\":[{\"title\":\"Roots\"} {\"title\":\"Trade\"}]", "Roots/Trade" },
	{ "{\"keywords\":[\"tea\",\"trade\"],\"sections\":[\"Roots\",\"Trade\"]}", "Roots/Trade" },
	{ "{\"sections\":[{\"title\":\"Roots\",\"sections\":[{\"title\":\"a\"},{\"title\":\"b\"}]},"
	  "{\"title\":\"Trade\"}]}",
	  "Roots{a; b}/Trade" },
	{ "{\"sections\": []}", "" },
};

static const struct row line_rows[] = {
	{ "1. Roots\n2. Trade\n3. Today", "Roots/Trade/Today" },
	{ "1. Roots: where the plant was first grown and "
	  "used\n2. Trade: the caravans that took it west",
	  "Roots{where the plant was first grown and used}/Trade{the caravans that took it west}" },
	{ "1) Roots\n2) Trade", "Roots/Trade" },
	{ "- Roots\n- Trade\n", "Roots/Trade" },
	{ "* **Roots**: the plant and its first growers\n* **Trade**: who carried it",
	  "Roots{the plant and its first growers}/Trade{who carried it}" },
	{ "**Roots**\n\n**Trade**\n", "Roots/Trade" },
	{ "## Roots\n## Trade\n", "Roots/Trade" },
	{ "# The Story of Tea\n\n## Roots\nwhere it began\n\n## Trade\n", "Roots/Trade" },
	{ "### 1. Roots\n### 2. Trade", "Roots/Trade" },
	{ "Sure! Here is the outline:\n\nSection 1 - Roots\nSection 2 - Trade\n\nLet me know!",
	  "Roots/Trade" },
	{ "**Section 1: Roots**\n- the plant\n- the soil\n**Section 2: Trade**\n- ships",
	  "Roots{the plant; the soil}/Trade{ships}" },
	{ "Paragraph 1 - Main Point: Introduce the plant. - Word Count: 400 words\n\n"
	  "Paragraph 2 - Main Point: Tell of the trade. - Word Count: 600 words",
	  "{Introduce the plant.}[400]/{Tell of the trade.}[600]" },
	{ "1. Roots (300 words)\n2. Trade (approx. 1,200 words)", "Roots[300]/Trade[1200]" },
	{ "1. Roots (300-400 words): the plant\n2. Trade (500 words): the ships",
	  "Roots{the plant}[350]/Trade{the ships}[500]" },
	{ "1. Roots\n   - the plant\n   - Word Count: 300\n2. Trade\n   - ships\n",
	  "Roots{the plant}[300]/Trade{ships}" },
	{ "1. Roots\n1.1 The plant\n1.2 The soil\n2. Trade\n2.1 Ships",
	  "Roots{The plant; The soil}/Trade{Ships}" },
	{ "## Roots\n1. plant\n2. soil\n## Trade\n1. ships\n2. ports",
	  "Roots{plant; soil}/Trade{ships; ports}" },
	{ "I. Roots\nII. Trade\nIII. Today", "Roots/Trade/Today" },
	{ "Chapter One: Roots\nChapter Two: Trade", "Roots/Trade" },
	{ "Part I. Roots\nPart II. Trade", "Roots/Trade" },
	{ "Roots of the Leaf\nThe Trade Winds\nTea Today",
	  "Roots of the Leaf/The Trade Winds/Tea Today" },
	{ "Here are the titles:\nRoots\nTrade\n", "Roots/Trade" },
	{ "1. \"Roots\"\n2. \"Trade\"", "Roots/Trade" },
	{ "1. Tea: A Short History\n2. Tea: Its Trade", "Tea: A Short History/Tea: Its Trade" },
	{ "1. 1984 and Its Readers\n2. 5G Networks", "1984 and Its Readers/5G Networks" },
	{ "Step 1: Boil water\nStep 2: Steep", "Boil water/Steep" },
	{ "(1) Roots\n(2) Trade", "Roots/Trade" },
	{ "Here are 3 short titles:\n\n1. The Art of Tea\n2. The Trade\n3. The",
	  "The Art of Tea/The Trade/The" },
	{ "1. Title: Roots\n2. Title: Trade", "Roots/Trade" },
	{ "第一章 茶的起源\n第二章 茶马古道", "茶的起源/茶马古道" },
	{ "第一章茶的起源\n第二章茶马古道", "茶的起源/茶马古道" },
	{ "一、茶的起源\n二、茶马古道\n三、今日之茶", "茶的起源/茶马古道/今日之茶" },
	{ "（一）茶的起源\n（二）茶马古道", "茶的起源/茶马古道" },
	{ "1、茶的起源（约400字）\n2、茶马古道（约600字）", "茶的起源[400]/茶马古道[600]" },
	{ "1. 茶的起源：介绍茶树最早在哪里被发现以及神农的传说\n2. 茶史：从神农到陆羽",
	  "茶的起源{介绍茶树最早在哪里被发现以及神农的传说}/茶史：从神农到陆羽" },
	{ "**第一部分：茶的起源**\n- 神农\n**第二部分：茶马古道**\n- 马帮",
	  "茶的起源{神农}/茶马古道{马帮}" },
	{ "段落1 - 要点：茶的起源 - 字数：400\n", "{茶的起源}[400]" },
	{ "1. 茶的起源\n   要点：神农的传说\n   字数：400\n2. 茶马古道",
	  "茶的起源{神农的传说}[400]/茶马古道" },
	{ "① 茶的起源\n② 茶马古道", "茶的起源/茶马古道" },
	{ "I cannot help with that.", "" },
	{ "", "" },
	{ "\n\n", "" },
	{ "{", "" },
	{ "\xff\xfe[\"", "" },
};

static void expect(const struct row *row)
{
	struct plan plan;
	struct buf out;

	plan_init(&plan);
	buf_init(&out, 1 << 16);
	assert_int_equal(plan_parse(row->answer, strlen(row->answer), &plan), OK);
	render(&plan, &out);
	if (strcmp(buf_str(&out), row->plan) != 0)
		print_error("answer:\n%s\n", row->answer);
	assert_string_equal(buf_str(&out), row->plan);
	buf_release(&out);
	plan_release(&plan);
}

static void json_answers_give_their_sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(json_rows); i++)
		expect(&json_rows[i]);
}

static void line_answers_give_their_sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(line_rows); i++)
		expect(&line_rows[i]);
}

/* Cut anywhere, an answer gives no error, and never more sections than the whole one. */
static void expect_cuts(const char *answer)
{
	struct plan whole;
	size_t len = strlen(answer);

	plan_init(&whole);
	assert_int_equal(plan_parse(answer, len, &whole), OK);
	for (size_t cut = 0; cut < len; cut++) {
		struct plan plan;
		char *copy = mem_copy(answer, cut); /* so that reading past the end is seen */

		assert_non_null(copy);
		plan_init(&plan);
		assert_int_equal(plan_parse(copy, cut, &plan), OK);
		assert_true(plan.n_sections <= whole.n_sections + 2);
		plan_release(&plan);
		mem_free(copy);
	}
	plan_release(&whole);
}

static void an_answer_may_be_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(json_rows); i++)
		expect_cuts(json_rows[i].answer);
	for (size_t i = 0; i < COUNT_OF(line_rows); i++)
		expect_cuts(line_rows[i].answer);
}

static void endless_answers_stop_at_the_bound(void **state)
{
	struct plan plan;
	struct buf answer;

	(void)state;
	plan_init(&plan);
	buf_init(&answer, 1 << 20);
	for (int i = 0; i < 3 * PLAN_SECTIONS_MAX; i++)
		assert_int_equal(buf_printf(&answer, "%d. Title number %d\n", i + 1, i + 1), OK);
	assert_int_equal(plan_parse(answer.data, answer.len, &plan), OK);
	assert_int_equal(plan.n_sections, PLAN_SECTIONS_MAX);
	plan_release(&plan);
	buf_clear(&answer);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_append_str(&answer, "[[\""), OK);
	plan_init(&plan);
	assert_int_equal(plan_parse(answer.data, answer.len, &plan), OK);
	plan_release(&plan);
	buf_release(&answer);
}

static void every_allocation_may_fail(void **state)
{
	static const char *const answers[] = {
		"{\"title\":\"T\",\"sections\":[{\"title\":\"A\",\"points\":[\"x\","
		"\"y\"]},{\"Body\":{\"words\":3}}]}",
		"1. Roots (300 words): the plant\n   - soil\n2. Trade",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		enum err err = ERR_NO_MEMORY;

		for (size_t nth = 1; err != OK; nth++) {
			struct plan plan;

			plan_init(&plan);
			mem_fail_at(nth);
			err = plan_parse(answers[i], strlen(answers[i]), &plan);
			mem_fail_at(0);
			if (err != OK)
				assert_int_equal(err, ERR_NO_MEMORY);
			plan_release(&plan);
			assert_true(nth < 200);
		}
	}
}

static json_t *sections_of(const json_t *schema)
{
	json_t *whole = json_object_get(schema, "schema");

	return json_object_get(json_object_get(whole, "properties"), "sections");
}

static void the_schema_asks_for_exactly_n(void **state)
{
	(void)state;
	for (int with_points = 0; with_points < 2; with_points++) {
		json_t *schema = plan_schema(7, with_points == 1);
		json_t *items = json_object_get(sections_of(schema), "items");

		assert_non_null(schema);
		assert_int_equal(
			json_integer_value(json_object_get(sections_of(schema), "minItems")), 7);
		assert_int_equal(
			json_integer_value(json_object_get(sections_of(schema), "maxItems")), 7);
		assert_int_equal(json_array_size(json_object_get(items, "required")),
				 with_points + 1);
		json_decref(schema);
	}
}

static void the_schema_survives_failing_memory(void **state)
{
	json_t *schema = NULL;

	(void)state;
	for (size_t nth = 1; schema == NULL; nth++) {
		mem_fail_at(nth);
		schema = plan_schema(3, true);
		mem_fail_at(0);
		assert_true(nth < 200);
	}
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_answers_give_their_sections),
		cmocka_unit_test(line_answers_give_their_sections),
		cmocka_unit_test(an_answer_may_be_cut_anywhere),
		cmocka_unit_test(endless_answers_stop_at_the_bound),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(the_schema_asks_for_exactly_n),
		cmocka_unit_test(the_schema_survives_failing_memory),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
