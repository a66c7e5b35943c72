/* work - what computes longer than the loop may stand still, as an op. The port; loop/work_pool is
 * the real one.
 *
 * run() is called once on some thread and may touch nothing but what `work` alone owns: no op, no
 * reactor, no log. done() comes on the loop. A cancel (or the deadline) of work that waits for a
 * thread keeps run() from being called; work that runs cannot be stopped, so done() comes, with
 * the reason of the cancel, when it has returned: memory that run() uses is safe until done(). */
#ifndef LONGHAND_ASYNC_WORK_H
#define LONGHAND_ASYNC_WORK_H
#include "async/op.h"

struct work;
typedef void (*work_fn)(struct work *work);

/* Embedded in its user. */
struct work {
	struct op op;
	work_fn run;
	bool has_run;	/* read it in done() */
	void *provider; /* the pool's own */
};

struct work_port {
	/* Results: OK, ERR_NO_MEMORY, and the reason of a cancel. */
	void (*start)(struct work_port *port, struct work *work);
};

/* Zeroes the work and prepares its op. */
static inline void work_prepare(struct work *work, struct reactor *reactor, uint64_t deadline_ms,
				work_fn run, op_done_fn done)
{
	*work = (struct work){ .run = run };
	op_prepare(&work->op, reactor, deadline_ms, done);
}
#endif
