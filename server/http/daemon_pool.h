/* daemon_pool - many small libmicrohttpd daemons that share the work.
 *
 *   fd --daemon_pool_add--> the first daemon with room --MHD's callbacks--> the pool's user
 *   a daemon's epoll set is readable, or daemon_pool_wake() --> it is "dirty"
 *   once per turn: MHD_run() for the dirty ones only
 *
 * Why many: resuming a connection costs a walk over all suspended connections of its daemon, so a
 * daemon has DAEMON_CONNECTIONS_MAX at most. No threads, no listening sockets, no time-outs of
 * libmicrohttpd's own (they do not run for suspended connections: connection.h has ours).
 * Daemons that stay empty are stopped, all but a few. */
#ifndef LONGHAND_HTTP_DAEMON_POOL_H
#define LONGHAND_HTTP_DAEMON_POOL_H
#include <microhttpd.h>
#include <sys/socket.h>
#include "loop/reactor_uv.h"

struct daemon_pool;
struct pool_daemon;

enum { DAEMON_CONNECTIONS_MAX = 16, DAEMON_SPARES_MAX = 2 };

/* libmicrohttpd's callbacks; all run inside MHD_run(), MHD_add_connection or MHD_stop_daemon. */
struct daemon_callbacks {
	void *context; /* first argument of all but the reader */
	void *(*on_uri)(void *context, const char *uri, struct MHD_Connection *mhd);
	MHD_AccessHandlerCallback on_request;
	MHD_RequestCompletedCallback on_completed;
	MHD_NotifyConnectionCallback on_connection;
};

/* Errors: ERR_NO_MEMORY. `callbacks` is copied; `header_pool_bytes` per connection. */
MUST_CHECK enum err daemon_pool_new(struct reactor_uv *reactor,
				    const struct daemon_callbacks *callbacks,
				    size_t header_pool_bytes, struct daemon_pool **ret_pool);
/* Takes `fd` over, also when it fails (ERR_NO_MEMORY, ERR_IO): it is closed then. on_connection
 * runs inside and must call daemon_pool_join(). */
MUST_CHECK enum err daemon_pool_add(struct daemon_pool *pool, int fd,
				    const struct sockaddr *address, socklen_t len);
/* Counts the connection that is being added; says where it went. */
struct pool_daemon *daemon_pool_join(struct daemon_pool *pool);
/* Its user must report the end of each connection that has joined. */
void daemon_pool_leave(struct pool_daemon *daemon);
/* Something was resumed or queued: it runs later in this turn, or on the next. */
void daemon_pool_wake(struct pool_daemon *daemon);
/* Stops all daemons; every suspended connection must have been resumed. Not inside a callback. */
void daemon_pool_free(struct daemon_pool *pool);
#endif
