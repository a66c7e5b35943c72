/* op - the contract every asynchronous operation obeys.
 *
 * The caller embeds `struct op`, owns its memory, and keeps it alive until done() has been
 * called. The provider finishes it exactly once:
 *
 *   caller                         provider
 *   op_prepare(&op, ...)
 *   xyz_start(x, &op)       --->   if (!op_begin(op, cancel)) return;
 *   op_cancel(op, why)      --->   cancel(op): give up as soon as possible
 *   done(op)                <---   op_finish(op, result)
 *
 * done() never runs inside xyz_start() or op_cancel(): always on a later turn of the loop.
 * Whoever cancels still gets done(), so there is one cleanup path. A cancel overrides a success
 * that has not been delivered, and the first cancel's reason is the one reported. A cancel
 * between op_prepare and op_begin is kept: op_begin then refuses, and done() comes with the
 * reason. The deadline runs from op_begin. */
#ifndef LONGHAND_ASYNC_OP_H
#define LONGHAND_ASYNC_OP_H
#include <stdbool.h>
#include "async/reactor.h"
#include "base/err.h"

struct op;
typedef void (*op_done_fn)(struct op *op);
typedef void (*op_cancel_fn)(struct op *op);

struct op {
	op_done_fn done;
	op_cancel_fn cancel;
	struct reactor *reactor;
	struct timer deadline;
	struct deferred delivery; /* of done() */
	uint64_t deadline_ms;	  /* 0: none */
	enum err result;	  /* read it in done() */
	enum err canceled;	  /* why, or OK */
	bool is_held;		  /* finished or not, done() waits */
	void *provider;		  /* its own, from op_begin to op_finish: for its cancel() */
	enum { OP_IDLE, OP_PREPARED, OP_RUNNING, OP_FINISHED } state;
};

void op_prepare(struct op *op, struct reactor *reactor, uint64_t deadline_ms, op_done_fn done);
/* False: it was cancelled before it began; return at once, done() will come. */
MUST_CHECK bool op_begin(struct op *op, op_cancel_fn cancel);
/* Illegal unless running: it dies there. */
void op_finish(struct op *op, enum err result);
/* Does nothing to an op that is idle or cancelled already; one that has finished with an error
 * keeps it. `why` is never OK. */
void op_cancel(struct op *op, enum err why);
/* From op_prepare until done() has begun. */
bool op_is_live(const struct op *op);
/* For stream_op: done() waits until op_unhold() or a cancel. Both do nothing to an idle op. */
void op_hold(struct op *op);
void op_unhold(struct op *op);
#endif
