/* key_hash - API keys as they are kept: the SHA-256 of the key, written "sha256:HEX".
 *
 * Keys are random and long, so one plain hash is enough: nobody guesses what is behind it.
 * Hashes are compared in constant time: the time of an answer tells nothing of them. */
#ifndef LONGHAND_BASE_KEY_HASH_H
#define LONGHAND_BASE_KEY_HASH_H
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

enum {
	KEY_HASH_BYTES = 32,
	KEY_HASH_TEXT_BYTES = 7 + 2 * KEY_HASH_BYTES + 1, /* "sha256:", hex digits, the end */
	KEY_BYTES_MAX = 512,
};

struct key_hash {
	unsigned char bytes[KEY_HASH_BYTES];
};

void key_hash_of(const char *key, size_t len, struct key_hash *ret_hash);
/* Terminated; 64 lower-case hexadecimal digits. */
void key_hash_print(const struct key_hash *hash, char ret_text[KEY_HASH_TEXT_BYTES]);
/* False: not "sha256:" and 64 hexadecimal digits; `ret_hash` is then untouched. */
MUST_CHECK bool key_hash_parse(const char *text, struct key_hash *ret_hash);
/* Takes the same time wherever they differ. */
bool key_hash_is_equal(const struct key_hash *a, const struct key_hash *b);
/* What a client can send as a bearer token: 1 to KEY_BYTES_MAX visible ASCII characters. */
bool key_is_sendable(const char *key, size_t len);
#endif
