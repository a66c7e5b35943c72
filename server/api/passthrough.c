#include "api/passthrough.h"
#include "api/headers.h"
#include "base/json.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WHOLE_BYTES_MAX = 64 << 10, BODY_BYTES_MAX = 1 << 30, BYTES_PER_TOKEN = 4 };
#define LENGTH_MAX (INT64_MAX / 100)

struct passthrough {
	struct api *api;
	struct request *request; /* NULL once closed */
	struct forward_call call;
	struct buf body; /* the client's, or rewritten */
	char *path_and_query;
	char *model, *said_model, *model_id; /* the call's */
	struct header_lines headers;
	struct buf whole; /* a short answer, gathered */
	int64_t length_bytes; /* announced; -1: not */
	bool is_bare;	      /* the answer has no body, whatever its length */
	bool is_whole, is_events, is_done;
	bool is_absent; /* the backend has no such path, and on_over() wants to know */
	void (*on_over)(void *context, struct request *request);
	void *context;
	char last[2]; /* bytes sent: an error event may follow "\n\n" only */
};

static struct passthrough *of_stream(struct stream_op *stream)
{
	return container_of(container_of(stream, struct forward_call, stream), struct passthrough,
			    call);
}

/* Once the call has reported and the request is closed. */
static void free_when_over(struct passthrough *pass)
{
	if (!pass->is_done || pass->request != NULL)
		return;
	if (pass->on_over != NULL)
		pass->on_over(pass->context, NULL);
	buf_release(&pass->body);
	buf_release(&pass->whole);
	header_lines_release(&pass->headers);
	mem_free(pass->path_and_query);
	mem_free(pass->model);
	mem_free(pass->said_model);
	mem_free(pass->model_id);
	api_let_go(pass->api);
	mem_free(pass);
}

/* ---- the answer's way back ---- */

static bool is_event_stream(struct slice head)
{
	static const char type[] = "text/event-stream";
	struct slice value = headers_find(head, "Content-Type");

	return value.len >= sizeof(type) - 1 &&
	       strncasecmp(value.data, type, sizeof(type) - 1) == 0;
}

/* The announced length; -1: none. */
static int64_t length_of(struct slice head)
{
	struct slice value = headers_find(head, "Content-Length");
	int64_t length = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] < '0' || value.data[i] > '9' || length > LENGTH_MAX)
			return -1;
		length = length * 10 + (value.data[i] - '0');
	}
	return value.len > 0 ? length : -1;
}

static bool has_no_body(const struct passthrough *pass)
{
	return pass->call.status == 204 || pass->call.status == 304 ||
	       strcmp(pass->request->method, "HEAD") == 0;
}

static void count_status(int status)
{
	metric_inc(status < 300	  ? METRIC_RESPONSES_2XX
		   : status < 400 ? METRIC_RESPONSES_3XX
		   : status < 500 ? METRIC_RESPONSES_4XX
				  : METRIC_RESPONSES_5XX);
}

/* An event stream goes on at once, through proxies in front of us too. */
static const char *extra_line(const struct passthrough *pass, struct slice head)
{
	bool is_said = !pass->is_events || headers_find(head, "X-Accel-Buffering").data != NULL;

	return is_said ? NULL : "X-Accel-Buffering: no";
}

static bool is_absent_status(int status)
{
	return status == 404 || status == 405 || status == 501;
}

static void on_head(struct forward_call *call)
{
	struct passthrough *pass = container_of(call, struct passthrough, call);
	struct slice head = pass->api->model->forward_head(pass->api->model, call);

	if (pass->request == NULL)
		return;
	if (pass->on_over != NULL && is_absent_status(call->status)) {
		pass->is_absent = true;
		op_cancel(&call->stream.op, ERR_CANCELED);
		return;
	}
	pass->is_bare = has_no_body(pass);
	pass->is_events = !pass->is_bare && is_event_stream(head);
	pass->length_bytes = length_of(head);
	pass->is_whole = pass->is_bare || (!pass->is_events && pass->length_bytes >= 0 &&
					   pass->length_bytes <= WHOLE_BYTES_MAX);
	header_lines_release(&pass->headers); /* the request's have been sent */
	if (headers_to_client(head, extra_line(pass, head), &pass->headers) != OK) {
		op_cancel(&call->stream.op, ERR_NO_MEMORY);
		return;
	}
	count_status(call->status);
	if (pass->is_whole)
		return;
	memset(pass->last, '\n', sizeof(pass->last)); /* before the first event is between two */
	reply_stream_start(pass->request, call->status, pass->headers.lines);
	if (pass->is_events)
		metric_inc(METRIC_STREAMS_OPEN);
}

