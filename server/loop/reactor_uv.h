/* reactor_uv - the reactor on libuv: one loop, one thread, one heap of timers.
 *
 * A turn: sockets, then the timers that are due, then what was deferred; each from a snapshot, so
 * that no chain of either keeps the sockets waiting. libuv's own timers would: zero timers
 * started by timers all run in one turn.
 *
 * Only loop/ sees uv. Everything else holds `struct reactor *`. */
#ifndef LONGHAND_LOOP_REACTOR_UV_H
#define LONGHAND_LOOP_REACTOR_UV_H
#include "async/reactor.h"
#include "base/err.h"

struct reactor_uv;

MUST_CHECK enum err reactor_uv_new(struct reactor_uv **ret_reactor);
/* All users must have stopped (it dies otherwise: a timer, deferred or handle is left); NULL ok. */
void reactor_uv_free(struct reactor_uv *reactor);
struct reactor *reactor_uv_base(struct reactor_uv *reactor);
/* Runs until reactor_uv_stop() and nothing is left that must still be delivered. */
void reactor_uv_run(struct reactor_uv *reactor);
/* One turn; sleeps until something happens or is due. */
void reactor_uv_turn(struct reactor_uv *reactor);
void reactor_uv_stop(struct reactor_uv *reactor);
/* The struct uv_loop_s inside, for the other files of loop/. */
void *reactor_uv_loop(struct reactor_uv *reactor);
#endif
