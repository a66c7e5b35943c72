/* A backend's answer, whatever it is: a call of the long path ends once, says why, and brings text
 * that is UTF-8. First byte: the size of its pieces; second: the status. */
#include <string.h>
#include "base/mem.h"
#include "base/text.h"
#include "fakes/fake_reactor.h"
#include "fuzz/fuzz.h"
#include "model/generate.h"

static const int statuses[] = { 200, 200, 200, 200, 400, 429, 500, 503 };
static const enum err results[] = { OK, OK, ERR_BROKEN, ERR_TIMEOUT, ERR_REFUSED };
static struct slice answer;
static size_t piece_bytes;
static int status;
static enum err result;

static struct deferred delivery;
static struct http_call *running;
static unsigned n_done;
static size_t text_bytes;
static bool is_canceling;

static void finish(void)
{
	struct http_call *call = running;

	running = NULL;
	op_finish(&call->stream.op,
		  call->stream.op.canceled != OK ? call->stream.op.canceled : result);
}

static void deliver(struct deferred *deferred)
{
	(void)deferred;
	running->status = result == ERR_REFUSED ? 0 : status;
	while (answer.len > 0 && running->status != 0) {
		size_t len = answer.len < piece_bytes ? answer.len : piece_bytes;

		if (!stream_op_push(&running->stream, answer.data, len))
			break;
		answer.data += len;
		answer.len -= len;
	}
	finish();
}

static void on_cancel(struct op *op)
{
	(void)op; /* deliver() sees it */
}

static const struct stream_provider provider = { .cancel = on_cancel };

static void on_http_done(struct op *op)
{
	struct stream_op *stream = container_of(op, struct stream_op, op);
	struct http_call *call = container_of(stream, struct http_call, stream);

	call->on_done(op);
}

/* In place of the real client's (fuzz.mk); http_call_prepare is the real one. */
void __wrap_http_client_start(struct http_client *client, struct http_call *call);
void __wrap_http_client_start(struct http_client *client, struct http_call *call)
{
	(void)client;
	call->stream.op.done = on_http_done;
	running = call;
	if (!stream_op_begin(&call->stream, &provider))
		return;
	call->stream.op.reactor->defer(call->stream.op.reactor, &delivery, deliver);
}

static void on_text(struct generate_call *call, const char *text, size_t len)
{
	MUST(call->op.canceled == OK && len > 0 && text_is_valid(text, len));
	text_bytes += len;
	if (is_canceling && text_bytes > 64)
		op_cancel(&call->op, ERR_CANCELED);
}

static void on_reasoning(struct generate_call *call, const char *text, size_t len)
{
	MUST(call->op.canceled == OK && len > 0 && text_is_valid(text, len));
}

static void on_done(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);

	n_done++;
	MUST(op->result != OK || call->status == 200);
	MUST(strlen(call->message) < sizeof(call->message));
	MUST(text_is_valid(call->message, strlen(call->message)));
	MUST(call->usage.prompt_tokens >= 0 && call->usage.completion_tokens >= 0);
	MUST(call->usage.reasoning_tokens >= 0 && call->usage.cached_tokens >= 0);
}

static void run(struct fake_reactor *reactor, const json_t *messages)
{
	struct backend_options options = { .name = "b",
					   .url = "http://127.0.0.1:1/v1",
					   .dialect = dialect_find("openai") };
	struct generate_call call = { .target = { .backend = "b", .model = "m" },
				      .messages = messages,
				      .on_text = on_text,
				      .on_reasoning = on_reasoning };
	struct backend backend;

	MUST(backend_init(&backend, &reactor->base, NULL, &options) == OK);
	sampling_init(&call.sampling);
	op_prepare(&call.op, &reactor->base, 0, on_done);
	n_done = 0;
	text_bytes = 0;
	generate_start(&backend, &call);
	fake_reactor_run_until_idle(reactor);
	MUST(n_done == 1);
	backend_release(&backend);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_reactor reactor;
	json_t *messages;

	if (size < 2)
		return 0;
	messages = json_array();
	answer = (struct slice){ (const char *)data + 2, size - 2 };
	piece_bytes = data[0] == 0 ? size : data[0];
	status = statuses[data[1] % (sizeof(statuses) / sizeof(statuses[0]))];
	result = results[(data[1] >> 3) % (sizeof(results) / sizeof(results[0]))];
	is_canceling = data[1] >= 0xc0;
	fake_reactor_init(&reactor);
	run(&reactor, messages);
	json_decref(messages);
	return 0;
}
