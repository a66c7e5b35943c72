/* timer_heap - running timers, the next one first.
 *
 * A pairing heap made of the timers themselves, so starting one needs no memory and cannot fail:
 *
 *   root -child-> a -next-> b -next-> c        every child is due no earlier than its parent;
 *                 |-child-> d                  prev: the sibling before, or the parent
 *
 * Adding is O(1), taking the first and removing any other O(log n) amortized. Equal times keep the
 * order of their start. The heap owns nothing; a timer must be stopped before its memory goes. */
#ifndef LONGHAND_ASYNC_TIMER_HEAP_H
#define LONGHAND_ASYNC_TIMER_HEAP_H
#include "async/reactor.h"

/* Zeroed: empty. */
struct timer_heap {
	struct timer *root;
	uint64_t next_order;
	size_t count;
};

/* Moves the timer if it runs already. `fire` must not be NULL. */
void timer_heap_add(struct timer_heap *heap, struct timer *timer, uint64_t due_ms, timer_fn fire);
void timer_heap_remove(struct timer_heap *heap, struct timer *timer); /* idempotent */
/* The next one due, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *heap);
/* Fires what is due at `now_ms`, but nothing that was started since the call: timers that start
 * timers cannot keep the loop. Returns how many fired. */
size_t timer_heap_run(struct timer_heap *heap, uint64_t now_ms);
#endif
