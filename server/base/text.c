#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

enum { UTF8_MAX_BYTES = 4 };

/* How many bytes a code point takes by its first byte; 1 for what cannot begin one. */
static size_t utf8_len(unsigned char first)
{
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	return 1;
}

uint32_t text_next(const char **at, const char *end)
{
	utf8proc_int32_t code;
	utf8proc_ssize_t len;

	if ((unsigned char)**at < 0x80)
		return (unsigned char)*(*at)++;
	len = utf8proc_iterate((const utf8proc_uint8_t *)*at, end - *at, &code);
	if (len <= 0) {
		(*at)++;
		return TEXT_REPLACEMENT;
	}
	*at += len;
	return (uint32_t)code;
}

uint32_t text_before(const char *start, const char *at)
{
	const char *from = at;

	for (int back = 0; back < UTF8_MAX_BYTES && from > start; back++) {
		const char *end;
		uint32_t code;

		from--;
		if (((unsigned char)*from & 0xc0) == 0x80)
			continue;
		end = from;
		code = text_next(&end, at);
		return end == at ? code : TEXT_REPLACEMENT;
	}
	return from < at ? TEXT_REPLACEMENT : 0;
}

bool text_is_valid(const char *data, size_t len)
{
	const char *at = data;
	const char *end = data + len;

	while (at < end) {
		utf8proc_int32_t code;
		utf8proc_ssize_t step;

		if ((unsigned char)*at < 0x80) {
			at++;
			continue;
		}
		step = utf8proc_iterate((const utf8proc_uint8_t *)at, end - at, &code);
		if (step <= 0)
			return false;
		at += step;
	}
	return true;
}

size_t text_whole(const char *data, size_t len)
{
	size_t at = len;

	for (int back = 0; back < UTF8_MAX_BYTES && at > 0; back++) {
		unsigned char byte = (unsigned char)data[--at];

		if ((byte & 0xc0) == 0x80)
			continue;
		return at + utf8_len(byte) <= len ? len : at;
	}
	return len; /* no code point begins here: bad bytes, kept as they are */
}

size_t text_put(char *out, uint32_t code)
{
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)code, (utf8proc_uint8_t *)out);
}

static utf8proc_category_t category(uint32_t code)
{
	return utf8proc_category((utf8proc_int32_t)code);
}

bool text_is_space(uint32_t code)
{
	utf8proc_category_t kind;

	if (code < 0x80)
		return code == ' ' || (code >= '\t' && code <= '\r');
	kind = category(code);
	return code == 0x85 || kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL ||
	       kind == UTF8PROC_CATEGORY_ZP;
}

bool text_is_letter(uint32_t code)
{
	utf8proc_category_t kind;

	if (code < 0x80)
		return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
	kind = category(code);
	return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_ME;
}

bool text_is_digit(uint32_t code)
{
	if (code < 0x80)
		return code >= '0' && code <= '9';
	return category(code) == UTF8PROC_CATEGORY_ND;
}

bool text_is_mark(uint32_t code)
{
	utf8proc_category_t kind;

	if (code < 0x80)
		return false;
	kind = category(code);
	return kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME;
}

bool text_is_number(uint32_t code)
{
	utf8proc_category_t kind;

	if (code < 0x80)
		return code >= '0' && code <= '9';
	kind = category(code);
	return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}

bool text_is_lower(uint32_t code)
{
	if (code < 0x80)
		return code >= 'a' && code <= 'z';
	return category(code) == UTF8PROC_CATEGORY_LL;
}

bool text_is_han(uint32_t code)
{
	return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
	       (code >= 0x20000 && code <= 0x323af) || (code >= 0xf900 && code <= 0xfaff) ||
	       (code >= 0x3005 && code <= 0x3007);
}

bool text_is_kana(uint32_t code)
{
	return (code >= 0x3041 && code <= 0x3096) || (code >= 0x309d && code <= 0x309f) ||
	       (code >= 0x30a1 && code <= 0x30fa) || (code >= 0x30fc && code <= 0x30ff) ||
	       (code >= 0x31f0 && code <= 0x31ff) || (code >= 0xff66 && code <= 0xff9d);
}

bool text_equals_nocase(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

bool text_starts_nocase(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
		if (lower(*text) != lower(*prefix))
			return false;
	return true;
}

/* By hand, without strlen: it is asked at every byte of long texts, and mostly the first byte
 * differs. */
bool text_starts_within(const char *text, const char *end, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
		if (text >= end || lower(*text) != lower(*prefix))
			return false;
	return true;
}

enum err text_nfc(const char *data, size_t len, struct buf *out)
{
	struct buf valid;
	const char *at = data;
	const char *end = data + len;
	utf8proc_uint8_t *composed = NULL;
	utf8proc_ssize_t composed_len = 0;
	enum err err = OK;

	buf_init(&valid, len * UTF8_MAX_BYTES + 1);
	while (err == OK && at < end) {
		char bytes[UTF8_MAX_BYTES];

		err = buf_append(&valid, bytes, text_put(bytes, text_next(&at, end)));
	}
	if (err == OK)
		composed_len = utf8proc_map((const utf8proc_uint8_t *)buf_str(&valid),
					    (utf8proc_ssize_t)valid.len, &composed,
					    UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (composed_len < 0)
		err = ERR_NO_MEMORY;
	if (err == OK)
		err = buf_append(out, composed, (size_t)composed_len);
	free(composed);
	buf_release(&valid);
	return err;
}

struct slice text_trim(const char *data, size_t len)
{
	const char *at = data;
	const char *end = data + len;

	while (at < end) {
		const char *next = at;

		if (!text_is_space(text_next(&next, end)))
			break;
		at = next;
	}
	while (end > at && text_is_space(text_before(at, end))) {
		do
			end--;
		while (end > at && ((unsigned char)*end & 0xc0) == 0x80);
	}
	return (struct slice){ .data = at, .len = (size_t)(end - at) };
}
