/* id - names nobody can guess: 128 random bits from the kernel. */
#ifndef LONGHAND_BASE_ID_H
#define LONGHAND_BASE_ID_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

enum {
	ID_CHARS = 32, /* lower-case hexadecimal digits, 128 bits */
	ID_REQUEST_CHARS = 4 + ID_CHARS, /* "req_" and an id */
};

/* A new id, terminated. ERR_IO when the kernel gives no random bytes. */
MUST_CHECK enum err id_new(char ret_id[ID_CHARS + 1]);
/* A new request id for X-Request-Id and the log, terminated. Errors as id_new. */
MUST_CHECK enum err id_new_request(char ret_id[ID_REQUEST_CHARS + 1]);
/* Whether it has the form of id_new; what comes from outside is asked first. */
bool id_is_valid(const char *text, size_t len);
/* Random bits for jitter and the like. ERR_IO as id_new. */
MUST_CHECK enum err id_random(uint64_t *ret_bits);
#endif
