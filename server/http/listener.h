/* listener - one listening socket: TCP over IPv4 or IPv6, or a unix socket.
 *
 * on_accept() gets each new socket (non-blocking, close-on-exec, TCP_NODELAY) and owns it from
 * then on. At most LISTENER_BURST sockets are accepted per turn, so that a flood of connections
 * does not hold up the streams. Without descriptors (EMFILE) the queue is emptied by closing what
 * comes: a spare descriptor is kept for that, else the loop would spin on a readable listener.
 * The socket file of a unix listener is replaced when nobody answers on it, and removed at the
 * end. */
#ifndef LONGHAND_HTTP_LISTENER_H
#define LONGHAND_HTTP_LISTENER_H
#include <sys/socket.h>
#include "loop/reactor_uv.h"

struct listener;

enum { LISTENER_BURST = 64, LISTENER_BACKLOG = 4096, LISTENER_ADDRESS_BYTES = 128 };

struct listener_user {
	void *context;
	void (*on_accept)(void *context, int fd, const struct sockaddr *address, socklen_t len);
};

struct listener_place {
	/* "host:port", "[v6]:port" (IPv6 alone), "unix:/path"; port 0: any free one. */
	const char *address;
	bool is_port_shared; /* SO_REUSEPORT: several processes on one port */
};

/* Errors: ERR_INVALID (not an address), ERR_IO (errno says why), ERR_NO_MEMORY. Copies `user`. */
MUST_CHECK enum err listener_new(struct reactor_uv *reactor, const struct listener_place *place,
				 const struct listener_user *user, struct listener **ret_listener);
/* As bound: "127.0.0.1:41234", "[::1]:41234" or "unix:/path". */
const char *listener_address(const struct listener *listener);
/* Accepts all that waits in the queue, now. */
void listener_drain(struct listener *listener);
/* Closes it; NULL ok. Not inside on_accept. */
void listener_free(struct listener *listener);
#endif
