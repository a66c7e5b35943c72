/* close_watch - tells when a client has closed its side, also while its connection is suspended:
 * libmicrohttpd watches nothing then.
 *
 * An epoll set of its own, edge-triggered, nested in the loop: one system call per connection, no
 * wake-up for data. A client that closes only its sending half counts as gone. on_close() comes
 * from the loop, perhaps twice for one socket (the half, then the whole). It must not free the
 * subject of any socket: several events are handled in one go. */
#ifndef LONGHAND_HTTP_CLOSE_WATCH_H
#define LONGHAND_HTTP_CLOSE_WATCH_H
#include "loop/fd_watch.h"

typedef void (*close_watch_fn)(void *subject);

/* Embedded in its user. */
struct close_watch {
	struct fd_watch watch;
	close_watch_fn on_close;
	int epoll_fd; /* -1: not started */
};

/* Errors: ERR_IO, ERR_NO_MEMORY. */
MUST_CHECK enum err close_watch_start(struct close_watch *closes, struct reactor_uv *reactor,
				      close_watch_fn on_close);
void close_watch_stop(struct close_watch *closes); /* idempotent once started */
MUST_CHECK enum err close_watch_add(struct close_watch *closes, int fd, void *subject);
/* Before the socket is closed: a descriptor that was duplicated would stay in the set. */
void close_watch_remove(struct close_watch *closes, int fd);
#endif
