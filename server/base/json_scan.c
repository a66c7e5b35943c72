#include "base/json_scan.h"
#include <stdint.h>
#include <string.h>
#include "base/text.h"

struct scanner {
	const char *at;
	const char *end;
	const char *const *names;
	struct slice *values;
	size_t count;
	unsigned depth;
	const char *error; /* the first one; `at` stays on the offending byte */
};

static bool scan_value(struct scanner *scanner);

static bool fail(struct scanner *scanner, const char *text)
{
	scanner->error = text;
	return false;
}

/* The next byte, -1 at the end. */
static int peek(const struct scanner *scanner)
{
	return scanner->at < scanner->end ? (unsigned char)*scanner->at : -1;
}

static void skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->end) {
		char byte = *scanner->at;

		if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
			return;
		scanner->at++;
	}
}

/* Behind the run of plain ASCII that begins at `at`. Eight bytes at a time: a byte that ends the
 * run (quote, backslash, control, not ASCII) has its top bit set in one of the four terms. */
static const char *skip_plain(const char *at, const char *end)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t word;

	while ((size_t)(end - at) >= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		if (((word | (word - 0x20 * ones) | ((word ^ '"' * ones) - ones) |
		      ((word ^ '\\' * ones) - ones)) &
		     0x80 * ones) != 0)
			break;
		at += sizeof(word);
	}
	while (at < end) {
		unsigned char byte = (unsigned char)*at;

		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
			break;
		at++;
	}
	return at;
}

