#include "base/json.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

/* The largest integer that every double up to it can hold exactly. */
static const double exact_max = 9007199254740992.0;

enum err json_parse(struct slice text, json_t **ret, struct json_parse_error *ret_error)
{
	json_error_t error;
	size_t failures_before = mem_failures();
	json_t *value = json_loadb(text.len > 0 ? text.data : "", text.len,
				   JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	/* jansson's lexer ignores it: then the value is there, and wrong. */
	if (mem_failures() != failures_before) {
		json_decref(value);
		return ERR_NO_MEMORY;
	}
	if (value != NULL) {
		*ret = value;
		return OK;
	}
	if (ret_error != NULL) {
		ret_error->offset = error.position > 0 ? (size_t)error.position : 0;
		memcpy(ret_error->text, error.text, sizeof(ret_error->text));
	}
	return ERR_INVALID;
}

struct append_target {
	struct buf *out;
	enum err err;
};

static int append_part(const char *data, size_t len, void *context)
{
	struct append_target *target = context;

	target->err = buf_append(target->out, data, len);
	return target->err == OK ? 0 : -1;
}

enum err json_append(struct buf *out, const json_t *value)
{
	struct append_target target = { .out = out, .err = OK };
	size_t before = out->len;

	if (value == NULL)
		return ERR_INVALID;
	if (json_dump_callback(value, append_part, &target, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
		return OK;
	buf_truncate(out, before);
	/* The value came from a parser, so jansson itself fails for lack of memory only. */
	return target.err != OK ? target.err : ERR_NO_MEMORY;
}

json_t *json_member(const json_t *object, const char *name)
{
	json_t *member = json_object_get(object, name);

	return json_is_null(member) ? NULL : member;
}

enum err json_get_string(const json_t *object, const char *name, const char **ret)
{
	json_t *member = json_member(object, name);

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (!json_is_string(member) ||
	    strlen(json_string_value(member)) != json_string_length(member))
		return ERR_INVALID;
	*ret = json_string_value(member);
	return OK;
}

enum err json_get_slice(const json_t *object, const char *name, struct slice *ret)
{
	json_t *member = json_member(object, name);

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (!json_is_string(member))
		return ERR_INVALID;
	*ret = (struct slice){ json_string_value(member), json_string_length(member) };
	return OK;
}

enum err json_get_bool(const json_t *object, const char *name, bool *ret)
{
	json_t *member = json_member(object, name);

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (!json_is_boolean(member))
		return ERR_INVALID;
	*ret = json_is_true(member);
	return OK;
}

enum err json_get_int(const json_t *object, const char *name, struct json_int_range range,
		      int64_t *ret)
{
	json_t *member = json_member(object, name);
	int64_t number;

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (json_is_real(member)) {
		double real = json_real_value(member);

		if (fabs(real) > exact_max || trunc(real) < real || trunc(real) > real)
			return ERR_INVALID;
		number = (int64_t)real;
	} else if (json_is_integer(member)) {
		number = json_integer_value(member);
	} else {
		return ERR_INVALID;
	}
	if (number < range.min || number > range.max)
		return ERR_INVALID;
	*ret = number;
	return OK;
}

enum err json_get_number(const json_t *object, const char *name, double *ret)
{
	json_t *member = json_member(object, name);

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (!json_is_number(member))
		return ERR_INVALID;
	*ret = json_number_value(member);
	return OK;
}

enum err json_get_object(const json_t *object, const char *name, json_t **ret)
{
	json_t *member = json_member(object, name);

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (!json_is_object(member))
		return ERR_INVALID;
	*ret = member;
	return OK;
}

enum err json_get_array(const json_t *object, const char *name, json_t **ret)
{
	json_t *member = json_member(object, name);

	if (member == NULL)
		return ERR_NOT_FOUND;
	if (!json_is_array(member))
		return ERR_INVALID;
	*ret = member;
	return OK;
}

/* The code unit of the escape \uXXXX at `at`; -1 when there is none. */
static long escaped_unit(const char *at, const char *end)
{
	char digits[5];

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	memcpy(digits, at + 2, 4);
	digits[4] = '\0';
	return strtol(digits, NULL, 16);
}

static bool is_high_surrogate(long unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(long unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* In place: \ufffd is as long. */
static void mend_surrogates(char *text, size_t len)
{
	const char *end = text + len;
	char *at = text;

	while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL && end - at >= 2) {
		long unit = escaped_unit(at, end);

		if (unit < 0) {
			at += 2;
		} else if (is_high_surrogate(unit) && is_low_surrogate(escaped_unit(at + 6, end))) {
			at += 12;
		} else {
			if (is_high_surrogate(unit) || is_low_surrogate(unit))
				memcpy(at + 2, "fffd", 4);
			at += 6;
		}
	}
}

static json_t *load(const char *text, size_t len)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *json = json_loadb(text, len, flags, NULL);

	return json != NULL ? json : json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, NULL);
}

json_t *json_load_any(struct slice text)
{
	json_t *json = load(text.data, text.len);
	char *mended;

	if (json != NULL || memchr(text.data, '\\', text.len) == NULL)
		return json;
	mended = mem_copy(text.data, text.len);
	if (mended == NULL)
		return NULL;
	mend_surrogates(mended, text.len);
	json = load(mended, text.len);
	mem_free(mended);
	return json;
}
