#include "model/generate.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/rate_news.h"
#include "model/sse_parser.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EVENT_BYTES_MAX = 4 << 20, ERROR_BODY_BYTES_MAX = 64 << 10, HEADER_BYTES_MAX = 128 };

/* Time for the usage and the end mark, once the text has its end. */
enum { LINGER_MS = 2000 };

struct generation {
	struct http_call http;
	struct generate_call *call;
	struct backend *backend;
	struct sse_parser sse;
	struct buf error_body;
	char *url;
	char *body;
	char request_id[HEADER_BYTES_MAX];
	const char *headers[5];
	struct timer linger;
	bool is_ended; /* a finish reason or [DONE] came */
	bool is_past_done; /* nothing counts after [DONE] */
	enum err error; /* found in the stream */
};

/* Half a character at the end of a message that is too long would make JSON of nothing. */
static void say(struct generate_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct generate_call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(call->message, sizeof(call->message), format, args);
	va_end(args);
	call->message[text_whole(call->message, strlen(call->message))] = '\0';
}

static void generation_free(struct generation *generation)
{
	sse_parser_release(&generation->sse);
	buf_release(&generation->error_body);
	mem_free(generation->url);
	mem_free(generation->body);
	mem_free(generation);
}

static void fail_stream(struct generation *generation, enum err err, const char *message)
{
	if (generation->error != OK)
		return;
	generation->error = err;
	say(generation->call, "%s", message);
	op_cancel(&generation->http.stream.op, err);
}

static long long count_of(const json_t *usage, const char *name)
{
	return usage_count(json_integer_value(json_object_get(usage, name)));
}

static void take_usage(struct generate_call *call, const json_t *usage)
{
	const json_t *completion = json_object_get(usage, "completion_tokens_details");
	const json_t *prompt = json_object_get(usage, "prompt_tokens_details");

	if (!json_is_object(usage))
		return;
	call->usage = (struct usage){
		.prompt_tokens = count_of(usage, "prompt_tokens"),
		.completion_tokens = count_of(usage, "completion_tokens"),
		.reasoning_tokens = count_of(completion, "reasoning_tokens"),
		.cached_tokens = count_of(prompt, "cached_tokens"),
	};
}

/* {"error":{"message"}}, {"error":"..."}, {"message"}, {"detail"}: what servers answer. */
static const char *error_message(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	if (message == NULL)
		message = json_string_value(error);
	if (message == NULL)
		message = json_string_value(json_object_get(answer, "message"));
	if (message == NULL)
		message = json_string_value(json_object_get(answer, "detail"));
	return message;
}

static void take_error(struct generation *generation, const json_t *answer)
{
	const char *message = error_message(answer);
	json_int_t code =
		json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));

	fail_stream(generation, code == 429 || code == 503 ? ERR_BUSY : ERR_UPSTREAM,
		    message != NULL ? message : "the backend sent an error in its stream");
}

/* Without NUL, which no text has. */
static void give_text(struct generate_call *call, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end && call->op.canceled == OK) {
		size_t piece = strnlen(text, (size_t)(end - text));

		if (piece > 0)
			call->on_text(call, text, piece);
		text += piece + 1;
	}
}

static void on_linger(struct timer *timer)
{
	struct generation *generation = container_of(timer, struct generation, linger);

	op_cancel(&generation->http.stream.op, ERR_TIMEOUT);
}

static void end_text(struct generation *generation)
{
	struct reactor *reactor = generation->backend->reactor;

	if (generation->is_ended)
		return;
	generation->is_ended = true;
	reactor->timer_start(reactor, &generation->linger, LINGER_MS, on_linger);
}

static void take_delta(struct generation *generation, const json_t *delta)
{
	struct generate_call *call = generation->call;
	const json_t *text = json_object_get(delta, "content");
	const json_t *thought = json_object_get(delta, "reasoning_content");

	if (!json_is_string(thought))
		thought = json_object_get(delta, "reasoning");
	if (json_string_length(thought) > 0 && call->on_reasoning != NULL)
		call->on_reasoning(call, json_string_value(thought), json_string_length(thought));
	if (json_string_length(text) == 0 || call->op.canceled != OK)
		return;
	if (call->first_text_ms == 0)
		call->first_text_ms = call->op.reactor->now_ms(call->op.reactor);
	give_text(call, json_string_value(text), json_string_length(text));
}

