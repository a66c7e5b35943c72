#include "model/failover.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "model/dispatch.h"
#include "model/forward.h"
#include <stdio.h>
#include <string.h>

/* So much of an answer's end has its usage, where it has one. */
enum { TAIL_BYTES = 2048, MODEL_BYTES_MAX = 4096, TOTAL_TOKENS_MAX = 100000000 };
enum { BUSY_MS_MIN = 1000 };

struct sending {
	struct forward_call attempt;
	struct forward_call *call; /* the caller's */
	struct dispatch dispatch;
	char *model_json; /* in place of the one that the body names */
	enum err result;  /* of the last attempt */
	bool is_tried, is_turned_away;
	uint64_t busy_ms; /* one of the backends asked to wait so long */
	char *tail; /* the end of the answer, TAIL_BYTES; NULL: not kept */
	size_t tail_len;
};

static struct sending *of_attempt(struct forward_call *attempt)
{
	return container_of(attempt, struct sending, attempt);
}

static struct forward_call *of_stream(struct stream_op *stream)
{
	return container_of(stream, struct forward_call, stream);
}

static void finish(struct sending *sending, enum err result)
{
	struct forward_call *call = sending->call;

	call->provider = NULL;
	mem_free(sending->model_json);
	mem_free(sending->tail);
	mem_free(sending);
	op_finish(&call->stream.op, result);
}

/* ---- what it used ---- */

static bool counts_tokens(const struct sending *sending)
{
	return !sending->dispatch.is_unlimited &&
	       sending->dispatch.backend->options->limits.tokens_per_minute > 0;
}

/* The answer's last bytes, kept in the second half when the first overflows. */
static void keep_tail(struct sending *sending, const char *data, size_t len)
{
	const size_t half = TAIL_BYTES / 2;

	if (sending->tail == NULL)
		sending->tail = mem_alloc(TAIL_BYTES);
	if (sending->tail == NULL)
		return; /* the estimate stands */
	if (len >= half) {
		data += len - half;
		len = half;
		sending->tail_len = 0;
	} else if (sending->tail_len + len > TAIL_BYTES) {
		memmove(sending->tail, sending->tail + sending->tail_len - half, half);
		sending->tail_len = half;
	}
	memcpy(sending->tail + sending->tail_len, data, len);
	sending->tail_len += len;
}

/* The number behind the last "total_tokens"; below 0: there is none. */
static long total_tokens(const char *tail, size_t len)
{
	static const char name[] = "\"total_tokens\":";
	const size_t name_len = sizeof(name) - 1;
	const char *end = tail + len;
	const char *found = NULL;
	const char *at = tail;
	long total = 0;

	while ((at = memmem(at, (size_t)(end - at), name, name_len)) != NULL)
		found = at += name_len;
	while (found != NULL && found < end && *found == ' ')
		found++;
	if (found == NULL || found == end || *found < '0' || *found > '9')
		return -1;
	for (; found < end && *found >= '0' && *found <= '9' && total < TOTAL_TOKENS_MAX; found++)
		total = total * 10 + (*found - '0');
	return total;
}

static long tokens_used(const struct sending *sending)
{
	const struct forward_call *attempt = &sending->attempt;

	if (attempt->status >= 400 || (attempt->status == 0 && !attempt->is_sent))
		return 0;
	return sending->tail_len > 0 ? total_tokens(sending->tail, sending->tail_len) : -1;
}

/* ---- one attempt ---- */

/* Only what the backend has answered and not worked on. */
static bool can_turn_away(const struct sending *sending)
{
	int status = sending->attempt.status;

	return (status == 429 || status == 503) && dispatch_has_other(&sending->dispatch);
}

static void on_head(struct forward_call *attempt)
{
	struct sending *sending = of_attempt(attempt);
	struct forward_call *call = sending->call;

	limiter_note(&sending->dispatch.ticket, attempt->news);
	if (can_turn_away(sending)) {
		sending->is_turned_away = true;
		op_cancel(&attempt->stream.op, ERR_CANCELED);
		return;
	}
	call->status = attempt->status;
	call->on_head(call);
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct sending *sending = of_attempt(of_stream(stream));

	if (counts_tokens(sending))
		keep_tail(sending, data, len);
	/* False only when cancelled: a pause of the call has paused the attempt too. */
	(void)!stream_op_push(&sending->call->stream, data, len);
}

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool may_another_try(const struct sending *sending, enum err result)
{
	const struct forward_call *attempt = &sending->attempt;

	if (sending->call->stream.op.canceled != OK)
		return false;
	if (sending->is_turned_away)
		return true;
	if (attempt->is_sent || attempt->status != 0)
		return false;
	return result == ERR_REFUSED || result == ERR_TIMEOUT || result == ERR_BROKEN ||
	       result == ERR_BUSY;
}

