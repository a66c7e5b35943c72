#include "api/origin.h"
#include "base/text.h"
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

/* Name and value with their ends, so that no two sets of headers look the same. */
static void add_header(void *context, const char *name, const char *value)
{
	struct sha256_ctx *sha256 = context;

	if (!text_starts_nocase(name, "X-Longhand-"))
		return;
	sha256_update(sha256, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(sha256, strlen(value) + 1, (const uint8_t *)value);
}

void origin_of(const struct request *request, struct slice body, struct origin *ret_origin)
{
	const char *key = request_header(request, "Idempotency-Key");
	struct sha256_ctx sha256;

	*ret_origin = (struct origin){ .key = "" };
	sha256_init(&sha256);
	request_each_header(request, add_header, &sha256);
	sha256_update(&sha256, body.len, (const uint8_t *)body.data);
	sha256_digest(&sha256, sizeof(ret_origin->hash), ret_origin->hash);
	if (key != NULL && strlen(key) <= ORIGIN_KEY_BYTES_MAX)
		(void)snprintf(ret_origin->key, sizeof(ret_origin->key), "%s", key);
}

bool origin_is_retry(const struct request *request)
{
	const char *count = request_header(request, "x-stainless-retry-count");

	return count != NULL && count[strspn(count, "0")] != '\0' &&
	       count[strspn(count, "0123456789")] == '\0';
}
