/* work_pool - work for other threads: what computes longer than the loop may stand still, such as
 * parsing a large JSON body. An op like any other.
 *
 * run() is called once on some thread and may touch nothing but what `work` alone owns: no op, no
 * reactor, no log. done() comes on the loop. A cancel (or the deadline) of work that waits for a
 * thread keeps run() from being called; work that runs cannot be stopped, so done() comes, with
 * the reason of the cancel, when it has returned: memory that run() uses is safe until done(). */
#ifndef LONGHAND_LOOP_WORK_POOL_H
#define LONGHAND_LOOP_WORK_POOL_H
#include "async/op.h"
#include "loop/reactor_uv.h"

struct work_pool;
struct work_handle;
struct work;
typedef void (*work_fn)(struct work *work);

/* Embedded in its user. */
struct work {
	struct op op;
	work_fn run;
	bool has_run;		    /* read it in done() */
	struct work_handle *handle; /* work_pool's own */
};

/* The threads are the process's: as many as UV_THREADPOOL_SIZE says, 4 by default. */
MUST_CHECK enum err work_pool_new(struct reactor_uv *loop, struct work_pool **ret_pool);
/* No work may be live; NULL ok. */
void work_pool_free(struct work_pool *pool);
/* Zeroes the work and prepares its op. */
void work_prepare(struct work *work, struct reactor *reactor, uint64_t deadline_ms, work_fn run,
		  op_done_fn done);
/* Results: OK, ERR_NO_MEMORY, and the reason of a cancel. */
void work_pool_start(struct work_pool *pool, struct work *work);
#endif