static void on_done(struct op *op)
{
	struct stream_op *stream = container_of(op, struct stream_op, op);
	struct sending *sending = of_attempt(of_stream(stream));
	struct forward_call *attempt = &sending->attempt;
	struct forward_call *call = sending->call;
	bool may_try = may_another_try(sending, op->result);

	sending->result = op->result;
	if (sending->is_turned_away)
		sending->busy_ms = longer(attempt->retry_after_ms, BUSY_MS_MIN);
	sending->is_turned_away = false;
	call->is_sent = attempt->is_sent;
	if (op->result != OK) {
		call->retry_after_ms = attempt->retry_after_ms;
		(void)snprintf(call->message, sizeof(call->message), "%s", attempt->message);
	}
	dispatch_leave(&sending->dispatch, tokens_used(sending));
	if (may_try)
		dispatch_next(&sending->dispatch);
	else
		finish(sending, sending->result);
}

/* The body names the model by what clients call it; this backend may call it otherwise. */
static enum err name_model(struct sending *sending)
{
	const char *said = sending->call->said_model;
	const char *model = sending->dispatch.model;
	struct buf value;
	enum err err;

	memcpy(sending->attempt.body, sending->call->body, sizeof(sending->attempt.body));
	if (said == NULL || model == NULL || strcmp(said, model) == 0)
		return OK;
	buf_init(&value, MODEL_BYTES_MAX);
	err = buf_append_json(&value, model, strlen(model));
	if (err != OK) {
		buf_release(&value);
		return err;
	}
	sending->attempt.body[1] = (struct slice){ value.data, value.len };
	mem_free(sending->model_json);
	sending->model_json = buf_steal(&value);
	return OK;
}

static void on_go(struct dispatch *dispatch)
{
	struct sending *sending = container_of(dispatch, struct sending, dispatch);
	struct forward_call *attempt = &sending->attempt;
	struct forward_call *call = sending->call;
	enum err err;

	if (sending->is_tried)
		metric_inc(METRIC_UPSTREAM_FAILOVERS);
	sending->is_tried = true;
	sending->tail_len = 0;
	*attempt = (struct forward_call){
		.method = call->method,
		.path_and_query = call->path_and_query,
		.headers = call->headers,
		.is_stream = call->is_stream,
		.request_id = call->request_id,
		.on_head = on_head,
	};
	stream_op_prepare(&attempt->stream, call->stream.op.reactor, 0, on_data, on_done);
	err = name_model(sending);
	if (err != OK)
		op_cancel(&attempt->stream.op, err);
	if (call->stream.is_paused)
		stream_op_pause(&attempt->stream);
	forward_start(dispatch->backend, attempt);
}

/* ---- nobody takes it ---- */

static void say_refused(struct forward_call *call, enum err err)
{
	const char *model = call->target.model != NULL ? call->target.model : "this request";

	if (err == ERR_BUSY)
		(void)snprintf(call->message, sizeof(call->message),
			       "the backends of %.200s ask to wait, or have failed repeatedly and "
			       "are left alone for a while",
			       model);
	else
		(void)snprintf(call->message, sizeof(call->message),
			       "the backends of %.200s are as busy as their limits allow", model);
}

static void on_refused(struct dispatch *dispatch, enum err err)
{
	struct sending *sending = container_of(dispatch, struct sending, dispatch);
	struct forward_call *call = sending->call;

	if (sending->busy_ms > 0 && call->stream.op.canceled == OK) {
		err = ERR_BUSY;
		call->retry_after_ms = sending->busy_ms;
	} else if (sending->is_tried && call->stream.op.canceled == OK) {
		finish(sending, sending->result);
		return;
	} else {
		call->retry_after_ms = dispatch->retry_after_ms;
	}
	if (err == ERR_BUSY || err == ERR_LIMIT)
		say_refused(call, err);
	finish(sending, err);
}

/* ---- the call ---- */

static void on_cancel(struct op *op)
{
	struct forward_call *call = of_stream(container_of(op, struct stream_op, op));
	struct sending *sending = call->provider;

	if (!dispatch_cancel(&sending->dispatch, op->canceled))
		op_cancel(&sending->attempt.stream.op, op->canceled);
}

static void on_pause(struct stream_op *stream)
{
	struct sending *sending = of_stream(stream)->provider;

	stream_op_pause(&sending->attempt.stream);
}

static void on_resume(struct stream_op *stream)
{
	struct sending *sending = of_stream(stream)->provider;

	stream_op_resume(&sending->attempt.stream);
}

static const struct stream_provider provider = { on_cancel, on_pause, on_resume };

void failover_forward(struct backend *backends, size_t n, struct forward_call *call)
{
	struct sending *sending;

	if (!stream_op_begin(&call->stream, &provider))
		return;
	sending = mem_alloc(sizeof(*sending));
	if (sending == NULL) {
		op_finish(&call->stream.op, ERR_NO_MEMORY);
		return;
	}
	sending->call = call;
	call->provider = sending;
	sending->dispatch = (struct dispatch){
		.reactor = call->stream.op.reactor,
		.backends = backends,
		.n_backends = n,
		.wanted = &call->target,
		.queue = LIMITER_PASSTHROUGH,
		.tokens = call->tokens,
		.is_unlimited = call->is_unlimited,
		.wait_max_ms = call->wait_max_ms,
		.on_go = on_go,
		.on_refused = on_refused,
	};
	dispatch_start(&sending->dispatch);
}

struct slice failover_head(const struct forward_call *call)
{
	const struct sending *sending = call->provider;

	return forward_head(&sending->attempt);
}
