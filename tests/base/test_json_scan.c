/* The scanner: right ranges, the same verdict as jansson on any text, and fast. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/json.h"
#include "base/json_scan.h"
#include "base/mem.h"

static const char *const names[] = { "model", "stream", "messages" };
enum { MODEL, STREAM, MESSAGES, NAME_COUNT };

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static enum err scan(struct slice text, struct slice values[NAME_COUNT],
		     struct json_scan_error *error)
{
	return json_scan(text, names, values, NAME_COUNT, error);
}

static void assert_slice(struct slice slice, const char *expected)
{
	assert_int_equal(slice.len, strlen(expected));
	assert_memory_equal(slice.data, expected, slice.len);
}

static void finds_own_members_only(void **state)
{
	struct json_scan_error error;
	struct slice values[NAME_COUNT];
	const char *text = " { \"x\":{\"model\":1,\"stream\":[]}, \"stream\" : true ,\n"
			   "\t\"messages\":[{\"model\":\"inner\"}, {} ,[]],"
			   "\"model\":\"a\\\"b\" } \r\n";

	(void)state;
	assert_int_equal(scan(slice_of(text), values, &error), OK);
	assert_slice(values[MODEL], "\"a\\\"b\"");
	assert_slice(values[STREAM], "true");
	assert_slice(values[MESSAGES], "[{\"model\":\"inner\"}, {} ,[]]");
	assert_int_equal(scan(slice_of("{}"), values, &error), OK);
	for (size_t i = 0; i < NAME_COUNT; i++)
		assert_null(values[i].data);
}

static void escaped_names_are_the_same_names(void **state)
{
	struct json_scan_error error;
	struct slice values[NAME_COUNT];

	(void)state;
	assert_int_equal(scan(slice_of("{\"\\u006dod\\u0065l\":1,\"modelx\":2,\"mode\":3,"
				       "\"model\\u0000\":4}"),
			      values, &error),
			 OK);
	assert_slice(values[MODEL], "1");
}

static const struct {
	const char *text;
	size_t offset;
} wrong_texts[] = {
	{ "", 0 },
	{ "  ", 2 },
	{ "[]", 0 },
	{ "\"x\"", 0 },
	{ "{", 1 },
	{ "{\"a\"", 4 },
	{ "{\"a\":", 5 },
	{ "{\"a\":1", 6 },
	{ "{\"a\":1,", 7 },
	{ "{\"a\":1,}", 7 },
	{ "{,}", 1 },
	{ "{\"a\" 1}", 5 },
	{ "{a:1}", 1 },
	{ "{'a':1}", 1 },
	{ "{\"a\":1}}", 7 },
	{ "{\"a\":1} x", 8 },
	{ "{\"a\":[1 2]}", 8 },
	{ "{\"a\":[1,]}", 8 },
	{ "{\"a\":[}", 6 },
	{ "{\"a\":{]", 6 },
	{ "{\"a\":tru}", 5 },
	{ "{\"a\":True}", 5 },
	{ "{\"a\":nul", 5 },
	{ "{\"a\":01}", 6 },
	{ "{\"a\":-}", 6 },
	{ "{\"a\":+1}", 5 },
	{ "{\"a\":.5}", 5 },
	{ "{\"a\":1.}", 7 },
	{ "{\"a\":1e}", 7 },
	{ "{\"a\":1e+}", 8 },
	{ "{\"a\":0x1}", 6 },
	{ "{\"a\":NaN}", 5 },
	{ "{\"a\":\"\n\"}", 6 },
	{ "{\"a\":\"\\x\"}", 7 },
	{ "{\"a\":\"\\u12g4\"}", 10 },
	{ "{\"a\":\"\\u12", 10 },
	{ "{\"a\":\"\\", 7 },
	{ "{\"a\":\"abc", 9 },
	{ "{\"a\":\"\xff\"}", 6 },
	{ "{\"a\":\"\xc0\xaf\"}", 6 },
	{ "{\"a\":\"ok\xed\xa0\x80\"}", 8 },
	{ "{\"a\":\"\xf4\x90\x80\x80\"}", 6 },
	{ "{\"a\":\"\xe4\xbd\"}", 6 },
	{ "{\"model\":1,\"model\":2}", 11 },
	{ "{\"model\":1,\"mod\\u0065l\":2}", 11 },
	{ "\xef\xbb\xbf{}", 0 },
};

static void wrong_texts_and_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong_texts); i++) {
		struct json_scan_error error = { 0, NULL };
		struct slice values[NAME_COUNT];

		assert_int_equal(scan(slice_of(wrong_texts[i].text), values, &error), ERR_INVALID);
		assert_int_equal(error.offset, wrong_texts[i].offset);
		assert_non_null(error.text);
	}
}

static void right_texts(void **state)
{
	static const char *const rows[] = {
		"{\"a\":-0.5e+10,\"b\":0,\"c\":1E5,\"d\":[0,[],{}],\"e\":\"\"}",
		"{\"a\":1,\"a\":2}", /* twice, but nobody asked for it */
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD83D\\uDE00\x7f\"}",
		"{\"\":{\"\":{\"\":null}}}",
		"{\"a\":\"\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct json_scan_error error;
		struct slice values[NAME_COUNT];

		assert_int_equal(scan(slice_of(rows[i]), values, &error), OK);
	}
}

