/* Buffers: their bound, their terminator, what a failed append leaves. */
#include "check.h"
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

static void appends_and_terminates(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_append(&buf, "abc", 3), OK);
	assert_int_equal(buf_append_str(&buf, "-de"), OK);
	assert_int_equal(buf_printf(&buf, "%s%d", "f", 42), OK);
	assert_string_equal(buf.data, "abc-def42");
	assert_int_equal(buf.len, 9);
	buf_consume(&buf, 4);
	assert_string_equal(buf.data, "def42");
	buf_truncate(&buf, 3);
	assert_string_equal(buf.data, "def");
	buf_truncate(&buf, 30);
	assert_string_equal(buf.data, "def");
	buf_consume(&buf, 30);
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.max_bytes, 1000);
}

static void the_bound_holds_and_a_failure_changes_nothing(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 5);
	assert_int_equal(buf_append_str(&buf, "12345"), OK);
	assert_int_equal(buf_append_str(&buf, "6"), ERR_TOO_LARGE);
	assert_int_equal(buf_printf(&buf, "%d", 6), ERR_TOO_LARGE);
	assert_int_equal(buf_append_json(&buf, "", 0), ERR_TOO_LARGE);
	assert_int_equal(buf_append(&buf, "x", SIZE_MAX), ERR_TOO_LARGE);
	assert_string_equal(buf.data, "12345");
	assert_int_equal(buf_append(&buf, NULL, 0), OK);
	buf_release(&buf);
}

static void grows_by_many_small_steps(void **state)
{
	enum { STEPS = 5000 };
	struct buf buf;

	(void)state;
	buf_init(&buf, 7 * STEPS);
	for (int i = 0; i < STEPS; i++)
		assert_int_equal(buf_append(&buf, "0123456", 7), OK);
	assert_int_equal(buf.len, 7 * STEPS);
	assert_int_equal(strlen(buf.data), 7 * STEPS);
	assert_true(buf.size <= 7 * STEPS + 1);
	buf_release(&buf);
}

static void json_strings_are_escaped(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *json;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "plain", 5, "\"plain\"" },
		{ "a\"b\\c/", 6, "\"a\\\"b\\\\c/\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\"" },
		{ "a\0b", 3, "\"a\\u0000b\"" },
		{ "\xe4\xbd\xa0", 3, "\"\xe4\xbd\xa0\"" },
		{ "a\xff" "b", 3, "\"a\xef\xbf\xbd" "b\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf buf;

		buf_init(&buf, 100);
		assert_int_equal(buf_append_json(&buf, rows[i].text, rows[i].len), OK);
		assert_string_equal(buf.data, rows[i].json);
		buf_release(&buf);
	}
}

static void stolen_text_is_the_callers(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 100);
	text = buf_steal(&buf);
	assert_string_equal(text, "");
	mem_free(text);
	assert_int_equal(buf_append_str(&buf, "mine"), OK);
	text = buf_steal(&buf);
	assert_string_equal(text, "mine");
	assert_int_equal(buf.len, 0);
	assert_null(buf.data);
	mem_free(text);
	mem_fail_at(1);
	assert_null(buf_steal(&buf));
	mem_fail_at(0);
}

static void without_memory_the_text_stays(void **state)
{
	char large[4000] = { 'x' };
	struct buf buf;

	(void)state;
	memset(large, 'x', sizeof(large));
	buf_init(&buf, 10000);
	mem_fail_at(1);
	assert_int_equal(buf_append_str(&buf, "lost"), ERR_NO_MEMORY);
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_append_str(&buf, "kept"), OK);
	mem_fail_at(1);
	assert_int_equal(buf_append(&buf, large, sizeof(large)), ERR_NO_MEMORY);
	mem_fail_at(1);
	assert_int_equal(buf_printf(&buf, "%4000d", 1), ERR_NO_MEMORY);
	mem_fail_at(1);
	assert_int_equal(buf_append_json(&buf, large, sizeof(large)), ERR_NO_MEMORY);
	mem_fail_at(0);
	assert_string_equal(buf.data, "kept");
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_terminates),
		cmocka_unit_test(the_bound_holds_and_a_failure_changes_nothing),
		cmocka_unit_test(grows_by_many_small_steps),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(stolen_text_is_the_callers),
		cmocka_unit_test(without_memory_the_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
