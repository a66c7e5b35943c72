/* Memory: zeroed, copied, counted, and failing exactly when told to. */
#include "check.h"
#include <jansson.h>
#include "base/mem.h"

static void blocks_are_zeroed_and_copies_terminated(void **state)
{
	unsigned char *block = mem_alloc(100);
	char *copy = mem_copy("abcdef", 3);
	char *text = mem_strdup("text");
	void *nothing = mem_alloc(0);

	(void)state;
	assert_non_null(block);
	assert_non_null(nothing);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(block[i], 0);
	assert_string_equal(copy, "abc");
	assert_string_equal(text, "text");
	assert_null(mem_copy("", SIZE_MAX));
	mem_free(block);
	mem_free(copy);
	mem_free(text);
	mem_free(nothing);
	mem_free(NULL);
}

static void the_nth_allocation_fails_once(void **state)
{
	void *blocks[4];
	char *text;
	size_t before;

	(void)state;
	mem_fail_at(3);
	for (size_t i = 0; i < 4; i++)
		blocks[i] = mem_alloc(8);
	assert_non_null(blocks[0]);
	assert_non_null(blocks[1]);
	assert_null(blocks[2]);
	assert_non_null(blocks[3]);
	for (size_t i = 0; i < 4; i++)
		mem_free(blocks[i]);

	text = mem_strdup("stays");
	before = mem_count();
	mem_fail_at(1);
	assert_null(mem_realloc(text, 1000));
	assert_string_equal(text, "stays");
	assert_int_equal(mem_count(), before + 1);
	mem_free(text);
	mem_fail_at(0);
}

static void jansson_allocates_here_too(void **state)
{
	json_t *value;
	size_t before = mem_count();

	(void)state;
	value = json_object();
	assert_non_null(value);
	assert_true(mem_count() > before);
	json_decref(value);
	mem_fail_at(1);
	assert_null(json_object());
	mem_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_zeroed_and_copies_terminated),
		cmocka_unit_test(the_nth_allocation_fails_once),
		cmocka_unit_test(jansson_allocates_here_too),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
