/* What a model named, repaired: marks off, repeats and echoes dropped, the count put right. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "writing/plan_check.h"

static struct slice text(const char *data)
{
	return (struct slice){ .data = data, .len = strlen(data) };
}

/* Titles joined by "/"; one that begins with "!" is the user's, one with "=" is a point. */
static void build(const char *titles, struct plan *plan)
{
	plan_init(plan);
	while (*titles != '\0') {
		size_t len = strcspn(titles, "/");
		bool is_users = titles[0] == '!';
		bool is_point = titles[0] == '=';
		size_t skip = is_users || is_point ? 1 : 0;
		struct slice title = { .data = titles + skip, .len = len - skip };
		struct slice none = { .data = "", .len = 0 };

		assert_int_equal(
			plan_add(plan, is_point ? none : title, is_point ? title : none, 0), OK);
		plan->sections[plan->n_sections - 1].is_title_users = is_users;
		titles += len + (titles[len] == '/' ? 1 : 0);
	}
}

static void expect_titles(const struct plan *plan, const char *titles)
{
	struct buf out;

	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < plan->n_sections; i++)
		assert_int_equal(
			buf_printf(&out, "%s%s", i > 0 ? "/" : "", plan->sections[i].title), OK);
	assert_string_equal(buf_str(&out), titles);
	buf_release(&out);
}

struct row {
	const char *titles;
	size_t wanted;
	const char *kept;
	size_t missing;
};

static const char tea[] = "Write a 1000-word article about the history of tea in China.";

static const struct row rows[] = {
	{ "Roots/Trade Routes/Tea Today", 3, "Roots/Trade Routes/Tea Today", 0 },
	{ "1. Roots/**Section 2: Trade**/第三章 今日之茶/- \"Ceremony\"", 4,
	  "Roots/Trade/今日之茶/Ceremony", 0 },
	{ "Roots/Roots/roots/ROOTS:", 4, "Roots", 3 },
	{ "The Benefits of Green Leaves/Benefit of the Green Leaves/Ports", 3,
	  "The Benefits of Green Leaves/Ports", 1 },
	{ "Outline/Roots/Word count: 1000/Table of Contents/Trade", 2, "Roots/Trade", 0 },
	{ "Write a 1000-word article about the history of tea in China/Roots", 2, "Roots", 1 },
	{ "Article about the history of tea in China/Roots", 2, "Roots", 1 },
	{ "The Origins of Tea in China/The Culture of Tea in China/Tea Trade in China", 3,
	  "The Origins of Tea in China/The Culture of Tea in China/Tea Trade in China", 0 },
	{ "Tea/Tea in China", 2, "Tea", 1 },
	{ "/***/---/Roots", 2, "Roots", 1 },
	{ "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
	  " sixteen seventeen eighteen nineteen twenty one/Roots",
	  2, "Roots", 1 },
	{ "A/B/C/D/E", 3, "A/B/E", 0 },
	{ "=Tell how the leaf was found, and by whom it was first drunk/Roots", 2,
	  "Tell how the leaf was found, and by whom it was first/Roots", 0 },
	{ "Chapter 1/Roots", 2, "Roots", 1 },
	{ "茶的起源/茶的起源/茶马古道/茶道", 4, "茶的起源/茶马古道/茶道", 1 },
	{ "大纲/茶的历史/字数", 1, "茶的历史", 0 },
	{ "Introduction/Conclusion", 2, "Introduction/Conclusion", 0 },
	{ "Roots", 0, "Roots", 0 },
	{ "", 2, "", 2 },
};

static void plans_are_repaired(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct plan_check check = { .wanted = rows[i].wanted };
		struct plan plan;
		size_t before;

		build(rows[i].titles, &plan);
		before = plan.n_sections;
		plan_check(&plan, text(tea), &check);
		expect_titles(&plan, rows[i].kept);
		assert_int_equal(check.missing, rows[i].missing);
		assert_int_equal(check.dropped, before - plan.n_sections);
		plan_release(&plan);
	}
}