static void note_last(struct passthrough *pass, const char *data, size_t len)
{
	pass->last[0] = len > 1 ? data[len - 2] : pass->last[1];
	pass->last[1] = data[len - 1];
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct passthrough *pass = of_stream(stream);

	if (pass->request == NULL || len == 0)
		return;
	if (pass->is_whole) {
		if (buf_append(&pass->whole, data, len) != OK)
			op_cancel(&stream->op, ERR_NO_MEMORY);
		return;
	}
	note_last(pass, data, len);
	reply_stream_write(pass->request, data, len);
	if (reply_stream_is_full(pass->request))
		stream_op_pause(stream);
}

static void on_drain(struct request *request)
{
	struct passthrough *pass = request->user;

	stream_op_resume(&pass->call.stream);
}

/* ---- ends ---- */

enum api_error passthrough_error(enum err result)
{
	switch (result) {
	case ERR_TIMEOUT:
		metric_inc(METRIC_UPSTREAM_ERRORS_TIMEOUT);
		return API_ERROR_BACKEND_TIMEOUT;
	case ERR_BUSY:
		metric_inc(METRIC_UPSTREAM_ERRORS_BREAKER);
		return API_ERROR_BACKEND_BUSY;
	case ERR_LIMIT:
		metric_inc(METRIC_CALLS_LIMITED);
		return API_ERROR_BACKEND_LIMIT;
	case ERR_REFUSED:
		metric_inc(METRIC_UPSTREAM_ERRORS_REFUSED);
		return API_ERROR_BACKEND_UNAVAILABLE;
	case ERR_BROKEN:
		metric_inc(METRIC_UPSTREAM_ERRORS_BROKEN);
		return API_ERROR_BACKEND_UNAVAILABLE;
	case ERR_NO_MEMORY:
		return API_ERROR_INTERNAL;
	default:
		metric_inc(METRIC_UPSTREAM_ERRORS_FAILED);
		return API_ERROR_BACKEND_FAILED;
	}
}

static void describe_failure(const struct passthrough *pass, enum err result,
			     struct api_fault *ret_fault)
{
	api_fault_set(ret_fault, passthrough_error(result), NULL, "%s",
		      pass->call.message[0] != '\0' ? pass->call.message : err_text(result));
	ret_fault->retry_after_ms = pass->call.retry_after_ms;
}

/* The status has gone out: the client must see that the answer is not whole. */
static void fail_begun(struct passthrough *pass, const struct api_fault *fault)
{
	struct buf event;

	log_warn("passthrough_broken", "request=%s code=%s", pass->request->id,
		 api_error_code(fault->error));
	buf_init(&event, 8 << 10);
	if (!pass->is_events || pass->last[0] != '\n' || pass->last[1] != '\n' ||
	    buf_append_str(&event, "data: ") != OK || api_fault_render(fault, &event) != OK ||
	    buf_append_str(&event, "\n\n") != OK) {
		reply_stream_abort(pass->request);
	} else {
		reply_stream_write(pass->request, event.data, event.len);
		reply_stream_end(pass->request);
	}
	buf_release(&event);
}

static void end_reply(struct passthrough *pass, enum err result)
{
	struct api_fault fault;

	if (result == OK && pass->is_bare) {
		reply_send_bare(pass->request, pass->call.status, pass->headers.lines,
				pass->length_bytes);
	} else if (result == OK && pass->is_whole) {
		reply_send(pass->request, pass->call.status, pass->headers.lines, &pass->whole);
	} else if (result == OK) {
		reply_stream_end(pass->request);
	} else {
		describe_failure(pass, result, &fault);
		if (reply_is_begun(pass->request))
			fail_begun(pass, &fault);
		else
			api_fault_send(pass->request, &fault);
	}
}

