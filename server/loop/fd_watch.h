/* fd_watch - tells when a file descriptor can be read. For http/, which owns epoll descriptors
 * and listening sockets but must not know the loop's library.
 *
 * on_ready() fires from the loop, level-triggered. Stopping is immediate: no call comes after
 * fd_watch_stop(), and the descriptor may be closed right then. The memory of the uv handle is the
 * watch's own and goes by itself. */
#ifndef LONGHAND_LOOP_FD_WATCH_H
#define LONGHAND_LOOP_FD_WATCH_H
#include "loop/reactor_uv.h"

struct fd_watch;
struct fd_watch_handle;
typedef void (*fd_watch_fn)(struct fd_watch *watch);

/* Embedded in its user. Zero it first. */
struct fd_watch {
	fd_watch_fn on_ready;
	struct fd_watch_handle *handle; /* NULL when idle */
};

MUST_CHECK enum err fd_watch_start(struct fd_watch *watch, struct reactor_uv *reactor, int fd,
				   fd_watch_fn on_ready);
void fd_watch_stop(struct fd_watch *watch); /* idempotent */
#endif