static void take_chunk(struct generation *generation, const json_t *chunk)
{
	struct generate_call *call = generation->call;
	const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
	const char *finish = json_string_value(json_object_get(choice, "finish_reason"));

	if (json_member(chunk, "error") != NULL) {
		take_error(generation, chunk);
		return;
	}
	take_usage(call, json_object_get(chunk, "usage"));
	take_delta(generation, json_object_get(choice, "delta"));
	if (finish == NULL)
		return;
	end_text(generation);
	call->finish = finish_reason_from_name(finish);
}

static void on_event(void *context, const char *data, size_t len)
{
	struct generation *generation = context;
	size_t failures_before = mem_failures();
	json_t *chunk;

	if (generation->call->op.canceled != OK || generation->error != OK ||
	    generation->is_past_done)
		return;
	if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
		generation->is_past_done = true;
		end_text(generation);
		return;
	}
	chunk = json_load_any((struct slice){ data, len });
	if (chunk == NULL && mem_failures() != failures_before)
		fail_stream(generation, ERR_NO_MEMORY, err_text(ERR_NO_MEMORY));
	else if (!json_is_object(chunk))
		fail_stream(generation, ERR_UPSTREAM, "the backend sent a chunk that is not JSON");
	else
		take_chunk(generation, chunk);
	json_decref(chunk);
}

/* Limits that go with the client's own key are the client's. */
static void on_head(struct http_call *http)
{
	struct generation *generation = container_of(http, struct generation, http);
	struct generate_call *call = generation->call;
	struct reactor *reactor = generation->backend->reactor;
	struct rate_news news = { .pause_ms = 0 };

	if (call->on_head == NULL)
		return;
	if (!call->is_clients_key)
		rate_news_read(http, reactor->wall_ms(reactor), &news);
	call->status = http->status;
	call->news = &news;
	call->on_head(call);
	call->news = NULL;
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct http_call *http = container_of(stream, struct http_call, stream);
	struct generation *generation = container_of(http, struct generation, http);
	enum err err;

	if (http->status != 200) {
		size_t room = ERROR_BODY_BYTES_MAX - generation->error_body.len;

		(void)!buf_append(&generation->error_body, data, len < room ? len : room);
		return;
	}
	err = sse_parser_feed(&generation->sse, data, len);
	if (err != OK)
		fail_stream(generation, err == ERR_NO_MEMORY ? err : ERR_UPSTREAM,
			    "the backend sent an event that is too large");
}

static void explain_status(struct generation *generation)
{
	struct generate_call *call = generation->call;
	json_t *answer = json_loadb(buf_str(&generation->error_body), generation->error_body.len,
				    0, NULL);
	const char *message = error_message(answer);

	say(call, "backend %s answered %d%s%s", generation->backend->options->name, call->status,
	    message != NULL ? ": " : "", message != NULL ? message : "");
	json_decref(answer);
}

static enum err explain_transport(struct generation *generation, enum err result)
{
	struct generate_call *call = generation->call;
	const char *failure = generation->http.failure;

	if (generation->error != OK)
		return generation->error;
	say(call, "backend %s: %s", generation->backend->options->name,
	    failure != NULL ? failure : err_text(result));
	/* All of the text was there: only the usage or the end mark is missing. */
	if (generation->is_ended && (result == ERR_BROKEN || result == ERR_TIMEOUT))
		return OK;
	return result;
}

static enum err explain_no_end(struct generation *generation)
{
	struct slice type = http_call_header(&generation->http, "content-type");
	const char *name = generation->backend->options->name;

	if (type.data == NULL || memmem(type.data, type.len, "event-stream", 12) != NULL) {
		say(generation->call, "backend %s: its stream ended without a finish reason", name);
		return ERR_BROKEN;
	}
	say(generation->call, "backend %s answered with %.*s in place of an event stream", name,
	    (int)(type.len < 60 ? type.len : 60), type.data);
	return ERR_UPSTREAM;
}

static enum err judge(struct generation *generation)
{
	struct generate_call *call = generation->call;
	enum err result = generation->http.stream.op.result;

