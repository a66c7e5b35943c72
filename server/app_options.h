/* app_options - the settings as the small structs that the parts are given. */
#ifndef LONGHAND_APP_OPTIONS_H
#define LONGHAND_APP_OPTIONS_H
#include "api/api.h"
#include "http/http_server.h"
#include "model/backend_set.h"
#include "settings.h"

struct app_options {
	struct backend_options *backends; /* the default one first */
	size_t n_backends;
	struct model_alias *aliases; /* of all backends, one after the other */
	struct api_preset *presets;
	struct auth_key *keys;
	struct api_options api;
	struct registry_options registry;
	struct http_server_options server;
};

/* Borrows strings from `settings`. ERR_NO_MEMORY. */
MUST_CHECK enum err app_options_init(struct app_options *options, const struct settings *settings);
void app_options_release(struct app_options *options);
#endif
