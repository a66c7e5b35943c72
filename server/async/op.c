#include "async/op.h"
#include "base/must.h"

static void op_expire(struct timer *timer)
{
	op_cancel(container_of(timer, struct op, deadline), ERR_TIMEOUT);
}

static void op_deliver(struct deferred *delivery)
{
	struct op *op = container_of(delivery, struct op, delivery);

	op->state = OP_IDLE;
	op->done(op); /* may free or reuse op: touch nothing after this */
}

void op_prepare(struct op *op, struct reactor *reactor, uint64_t deadline_ms, op_done_fn done)
{
	*op = (struct op){
		.reactor = reactor, .done = done, .deadline_ms = deadline_ms, .state = OP_PREPARED
	};
}

bool op_begin(struct op *op, op_cancel_fn cancel)
{
	MUST(op->state == OP_PREPARED);
	op->state = OP_RUNNING;
	op->cancel = cancel;
	if (op->canceled != OK) {
		op_finish(op, op->canceled);
		return false;
	}
	if (op->deadline_ms > 0)
		op->reactor->timer_start(op->reactor, &op->deadline, op->deadline_ms, op_expire);
	return true;
}

void op_finish(struct op *op, enum err result)
{
	MUST(op->state == OP_RUNNING); /* exactly once */
	op->state = OP_FINISHED;
	op->result = op->canceled != OK ? op->canceled : result;
	op->reactor->timer_stop(op->reactor, &op->deadline);
	if (!op->is_held)
		op->reactor->defer(op->reactor, &op->delivery, op_deliver);
}

void op_cancel(struct op *op, enum err why)
{
	MUST(why != OK);
	if (op->state == OP_IDLE || op->canceled != OK)
		return;
	op->canceled = why;
	if (op->state == OP_FINISHED && op->result == OK)
		op->result = why;
	op_unhold(op);
	if (op->state == OP_RUNNING)
		op->cancel(op); /* may not touch op after its op_finish, nor do we */
}

bool op_is_live(const struct op *op)
{
	return op->state != OP_IDLE;
}

void op_hold(struct op *op)
{
	if (op->state == OP_IDLE || op->canceled != OK)
		return;
	op->is_held = true;
	op->reactor->undefer(op->reactor, &op->delivery);
}

void op_unhold(struct op *op)
{
	if (!op->is_held)
		return;
	op->is_held = false;
	if (op->state == OP_FINISHED)
		op->reactor->defer(op->reactor, &op->delivery, op_deliver);
}
