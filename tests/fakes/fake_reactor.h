/* fake_reactor - the reactor of unit tests: virtual time, chance that the test sets.
 *
 * The clock moves only when nothing is left to do at its present time, or when the test says so.
 * A turn is what it is on the real loop: due timers, then deferreds, each from a snapshot. */
#ifndef LONGHAND_FAKES_FAKE_REACTOR_H
#define LONGHAND_FAKES_FAKE_REACTOR_H
#include <stdbool.h>
#include "async/defer_queue.h"
#include "async/timer_heap.h"

struct fake_reactor {
	struct reactor base; /* pass &fake.base on */
	uint64_t now_ms;     /* starts at 1000: 0 often means "never" */
	uint64_t wall_ms;    /* moves with it */
	uint64_t random;     /* what the next call returns */
	uint64_t random_step; /* added after each call */
	struct timer_heap timers;
	struct defer_queue deferreds;
};

void fake_reactor_init(struct fake_reactor *fake);
/* One turn; when nothing is due now, the clock jumps to the next timer first. False: nothing is
 * left at all. */
bool fake_reactor_turn(struct fake_reactor *fake);
/* Turns at the present time until nothing is due. */
void fake_reactor_settle(struct fake_reactor *fake);
/* Turns, time jumping, until nothing is left. Dies after ten million turns. */
void fake_reactor_run_until_idle(struct fake_reactor *fake);
/* Lets `ms` pass, everything at its own time, and settles. */
void fake_reactor_advance(struct fake_reactor *fake, uint64_t ms);
/* No timer runs and nothing is deferred. */
bool fake_reactor_is_idle(const struct fake_reactor *fake);
#endif
