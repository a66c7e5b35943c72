#include "base/key_hash.h"
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <string.h>

static const char prefix[] = "sha256:";
enum { PREFIX_LEN = sizeof(prefix) - 1 };

void key_hash_of(const char *key, size_t len, struct key_hash *ret_hash)
{
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	sha256_update(&sha256, len, (const uint8_t *)key);
	sha256_digest(&sha256, KEY_HASH_BYTES, ret_hash->bytes);
}

void key_hash_print(const struct key_hash *hash, char ret_text[KEY_HASH_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret_text + PREFIX_LEN;

	memcpy(ret_text, prefix, PREFIX_LEN);
	for (size_t i = 0; i < KEY_HASH_BYTES; i++) {
		*at++ = digits[hash->bytes[i] >> 4];
		*at++ = digits[hash->bytes[i] & 15];
	}
	*at = '\0';
}

/* -1: none. */
static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 0x20);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool key_hash_parse(const char *text, struct key_hash *ret_hash)
{
	struct key_hash hash;

	if (strncmp(text, prefix, PREFIX_LEN) != 0 || strlen(text) != KEY_HASH_TEXT_BYTES - 1)
		return false;
	text += PREFIX_LEN;
	for (size_t i = 0; i < KEY_HASH_BYTES; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash.bytes[i] = (unsigned char)(high * 16 + low);
	}
	*ret_hash = hash;
	return true;
}

bool key_hash_is_equal(const struct key_hash *a, const struct key_hash *b)
{
	return memeql_sec(a->bytes, b->bytes, KEY_HASH_BYTES) != 0;
}

bool key_is_sendable(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (key[i] < '!' || key[i] > '~')
			return false;
	return len > 0 && len <= KEY_BYTES_MAX;
}
