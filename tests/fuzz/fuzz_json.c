/* Two readers of the same JSON agree: the scanner of ranges, and jansson's trees. */
#include <math.h>
#include <string.h>
#include "base/json.h"
#include "fuzz/fuzz.h"

static const char *const names[] = { "model", "messages", "stream", "a" };
enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

/* What jansson refuses and RFC 8259 does not: halves of surrogate pairs, numbers too large for a
 * double, names with a zero byte. These are passed on to backends as they came. */
static bool is_jansson_strict(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	       strstr(error->text, "Unicode") != NULL || strstr(error->text, "surrogate") != NULL;
}

/* And what only jansson takes: a member twice, deeper nesting, a zero byte behind a number. */
static bool is_scanner_strict(struct slice text, const struct json_scan_error *fault)
{
	return strstr(fault->text, "second time") != NULL ||
	       strstr(fault->text, "nested") != NULL ||
	       (fault->offset < text.len && text.data[fault->offset] == '\0');
}

static void check_member(struct slice range, const json_t *object, const char *name)
{
	json_t *in_tree = json_object_get(object, name);
	json_t *in_range;

	MUST((range.data == NULL) == (in_tree == NULL));
	if (range.data == NULL)
		return;
	in_range = json_loadb(range.data, range.len,
			      JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	MUST(in_range != NULL && json_equal(in_range, in_tree));
	MUST(json_scan_is_null(range) == json_is_null(in_tree));
	json_decref(in_range);
}

static void check_string(struct slice range, const json_t *object, const char *name)
{
	const json_t *in_tree = json_object_get(object, name);
	struct buf decoded;

	buf_init(&decoded, SIZE_MAX / 2);
	if (json_is_string(in_tree)) {
		MUST(json_scan_string(range, &decoded) == OK);
		MUST(decoded.len == json_string_length(in_tree));
		MUST(memcmp(buf_str(&decoded), json_string_value(in_tree), decoded.len) == 0);
	}
	buf_release(&decoded);
}

/* An array's items, one after the other: as many, and the same. */
static void check_items(struct slice range, const json_t *object, const char *name)
{
	const json_t *in_tree = json_object_get(object, name);
	struct slice rest, item;
	size_t count = 0;

	MUST(json_scan_array(range, &rest) == json_is_array(in_tree));
	if (!json_is_array(in_tree))
		return;
	for (; json_scan_next(&rest, &item); count++) {
		size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
		json_t *in_range = json_loadb(item.data, item.len, flags, NULL);

		MUST(in_range != NULL && json_equal(in_range, json_array_get(in_tree, count)));
		json_decref(in_range);
	}
	MUST(count == json_array_size(in_tree));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct slice ranges[NAME_COUNT];
	struct json_scan_error fault;
	json_error_t error;
	json_t *tree = json_loadb((const char *)data, size,
				  JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	enum err err = json_scan(text, names, ranges, NAME_COUNT, &fault);

	if (err != OK)
		MUST(err == ERR_INVALID && fault.offset <= size && fault.text != NULL);
	if (err == OK && tree == NULL)
		MUST(is_jansson_strict(&error));
	if (err != OK && json_is_object(tree))
		MUST(is_scanner_strict(text, &fault));
	for (size_t i = 0; err == OK && tree != NULL && i < NAME_COUNT; i++) {
		check_member(ranges[i], tree, names[i]);
		check_string(ranges[i], tree, names[i]);
		check_items(ranges[i], tree, names[i]);
	}
	json_decref(tree);
	return 0;
}
