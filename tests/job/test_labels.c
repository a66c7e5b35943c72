/* Labels on their way through the `created` event. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "job/labels.h"

static void labels_come_back_from_json(void **state)
{
	static const struct labels rows[] = {
		{ .owner = "" },
		{ .owner = "owner:1" },
		{ .owner = "owner:1", .same = "same:2", .fresh = "fresh:2" },
		{ .owner = "owner:1", .key = "key:3", .same = "same:2", .fresh = "fresh:2" },
	};
	static const size_t counts[] = { 0, 1, 3, 4 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *list[STORE_LABELS_MAX + 1];
		json_t *json = json_array();
		struct labels back;
		size_t n = 0;

		labels_list(&rows[i], list);
		for (; list[n] != NULL; n++)
			assert_int_equal(json_array_append_new(json, json_string(list[n])), 0);
		assert_int_equal(n, counts[i]);
		labels_from_json(json, &back);
		assert_string_equal(back.owner, rows[i].owner);
		assert_string_equal(back.key, rows[i].key);
		assert_string_equal(back.same, rows[i].same);
		assert_string_equal(back.fresh, rows[i].fresh);
		json_decref(json);
	}
}

static void what_is_no_label_is_left_out(void **state)
{
	char long_one[200] = "owner:";
	json_t *json = json_pack("[s,i,s,n]", "what:1", 7, "key:2");
	struct labels labels;

	(void)state;
	memset(long_one + 6, 'a', sizeof(long_one) - 7);
	assert_int_equal(json_array_append_new(json, json_string(long_one)), 0);
	labels_from_json(json, &labels);
	assert_string_equal(labels.owner, "");
	assert_string_equal(labels.key, "key:2");
	json_decref(json);
	labels_from_json(NULL, &labels);
	assert_string_equal(labels.key, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_come_back_from_json),
		cmocka_unit_test(what_is_no_label_is_left_out),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
