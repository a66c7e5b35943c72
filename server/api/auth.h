/* auth - who asks. Every request under /v1 is checked once, by the router.
 *
 * With keys configured, a request needs one of them (Authorization: Bearer KEY) and the key's name
 * is its owner; without, everybody may ask and is one owner, "". A front end that is trusted names
 * its user in a header: each user is then an owner of its own, "KEY/USER" or "/USER". Names of keys
 * have no '/', so no two owners can be the same text.
 *
 * With keys, what clients send as key is for us alone: no backend ever sees it. */
#ifndef LONGHAND_API_AUTH_H
#define LONGHAND_API_AUTH_H
#include <stdbool.h>
#include <stddef.h>
#include "api/errors.h"
#include "base/key_hash.h"

enum { USER_BYTES_MAX = 256, OWNER_BYTES = 64 + 1 + USER_BYTES_MAX + 1 };

struct auth_key {
	const char *name;
	struct key_hash hash;
};

struct auth_options {
	const struct auth_key *keys;
	size_t n_keys; /* 0: everybody may ask */
	const char *user_header; /* of the front end; NULL: none */
};

/* False: it may not ask; ret_fault says why. */
MUST_CHECK bool auth_owner(const struct auth_options *options, const struct request *request,
			   char ret_owner[OWNER_BYTES], struct api_fault *ret_fault);
/* Whether the client's key goes to backends that have none of their own. */
bool auth_is_passed_on(const struct auth_options *options);
/* That key as a line, for calls of ours: a new string; NULL: none, or not to be passed on (or
 * memory is out: the backend will miss the key and say so). */
char *auth_line_to_pass(const struct auth_options *options, const struct request *request);
#endif
