/* defer_queue - what waits for the next turn, in the order in which it was deferred.
 *
 * A list made of the deferreds themselves, so deferring needs no memory and cannot fail. It owns
 * nothing; a deferred must be removed before its memory goes. */
#ifndef LONGHAND_ASYNC_DEFER_QUEUE_H
#define LONGHAND_ASYNC_DEFER_QUEUE_H
#include "async/reactor.h"

struct defer_queue {
	struct list waiting;
};

void defer_queue_init(struct defer_queue *queue);
bool defer_queue_is_empty(const struct defer_queue *queue);
/* One that waits already keeps its place and its function. `run` must not be NULL. */
void defer_queue_add(struct defer_queue *queue, struct deferred *deferred, deferred_fn run);
/* Idempotent. Also for one that waits behind the one that runs, in the same turn. */
void defer_queue_remove(struct deferred *deferred);
/* Runs what waits now, but nothing that is deferred since the call: a chain of deferrals cannot
 * keep the loop. Returns how many ran. */
size_t defer_queue_run(struct defer_queue *queue);
#endif
