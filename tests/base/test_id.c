/* Ids: their form, and that no two are alike. */
#include "check.h"
#include <string.h>
#include "base/id.h"

static void ids_have_their_form_and_differ(void **state)
{
	char ids[64][ID_CHARS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		assert_int_equal(id_new(ids[i]), OK);
		assert_int_equal(strlen(ids[i]), ID_CHARS);
		assert_true(id_is_valid(ids[i], ID_CHARS));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

static void request_ids_say_what_they_are(void **state)
{
	char id[ID_REQUEST_CHARS + 1];

	(void)state;
	assert_int_equal(id_new_request(id), OK);
	assert_int_equal(strlen(id), ID_REQUEST_CHARS);
	assert_memory_equal(id, "req_", 4);
	assert_true(id_is_valid(id + 4, ID_CHARS));
}

static void what_is_no_id_is_seen(void **state)
{
	static const char *const rows[] = {
		"",
		"0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0",
		"0123456789ABCDEF0123456789abcdef",
		"0123456789abcdef0123456789abcdeg",
		"../../../../../../../../etc/pass",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_false(id_is_valid(rows[i], strlen(rows[i])));
	assert_false(id_is_valid("0123456789abcdef\0" "123456789abcdef", ID_CHARS));
}

static void random_bits_differ(void **state)
{
	uint64_t first = 0;
	uint64_t second = 0;

	(void)state;
	assert_int_equal(id_random(&first), OK);
	assert_int_equal(id_random(&second), OK);
	assert_true(first != second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_have_their_form_and_differ),
		cmocka_unit_test(request_ids_say_what_they_are),
		cmocka_unit_test(what_is_no_id_is_seen),
		cmocka_unit_test(random_bits_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
