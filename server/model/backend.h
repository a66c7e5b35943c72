/* backend - one server that models run on: where it is, what it speaks, how it is doing. */
#ifndef LONGHAND_MODEL_BACKEND_H
#define LONGHAND_MODEL_BACKEND_H
#include "loop/http_client.h"
#include "model/breaker.h"
#include "model/dialect.h"
#include "model/limiter.h"

struct model_alias {
	const char *id;	   /* what clients send */
	const char *model; /* what the backend is sent */
};

/* Borrowed for the backend's life, all of it. */
struct backend_options {
	const char *name;
	const char *url;   /* "http://host:port/v1" */
	const char *model; /* the default one; NULL: ask */
	const char *key;   /* sent as bearer token in place of the client's; NULL: the client's */
	const struct dialect *dialect;
	const struct model_alias *aliases;
	size_t n_aliases;
	bool is_long_output;
	bool is_small; /* whatever the model's name says */
	long window_tokens;
	uint64_t connect_ms, first_byte_ms, idle_ms, total_ms; /* total 0: none */
	unsigned breaker_failures;
	uint64_t breaker_open_ms;
	struct limiter_options limits;
};

enum { BACKEND_HEADERS_MAX = 48 };

struct backend {
	const struct backend_options *options;
	struct http_client *http;
	struct reactor *reactor;
	struct breaker breaker;
	struct limiter limiter;
	char *authorization; /* "Authorization: Bearer ..." or NULL */
	json_t *models;	     /* the data array of its last /models answer; NULL: never answered */
};

MUST_CHECK enum err backend_init(struct backend *backend, struct reactor *reactor,
				 struct http_client *http, const struct backend_options *options);
void backend_release(struct backend *backend);
/* Base URL and path; the caller frees it. NULL: memory is out. */
char *backend_url(const struct backend *backend, const char *path_and_query);
/* Tells the breaker how a call ended; `status` 0: no answer. */
void backend_report(struct backend *backend, enum err result, int status);
/* The error of an answer by its status: OK below 400; ERR_BUSY for 429 and 503, ERR_UPSTREAM for
 * 408 and other 5xx, else ERR_REJECTED. */
enum err backend_status_error(int status);
/* What Retry-After-Ms or Retry-After (seconds) say; 0: nothing. */
uint64_t backend_retry_after_ms(const struct http_call *call);
/* What the backend's configuration calls the model that clients call `id`; NULL: nothing. Valid as
 * long as the options. */
const char *backend_configured_model(const struct backend *backend, const char *id);
/* The same, or `id` itself where the backend lists it; NULL: it does not have it. */
const char *backend_model(const struct backend *backend, const char *id);
#endif
