/* What is learned of models, and what their names say. */
#include "check.h"
#include <stdio.h>
#include "model/capability.h"

static void names_tell_the_size(void **state)
{
	static const struct {
		const char *name;
		bool is_small;
	} rows[] = {
		{ "smollm2-135m-instruct", true }, { "Qwen2.5-0.5B-Instruct", true },
		{ "qwen2.5:1.5b", false },	   { "gpt-4o", false },
		{ "llama-3.1-8b", false },	   { "SmolLM2-360M", true },
		{ "phi-3-mini-4k", false },	   { "org/model-1b", true },
		{ "", false },			   { "mixtral-8x7b", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(capability_is_small_name(rows[i].name), rows[i].is_small);
}

static void learning_is_slow_and_clamped(void **state)
{
	struct capability_table table;
	struct model_target target = { .backend = "default", .model = "m", .language = 0 };
	struct model_target chinese = { .backend = "default", .model = "m", .language = 1 };

	(void)state;
	capability_table_init(&table);
	assert_null(capability_find(&table, &target));
	capability_learn(&table, &target, 1.2, 1.4);
	assert_true(capability_find(&table, &target)->habit == 1.2);
	capability_learn(&table, &target, 0.8, 0);
	assert_true(capability_find(&table, &target)->habit > 1.09);
	assert_true(capability_find(&table, &target)->habit < 1.11);
	assert_true(capability_find(&table, &target)->tokens_per_word == 1.4);
	assert_null(capability_find(&table, &chinese));
	for (int i = 0; i < 50; i++)
		capability_learn(&table, &target, 100, 100);
	assert_true(capability_find(&table, &target)->habit == 2.0);
	capability_table_release(&table);
}

static void the_oldest_makes_room(void **state)
{
	struct capability_table table;
	struct model_target first = { .backend = "default", .model = "m0", .language = 0 };

	(void)state;
	capability_table_init(&table);
	for (int i = 0; i <= CAPABILITIES_MAX; i++) {
		char name[16];
		struct model_target target = { .backend = "default", .model = name };

		(void)snprintf(name, sizeof(name), "m%d", i);
		capability_learn(&table, &target, 1.0, 1.0);
	}
	assert_int_equal(table.n_entries, CAPABILITIES_MAX);
	assert_null(capability_find(&table, &first));
	capability_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_the_size),
		cmocka_unit_test(learning_is_slow_and_clamped),
		cmocka_unit_test(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
