/* api - what the handlers of requests share, by the settings of one load; owned by app.c.
 *
 * After a reload new requests get another one. Whatever keeps a pointer to it past the turn of its
 * request holds it, and lets it go when it is freed. */
#ifndef LONGHAND_API_API_H
#define LONGHAND_API_API_H
#include "api/auth.h"
#include "api/errors.h"
#include "async/work.h"
#include "job/registry.h"
#include "writing/route.h"

struct api_preset { /* a model id that stands for a model and options */
	const char *id;
	const char *backend; /* NULL: the default one */
	const char *model;   /* NULL: the backend's default */
	const char *mode;    /* "auto", "serial", "single" */
	long target_words;   /* where the request names none; 0: by kind */
	enum headings headings;
	enum word_rule count;
	enum context context;
};

struct api_options {
	long plan_from_words;
	long single_max_words;
	long target_words_max;
	long call_words_max;
	bool is_route_all; /* plain model ids may be planned too */
	enum context context;
	uint64_t heartbeat_ms;
	uint64_t json_whitespace_after_ms;
	uint64_t first_status_ms; /* the headers of a long stream leave then at the latest */
	uint64_t progress_ms;
	uint64_t limit_wait_ms; /* what passes through waits so long for its backend's limits */
	bool is_token_counted;	/* a backend has a limit of tokens */
	uint64_t store_ms;
	bool refuses_when_store_down; /* new long texts; else they wait for it */
	size_t inline_json_bytes; /* larger bodies are parsed on the thread pool */
	const struct api_preset *presets;
	size_t n_presets;
	struct auth_options auth;
	const char *cors_origins; /* as cors_handle() takes them; NULL: none */
};

enum { API_WITHOUT_RESPONSES_MAX = 32 }; /* those beyond are asked anew each time */

struct api {
	struct reactor *reactor;
	struct model *model;
	struct store *store;
	struct registry *registry;
	struct work_port *pool;
	const struct api_options *options;
	bool is_draining; /* /readyz says 503 */
	/* Names of backends that were seen to have no /responses. */
	const char *without_responses[API_WITHOUT_RESPONSES_MAX];
	size_t users;	  /* who hold it */
};

static inline struct api *api_hold(struct api *api)
{
	api->users++;
	return api;
}

static inline void api_let_go(struct api *api)
{
	api->users--;
}
#endif