static void hand_back(struct passthrough *pass)
{
	struct request *request = pass->request;

	request->user = NULL;
	request->on_gone = request->on_drain = request->on_closed = NULL;
	pass->request = NULL;
	pass->on_over(pass->context, request);
	pass->on_over = NULL;
}

static void on_done(struct op *op)
{
	struct passthrough *pass = of_stream(container_of(op, struct stream_op, op));

	pass->is_done = true;
	if (pass->is_events)
		metric_dec(METRIC_STREAMS_OPEN);
	if (pass->request != NULL && !pass->request->is_client_gone && pass->is_absent)
		hand_back(pass);
	else if (pass->request != NULL && !pass->request->is_client_gone)
		end_reply(pass, op->result);
	free_when_over(pass);
}

static void on_gone(struct request *request)
{
	struct passthrough *pass = request->user;

	metric_inc(METRIC_CLIENT_GONE);
	op_cancel(&pass->call.stream.op, ERR_CANCELED);
}

static void on_closed(struct request *request)
{
	struct passthrough *pass = request->user;

	op_cancel(&pass->call.stream.op, ERR_CANCELED); /* a stop of the server: nobody listens */
	pass->request = NULL;
	free_when_over(pass);
}

/* ---- the request's way there ---- */

static struct passthrough *passthrough_new(struct api *api, struct request *request)
{
	struct passthrough *pass = mem_alloc(sizeof(*pass));

	if (pass == NULL)
		return NULL;
	pass->api = api_hold(api);
	buf_init(&pass->whole, WHOLE_BYTES_MAX);
	header_lines_init(&pass->headers);
	pass->body = request->body;
	buf_init(&request->body, pass->body.max_bytes);
	return pass;
}

static char *path_behind_v1(const struct request *request)
{
	struct buf path;

	buf_init(&path, 16 << 10);
	if (buf_append_str(&path, request->path + strlen("/v1")) != OK ||
	    (request->query[0] != '\0' && (buf_append_str(&path, "?") != OK ||
					   buf_append_str(&path, request->query) != OK))) {
		buf_release(&path);
		return NULL;
	}
	return buf_steal(&path);
}

static enum err add_request_headers(struct passthrough *pass, bool is_json)
{
	static const char id_name[] = "X-Request-Id: ";
	bool is_key_passed = auth_is_passed_on(&pass->api->options->auth);
	char id_line[sizeof(id_name) + sizeof(pass->request->id)];

	memcpy(id_line, id_name, sizeof(id_name) - 1);
	memcpy(id_line + sizeof(id_name) - 1, pass->request->id, sizeof(pass->request->id));
	return headers_to_backend(pass->request,
				  (is_json ? HEADERS_JSON : 0u) |
					  (is_key_passed ? 0u : HEADERS_NO_KEY),
				  id_line, &pass->headers);
}

/* `err`: the body could not be made; done() brings it back. */
static void send_call(struct passthrough *pass, bool is_json, enum err err)
{
	struct forward_call *call = &pass->call;
	struct request *request = pass->request;
	struct reactor *reactor = pass->api->reactor;

	metric_inc(METRIC_REQUESTS_PASSTHROUGH);
	metric_inc(METRIC_UPSTREAM_CALLS_PASSTHROUGH);
	stream_op_prepare(&call->stream, reactor, 0, on_data, on_done);
	pass->path_and_query = path_behind_v1(request);
	if (err == OK && pass->path_and_query == NULL)
		err = ERR_NO_MEMORY;
	if (err == OK)
		err = add_request_headers(pass, is_json);
	if (err != OK)
		op_cancel(&call->stream.op, err);
	call->method = request->method;
	call->path_and_query = pass->path_and_query;
	call->headers = pass->headers.lines;
	call->wait_max_ms = pass->api->options->limit_wait_ms;
	call->request_id = request->id;
	call->on_head = on_head;
	pass->api->model->forward(pass->api->model, call);
}

static void take_request(struct passthrough *pass, struct request *request)
{
	pass->request = request;
	request->user = pass;
	request->on_gone = on_gone;
	request->on_drain = on_drain;
	request->on_closed = on_closed;
}

