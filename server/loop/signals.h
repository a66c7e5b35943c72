/* signals - SIGTERM, SIGINT and SIGHUP as calls on the loop; SIGPIPE and SIGXFSZ (a file at its
 * size limit, an error of the write then) are ignored.
 *
 * One per process. on_signal() comes from the loop like any other event, so it may do anything,
 * signals_stop() too. After that the three have their default effect again; the two stay
 * ignored, because sockets and files may outlive the watch. */
#ifndef LONGHAND_LOOP_SIGNALS_H
#define LONGHAND_LOOP_SIGNALS_H
#include "loop/reactor_uv.h"

struct signals;
struct signals_handle;
typedef void (*signals_fn)(struct signals *signals, int number);

/* Embedded in its user. Zero it first. */
struct signals {
	signals_fn on_signal;
	struct signals_handle *handle; /* NULL when idle */
};

MUST_CHECK enum err signals_start(struct signals *signals, struct reactor_uv *loop,
				  signals_fn on_signal);
void signals_stop(struct signals *signals); /* idempotent */
#endif
