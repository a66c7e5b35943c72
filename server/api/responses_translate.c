#include "api/responses_translate.h"
#include "api/long_reply.h"
#include "api/passthrough.h"
#include "api/responses_events.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <math.h>
#include <string.h>

struct translation {
	struct long_reply reply;
	struct request *request; /* NULL once closed */
	struct generate_call call;
	json_t *facts, *messages, *members;
	char *model_id, *model, *authorization;
	char *target_id; /* as in struct model_target */
	const char *backend;
	bool is_second;
	char id[ID_CHARS + 1];
	long long created_s;
	struct responses_events events;
	struct buf text, thoughts;
	enum err error; /* found in what came */
	bool is_done;	/* the call has reported */
};

/* ---- who has no responses ---- */

bool responses_are_missing(const struct api *api, const char *backend)
{
	for (size_t i = 0; i < API_WITHOUT_RESPONSES_MAX; i++)
		if (api->without_responses[i] != NULL &&
		    strcmp(api->without_responses[i], backend) == 0)
			return true;
	return false;
}

/* The name lives as long as the settings that the api is of. */
static void note_missing(struct api *api, const char *backend)
{
	for (size_t i = 0; i < API_WITHOUT_RESPONSES_MAX; i++) {
		if (api->without_responses[i] == NULL)
			api->without_responses[i] = backend;
		if (strcmp(api->without_responses[i], backend) == 0)
			return;
	}
}

/* ---- its life ---- */

static void translation_free(struct translation *translation)
{
	json_decref(translation->facts);
	json_decref(translation->messages);
	json_decref(translation->members);
	mem_free(translation->model_id);
	mem_free(translation->model);
	mem_free(translation->target_id);
	mem_free(translation->authorization);
	buf_release(&translation->text);
	buf_release(&translation->thoughts);
	long_reply_release(&translation->reply);
	mem_free(translation);
}

static void free_when_over(struct translation *translation)
{
	if (translation->is_done && translation->request == NULL)
		translation_free(translation);
}

static struct response_object object_of(const struct translation *translation)
{
	return (struct response_object){
		.job = translation->id,
		.model = translation->model_id,
		.facts = translation->facts,
		.status = "in_progress",
		.created_s = translation->created_s,
		.has_thoughts = translation->thoughts.len > 0,
		.has_message = translation->text.len > 0,
		.thoughts = { buf_str(&translation->thoughts), translation->thoughts.len },
		.text = { buf_str(&translation->text), translation->text.len },
		.item_status = "in_progress",
	};
}

/* ---- what comes ---- */

static void take(struct translation *translation, enum err err)
{
	if (err == OK) {
		translation->reply.is_success = true;
		if (translation->request != NULL && !translation->request->is_client_gone)
			long_reply_write(&translation->reply);
		return;
	}
	translation->error = err;
	op_cancel(&translation->call.op, err);
}

static void on_text(struct generate_call *call, const char *text, size_t len)
{
	struct translation *translation = container_of(call, struct translation, call);
	struct response_object object;
	enum err err = buf_append(&translation->text, text, len);

	if (err == OK && translation->reply.is_stream) {
		object = object_of(translation);
		err = responses_events_text(&translation->events, &object,
					    (struct slice){ text, len },
					    &translation->reply.chunks);
	}
	take(translation, err);
}

/* Of a model that thinks again between its words nothing more is shown: the item has ended. */
static void on_reasoning(struct generate_call *call, const char *text, size_t len)
{
	struct translation *translation = container_of(call, struct translation, call);
	struct response_object object;
	enum err err;

	if (translation->text.len > 0)
		return;
	err = buf_append(&translation->thoughts, text, len);
	if (err == OK && translation->reply.is_stream) {
		object = object_of(translation);
		err = responses_events_thoughts(&translation->events, &object,
						(struct slice){ text, len },
						&translation->reply.chunks);
	}
	take(translation, err);
}

/* ---- ends ---- */

static void describe_failure(const struct translation *translation, enum err result,
			     struct api_fault *fault)
{
	const struct generate_call *call = &translation->call;
	bool is_about_key = call->status == 401 || call->status == 403;

