/* json - small helpers on jansson, and the scanner for what passes through (json_scan.h).
 *
 * null equals absent everywhere: clients send both for "not set". Results of the getters are
 * borrowed from the object and live as long as it does. */
#ifndef LONGHAND_BASE_JSON_H
#define LONGHAND_BASE_JSON_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/json_scan.h"

struct json_parse_error {
	size_t offset; /* byte where it was noticed */
	char text[JSON_ERROR_TEXT_LENGTH]; /* jansson's words; may quote the input: not for logs */
};

/* The tree of one JSON text of any type; json_decref is the caller's. Of equal members the last
 * counts; strings may hold NUL. Slow for large texts (9 ms for 1 MB): use the thread pool.
 * ERR_INVALID with `ret_error` (NULL allowed) set, ERR_NO_MEMORY. */
MUST_CHECK enum err json_parse(struct slice text, json_t **ret,
			       struct json_parse_error *ret_error);
/* The same for what others wrote, any type: NUL in strings, half of a surrogate pair as U+FFFD
 * (what JavaScript makes of an emoji cut in two), and numbers that no integer holds, as reals. NULL
 * when it is no JSON or memory is out: mem_failures() has then grown. */
json_t *json_load_any(struct slice text);
/* Appends the value as JSON on one line, members in their order. ERR_INVALID for a NULL value;
 * nothing is appended on an error. */
MUST_CHECK enum err json_append(struct buf *out, const json_t *value);

/* The member, or NULL when it is absent or null, or `object` is no object. */
json_t *json_member(const json_t *object, const char *name);

/* OK; ERR_NOT_FOUND when absent or null; ERR_INVALID for another type or out of range. The
 * result is set on OK only. */
MUST_CHECK enum err json_get_string(const json_t *object, const char *name, const char **ret);
/* As it is, NUL bytes included. */
MUST_CHECK enum err json_get_slice(const json_t *object, const char *name, struct slice *ret);
MUST_CHECK enum err json_get_bool(const json_t *object, const char *name, bool *ret);
struct json_int_range {
	int64_t min;
	int64_t max;
};
/* 3.0 counts as 3, as JavaScript clients have no integers. */
MUST_CHECK enum err json_get_int(const json_t *object, const char *name,
				 struct json_int_range range, int64_t *ret);
/* Integers too. */
MUST_CHECK enum err json_get_number(const json_t *object, const char *name, double *ret);
MUST_CHECK enum err json_get_object(const json_t *object, const char *name, json_t **ret);
MUST_CHECK enum err json_get_array(const json_t *object, const char *name, json_t **ret);
#endif
