/* work - a function run on another thread, as an op. The port; loop/work_pool is the real one.
 *
 * run() happens on a thread of the pool: it may touch only what the work owns, nothing of the
 * loop. done() comes on the loop after run() has returned, always: a cancel before run() began
 * leaves it out, one after that waits for it. */
#ifndef LONGHAND_ASYNC_WORK_H
#define LONGHAND_ASYNC_WORK_H
#include "async/op.h"

struct work {
	struct op op; /* prepared by the caller */
	void (*run)(struct work *work);
	void *provider; /* the pool's own */
};

struct work_port {
	void (*start)(struct work_port *port, struct work *work);
};
#endif