	if (translation->error != OK)
		result = translation->error;
	api_fault_set(
		fault,
		result == ERR_REJECTED ? API_ERROR_BACKEND_REJECTED : passthrough_error(result),
		NULL, "%s", call->message[0] != '\0' ? call->message : err_text(result));
	if (result == ERR_REJECTED && call->status >= 400 && call->status < 500 &&
	    (!is_about_key || call->is_clients_key))
		fault->status = call->status;
	fault->retry_after_ms = call->retry_after_ms;
}

static enum err render_end(struct translation *translation, const struct response_object *object,
			   const struct api_fault *fault, struct buf *out)
{
	if (translation->reply.is_stream)
		return responses_events_end(&translation->events, object, fault, out);
	return response_object_render(object, out);
}

static void send_end(struct translation *translation, const struct response_object *object,
		     const struct api_fault *fault)
{
	struct long_reply *reply = &translation->reply;
	struct buf body;

	buf_init(&body, RESPONSES_RENDER_BYTES_MAX);
	if (render_end(translation, object, fault, reply->is_stream ? &reply->chunks : &body) !=
	    OK) {
		struct api_fault memory;

		api_fault_set_memory(&memory);
		if (!long_reply_refuse(reply, &memory))
			reply_stream_abort(reply->request);
	} else if (reply->is_stream) {
		reply->is_success = true;
		long_reply_write(reply);
		reply_stream_end(reply->request);
	} else {
		long_reply_send(reply, &body);
	}
	buf_release(&body);
}

static void end_well(struct translation *translation)
{
	const struct generate_call *call = &translation->call;
	struct response_object object = object_of(translation);
	struct reactor *reactor = translation->reply.api->reactor;

	object.status = "incomplete";
	object.item_status = "incomplete";
	if (call->finish == FINISH_LENGTH) {
		object.incomplete_reason = "max_output_tokens";
	} else if (call->finish == FINISH_FILTER) {
		object.incomplete_reason = "content_filter";
	} else {
		object.status = object.item_status = "completed";
		object.completed_s = (long long)(reactor->wall_ms(reactor) / 1000);
	}
	if (call->usage.prompt_tokens + call->usage.completion_tokens > 0)
		object.usage = &call->usage;
	send_end(translation, &object, NULL);
}

static void end_badly(struct translation *translation, enum err result)
{
	struct response_object object = object_of(translation);
	struct api_fault fault;

	describe_failure(translation, result, &fault);
	if (long_reply_refuse(&translation->reply, &fault))
		return;
	object.status = "failed";
	object.item_status = "incomplete";
	object.error_code =
		fault.error == API_ERROR_BACKEND_BUSY ? "rate_limit_exceeded" : "server_error";
	object.error_message = fault.message;
	send_end(translation, &object, &fault);
}

static void on_done(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);
	struct translation *translation = container_of(call, struct translation, call);
	struct request *request = translation->request;

	translation->is_done = true;
	long_reply_stop(&translation->reply);
	if (op->result == OK && translation->is_second)
		note_missing(translation->reply.api, translation->backend);
	if (request != NULL && !request->is_client_gone) {
		if (op->result == OK && translation->error == OK)
			end_well(translation);
		else
			end_badly(translation, op->result);
	}
	free_when_over(translation);
}

static void on_gone(struct request *request)
{
	struct translation *translation = request->user;

	metric_inc(METRIC_CLIENT_GONE);
	long_reply_stop(&translation->reply);
	op_cancel(&translation->call.op, ERR_CANCELED);
}

static void on_closed(struct request *request)
{
	struct translation *translation = request->user;

	long_reply_stop(&translation->reply);
	op_cancel(&translation->call.op, ERR_CANCELED);
	if (translation->reply.is_stream)
		metric_dec(METRIC_STREAMS_OPEN);
	translation->request = NULL;
	free_when_over(translation);
}

/* ---- the chat ---- */

static double number_of(const json_t *facts, const char *name)
{
	const json_t *value = json_member(facts, name);

	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* Members that chats have under another name, or in another place. */
static json_t *members_of(const json_t *facts)
{
	static const struct {
		const char *in, *name, *chat_name;
	} rows[] = {
		{ "reasoning", "effort", "reasoning_effort" },
		{ "text", "verbosity", "verbosity" },
	};
	json_t *members = json_object();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = json_member(json_member(facts, rows[i].in), rows[i].name);

		if (value != NULL && json_object_set(members, rows[i].chat_name, value) != 0) {
			json_decref(members);
			return NULL;
		}
	}
	return members;
}