/* The length of the sequence of UTF-8 (RFC 3629, not ASCII) at `at`; 0 when it is none. */
static size_t utf8_sequence(const char *at, size_t left)
{
	unsigned char first = (unsigned char)at[0];
	unsigned char second;
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0xc2 || first > 0xf4 || left < len)
		return 0;
	if (first == 0xe0)
		low = 0xa0; /* overlong below */
	else if (first == 0xed)
		high = 0x9f; /* surrogates above */
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	second = (unsigned char)at[1];
	if (second < low || second > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static bool scan_utf8(struct scanner *scanner)
{
	while (scanner->at < scanner->end && (unsigned char)*scanner->at >= 0x80) {
		size_t len = utf8_sequence(scanner->at, (size_t)(scanner->end - scanner->at));

		if (len == 0)
			return fail(scanner, "a string is not UTF-8");
		scanner->at += len;
	}
	return true;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

static bool scan_escape(struct scanner *scanner)
{
	int kind;

	scanner->at++;
	kind = peek(scanner);
	if (kind <= 0 || strchr("\"\\/bfnrtu", kind) == NULL)
		return fail(scanner, "an escape that JSON does not know");
	scanner->at++;
	for (int i = 0; kind == 'u' && i < 4; i++) {
		if (scanner->at == scanner->end || hex_digit(*scanner->at) < 0)
			return fail(scanner, "\\u needs four hexadecimal digits");
		scanner->at++;
	}
	return true;
}

static bool scan_string(struct scanner *scanner)
{
	if (peek(scanner) != '"')
		return fail(scanner, "a string is expected");
	scanner->at++;
	for (;;) {
		int byte;
		bool went_on;

		scanner->at = skip_plain(scanner->at, scanner->end);
		byte = peek(scanner);
		if (byte == '"')
			break;
		if (byte < 0)
			return fail(scanner, "a string does not end");
		if (byte < 0x20)
			return fail(scanner, "a control character in a string");
		went_on = byte == '\\' ? scan_escape(scanner) : scan_utf8(scanner);
		if (!went_on)
			return false;
	}
	scanner->at++;
	return true;
}

static bool scan_digits(struct scanner *scanner)
{
	const char *start = scanner->at;

	while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9')
		scanner->at++;
	return scanner->at > start || fail(scanner, "a digit is expected");
}

static bool scan_number(struct scanner *scanner)
{
	if (peek(scanner) == '-')
		scanner->at++;
	if (peek(scanner) == '0')
		scanner->at++;
	else if (!scan_digits(scanner))
		return false;
	if (peek(scanner) == '.') {
		scanner->at++;
		if (!scan_digits(scanner))
			return false;
	}
	if (peek(scanner) != 'e' && peek(scanner) != 'E')
		return true;
	scanner->at++;
	if (peek(scanner) == '+' || peek(scanner) == '-')
		scanner->at++;
	return scan_digits(scanner);
}

static bool scan_word(struct scanner *scanner, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(scanner->end - scanner->at) < len || memcmp(scanner->at, word, len) != 0)
		return fail(scanner, "a value is expected");
	scanner->at += len;
	return true;
}

/* The number behind the backslash and the u at `at`, which have been checked. */
static uint32_t unicode_escape(const char *at)
{
	uint32_t code = 0;

	for (int i = 2; i < 6; i++)
		code = code * 16 + (uint32_t)hex_digit(at[i]);
	return code;
}

static size_t decode_unicode(const char **at, const char *end, char out[4])
{
	uint32_t code = unicode_escape(*at);
	uint32_t low = 0;

	*at += 6;
	if (code >= 0xd800 && code <= 0xdbff && end - *at >= 6 && memcmp(*at, "\\u", 2) == 0)
		low = unicode_escape(*at);
	if (low >= 0xdc00 && low <= 0xdfff) {
		*at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xd800 && code <= 0xdfff) {
		code = TEXT_REPLACEMENT; /* half of a pair without its other half */
	}
	return text_put(out, code);
}

/* The character of the checked escape at *at, *at moved behind it; returns its bytes. */
static size_t decode_escape(const char **at, const char *end, char out[4])
{
	static const char short_for[] = "b\bf\fn\nr\rt\t";
	const char *found;

	if ((*at)[1] == 'u')
		return decode_unicode(at, end, out);
	found = strchr(short_for, (*at)[1]);
	out[0] = found != NULL ? found[1] : (*at)[1];
	*at += 2;
	return 1;
}

/* Whether the string `raw` (with quotes, checked) decodes to `name`. */
static bool is_name(struct slice raw, const char *name)
{
	const char *at = raw.data + 1;
	const char *end = raw.data + raw.len - 1;

	while (at < end) {
		char bytes[4] = { *at };
		size_t len = 1;

		if (*at == '\\')
			len = decode_escape(&at, end, bytes);
		else
			at++;
		if (bytes[0] == '\0' || strncmp(name, bytes, len) != 0)
			return false;
		name += len;
	}
	return *name == '\0';
}

/* Keeps the member if it is one of those asked for. */
static bool keep_member(struct scanner *scanner, struct slice name, struct slice value)
{
	for (size_t i = 0; i < scanner->count; i++) {
		char first = name.data[1]; /* tells most apart */

		if ((first != scanner->names[i][0] && first != '\\') ||
		    !is_name(name, scanner->names[i]))
			continue;
		if (scanner->values[i].data != NULL) {
			scanner->at = name.data;
			return fail(scanner, "a member stands here a second time");
		}
		scanner->values[i] = value;
	}
	return true;
}

static bool scan_member(struct scanner *scanner)
{
	struct slice name = { .data = scanner->at };
	struct slice value;

	if (!scan_string(scanner))
		return false;
	name.len = (size_t)(scanner->at - name.data);
	skip_space(scanner);
	if (peek(scanner) != ':')
		return fail(scanner, "a colon is expected");
	scanner->at++;
	skip_space(scanner);
	value.data = scanner->at;
	if (!scan_value(scanner))
		return false;
	value.len = (size_t)(scanner->at - value.data);
	return scanner->depth > 1 || keep_member(scanner, name, value);
}

/* The inside of an object or array, from its opening to its closing bracket. */
static bool scan_items(struct scanner *scanner, char close, bool (*scan_item)(struct scanner *))
{
	if (++scanner->depth > JSON_SCAN_DEPTH_MAX)
		return fail(scanner, "nested too deeply");
	scanner->at++;
	skip_space(scanner);
	while (peek(scanner) != close) {
		if (!scan_item(scanner))
			return false;
		skip_space(scanner);
		if (peek(scanner) == close)
			break;
		if (peek(scanner) != ',')
			return fail(scanner, "a comma or the closing bracket is expected");
		scanner->at++;
		skip_space(scanner);
		if (peek(scanner) == close)
			return fail(scanner, "nothing follows the comma");
	}
	scanner->at++;
	scanner->depth--;
	return true;
}

static bool scan_value(struct scanner *scanner)
{
	switch (peek(scanner)) {
	case '{':
		return scan_items(scanner, '}', scan_member);
	case '[':
		return scan_items(scanner, ']', scan_value);
	case '"':
		return scan_string(scanner);
	case 't':
		return scan_word(scanner, "true");
	case 'f':
		return scan_word(scanner, "false");
	case 'n':
		return scan_word(scanner, "null");
	case '-':
		return scan_number(scanner);
	default:
		if (peek(scanner) >= '0' && peek(scanner) <= '9')
			return scan_number(scanner);
		return fail(scanner, "a value is expected");
	}
}

static bool scan_document(struct scanner *scanner)
{
	skip_space(scanner);
	if (peek(scanner) != '{')
		return fail(scanner, "an object is expected");
	if (!scan_value(scanner))
		return false;
	skip_space(scanner);
	return scanner->at == scanner->end || fail(scanner, "something follows the object");
}

enum err json_scan(struct slice text, const char *const names[], struct slice ret_values[],
		   size_t count, struct json_scan_error *ret_error)
{
	struct scanner scanner = {
		.at = text.len > 0 ? text.data : "",
		.names = names,
		.values = ret_values,
		.count = count,
	};
	const char *start = scanner.at;

	scanner.end = start + text.len;
	for (size_t i = 0; i < count; i++)
		ret_values[i] = (struct slice){ .data = NULL };
	if (scan_document(&scanner))
		return OK;
	ret_error->offset = (size_t)(scanner.at - start);
	ret_error->text = scanner.error;
	return ERR_INVALID;
}

bool json_scan_is_null(struct slice value)
{
	return value.len == 4 && memcmp(value.data, "null", 4) == 0;
}

bool json_scan_is(struct slice value, const char *text)
{
	return value.len >= 2 && value.data[0] == '"' && is_name(value, text);
}

bool json_scan_array(struct slice value, struct slice *ret_rest)
{
	if (value.len < 2 || value.data[0] != '[')
		return false;
	*ret_rest = (struct slice){ value.data + 1, value.len - 2 };
	return true;
}

bool json_scan_next(struct slice *rest, struct slice *ret_item)
{
	struct scanner scanner = { .at = rest->data, .end = rest->data + rest->len, .depth = 1 };

	skip_space(&scanner);
	ret_item->data = scanner.at;
	if (scanner.at == scanner.end || !scan_value(&scanner))
		return false;
	ret_item->len = (size_t)(scanner.at - ret_item->data);
	skip_space(&scanner);
	if (peek(&scanner) == ',')
		scanner.at++;
	*rest = (struct slice){ scanner.at, (size_t)(scanner.end - scanner.at) };
	return true;
}

enum err json_scan_string(struct slice value, struct buf *out)
{
	const char *at;
	const char *end;
	enum err err = OK;

	if (value.data == NULL || json_scan_is_null(value))
		return ERR_NOT_FOUND;
	if (value.len < 2 || value.data[0] != '"')
		return ERR_INVALID;
	at = value.data + 1;
	end = value.data + value.len - 1;
	while (err == OK && at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *plain_end = escape != NULL ? escape : end;
		char bytes[4];

		err = buf_append(out, at, (size_t)(plain_end - at));
		at = plain_end;
		if (err == OK && at < end)
			err = buf_append(out, bytes, decode_escape(&at, end, bytes));
	}
	return err;
}

enum err json_scan_bool(struct slice value, bool *ret)
{
	if (value.data == NULL || json_scan_is_null(value))
		return ERR_NOT_FOUND;
	if (value.len == 4 && memcmp(value.data, "true", 4) == 0)
		*ret = true;
	else if (value.len == 5 && memcmp(value.data, "false", 5) == 0)
		*ret = false;
	else
		return ERR_INVALID;
	return OK;
}
