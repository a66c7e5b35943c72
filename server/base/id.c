#include "base/id.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { ID_BYTES = ID_CHARS / 2 };

static const char digits[] = "0123456789abcdef";

/* Up to 256 bytes come whole once the kernel's pool is ready; a signal may interrupt before. */
static enum err fill(void *bytes, size_t len)
{
	ssize_t got;

	do
		got = getrandom(bytes, len, 0);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)len ? OK : ERR_IO;
}

enum err id_new(char ret_id[ID_CHARS + 1])
{
	unsigned char bytes[ID_BYTES];
	enum err err = fill(bytes, sizeof(bytes));

	if (err != OK)
		return err;
	for (size_t i = 0; i < ID_BYTES; i++) {
		ret_id[2 * i] = digits[bytes[i] >> 4];
		ret_id[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_id[ID_CHARS] = '\0';
	return OK;
}

enum err id_new_request(char ret_id[ID_REQUEST_CHARS + 1])
{
	static const char prefix[] = "req_";

	memcpy(ret_id, prefix, sizeof(prefix));
	return id_new(ret_id + sizeof(prefix) - 1);
}

bool id_is_valid(const char *text, size_t len)
{
	if (len != ID_CHARS)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr(digits, text[i]) == NULL)
			return false;
	return true;
}

enum err id_random(uint64_t *ret_bits)
{
	return fill(ret_bits, sizeof(*ret_bits));
}
