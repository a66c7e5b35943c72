#include "model/failover.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "model/dispatch.h"
#include "model/generate.h"
#include <stdio.h>
#include <string.h>

/* What a token is in bytes, where nothing better is known. */
enum { BYTES_PER_TOKEN = 4, ANSWER_TOKENS = 1000 };

struct generating {
	struct generate_call attempt;
	struct generate_call *call; /* the caller's */
	struct dispatch dispatch;
	size_t text_bytes; /* delivered, reasoning included */
	bool is_tried;	   /* there is an attempt whose result stands */
};

static struct generating *of_attempt(struct generate_call *attempt)
{
	return container_of(attempt, struct generating, attempt);
}

static void finish(struct generating *generating, enum err result)
{
	struct generate_call *call = generating->call;

	call->provider = NULL;
	mem_free(generating);
	op_finish(&call->op, result);
}

/* ---- one attempt ---- */

static void on_head(struct generate_call *attempt)
{
	limiter_note(&of_attempt(attempt)->dispatch.ticket, attempt->news);
}

static void on_text(struct generate_call *attempt, const char *text, size_t len)
{
	struct generating *generating = of_attempt(attempt);

	generating->text_bytes += len;
	generating->call->first_text_ms = attempt->first_text_ms;
	generating->call->on_text(generating->call, text, len);
}

static void on_reasoning(struct generate_call *attempt, const char *text, size_t len)
{
	struct generating *generating = of_attempt(attempt);

	generating->text_bytes += len;
	generating->call->on_reasoning(generating->call, text, len);
}

static void take_result(struct generating *generating)
{
	const struct generate_call *attempt = &generating->attempt;
	struct generate_call *call = generating->call;

	call->finish = attempt->finish;
	call->usage = attempt->usage;
	call->status = attempt->status;
	call->is_clients_key = attempt->is_clients_key;
	call->retry_after_ms = attempt->retry_after_ms;
	(void)snprintf(call->message, sizeof(call->message), "%s", attempt->message);
}

/* What counts for the limit of tokens: nothing where nothing was sent; what the backend says; of a
 * call that ended before it said so, the prompt and what came. */
static long tokens_used(const struct generating *generating)
{
	const struct usage *usage = &generating->attempt.usage;
	long said = (long)(usage->prompt_tokens + usage->completion_tokens);
	long max_tokens = generating->call->max_tokens;
	long prompt_tokens =
		generating->dispatch.tokens - (max_tokens > 0 ? max_tokens : ANSWER_TOKENS);

	if (said > 0)
		return said;
	if (generating->attempt.status != 200)
		return 0;
	return prompt_tokens + (long)(generating->text_bytes / BYTES_PER_TOKEN);
}

static bool may_another_try(const struct generating *generating, enum err result)
{
	if (generating->text_bytes > 0 || generating->call->op.canceled != OK)
		return false;
	return result == ERR_REFUSED || result == ERR_BROKEN || result == ERR_TIMEOUT ||
	       result == ERR_BUSY || result == ERR_UPSTREAM;
}

static void on_done(struct op *op)
{
	struct generate_call *attempt = container_of(op, struct generate_call, op);
	struct generating *generating = of_attempt(attempt);
	enum err result = op->result;

	take_result(generating);
	dispatch_leave(&generating->dispatch, tokens_used(generating));
	if (may_another_try(generating, result))
		dispatch_next(&generating->dispatch);
	else
		finish(generating, result);
}

static void on_go(struct dispatch *dispatch)
{
	struct generating *generating = container_of(dispatch, struct generating, dispatch);
	struct generate_call *attempt = &generating->attempt;
	struct generate_call *call = generating->call;
	struct reactor *reactor = call->op.reactor;

	if (generating->is_tried)
		metric_inc(METRIC_UPSTREAM_FAILOVERS);
	generating->is_tried = true;
	*attempt = (struct generate_call){
		.target = call->target,
		.messages = call->messages,
		.schema = call->schema,
		.members = call->members,
		.is_prefilled = call->is_prefilled,
		.max_tokens = call->max_tokens,
		.sampling = call->sampling,
		.request_id = call->request_id,
		.authorization = call->authorization,
		.on_head = on_head,
		.on_text = on_text,
		.on_reasoning = call->on_reasoning != NULL ? on_reasoning : NULL,
	};
	call->backend = attempt->target.backend = dispatch->backend->options->name;
	attempt->target.model = dispatch->model;
	op_prepare(&attempt->op, reactor, 0, on_done);
	call->started_ms = reactor->now_ms(reactor);
	generate_start(dispatch->backend, attempt);
}

/* ---- nobody takes it ---- */

static void on_refused(struct dispatch *dispatch, enum err err)
{
	struct generating *generating = container_of(dispatch, struct generating, dispatch);
	struct generate_call *call = generating->call;

	if (generating->is_tried && call->op.canceled == OK) {
		finish(generating, generating->attempt.op.result);
		return;
	}
	call->is_left_alone = err == ERR_BUSY;
	call->retry_after_ms = dispatch->retry_after_ms;
	if (err == ERR_BUSY)
		(void)snprintf(call->message, sizeof(call->message),
			       "the backends of %.200s have failed repeatedly and are left alone "
			       "for a while",
			       call->target.model);
	finish(generating, err);
}

/* ---- the call ---- */

static void on_cancel(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);
	struct generating *generating = call->provider;

	if (!dispatch_cancel(&generating->dispatch, op->canceled))
		op_cancel(&generating->attempt.op, op->canceled);
}

static long estimate(const struct generate_call *call)
{
	long answer = call->max_tokens > 0 ? call->max_tokens : ANSWER_TOKENS;
	size_t prompt_bytes = 0;
	size_t i;
	json_t *message;

	if (call->prompt_tokens > 0)
		return call->prompt_tokens + answer;
	json_array_foreach(call->messages, i, message) prompt_bytes +=
		json_string_length(json_object_get(message, "content"));
	return (long)(prompt_bytes / BYTES_PER_TOKEN) + answer;
}

void failover_generate(struct backend *backends, size_t n, struct generate_call *call)
{
	struct reactor *reactor = call->op.reactor;
	struct generating *generating;

	call->started_ms = reactor->now_ms(reactor);
	if (!op_begin(&call->op, on_cancel))
		return;
	generating = mem_alloc(sizeof(*generating));
	if (generating == NULL) {
		op_finish(&call->op, ERR_NO_MEMORY);
		return;
	}
	generating->call = call;
	call->provider = generating;
	generating->dispatch = (struct dispatch){
		.reactor = reactor,
		.backends = backends,
		.n_backends = n,
		.wanted = &call->target,
		.authorization = call->authorization,
		.avoid = call->avoid,
		.queue = call->wait_max_ms > 0 ? LIMITER_PASSTHROUGH : LIMITER_JOB,
		.wait_max_ms = call->wait_max_ms,
		.tokens = estimate(call),
		.is_patient = call->is_patient,
		.is_prefilled = call->is_prefilled,
		.wait = &call->wait,
		.on_go = on_go,
		.on_refused = on_refused,
	};
	dispatch_start(&generating->dispatch);
}
