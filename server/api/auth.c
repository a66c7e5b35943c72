#include "api/auth.h"
#include "api/headers.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The token of "Bearer TOKEN"; data NULL: there is none. */
static struct slice bearer_token(const struct request *request)
{
	static const char scheme[] = "Bearer ";
	const char *value = request_header(request, "Authorization");

	if (value == NULL || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
		return (struct slice){ NULL, 0 };
	value += sizeof(scheme) - 1;
	return text_trim(value, strlen(value));
}

/* All keys are looked at, whichever it is: the time says nothing. */
static const struct auth_key *find_key(const struct auth_options *options, struct slice token)
{
	const struct auth_key *found = NULL;
	struct key_hash hash;

	key_hash_of(token.data, token.len, &hash);
	for (size_t i = 0; i < options->n_keys; i++)
		if (key_hash_is_equal(&hash, &options->keys[i].hash))
			found = &options->keys[i];
	return found;
}

static bool find_name(const struct auth_options *options, const struct request *request,
		      const char **ret_name, struct api_fault *fault)
{
	struct slice token;
	const struct auth_key *key;

	*ret_name = "";
	if (options->n_keys == 0)
		return true;
	token = bearer_token(request);
	if (token.data == NULL || token.len == 0) {
		api_fault_set(fault, API_ERROR_INVALID_API_KEY, NULL,
			      "This server asks for an API key: send it as Authorization: Bearer "
			      "KEY.");
		return false;
	}
	key = key_is_sendable(token.data, token.len) ? find_key(options, token) : NULL;
	if (key == NULL) {
		api_fault_set(fault, API_ERROR_INVALID_API_KEY, NULL,
			      "The API key is not one of this server's.");
		return false;
	}
	*ret_name = key->name;
	return true;
}

struct user_search {
	const char *header;
	const char *value; /* NULL: none yet */
	unsigned count;
};

static void see_user(void *context, const char *name, const char *value)
{
	struct user_search *search = context;

	if (strcasecmp(name, search->header) != 0)
		return;
	search->value = value;
	search->count++;
}

/* Twice the header: one of them may be the client's own, that the front end let through. */
static bool find_user(const struct auth_options *options, const struct request *request,
		      struct slice *ret_user, struct api_fault *fault)
{
	struct user_search search = { .header = options->user_header };

	*ret_user = (struct slice){ "", 0 };
	if (options->user_header == NULL)
		return true;
	request_each_header(request, see_user, &search);
	if (search.value != NULL)
		*ret_user = text_trim(search.value, strlen(search.value));
	if (search.count <= 1 && ret_user->len <= USER_BYTES_MAX &&
	    text_is_valid(ret_user->data, ret_user->len))
		return true;
	api_fault_set(fault, API_ERROR_INVALID_VALUE, NULL,
		      "The header %.64s must be there once at most, as UTF-8 of at most %d bytes.",
		      options->user_header, (int)USER_BYTES_MAX);
	return false;
}

bool auth_owner(const struct auth_options *options, const struct request *request,
		char ret_owner[OWNER_BYTES], struct api_fault *ret_fault)
{
	struct slice user;
	const char *name;

	if (!find_name(options, request, &name, ret_fault) ||
	    !find_user(options, request, &user, ret_fault))
		return false;
	ret_owner[0] = '\0';
	if (name[0] != '\0' || user.len > 0)
		(void)snprintf(ret_owner, OWNER_BYTES, "%s%s%.*s", name,
			       user.len > 0 ? "/" : "", (int)user.len, user.data);
	return true;
}

bool auth_is_passed_on(const struct auth_options *options)
{
	return options->n_keys == 0;
}

char *auth_line_to_pass(const struct auth_options *options, const struct request *request)
{
	return auth_is_passed_on(options) ? headers_authorization(request) : NULL;
}
