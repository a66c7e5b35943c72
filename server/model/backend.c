#include "model/backend.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES_MAX = 16 << 10, KEY_BYTES_MAX = 8 << 10 };

static char *authorization_line(const char *key)
{
	struct buf line;

	buf_init(&line, KEY_BYTES_MAX);
	if (buf_printf(&line, "Authorization: Bearer %s", key) != OK) {
		buf_release(&line);
		return NULL;
	}
	return buf_steal(&line);
}

enum err backend_init(struct backend *backend, struct reactor *reactor, struct http_client *http,
		      const struct backend_options *options)
{
	*backend = (struct backend){
		.options = options,
		.http = http,
		.reactor = reactor,
		.breaker = { .failures_max = options->breaker_failures,
			     .open_ms = options->breaker_open_ms },
	};
	limiter_init(&backend->limiter, reactor, &options->limits);
	if (options->key == NULL)
		return OK;
	backend->authorization = authorization_line(options->key);
	return backend->authorization != NULL ? OK : ERR_NO_MEMORY;
}

void backend_release(struct backend *backend)
{
	if (backend->breaker.is_open)
		metric_dec(METRIC_BREAKERS_OPEN);
	limiter_release(&backend->limiter);
	mem_free(backend->authorization);
	json_decref(backend->models);
	*backend = (struct backend){ .options = NULL };
}

char *backend_url(const struct backend *backend, const char *path_and_query)
{
	const char *base = backend->options->url;
	size_t len = strlen(base);
	struct buf url;

	while (len > 0 && base[len - 1] == '/')
		len--;
	buf_init(&url, URL_BYTES_MAX);
	if (buf_append(&url, base, len) != OK || buf_append_str(&url, path_and_query) != OK) {
		buf_release(&url);
		return NULL;
	}
	return buf_steal(&url);
}

enum err backend_status_error(int status)
{
	if (status < 400)
		return OK;
	if (status == 429 || status == 503)
		return ERR_BUSY;
	return status == 408 || status >= 500 ? ERR_UPSTREAM : ERR_REJECTED;
}

static void report_health(struct backend *backend, bool is_well)
{
	bool was_open = backend->breaker.is_open;

	breaker_report(&backend->breaker, is_well, backend->reactor->now_ms(backend->reactor));
	if (backend->breaker.is_open && !was_open)
		metric_inc(METRIC_BREAKERS_OPEN);
	else if (was_open && !backend->breaker.is_open)
		metric_dec(METRIC_BREAKERS_OPEN);
}

void backend_report(struct backend *backend, enum err result, int status)
{
	enum err verdict = result == OK ? backend_status_error(status) : result;

	switch (verdict) {
	case OK:
	case ERR_REJECTED:
		report_health(backend, true);
		break;
	case ERR_REFUSED:
	case ERR_TIMEOUT:
	case ERR_BROKEN:
	case ERR_UPSTREAM:
		report_health(backend, false);
		break;
	default: /* the client left, or it is busy: nothing is known of its health */
		breaker_forget(&backend->breaker);
		break;
	}
}

static double header_number(const struct http_call *call, const char *name)
{
	struct slice value = http_call_header(call, name);
	char text[32];
	char *end;
	double number;

	if (value.data == NULL || value.len == 0 || value.len >= sizeof(text))
		return 0;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	number = strtod(text, &end);
	return *end == '\0' && number > 0 && number < 1e9 ? number : 0;
}

uint64_t backend_retry_after_ms(const struct http_call *call)
{
	double ms = header_number(call, "retry-after-ms");

	return (uint64_t)(ms > 0 ? ms : header_number(call, "retry-after") * 1000);
}

const char *backend_configured_model(const struct backend *backend, const char *id)
{
	const struct backend_options *options = backend->options;

	for (size_t i = 0; i < options->n_aliases; i++)
		if (strcmp(options->aliases[i].id, id) == 0)
			return options->aliases[i].model;
	return options->model != NULL && strcmp(options->model, id) == 0 ? options->model : NULL;
}

const char *backend_model(const struct backend *backend, const char *id)
{
	const char *configured = backend_configured_model(backend, id);
	size_t index;
	json_t *model;

	if (configured != NULL)
		return configured;
	json_array_foreach(backend->models, index, model) {
		const char *listed = json_string_value(json_object_get(model, "id"));

		if (listed != NULL && strcmp(listed, id) == 0)
			return id;
	}
	return NULL;
}