	if (result != OK)
		return explain_transport(generation, result);
	result = backend_status_error(call->status);
	if (result != OK || call->status != 200) {
		explain_status(generation);
		return result != OK ? result : ERR_UPSTREAM;
	}
	if (sse_parser_end(&generation->sse) != OK)
		return ERR_NO_MEMORY;
	if (generation->error != OK)
		return generation->error;
	if (generation->is_ended)
		return OK;
	return explain_no_end(generation);
}

static void on_done(struct op *op)
{
	struct stream_op *stream = container_of(op, struct stream_op, op);
	struct http_call *http = container_of(stream, struct http_call, stream);
	struct generation *generation = container_of(http, struct generation, http);
	struct generate_call *call = generation->call;
	struct reactor *reactor = generation->backend->reactor;
	enum err result;

	call->status = http->status;
	call->retry_after_ms = backend_retry_after_ms(http);
	result = judge(generation); /* may read the last event */
	reactor->timer_stop(reactor, &generation->linger);
	backend_report(generation->backend,
		       call->op.canceled == ERR_CANCELED ? ERR_CANCELED : result, call->status);
	call->provider = NULL;
	generation_free(generation);
	op_finish(&call->op, result);
}

static void on_cancel(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);
	struct generation *generation = call->provider;

	op_cancel(&generation->http.stream.op, op->canceled);
}

static struct generation *generation_new(struct backend *backend, struct generate_call *call)
{
	struct generation *generation = mem_alloc(sizeof(*generation));
	const struct backend_options *options = backend->options;

	if (generation == NULL)
		return NULL;
	generation->call = call;
	generation->backend = backend;
	sse_parser_init(&generation->sse, EVENT_BYTES_MAX, on_event, generation);
	buf_init(&generation->error_body, ERROR_BODY_BYTES_MAX);
	generation->url = backend_url(backend, "/chat/completions");
	generation->body = dialect_body(options->dialect, call, call->target.model);
	if (generation->url == NULL || generation->body == NULL) {
		generation_free(generation);
		return NULL;
	}
	return generation;
}

static void send_request(struct generation *generation)
{
	struct http_call *http = &generation->http;
	const struct backend_options *options = generation->backend->options;
	size_t n = 0;

	(void)snprintf(generation->request_id, sizeof(generation->request_id), "X-Request-Id: %s",
		       generation->call->request_id != NULL ? generation->call->request_id : "");
	http_call_prepare(http, generation->backend->reactor, 0, on_data, on_done);
	generation->headers[n++] = "Content-Type: application/json";
	generation->headers[n++] = "Accept: text/event-stream";
	generation->headers[n++] = generation->request_id;
	generation->call->is_clients_key = generation->backend->authorization == NULL &&
					   generation->call->authorization != NULL;
	if (generation->backend->authorization != NULL)
		generation->headers[n++] = generation->backend->authorization;
	else if (generation->call->is_clients_key)
		generation->headers[n++] = generation->call->authorization;
	http->method = "POST";
	http->url = generation->url;
	http->headers = generation->headers;
	http->body[0] = (struct slice){ generation->body, strlen(generation->body) };
	http->is_stream = true;
	http->connect_ms = options->connect_ms;
	http->first_byte_ms = options->first_byte_ms;
	http->idle_ms = options->idle_ms;
	http->on_head = on_head;
	http_client_start(generation->backend->http, http);
}

void generate_start(struct backend *backend, struct generate_call *call)
{
	uint64_t now_ms = backend->reactor->now_ms(backend->reactor);
	struct generation *generation;

	call->started_ms = now_ms;
	if (!op_begin(&call->op, on_cancel))
		return;
	if (!breaker_allows(&backend->breaker, now_ms)) {
		call->retry_after_ms = breaker_wait_ms(&backend->breaker, now_ms);
		say(call, "backend %s has failed repeatedly and is left alone for a while",
		    backend->options->name);
		op_finish(&call->op, ERR_BUSY);
		return;
	}
	generation = generation_new(backend, call);
	if (generation == NULL) {
		breaker_forget(&backend->breaker);
		op_finish(&call->op, ERR_NO_MEMORY);
		return;
	}
	call->provider = generation;
	send_request(generation);
}