static void a_small_models_titles_are_checked_strictly(void **state)
{
	static const struct row strict[] = {
		{ "The Art of Coffee: A Journey/The Science Behind Coffee", 2,
		  "The Art of Coffee/The Science Behind Coffee", 0 },
		{ "The Coffee/Coffee/The Art of Coffee", 2, "The Art of Coffee", 1 },
		{ "The 10 Best Beans/Trade - how it moved", 2, "Trade", 1 },
		{ "The Impact on Society/The Impact on Farm Society/Farm Work", 3,
		  "The Impact on Society/Farm Work", 1 },
		{ "A very long title that goes on and on about nothing at all, really/Beans", 2,
		  "Beans", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(strict); i++) {
		struct plan_check check = { .wanted = strict[i].wanted, .is_strict = true };
		struct plan plan;

		build(strict[i].titles, &plan);
		plan_check(&plan, text("Write a 1,000-word article about coffee."), &check);
		expect_titles(&plan, strict[i].kept);
		assert_int_equal(check.missing, strict[i].missing);
		plan_release(&plan);
	}
}

static void the_users_titles_stay_as_they_are(void **state)
{
	static const struct row users[] = {
		{ "!1. Roots/!Outline/!1. Roots", 2, "1. Roots/Outline/1. Roots", 0 },
		{ "A/!B/C/!D/E", 3, "B/D/E", 0 },
		{ "Trade/!Trade", 2, "Trade", 1 },
		{ "!A/!B/!C/D", 2, "A/B/C", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(users); i++) {
		struct plan_check check = { .wanted = users[i].wanted };
		struct plan plan;

		build(users[i].titles, &plan);
		plan_check(&plan, text(tea), &check);
		expect_titles(&plan, users[i].kept);
		assert_int_equal(check.missing, users[i].missing);
		plan_release(&plan);
	}
}

static void sections_with_the_users_length_stay(void **state)
{
	struct plan_check check = { .wanted = 2 };
	struct plan plan;
	struct slice none = { .data = "", .len = 0 };

	(void)state;
	plan_init(&plan);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(plan_add(&plan, none, none, 400), OK);
		plan.sections[i].is_words_users = true;
	}
	plan_check(&plan, text(tea), &check);
	assert_int_equal(plan.n_sections, 2);
	plan_release(&plan);
}

static void overlap_is_of_the_shorter_title(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		double share;
	} pairs[] = {
		{ "Green Leaves", "the green leaf", 0.5 },
		{ "Boxes of Stories", "A Story in a Box", 1 },
		{ "History of Tea", "Tea", 1 },
		{ "Roots", "Trade", 0 },
		{ "", "Trade", 0 },
		{ "", "", 0 },
		{ "The", "the", 1 },
		{ "茶的历史", "茶的文化", 1.0 / 3 },
		{ "Glass", "Glas", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		assert_float_equal(plan_title_overlap(pairs[i].a, pairs[i].b), pairs[i].share,
				   1e-6);
		assert_float_equal(plan_title_overlap(pairs[i].b, pairs[i].a), pairs[i].share,
				   1e-6);
	}
}

static void what_is_missing_continues_the_longest(void **state)
{
	struct plan plan;

	(void)state;
	build("A/B", &plan);
	plan.sections[0].words = 100;
	plan.sections[1].words = 300;
	assert_int_equal(plan_fill(&plan, 5), OK);
	expect_titles(&plan, "A//B//");
	assert_int_equal(plan_words(&plan), 400);
	plan_release(&plan);
	build("A/B/C", &plan);
	assert_int_equal(plan_fill(&plan, 7), OK);
	expect_titles(&plan, "A///B//C/");
	plan_release(&plan);
	plan_init(&plan);
	assert_int_equal(plan_fill(&plan, 2), OK);
	assert_int_equal(plan.n_sections, 2);
	assert_int_equal(plan_fill(&plan, 100000), OK);
	assert_int_equal(plan.n_sections, PLAN_SECTIONS_MAX);
	plan_release(&plan);
}

static void every_allocation_may_fail(void **state)
{
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		struct plan plan;

		build("A/=Tell how it began", &plan);
		mem_fail_at(nth);
		err = plan_fill(&plan, 4);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		plan_release(&plan);
		assert_true(nth < 100);
	}
	for (size_t nth = 1; nth < 4; nth++) { /* without memory, the point makes no title */
		struct plan_check check = { .wanted = 2 };
		struct plan plan;

		build("A/=Tell how it began", &plan);
		mem_fail_at(nth);
		plan_check(&plan, text(tea), &check);
		mem_fail_at(0);
		assert_int_equal(plan.n_sections, 2 - check.missing);
		plan_release(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_repaired),
		cmocka_unit_test(a_small_models_titles_are_checked_strictly),
		cmocka_unit_test(the_users_titles_stay_as_they_are),
		cmocka_unit_test(sections_with_the_users_length_stay),
		cmocka_unit_test(overlap_is_of_the_shorter_title),
		cmocka_unit_test(what_is_missing_continues_the_longest),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
