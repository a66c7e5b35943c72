#include "api/models.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <stdio.h>
#include <string.h>

enum { MODELS_BODY_BYTES_MAX = 8 << 20, MODEL_ID_BYTES = 1024 };

static const struct api_preset plain_longhand = { .id = "longhand", .mode = "auto" };

struct listing {
	struct api *api;
	struct request *request; /* NULL once closed */
	struct describe_call call;
	char *authorization; /* of the client; NULL: none */
	char wanted[MODEL_ID_BYTES]; /* "": all */
};

const struct api_preset *models_preset(const struct api *api, const char *id)
{
	for (size_t i = 0; i < api->options->n_presets; i++)
		if (strcmp(api->options->presets[i].id, id) == 0)
			return &api->options->presets[i];
	return strcmp(id, plain_longhand.id) == 0 ? &plain_longhand : NULL;
}

static json_t *own_model(const char *id)
{
	return json_pack("{s:s,s:s,s:i,s:s}", "id", id, "object", "model", "created", 0,
			 "owned_by", "longhand");
}

/* As the backend listed it, under the id that clients use. */
static json_t *backend_model(const struct model_info *info)
{
	json_t *model = info->raw != NULL ? json_copy((json_t *)info->raw) : own_model(info->id);

	if (json_object_set_new(model, "id", json_string(info->id)) != 0) {
		json_decref(model);
		return NULL;
	}
	return model;
}

static bool is_listed(const json_t *list, const char *id)
{
	size_t index;
	json_t *model;

	json_array_foreach((json_t *)list, index, model)
		if (strcmp(json_string_value(json_object_get(model, "id")), id) == 0)
			return true;
	return false;
}

static json_t *collect(const struct listing *listing)
{
	const struct api_options *options = listing->api->options;
	json_t *list = json_array();
	int failed = 0;

	for (size_t i = 0; i < listing->call.n_models; i++)
		failed |= json_array_append_new(list, backend_model(&listing->call.models[i]));
	if (!is_listed(list, plain_longhand.id))
		failed |= json_array_append_new(list, own_model(plain_longhand.id));
	for (size_t i = 0; i < options->n_presets; i++)
		if (!is_listed(list, options->presets[i].id))
			failed |= json_array_append_new(list, own_model(options->presets[i].id));
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static void send_json(struct request *request, const json_t *json)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	struct buf body;

	buf_init(&body, MODELS_BODY_BYTES_MAX);
	if (json != NULL && json_append(&body, json) == OK) {
		metric_inc(METRIC_RESPONSES_2XX);
		reply_send(request, 200, headers, &body);
	} else {
		api_refuse_memory(request);
	}
	buf_release(&body);
}

static void send_one(const struct listing *listing, const json_t *list)
{
	struct api_fault fault;
	size_t index;
	json_t *model;

	json_array_foreach((json_t *)list, index, model) {
		if (strcmp(json_string_value(json_object_get(model, "id")), listing->wanted) != 0)
			continue;
		send_json(listing->request, model);
		return;
	}
	api_fault_set(&fault, API_ERROR_MODEL_NOT_FOUND, "model",
		      "There is no model %.200s: GET /v1/models lists them.", listing->wanted);
	api_fault_send(listing->request, &fault);
}

static void on_described(struct op *op)
{
	struct describe_call *call = container_of(op, struct describe_call, op);
	struct listing *listing = container_of(call, struct listing, call);
	json_t *list;
	json_t *answer;

	if (listing->request != NULL) {
		listing->request->user = NULL;
		list = op->result == OK ? collect(listing) : NULL;
		if (list == NULL) {
			send_json(listing->request, NULL);
		} else if (listing->wanted[0] != '\0') {
			send_one(listing, list);
		} else {
			answer = json_pack("{s:s,s:O}", "object", "list", "data", list);
			send_json(listing->request, answer);
			json_decref(answer);
		}
		json_decref(list);
	}
	mem_free(listing->authorization);
	api_let_go(listing->api);
	mem_free(listing);
}

static void on_closed(struct request *request)
{
	struct listing *listing = request->user;

	if (listing == NULL)
		return;
	listing->request = NULL;
	op_cancel(&listing->call.op, ERR_CANCELED);
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 0x20);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* False: too long, or a zero byte. A '%' without two hex digits stays as it is. */
static bool percent_decode(const char *text, char *out, size_t size)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (len + 1 >= size || (high == 0 && low == 0))
			return false;
		out[len++] = low >= 0 ? (char)(high * 16 + low) : *text;
		if (low >= 0)
			text += 2;
	}
	out[len] = '\0';
	return true;
}

static void describe(struct api *api, struct request *request, const char *wanted)
{
	struct listing *listing = mem_alloc(sizeof(*listing));
	struct api_fault fault;

	if (listing == NULL || !percent_decode(wanted, listing->wanted, sizeof(listing->wanted))) {
		mem_free(listing);
		api_fault_set(&fault, API_ERROR_MODEL_NOT_FOUND, "model",
			      "There is no model of such a name.");
		api_fault_send(request, &fault);
		return;
	}
	listing->api = api_hold(api);
	listing->request = request;
	request->user = listing;
	request->on_closed = on_closed;
	listing->authorization = auth_line_to_pass(&api->options->auth, request);
	listing->call.authorization = listing->authorization;
	op_prepare(&listing->call.op, api->reactor, 0, on_described);
	api->model->describe(api->model, &listing->call);
}

void models_list(struct api *api, struct request *request, const char *rest, const char *owner)
{
	(void)rest;
	(void)owner;
	describe(api, request, "");
}

void models_show(struct api *api, struct request *request, const char *rest, const char *owner)
{
	(void)owner;
	describe(api, request, rest);
}
