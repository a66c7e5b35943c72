/* The plan's arithmetic: whatever is asked, the sections sum to it exactly. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "writing/plan.h"

static struct slice text(const char *data)
{
	return (struct slice){ .data = data, .len = strlen(data) };
}

static void add(struct plan *plan, const char *title, long words, bool is_users)
{
	assert_int_equal(plan_add(plan, text(title), text(""), words), OK);
	plan->sections[plan->n_sections - 1].is_words_users = is_users;
}

/* A small generator of our own, so that the same plans come on every machine. */
static unsigned draw(unsigned *seed, unsigned below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static void random_plan(unsigned *seed, struct plan *plan)
{
	unsigned n = 1 + draw(seed, draw(seed, 8) == 0 ? PLAN_SECTIONS_MAX : 20);

	plan_init(plan);
	for (unsigned i = 0; i < n; i++)
		add(plan, "t", draw(seed, 3) == 0 ? 0 : (long)draw(seed, 2000), draw(seed, 4) == 0);
}

/* What must hold of any distribution of `target` over what was `before`. */
static void check_distribution(const struct plan *before, const struct plan *after, long target)
{
	long users = 0;
	size_t n_ours = 0;

	assert_int_equal(plan_words(after), target);
	for (size_t i = 0; i < before->n_sections; i++) {
		const struct plan_section *section = &before->sections[i];

		assert_true(after->sections[i].words >= 1);
		if (section->is_words_users && section->words > 0)
			users += section->words;
		else
			n_ours++;
	}
	if (n_ours == 0 ? users != target : users > target - (long)n_ours)
		return;
	for (size_t i = 0; i < before->n_sections; i++) /* room for the user's own lengths */
		if (before->sections[i].is_words_users && before->sections[i].words > 0)
			assert_int_equal(after->sections[i].words, before->sections[i].words);
}

static void any_plan_sums_to_its_target(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct plan before;
		struct plan after;
		long target;

		random_plan(&seed, &before);
		target = (long)before.n_sections +
			 (long)draw(&seed, draw(&seed, 2) == 0 ? 100 : 50000);
		plan_init(&after);
		assert_int_equal(plan_copy(&before, &after), OK);
		plan_distribute(&after, target);
		check_distribution(&before, &after, target);
		plan_release(&before);
		plan_release(&after);
	}
}

struct share_row {
	long target;
	size_t n;
	long words[5];
	bool is_users[5];
	long want[5];
};

