#include "api/router.h"
#include "api/chat.h"
#include "api/cors.h"
#include "api/health.h"
#include "api/jobs.h"
#include "api/models.h"
#include "api/passthrough.h"
#include "api/responses.h"
#include "base/metrics.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef void (*handle_fn)(struct api *api, struct request *request, const char *rest,
			  const char *owner);

struct route_row {
	const char *method;
	const char *path; /* ending in '*': a prefix; the handler gets what follows */
	handle_fn handle;
	enum metric metric;
};

/* First match wins. A path of ours with a method that has no row is a 405; whatever else is under
 * /v1 is the default backend's. */
static const struct route_row rows[] = {
	{ "POST", "/v1/chat/completions", chat_handle, METRIC_COUNT },
	{ "POST", "/v1/responses", responses_create, METRIC_COUNT },
	{ "GET", "/v1/responses/*", responses_one, METRIC_COUNT },
	{ "POST", "/v1/responses/*", responses_one, METRIC_COUNT },
	{ "DELETE", "/v1/responses/*", responses_one, METRIC_COUNT },
	{ "GET", "/v1/models", models_list, METRIC_REQUESTS_MODELS },
	{ "GET", "/v1/models/*", models_show, METRIC_REQUESTS_MODELS },
	{ "GET", "/v1/longhand/jobs", jobs_list, METRIC_REQUESTS_JOBS },
	{ "GET", "/v1/longhand/jobs/*", jobs_one, METRIC_REQUESTS_JOBS },
	{ "POST", "/v1/longhand/jobs/*", jobs_one, METRIC_REQUESTS_JOBS },
	{ "DELETE", "/v1/longhand/jobs/*", jobs_one, METRIC_REQUESTS_JOBS },
	{ "GET", "/healthz", health_alive, METRIC_REQUESTS_HEALTH },
	{ "GET", "/readyz", health_ready, METRIC_REQUESTS_HEALTH },
	{ "GET", "/metrics", health_metrics, METRIC_REQUESTS_HEALTH },
};

/* NULL: no match; else what follows the prefix ("" for an exact path). */
static const char *match_path(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] != '*')
		return strcmp(pattern, path) == 0 ? "" : NULL;
	return strncmp(pattern, path, len - 1) == 0 && path[len - 1] != '\0' ? path + len - 1
									    : NULL;
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "." and ".." between slashes, percent-encoded or not: a backend might resolve them to a place
 * that is not under its base URL. */
static bool has_dot_segment(const char *path)
{
	while (*path != '\0') {
		size_t dots = 0;

		while (*path == '/')
			path++;
		for (;; dots++) {
			if (*path == '.')
				path++;
			else if (strncasecmp(path, "%2e", 3) == 0)
				path += 3;
			else
				break;
		}
		if ((dots == 1 || dots == 2) && (*path == '/' || *path == '\0'))
			return true;
		path += strcspn(path, "/");
	}
	return false;
}

static void refuse_unknown(struct request *request)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_NOT_FOUND, NULL,
		      "There is nothing at %.200s. The API is under /v1.", request->path);
	api_fault_send(request, &fault);
}

/* One of ours, asked with a method that it has not. */
static void refuse_method(struct request *request)
{
	char allow[32] = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t used = strlen(allow);

		if (match_path(rows[i].path, request->path) != NULL)
			(void)snprintf(allow + used, sizeof(allow) - used, "%s%s",
				       used > 0 ? ", " : "",
				       strcmp(rows[i].method, "GET") == 0 ? "GET, HEAD"
									  : rows[i].method);
	}
	api_refuse_method(request, allow);
}

/* HEAD is answered where GET is: libmicrohttpd leaves the body out. */
static bool match_method(const char *method, const char *asked)
{
	return strcmp(method, asked) == 0 ||
	       (strcmp(method, "GET") == 0 && strcmp(asked, "HEAD") == 0);
}

/* Everything under /v1 has an owner; health and metrics are for whoever can reach the server. */
static bool has_owner(const char *path)
{
	return starts_with(path, "/v1") && (path[3] == '/' || path[3] == '\0');
}

static void on_request(void *context, struct request *request)
{
	struct api *api = context;
	char owner[OWNER_BYTES] = "";
	struct api_fault fault;
	bool is_known = false;

	if (cors_handle(api->options->cors_origins, request))
		return;
	if (has_owner(request->path) &&
	    !auth_owner(&api->options->auth, request, owner, &fault)) {
		api_fault_send(request, &fault);
		return;
	}

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *rest = match_path(rows[i].path, request->path);

		if (rest == NULL)
			continue;
		is_known = true;
		if (!match_method(rows[i].method, request->method))
			continue;
		if (rows[i].metric != METRIC_COUNT)
			metric_inc(rows[i].metric);
		rows[i].handle(api, request, rest, owner);
		return;
	}
	/* /v1/models and chat completions have other methods at the backend (stored
	 * completions). */
	if (starts_with(request->path, "/v1/") && !starts_with(request->path, "/v1/longhand/") &&
	    !has_dot_segment(request->path)) {
		passthrough_any(api, request);
		return;
	}
	metric_inc(METRIC_REQUESTS_OTHER);
	if (is_known)
		refuse_method(request);
	else
		refuse_unknown(request);
}

/* Whether the key is good is known at the headers: nobody's body is worth reading. */
static bool is_wanted(void *context, const struct request *request)
{
	const struct api *api = context;
	char owner[OWNER_BYTES];
	struct api_fault fault;

	return api->options->auth.n_keys == 0 || !has_owner(request->path) ||
	       auth_owner(&api->options->auth, request, owner, &fault);
}

static void on_refused(void *context, struct request *request, enum http_refusal refusal)
{
	const struct api *api = context;
	char owner[OWNER_BYTES];
	struct api_fault fault = { .error = API_ERROR_INVALID_API_KEY };

	if (cors_handle(api->options->cors_origins, request))
		return;
	switch (refusal) {
	case HTTP_REFUSAL_TOO_LARGE:
		api_fault_set(&fault, API_ERROR_TOO_LARGE, NULL,
			      "The request's body is larger than this server takes "
			      "(max_request_bytes): shorten it.");
		break;
	case HTTP_REFUSAL_CONNECTIONS:
		metric_inc(METRIC_CONNECTIONS_REFUSED);
		api_fault_set(&fault, API_ERROR_TOO_MANY_CONNECTIONS, NULL,
			      "Too many connections are open: try again in a moment.");
		fault.retry_after_ms = 1000;
		break;
	case HTTP_REFUSAL_LENGTH_AND_CODING:
		api_fault_set(&fault, API_ERROR_SMUGGLING, NULL,
			      "A request may have Content-Length or Transfer-Encoding, not both.");
		break;
	case HTTP_REFUSAL_UNWANTED:
	case HTTP_REFUSAL_COUNT:
		if (auth_owner(&api->options->auth, request, owner, &fault))
			fault.error = API_ERROR_INVALID_API_KEY; /* cannot be: it was not */
		break;
	}
	api_fault_send(request, &fault);
}

struct http_handler router_handler(struct api *api)
{
	return (struct http_handler){ api, on_request, is_wanted, on_refused };
}
