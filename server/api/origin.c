#include "api/origin.h"
#include "base/text.h"
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

enum { HASH_BYTES = 16 };

/* Name and value with their ends, so that no two sets of headers look the same. */
static void add_header(void *context, const char *name, const char *value)
{
	struct sha256_ctx *sha256 = context;

	if (!text_starts_nocase(name, "X-Longhand-"))
		return;
	sha256_update(sha256, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(sha256, strlen(value) + 1, (const uint8_t *)value);
}

/* The prefix and the first 128 bits in hex: as much as a job's id has. */
static void finish(struct sha256_ctx *sha256, const char *prefix, char ret_label[STORE_LABEL_BYTES])
{
	uint8_t digest[HASH_BYTES];
	size_t len;

	sha256_digest(sha256, sizeof(digest), digest);
	(void)snprintf(ret_label, STORE_LABEL_BYTES, "%s", prefix);
	len = strlen(ret_label);
	for (size_t i = 0; i < sizeof(digest); i++, len += 2)
		(void)snprintf(ret_label + len, STORE_LABEL_BYTES - len, "%02x", digest[i]);
}

/* Hashes of one owner, and of one purpose, are equal to no others. */
static void begin(struct sha256_ctx *sha256, const char *prefix, const char *owner)
{
	sha256_init(sha256);
	sha256_update(sha256, strlen(prefix) + 1, (const uint8_t *)prefix);
	sha256_update(sha256, strlen(owner) + 1, (const uint8_t *)owner);
}

void origin_of_owner(const char *owner, char ret_label[STORE_LABEL_BYTES])
{
	struct sha256_ctx sha256;

	begin(&sha256, "owner:", owner);
	finish(&sha256, "owner:", ret_label);
}

void origin_of(const struct request *request, struct slice body, const char *owner,
	       struct labels *ret_labels)
{
	const char *key = request_header(request, "Idempotency-Key");
	struct sha256_ctx sha256;

	*ret_labels = (struct labels){ .key = "" };
	origin_of_owner(owner, ret_labels->owner);
	begin(&sha256, "same:", owner);
	request_each_header(request, add_header, &sha256);
	sha256_update(&sha256, strlen(request->path) + 1, (const uint8_t *)request->path);
	sha256_update(&sha256, body.len, (const uint8_t *)body.data);
	finish(&sha256, "same:", ret_labels->same);
	(void)snprintf(ret_labels->fresh, STORE_LABEL_BYTES, "fresh:%s",
		       ret_labels->same + strlen("same:"));
	if (key == NULL || key[0] == '\0' || strlen(key) > ORIGIN_KEY_BYTES_MAX)
		return;
	begin(&sha256, "key:", owner);
	sha256_update(&sha256, strlen(key), (const uint8_t *)key);
	finish(&sha256, "key:", ret_labels->key);
}

bool origin_is_retry(const struct request *request)
{
	const char *count = request_header(request, "x-stainless-retry-count");

	return count != NULL && count[strspn(count, "0")] != '\0' &&
	       count[strspn(count, "0123456789")] == '\0';
}
