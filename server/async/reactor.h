/* reactor - time, timers and "later", behind one small interface.
 *
 * The service runs on loop/reactor_uv; tests run on tests/fakes/fake_reactor, whose clock only
 * moves when the test says so. Domain objects hold timers and deferreds, never uv handles. */
#ifndef LONGHAND_ASYNC_REACTOR_H
#define LONGHAND_ASYNC_REACTOR_H
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct reactor;
struct timer;
struct deferred;
typedef void (*timer_fn)(struct timer *timer);
typedef void (*deferred_fn)(struct deferred *deferred);

/* Embedded in its user; the reactor never owns or frees it. Zero it first. */
struct timer {
	timer_fn fire; /* NULL when idle; already idle again when it is called */
	uint64_t due_ms;
	/* The reactor's own, see timer_heap.h. */
	uint64_t order;
	struct timer *child;
	struct timer *prev;
	struct timer *next;
};

/* Embedded likewise. Runs once on the NEXT turn of the loop: what is deferred while the queue
 * runs waits for the turn after, so a chain of deferrals cannot starve I/O. */
struct deferred {
	deferred_fn run; /* NULL when idle */
	struct list node;
};

struct reactor {
	/* Monotonic milliseconds; the same value within one turn. */
	uint64_t (*now_ms)(struct reactor *reactor);
	/* Wall clock, milliseconds since 1970: for what people and logs read. */
	uint64_t (*wall_ms)(struct reactor *reactor);
	/* 64 random bits: jitter and sampling, not secrets. */
	uint64_t (*random)(struct reactor *reactor);
	/* Deferring what waits already does nothing. */
	void (*defer)(struct reactor *reactor, struct deferred *deferred, deferred_fn run);
	void (*undefer)(struct reactor *reactor, struct deferred *deferred); /* idempotent */
	/* Starting a running timer moves it. Cannot fail: the heap is made of the timers
	 * themselves. Timers of the same millisecond fire in the order in which they were started;
	 * one started by a timer fires on a later turn at the earliest. */
	void (*timer_start)(struct reactor *reactor, struct timer *timer, uint64_t after_ms,
			    timer_fn fire);
	void (*timer_stop)(struct reactor *reactor, struct timer *timer); /* idempotent */
};
#endif
