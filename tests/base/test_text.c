/* UTF-8: what is whole, what is broken, where a cut may fall. */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/text.h"

static void cuts_fall_between_code_points(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		size_t whole;
	} rows[] = {
		{ "abc", 3, 3 },	    { "a\xe4\xbd\xa0", 4, 4 }, { "a\xe4\xbd\xa0", 3, 1 },
		{ "a\xe4\xbd\xa0", 2, 1 },  { "\xf0\x9f\x98\x80", 4, 4 },
		{ "\xf0\x9f\x98\x80", 3, 0 }, { "", 0, 0 },	       { "\xc3\xa9", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(text_whole(rows[i].text, rows[i].len), rows[i].whole);
}

static void broken_bytes_are_seen(void **state)
{
	(void)state;
	assert_true(text_is_valid("caf\xc3\xa9", 5));
	assert_false(text_is_valid("caf\xc3", 4));
	assert_false(text_is_valid("\xed\xa0\x80", 3)); /* a surrogate */
	assert_false(text_is_valid("\xc0\xaf", 2));	/* overlong */
}

static void code_point_before_a_place(void **state)
{
	const char *text = "a\xe4\xbd\xa0";

	(void)state;
	assert_int_equal(text_before(text, text + 4), 0x4f60);
	assert_int_equal(text_before(text, text + 1), 'a');
	assert_int_equal(text_before(text, text), 0);
	assert_int_equal(text_before(text, text + 3), TEXT_REPLACEMENT);
}

static void nfc_composes_and_replaces(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(text_nfc("e\xcc\x81 \xff", 5, &out), OK);
	assert_string_equal(out.data, "\xc3\xa9 \xef\xbf\xbd");
	buf_release(&out);
}

static void trim_takes_any_white_space(void **state)
{
	struct slice trimmed = text_trim("\xe3\x80\x80 x y\n\t", 8);

	(void)state;
	assert_int_equal(trimmed.len, 3);
	assert_memory_equal(trimmed.data, "x y", 3);
	assert_int_equal(text_trim(" \n", 2).len, 0);
}

static void prefixes_are_found_without_case_and_within_bounds(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *prefix;
		bool starts;
	} rows[] = {
		{ "About tea", 9, "about ", true }, { "About tea", 5, "about ", false },
		{ "abou", 4, "about", false },	    { "x", 1, "", true },
		{ "", 0, "", true },		    { "", 0, "a", false },
		{ "\xc3\x89t\xc3\xa9", 5, "\xc3\xa9", false },
		{ "[a", 2, "{A", false },	    { "@", 1, "`", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* Of its own size, so that a byte read too many is seen. */
		char *text = malloc(rows[i].len > 0 ? rows[i].len : 1);

		memcpy(text, rows[i].text, rows[i].len);
		assert_int_equal(text_starts_within(text, text + rows[i].len, rows[i].prefix),
				 rows[i].starts);
		free(text);
		assert_int_equal(text_starts_nocase(rows[i].text, rows[i].prefix),
				 rows[i].starts || rows[i].text[rows[i].len] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_found_without_case_and_within_bounds),
		cmocka_unit_test(cuts_fall_between_code_points),
		cmocka_unit_test(broken_bytes_are_seen),
		cmocka_unit_test(code_point_before_a_place),
		cmocka_unit_test(nfc_composes_and_replaces),
		cmocka_unit_test(trim_takes_any_white_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
