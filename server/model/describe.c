#include "model/describe.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <string.h>

enum { MODELS_BYTES_MAX = 4 << 20 };
enum { DESCRIBE_MS = 10000 }; /* a list of models is quick or not to be had */

struct listing { /* one backend's answer on its way */
	struct http_call http;
	struct description *description;
	struct backend *backend;
	struct buf body;
	char *url;
	json_t *models; /* what the caller is shown: kept until it has seen it */
	const char *headers[3];
};

struct description {
	struct describe_call *call;
	struct deferred end;
	struct model_info *infos; /* made at the end */
	size_t n_listings;
	size_t n_live;
	struct listing listings[];
};

static struct listing *of_op(struct op *op)
{
	struct stream_op *stream = container_of(op, struct stream_op, op);
	struct http_call *http = container_of(stream, struct http_call, stream);

	return container_of(http, struct listing, http);
}

static void description_free(struct description *description)
{
	for (size_t i = 0; i < description->n_listings; i++) {
		buf_release(&description->listings[i].body);
		mem_free(description->listings[i].url);
		json_decref(description->listings[i].models);
	}
	mem_free(description->infos);
	mem_free(description);
}

/* Runs after the caller's done(): what it was shown is not needed any more. */
static void on_over(struct deferred *deferred)
{
	description_free(container_of(deferred, struct description, end));
}

static size_t count_models(const struct description *description)
{
	size_t n = 0;

	for (size_t i = 0; i < description->n_listings; i++) {
		const struct backend *backend = description->listings[i].backend;

		n += json_array_size(backend->models) + backend->options->n_aliases + 1;
	}
	return n;
}

static void add_info(struct describe_call *call, struct model_info *infos,
		     const struct model_info *info)
{
	for (size_t i = 0; i < call->n_models; i++)
		if (strcmp(infos[i].id, info->id) == 0)
			return; /* the first backend that has it serves it */
	infos[call->n_models++] = *info;
}

static void add_listing(struct describe_call *call, struct model_info *infos,
			struct listing *listing)
{
	const struct backend_options *options = listing->backend->options;
	struct model_info info = { .backend = options->name,
				   .is_long_output = options->is_long_output };
	size_t index;
	json_t *model;

	for (size_t i = 0; i < options->n_aliases; i++) {
		info.id = options->aliases[i].id;
		info.model = options->aliases[i].model;
		add_info(call, infos, &info);
	}
	listing->models = json_incref(listing->backend->models);
	json_array_foreach(listing->models, index, model) {
		info.id = info.model = json_string_value(json_object_get(model, "id"));
		info.raw = model;
		if (info.id != NULL)
			add_info(call, infos, &info);
	}
	info.raw = NULL;
	info.id = info.model = options->model;
	if (options->model != NULL)
		add_info(call, infos, &info);
}

static void description_finish(struct description *description)
{
	struct describe_call *call = description->call;
	struct reactor *reactor = call->op.reactor;
	enum err result = OK;

	description->infos = mem_alloc(count_models(description) * sizeof(struct model_info));
	if (description->infos == NULL)
		result = ERR_NO_MEMORY;
	for (size_t i = 0; result == OK && i < description->n_listings; i++)
		add_listing(call, description->infos, &description->listings[i]);
	call->models = description->infos;
	call->provider = NULL;
	op_finish(&call->op, result);
	reactor->defer(reactor, &description->end, on_over); /* behind the delivery of done() */
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct listing *listing = of_op(&stream->op);

	if (buf_append(&listing->body, data, len) != OK)
		op_cancel(&stream->op, ERR_TOO_LARGE);
}

static bool keep_models(struct listing *listing)
{
	json_t *answer = json_loadb(buf_str(&listing->body), listing->body.len, 0, NULL);
	json_t *data = json_object_get(answer, "data");
	bool is_list = json_is_array(data);

	if (is_list) {
		json_decref(listing->backend->models);
		listing->backend->models = json_incref(data);
	}
	json_decref(answer);
	return is_list;
}

static void on_done(struct op *op)
{
	struct listing *listing = of_op(op);
	struct description *description = listing->description;

	backend_report(listing->backend, op->result, listing->http.status);
	if (op->result != OK || listing->http.status != 200 || !keep_models(listing))
		description->call->backends_failed++;
	description->n_live--;
	if (description->n_live == 0)
		description_finish(description);
}

static void on_cancel(struct op *op)
{
	struct describe_call *call = container_of(op, struct describe_call, op);
	struct description *description = call->provider;

	for (size_t i = 0; i < description->n_listings; i++)
		op_cancel(&description->listings[i].http.stream.op, op->canceled);
}

static void listing_start(struct listing *listing)
{
	const struct backend_options *options = listing->backend->options;
	struct http_call *http = &listing->http;

	http_call_prepare(http, listing->backend->reactor, DESCRIBE_MS, on_data, on_done);
	listing->headers[0] = "Accept: application/json";
	listing->headers[1] = listing->backend->authorization != NULL
				      ? listing->backend->authorization
				      : listing->description->call->authorization;
	http->method = "GET";
	http->url = listing->url;
	http->headers = listing->headers;
	http->connect_ms = options->connect_ms;
	http->first_byte_ms = DESCRIBE_MS;
	http->idle_ms = DESCRIBE_MS;
	metric_inc(METRIC_UPSTREAM_CALLS_MODELS);
	http_client_start(listing->backend->http, http);
}

static struct description *description_new(struct backend *backends, size_t n,
					   struct describe_call *call)
{
	struct description *description =
		mem_alloc(sizeof(*description) + n * sizeof(description->listings[0]));

	if (description == NULL)
		return NULL;
	description->call = call;
	description->n_listings = n;
	for (size_t i = 0; i < n; i++) {
		struct listing *listing = &description->listings[i];

		listing->description = description;
		listing->backend = &backends[i];
		buf_init(&listing->body, MODELS_BYTES_MAX);
		listing->url = backend_url(&backends[i], "/models");
		if (listing->url == NULL) {
			description_free(description);
			return NULL;
		}
	}
	return description;
}

void describe_start(struct backend *backends, size_t n_backends, struct describe_call *call)
{
	struct description *description;

	call->models = NULL;
	call->n_models = 0;
	call->backends_failed = 0;
	if (!op_begin(&call->op, on_cancel))
		return;
	description = description_new(backends, n_backends, call);
	if (description == NULL) {
		op_finish(&call->op, ERR_NO_MEMORY);
		return;
	}
	call->provider = description;
	description->n_live = n_backends;
	for (size_t i = 0; i < n_backends; i++)
		listing_start(&description->listings[i]);
}
