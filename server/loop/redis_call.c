/* The call's own side: its bytes, and the frame around its done(). */
#include "loop/redis_conn.h"
#include <string.h>

enum { CALL_BYTES_MAX = 128 << 20 };

static void on_call_done(struct op *op)
{
	struct redis_call *call = container_of(op, struct redis_call, op);
	struct redis_reply *replies[REDIS_CALL_COMMANDS_MAX];

	memcpy(replies, call->replies, sizeof(replies));
	buf_release(&call->out);
	call->on_done(op); /* may free or reuse the call */
	for (size_t i = 0; i < REDIS_CALL_COMMANDS_MAX; i++)
		redis_reply_free(replies[i]);
}

void redis_call_prepare(struct redis_call *call, struct reactor *reactor, uint64_t deadline_ms,
			op_done_fn done)
{
	*call = (struct redis_call){ .on_done = done };
	op_prepare(&call->op, reactor, deadline_ms, on_call_done);
	buf_init(&call->out, CALL_BYTES_MAX);
}

void redis_call_add(struct redis_call *call, const struct slice *args, size_t n_args)
{
	if (call->n_commands == REDIS_CALL_COMMANDS_MAX)
		call->fault = ERR_TOO_LARGE;
	if (call->fault != OK)
		return;
	call->n_commands++;
	call->fault = buf_printf(&call->out, "*%zu\r\n", n_args);
	for (size_t i = 0; i < n_args && call->fault == OK; i++) {
		call->fault = buf_printf(&call->out, "$%zu\r\n", args[i].len);
		if (call->fault == OK)
			call->fault = buf_append(&call->out, args[i].data, args[i].len);
		if (call->fault == OK)
			call->fault = buf_append(&call->out, "\r\n", 2);
	}
}