/* `depth` arrays inside an object: the object counts as one. */
static enum err scan_nested(size_t depth)
{
	static char text[2 * JSON_SCAN_DEPTH_MAX + 100];
	struct json_scan_error error;
	struct slice values[NAME_COUNT];
	size_t len = 5;

	memcpy(text, "{\"a\":", len);
	memset(text + len, '[', depth);
	memset(text + len + depth, ']', depth);
	len += 2 * depth;
	text[len++] = '}';
	return scan((struct slice){ text, len }, values, &error);
}

static void nesting_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(scan_nested(JSON_SCAN_DEPTH_MAX - 1), OK);
	assert_int_equal(scan_nested(JSON_SCAN_DEPTH_MAX), ERR_INVALID);
}

static void strings_are_decoded(void **state)
{
	static const struct {
		const char *json;
		const char *text;
		size_t len;
	} rows[] = {
		{ "\"\"", "", 0 },
		{ "\"plain\"", "plain", 5 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
		{ "\"\\u00e9\\u4F60x\"", "\xc3\xa9\xe4\xbd\xa0x", 6 },
		{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4 },
		{ "\"\\ud83d\"", "\xef\xbf\xbd", 3 },
		{ "\"\\ud83dx\"", "\xef\xbf\xbdx", 4 },
		{ "\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4 },
		{ "\"\\ud83d\\u0041\"", "\xef\xbf\xbd" "A", 4 },
		{ "\"\\ud83d\\\\ude00\"", "\xef\xbf\xbd\\ude00", 9 },
		{ "\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd", 6 },
		{ "\"a\\u0000b\"", "a\0b", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(json_scan_string(slice_of(rows[i].json), &out), OK);
		assert_int_equal(out.len, rows[i].len);
		assert_memory_equal(buf_str(&out), rows[i].text, rows[i].len);
		buf_release(&out);
	}
}

static void values_are_read_by_type(void **state)
{
	const struct slice absent = { NULL, 0 };
	bool boolean = false;
	struct buf out;

	(void)state;
	buf_init(&out, 3);
	assert_int_equal(json_scan_string(absent, &out), ERR_NOT_FOUND);
	assert_int_equal(json_scan_string(slice_of("null"), &out), ERR_NOT_FOUND);
	assert_int_equal(json_scan_string(slice_of("12"), &out), ERR_INVALID);
	assert_int_equal(json_scan_string(slice_of("\"long\""), &out), ERR_TOO_LARGE);
	mem_fail_at(1);
	assert_int_equal(json_scan_string(slice_of("\"abc\""), &out), ERR_NO_MEMORY);
	mem_fail_at(0);
	assert_int_equal(json_scan_bool(slice_of("true"), &boolean), OK);
	assert_true(boolean);
	assert_int_equal(json_scan_bool(slice_of("false"), &boolean), OK);
	assert_false(boolean);
	assert_int_equal(json_scan_bool(slice_of("\"true\""), &boolean), ERR_INVALID);
	assert_int_equal(json_scan_bool(slice_of("null"), &boolean), ERR_NOT_FOUND);
	assert_int_equal(json_scan_bool(absent, &boolean), ERR_NOT_FOUND);
	assert_true(json_scan_is_null(slice_of("null")));
	assert_false(json_scan_is_null(absent));
	buf_release(&out);
}

static void items_come_one_after_the_other(void **state)
{
	static const struct {
		const char *value;
		const char *items[4]; /* NULL at the end */
	} rows[] = {
		{ "[]", { NULL } },
		{ "[ \n]", { NULL } },
		{ "[1]", { "1", NULL } },
		{ "[ {\"a\":[1,2]} , \"x,]\" ,null ]", { "{\"a\":[1,2]}", "\"x,]\"", "null" } },
		{ "[[],[[]]]", { "[]", "[[]]", NULL } },
	};
	const struct slice absent = { NULL, 0 };
	struct slice rest;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice item;

		assert_true(json_scan_array(slice_of(rows[i].value), &rest));
		for (size_t n = 0; rows[i].items[n] != NULL; n++) {
			assert_true(json_scan_next(&rest, &item));
			assert_slice(item, rows[i].items[n]);
		}
		assert_false(json_scan_next(&rest, &item));
	}
	assert_false(json_scan_array(absent, &rest));
	assert_false(json_scan_array(slice_of("{}"), &rest));
	assert_true(json_scan_is(slice_of("\"us\\u0065r\""), "user"));
	assert_false(json_scan_is(slice_of("\"users\""), "user"));
	assert_false(json_scan_is(slice_of("\"\""), "user"));
	assert_false(json_scan_is(slice_of("null"), "null"));
	assert_false(json_scan_is(absent, ""));
}

/* jansson's verdict on an object; it is also stricter in what no scanner of ranges needs to
 * know: numbers it cannot hold and half surrogate pairs. Those are left out of the alphabet. */
static bool jansson_accepts(struct slice text)
{
	json_t *value = NULL;
	bool is_object = json_parse(text, &value, NULL) == OK && json_is_object(value);

	json_decref(value);
	return is_object;
}

/* Random edits of a right text: both readers must agree on every one. The seed is fixed. */
static void agrees_with_jansson(void **state)
{
	static const char seed_text[] =
		"{\"a\":[1,-2.5e3,true,false,null,\"x\\n\\u00e9\xe4\xbd\xa0\"], "
		"\"b\":{\"c\":\"\"}}";
	static const char alphabet[] = "{}[]\",:\\ \n09-.etrufalsn\x01\xc3\xa9\xe4\x80";
	uint32_t random = 12345;
	size_t right = 0;
	enum { ROUNDS = 30000 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[sizeof(seed_text)];
		struct slice slice = { text, sizeof(text) - 1 };
		struct slice values[NAME_COUNT];
		struct json_scan_error error;
		bool accepted;

		memcpy(text, seed_text, sizeof(text));
		for (int edit = 0; edit < 1 + round % 3; edit++) {
			random = random * 1664525u + 1013904223u;
			text[(random >> 8) % slice.len] =
				alphabet[(random >> 20) % (sizeof(alphabet) - 1)];
		}
		accepted = scan(slice, values, &error) == OK;
		if (accepted != jansson_accepts(slice))
			fail_msg("they differ on %s", text);
		right += accepted;
	}
	assert_true(right > ROUNDS / 50 && right < ROUNDS - ROUNDS / 50);
}

/* A part of a right text is never right, and never read beyond. */
static void no_prefix_is_right(void **state)
{
	const char *text = "{\"model\":\"\\u00e9\xe4\xbd\xa0\",\"n\":[1.5e-3,{\"x\":null}]}";
	size_t len = strlen(text);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		char *part = mem_copy(text, cut); /* of its own size: the sanitizer watches */
		struct slice values[NAME_COUNT];
		struct json_scan_error error;

		assert_non_null(part);
		assert_int_equal(scan((struct slice){ part, cut }, values, &error), ERR_INVALID);
		assert_true(error.offset <= cut);
		mem_free(part);
	}
}

static void fill_request(struct buf *body, const char *line)
{
	enum { BODY_BYTES = 1 << 20 };

	assert_int_equal(buf_append_str(body, "{\"messages\":[{\"content\":\""), OK);
	while (body->len < BODY_BYTES)
		assert_int_equal(buf_append_str(body, line), OK);
	assert_int_equal(buf_append_str(body, "\"}],\"model\":\"m\"}"), OK);
}

static double milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Prints its speed; no assertion on time, the machine may be busy. */
static void a_large_body_is_scanned_whole(void **state)
{
	static const char *const lines[] = {
		"The quick brown fox jumps over the lazy dog.\\n",
		"\xe6\x95\x8f\xe6\x8d\xb7\xe7\x9a\x84\xe6\xa3\x95\xe8\x89\xb2\xe7\x8b\x90",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct json_scan_error error;
		struct slice values[NAME_COUNT];
		struct buf body;
		double started;

		buf_init(&body, 2 << 20);
		fill_request(&body, lines[i]);
		started = milliseconds();
		assert_int_equal(scan((struct slice){ body.data, body.len }, values, &error), OK);
		print_message("1 MB scanned in %.2f ms\n", milliseconds() - started);
		assert_slice(values[MODEL], "\"m\"");
		assert_true(values[MESSAGES].len > body.len - 40);
		buf_release(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_own_members_only),
		cmocka_unit_test(escaped_names_are_the_same_names),
		cmocka_unit_test(wrong_texts_and_where),
		cmocka_unit_test(right_texts),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(values_are_read_by_type),
		cmocka_unit_test(items_come_one_after_the_other),
		cmocka_unit_test(agrees_with_jansson),
		cmocka_unit_test(no_prefix_is_right),
		cmocka_unit_test(a_large_body_is_scanned_whole),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