static void start_call(struct translation *translation)
{
	struct generate_call *call = &translation->call;
	struct model *model = translation->reply.api->model;
	const json_t *facts = translation->facts;

	sampling_init(&call->sampling);
	call->sampling.temperature = number_of(facts, "temperature");
	call->sampling.top_p = number_of(facts, "top_p");
	call->sampling.frequency_penalty = number_of(facts, "frequency_penalty");
	call->sampling.presence_penalty = number_of(facts, "presence_penalty");
	call->target = (struct model_target){ .backend = translation->backend,
					      .model = translation->model,
					      .id = translation->target_id };
	call->messages = translation->messages;
	call->members = translation->members;
	call->wait_max_ms = translation->reply.api->options->limit_wait_ms;
	call->max_tokens = (long)json_number_value(json_object_get(facts, "max_output_tokens"));
	call->request_id = translation->request->id;
	call->authorization = translation->authorization;
	call->on_text = on_text;
	call->on_reasoning = on_reasoning;
	metric_inc(METRIC_UPSTREAM_CALLS_PASSTHROUGH);
	op_prepare(&call->op, translation->reply.api->reactor, 0, on_done);
	model->generate(model, call);
}

/* False: memory is out. */
static bool fill(struct translation *translation, const struct responses_translation *asked)
{
	const struct api *api = translation->reply.api;
	const char *line = asked->authorization;

	translation->facts = json_incref(asked->facts);
	translation->messages = json_incref(asked->messages);
	translation->members = members_of(asked->facts);
	translation->model_id = mem_strdup(asked->model_id);
	translation->model = mem_strdup(asked->target.model);
	translation->backend = asked->target.backend;
	translation->is_second = asked->is_second;
	if (asked->target.id != NULL)
		translation->target_id = mem_strdup(asked->target.id);
	if (line != NULL)
		translation->authorization = mem_strdup(line);
	translation->created_s = (long long)(api->reactor->wall_ms(api->reactor) / 1000);
	return translation->members != NULL && translation->model_id != NULL &&
	       translation->model != NULL &&
	       (asked->target.id == NULL || translation->target_id != NULL) &&
	       (line == NULL || translation->authorization != NULL) &&
	       id_new(translation->id) == OK;
}

static struct translation *translation_new(struct api *api, struct request *request,
					   const struct responses_translation *asked)
{
	struct translation *translation = mem_alloc(sizeof(*translation));
	struct response_object object;
	bool is_good;

	if (translation == NULL)
		return NULL;
	translation->request = request;
	long_reply_init(&translation->reply, api, request, "");
	translation->reply.is_stream = asked->is_stream;
	buf_init(&translation->text, RESPONSES_TEXT_BYTES_MAX);
	buf_init(&translation->thoughts, RESPONSES_TEXT_BYTES_MAX);
	responses_events_init(&translation->events, -1);
	is_good = fill(translation, asked);
	object = object_of(translation);
	if (is_good && asked->is_stream)
		is_good = responses_events_begin(&translation->events, &object,
						 &translation->reply.chunks) == OK;
	if (is_good)
		return translation;
	translation_free(translation);
	return NULL;
}

static bool check(const struct responses_translation *asked, struct api_fault *fault)
{
	if (asked->foreign[0] != '\0') {
		api_fault_set(fault, API_ERROR_NOT_AVAILABLE, asked->foreign,
			      "%s can not be had: the backend %s has no Responses API, and only "
			      "text can be translated to a chat completion.",
			      asked->foreign, asked->target.backend);
		return false;
	}
	if (json_array_size(asked->messages) > 0)
		return true;
	api_fault_set(fault, API_ERROR_INVALID_VALUE, "input", "input has no message.");
	return false;
}

void responses_translate(struct api *api, struct request *request,
			 const struct responses_translation *asked)
{
	struct translation *translation;
	struct api_fault fault;

	if (!check(asked, &fault)) {
		api_fault_send(request, &fault);
		return;
	}
	translation = translation_new(api, request, asked);
	if (translation == NULL) {
		api_refuse_memory(request);
		return;
	}
	request->user = translation;
	request->on_gone = on_gone;
	request->on_closed = on_closed;
	if (asked->is_stream)
		metric_inc(METRIC_STREAMS_OPEN);
	long_reply_start(&translation->reply);
	start_call(translation);
}