void passthrough_any(struct api *api, struct request *request)
{
	struct passthrough *pass = passthrough_new(api, request);

	if (pass == NULL) {
		api_refuse_memory(request);
		return;
	}
	take_request(pass, request);
	pass->call.body[0] = (struct slice){ buf_str(&pass->body), pass->body.len };
	pass->call.is_unlimited = strcmp(request->method, "POST") != 0;
	pass->call.tokens = (long)(pass->body.len / BYTES_PER_TOKEN);
	send_call(pass, false, OK);
}

static bool is_space(char character)
{
	return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

/* The member whose value is given, with its name and one comma. The text around is JSON that has
 * been read: what is looked for is there. */
static struct slice member_of(struct slice value)
{
	const char *start = value.data;
	const char *end = value.data + value.len;
	const char *behind = end;

	while (*--start != ':')
		;
	while (*--start != '"')
		;
	while (*--start != '"')
		;
	while (is_space(*behind))
		behind++;
	if (*behind == ',') {
		end = behind + 1;
	} else {
		const char *before = start;

		while (is_space(before[-1]))
			before--;
		if (before[-1] == ',')
			start = before - 1;
	}
	return (struct slice){ start, (size_t)(end - start) };
}

/* Our own member must not reach the backend: rare, so the body is copied. `model`: of the old body
 * before, of the new one afterwards. */
static enum err leave_out(struct buf *body, struct slice member, struct slice *model)
{
	size_t at = (size_t)(member.data - body->data);
	size_t model_at = (size_t)(model->data - body->data);
	struct buf edited;
	enum err err;

	buf_init(&edited, BODY_BYTES_MAX);
	err = buf_append(&edited, body->data, at);
	if (err == OK)
		err = buf_append(&edited, member.data + member.len, body->len - at - member.len);
	if (err != OK) {
		buf_release(&edited);
		return err;
	}
	buf_release(body);
	*body = edited;
	model->data = body->data + (model_at < at ? model_at : model_at - member.len);
	return OK;
}

/* Three parts: what stands before the model's name, the name, what stands behind. */
static enum err split_body(struct passthrough *pass, const struct passthrough_chat *chat)
{
	struct slice model = chat->model_range;
	const char *behind;
	enum err err = OK;

	if (chat->longhand_range.data != NULL)
		err = leave_out(&pass->body, member_of(chat->longhand_range), &model);
	if (err != OK)
		return err;
	behind = model.data + model.len;
	pass->call.body[0] =
		(struct slice){ pass->body.data, (size_t)(model.data - pass->body.data) };
	pass->call.body[1] = model;
	pass->call.body[2] =
		(struct slice){ behind, (size_t)(pass->body.data + pass->body.len - behind) };
	return OK;
}

/* The call outlives the request's turn. */
static enum err name_target(struct passthrough *pass, const struct passthrough_chat *chat)
{
	const struct model_target *target = chat->target;

	pass->model = mem_strdup(target->model);
	pass->said_model = mem_strdup(chat->model);
	if (target->id != NULL)
		pass->model_id = mem_strdup(target->id);
	if (pass->model == NULL || pass->said_model == NULL ||
	    (target->id != NULL && pass->model_id == NULL))
		return ERR_NO_MEMORY;
	pass->call.target = (struct model_target){ .backend = target->backend,
						   .model = pass->model,
						   .id = pass->model_id };
	pass->call.said_model = pass->said_model;
	return OK;
}

void passthrough_chat(struct api *api, struct request *request,
		      const struct passthrough_chat *chat)
{
	struct passthrough *pass = passthrough_new(api, request);
	enum err err;

	if (pass == NULL) {
		api_refuse_memory(request);
		if (chat->on_over != NULL)
			chat->on_over(chat->context, NULL);
		return;
	}
	take_request(pass, request);
	pass->on_over = chat->on_over;
	pass->context = chat->context;
	pass->call.is_stream = chat->is_stream;
	pass->call.tokens = chat->tokens;
	err = name_target(pass, chat);
	if (err == OK)
		err = split_body(pass, chat);
	send_call(pass, true, err);
}