static void shares_follow_wishes_and_users(void **state)
{
	static const struct share_row rows[] = {
		{ 1000, 3, { 0 }, { 0 }, { 333, 334, 333 } },
		{ 1000, 2, { 400, 600 }, { 0 }, { 400, 600 } },
		{ 1000, 2, { 200, 300 }, { 0 }, { 400, 600 } },
		{ 1000, 3, { 200, 0, 0 }, { true, false, false }, { 200, 400, 400 } },
		{ 2000,
		  5,
		  { 400, 400, 400, 400, 400 },
		  { true, true, true, true, true },
		  { 400, 400, 400, 400, 400 } },
		{ 1000, 2, { 1000, 1000 }, { true, true }, { 500, 500 } },
		{ 600, 2, { 200, 200 }, { true, true }, { 300, 300 } },
		{ 900, 3, { 400, 800, 0 }, { true, true, false }, { 200, 400, 300 } },
		{ 5, 3, { 1000, 1, 1 }, { 0 }, { 3, 1, 1 } },
		{ 2, 3, { 0 }, { 0 }, { 1, 1, 1 } },
		{ 700, 1, { 9 }, { 0 }, { 700 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct plan plan;

		plan_init(&plan);
		for (size_t k = 0; k < rows[i].n; k++)
			add(&plan, "t", rows[i].words[k], rows[i].is_users[k]);
		plan_distribute(&plan, rows[i].target);
		for (size_t k = 0; k < rows[i].n; k++)
			assert_int_equal(plan.sections[k].words, rows[i].want[k]);
		plan_release(&plan);
	}
}

static void the_count_of_sections_is_rounded(void **state)
{
	(void)state;
	assert_int_equal(plan_count_for(1000, 400, 40), 3);
	assert_int_equal(plan_count_for(900, 400, 40), 2);
	assert_int_equal(plan_count_for(1000, 500, 40), 2);
	assert_int_equal(plan_count_for(10, 400, 40), 1);
	assert_int_equal(plan_count_for(0, 400, 40), 1);
	assert_int_equal(plan_count_for(50000, 400, 40), 40);
	assert_int_equal(plan_count_for(1000, 0, 40), 40);
	assert_int_equal(plan_count_for(1000, 400, 0), 1);
}

static void sections_are_cleaned_and_bounded(void **state)
{
	struct plan plan;
	char long_title[3 * PLAN_TITLE_BYTES_MAX];

	(void)state;
	plan_init(&plan);
	for (size_t i = 0; i < sizeof(long_title); i += 3)
		memcpy(long_title + i, "\xe8\x8c\xb6", 3);
	assert_int_equal(plan_add(&plan, text(" a\nb\x01\xff "), text("x\ny"), -5), OK);
	assert_string_equal(plan.sections[0].title, "a b \xef\xbf\xbd");
	assert_string_equal(plan.sections[0].point, "x\ny");
	assert_int_equal(plan.sections[0].words, 0);
	assert_int_equal(
		plan_add(&plan, (struct slice){ .data = long_title, .len = sizeof(long_title) },
			 (struct slice){ 0 }, 1),
		OK);
	assert_int_equal(strlen(plan.sections[1].title), PLAN_TITLE_BYTES_MAX);
	assert_int_equal(plan_section_append_point(&plan.sections[0], text("z")), OK);
	assert_string_equal(plan.sections[0].point, "x\ny; z");
	for (int i = 2; i < PLAN_SECTIONS_MAX; i++)
		add(&plan, "t", 1, false);
	assert_int_equal(plan_add(&plan, text("t"), text(""), 1), ERR_LIMIT);
	plan_remove(&plan, 0);
	assert_int_equal(plan.n_sections, PLAN_SECTIONS_MAX - 1);
	assert_int_equal(plan_insert(&plan, 0, text("first"), text(""), 1), OK);
	assert_string_equal(plan.sections[0].title, "first");
	plan_release(&plan);
}

static void the_log_gets_the_plan_back(void **state)
{
	struct buf message;
	struct buf param;
	struct plan plan;
	struct plan back;
	json_t *json;
	json_t *again;

	(void)state;
	buf_init(&message, 1000);
	buf_init(&param, 1000);
	plan_init(&plan);
	assert_int_equal(plan_set_title(&plan, text("茶")), OK);
	add(&plan, "Roots", 300, true);
	add(&plan, "", 0, false);
	plan.sections[1].is_title_users = true;
	json = plan_to_json(&plan);
	assert_int_equal(plan_from_json(json, &back, &message, &param), OK);
	again = plan_to_json(&back);
	assert_true(json_equal(json, again));
	assert_true(back.sections[0].is_words_users && back.sections[1].is_title_users);
	assert_string_equal(back.title, "茶");
	json_decref(json);
	json_decref(again);
	plan_release(&plan);
	plan_release(&back);
}

static void a_clients_plan_is_checked(void **state)
{
	static const struct {
		const char *json;
		const char *param; /* NULL: accepted */
	} rows[] = {
		{ "[{\"title\":\"A\",\"words\":400},{\"point\":\"p\",\"title\":null}]", NULL },
		{ "[{\"words\":400}]", NULL },
		{ "{}", "longhand.plan" },
		{ "7", "longhand.plan" },
		{ "[]", "longhand.plan" },
		{ "[\"A\"]", "longhand.plan[0]" },
		{ "[{}]", "longhand.plan[0]" },
		{ "[{\"title\":\"A\"},{\"title\":7}]", "longhand.plan[1].title" },
		{ "[{\"title\":\"A\",\"point\":[]}]", "longhand.plan[0].point" },
		{ "[{\"title\":\"A\",\"words\":0}]", "longhand.plan[0].words" },
		{ "[{\"title\":\"A\",\"words\":1.5}]", "longhand.plan[0].words" },
		{ "[{\"title\":\"A\",\"words\":99999999999}]", "longhand.plan[0].words" },
		{ "[{\"title\":\"A\",\"wrods\":4}]", "longhand.plan[0].wrods" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *json = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		struct buf message;
		struct buf param;
		struct plan plan;
		enum err err;

		buf_init(&message, 1000);
		buf_init(&param, 1000);
		plan_init(&plan);
		err = plan_from_json(json, &plan, &message, &param);
		assert_int_equal(err, rows[i].param == NULL ? OK : ERR_INVALID);
		assert_string_equal(buf_str(&param), rows[i].param == NULL ? "" : rows[i].param);
		assert_int_equal(message.len > 0, rows[i].param != NULL);
		if (i == 0)
			assert_true(plan.sections[0].is_title_users &&
				    plan.sections[0].is_words_users &&
				    !plan.sections[1].is_title_users);
		plan_release(&plan);
		buf_release(&message);
		buf_release(&param);
		json_decref(json);
	}
}

/* Builds, copies and reads back a plan: OK or ERR_NO_MEMORY, nothing leaked. */
static enum err round_trip(void)
{
	struct plan plan;
	struct plan back;
	struct buf message;
	json_t *json = NULL;
	enum err err;

	plan_init(&plan);
	plan_init(&back);
	buf_init(&message, 1000);
	err = plan_add(&plan, text("A"), text("p"), 5);
	if (err == OK)
		err = plan_section_append_point(&plan.sections[0], text("q"));
	if (err == OK)
		err = plan_copy(&plan, &back);
	plan_release(&back);
	if (err == OK) {
		json = plan_to_json(&plan);
		err = json == NULL ? ERR_NO_MEMORY
				   : plan_from_json(json, &back, &message, &message);
	}
	json_decref(json);
	plan_release(&plan);
	plan_release(&back);
	buf_release(&message);
	return err;
}

static void every_allocation_may_fail(void **state)
{
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		mem_fail_at(nth);
		err = round_trip();
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		assert_true(nth < 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_plan_sums_to_its_target),
		cmocka_unit_test(shares_follow_wishes_and_users),
		cmocka_unit_test(the_count_of_sections_is_rounded),
		cmocka_unit_test(sections_are_cleaned_and_bounded),
		cmocka_unit_test(the_log_gets_the_plan_back),
		cmocka_unit_test(a_clients_plan_is_checked),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
