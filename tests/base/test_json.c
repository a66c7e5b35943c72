/* JSON by jansson: typed members, null as absent, errors and memory. */
#include "check.h"
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static json_t *parse(const char *text)
{
	json_t *value = NULL;

	assert_int_equal(json_parse(slice_of(text), &value, NULL), OK);
	return value;
}

static void members_come_by_type(void **state)
{
	json_t *object = parse("{\"s\":\"x\",\"n\":null,\"b\":true,\"i\":7,\"r\":3.0,\"h\":2.5,"
			       "\"o\":{},\"a\":[1],\"z\":\"a\\u0000b\"}");
	const struct json_int_range any = { INT64_MIN, INT64_MAX };
	const char *text = NULL;
	struct slice slice = { NULL, 0 };
	json_t *child = NULL;
	int64_t integer = 0;
	double number = 0;
	bool boolean = false;

	(void)state;
	assert_int_equal(json_get_string(object, "s", &text), OK);
	assert_string_equal(text, "x");
	assert_int_equal(json_get_string(object, "n", &text), ERR_NOT_FOUND);
	assert_int_equal(json_get_string(object, "missing", &text), ERR_NOT_FOUND);
	assert_int_equal(json_get_string(object, "i", &text), ERR_INVALID);
	assert_int_equal(json_get_string(object, "z", &text), ERR_INVALID);
	assert_string_equal(text, "x");
	assert_int_equal(json_get_slice(object, "z", &slice), OK);
	assert_int_equal(slice.len, 3);
	assert_int_equal(json_get_slice(object, "a", &slice), ERR_INVALID);
	assert_int_equal(json_get_bool(object, "b", &boolean), OK);
	assert_true(boolean);
	assert_int_equal(json_get_bool(object, "i", &boolean), ERR_INVALID);
	assert_int_equal(json_get_int(object, "i", any, &integer), OK);
	assert_int_equal(integer, 7);
	assert_int_equal(json_get_int(object, "r", any, &integer), OK);
	assert_int_equal(integer, 3);
	assert_int_equal(json_get_int(object, "h", any, &integer), ERR_INVALID);
	assert_int_equal(json_get_int(object, "i", (struct json_int_range){ 0, 6 }, &integer),
			 ERR_INVALID);
	assert_int_equal(json_get_number(object, "i", &number), OK);
	assert_true(number > 6.9 && number < 7.1);
	assert_int_equal(json_get_number(object, "s", &number), ERR_INVALID);
	assert_int_equal(json_get_object(object, "o", &child), OK);
	assert_int_equal(json_get_object(object, "a", &child), ERR_INVALID);
	assert_int_equal(json_get_array(object, "a", &child), OK);
	assert_int_equal(json_get_array(object, "n", &child), ERR_NOT_FOUND);
	assert_null(json_member(child, "s")); /* an array has no members */
	json_decref(object);
}

static void errors_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} rows[] = { { "{\"a\":tru}", 8 }, { "", 0 }, { "{} x", 4 }, { "[1,]", 4 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct json_parse_error error = { .offset = 999 };
		json_t *value = NULL;

		assert_int_equal(json_parse(slice_of(rows[i].text), &value, &error), ERR_INVALID);
		assert_null(value);
		assert_int_equal(error.offset, rows[i].offset);
		assert_true(strlen(error.text) > 0);
	}
}

static void appends_on_one_line(void **state)
{
	json_t *value = parse("{ \"b\" : [1, 2.5, \"\xe4\xbd\xa0\"],\n \"a\" : null }");
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(buf_append_str(&out, "> "), OK);
	assert_int_equal(json_append(&out, value), OK);
	assert_string_equal(out.data, "> {\"b\":[1,2.5,\"\xe4\xbd\xa0\"],\"a\":null}");
	assert_int_equal(json_append(&out, NULL), ERR_INVALID);
	out.max_bytes = out.len + 5;
	assert_int_equal(json_append(&out, value), ERR_TOO_LARGE);
	assert_string_equal(out.data, "> {\"b\":[1,2.5,\"\xe4\xbd\xa0\"],\"a\":null}");
	json_decref(value);
	buf_release(&out);
}

/* Every allocation of a parse and a dump fails once; what was there before stays. */
static void memory_may_run_out(void **state)
{
	const char *text = "{\"a\":[1,\"two\",{\"three\":3.5}],\"b\":\"\\u00e9\"}";
	size_t failures = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		json_t *value = NULL;
		struct buf out;

		buf_init(&out, 1000);
		mem_fail_at(nth);
		err = json_parse(slice_of(text), &value, NULL);
		if (err == OK)
			err = json_append(&out, value);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		failures += err != OK;
		json_decref(value);
		buf_release(&out);
		assert_true(nth < 1000);
	}
	assert_true(failures > 10);
}

static void odd_texts_are_taken_as_far_as_they_can_be(void **state)
{
	static const struct {
		const char *text;
		const char *value; /* NULL: none */
	} rows[] = {
		{ "\"a\\ud83d\"", "\"a\xef\xbf\xbd\"" },
		{ "\"\\uDE00b\"", "\"\xef\xbf\xbd" "b\"" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"" },
		{ "[\"\\\\ud83d\", \"\\ud83d\"]", "[\"\\\\ud83d\",\"\xef\xbf\xbd\"]" },
		{ "\"\\ud83d", NULL },
		{ "\"\\u", NULL },
		{ "\"\\ud8", NULL },
		{ "[\"\\ud83d\",1e999]", NULL },
		{ "\"\\u0000\"", "\"\\u0000\"" },
		{ "1", "1" },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = json_load_any(slice_of(rows[i].text));
		struct buf out;

		buf_init(&out, 1000);
		assert_int_equal(value == NULL, rows[i].value == NULL);
		if (value != NULL) {
			enum err err = json_append(&out, value);

			assert_int_equal(err, OK);
			assert_string_equal(buf_str(&out), rows[i].value);
		}
		json_decref(value);
		buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_by_type),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(appends_on_one_line),
		cmocka_unit_test(odd_texts_are_taken_as_far_as_they_can_be),
		cmocka_unit_test(memory_may_run_out),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
