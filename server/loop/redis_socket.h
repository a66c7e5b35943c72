/* redis_socket - a TCP connection in our loop: look-up, connect, readiness. For redis_conn.
 *
 *   redis_socket_open() --> names are looked up on a thread, addresses tried one after the other
 *   on_open(OK)         --> fd is connected; on_ready() comes when it can be read, and when it can
 *                           be written if that was asked for
 *   on_open(error)      --> none could be reached; it is closed again
 *
 * No callback comes inside open or close, none after close. A reset or a hang-up counts as
 * readable and writable: whoever then reads finds out. Closing while a name is being looked up is
 * fine: the look-up ends by itself, before the loop can be freed. */
#ifndef LONGHAND_LOOP_REDIS_SOCKET_H
#define LONGHAND_LOOP_REDIS_SOCKET_H
#include <stdbool.h>
#include "loop/reactor_uv.h"

struct addrinfo;
struct redis_lookup;
struct redis_socket;
struct redis_watch;

struct redis_socket_events {
	/* `failure`: a static sentence part, or NULL. */
	void (*on_open)(struct redis_socket *socket, enum err err, const char *failure);
	void (*on_ready)(struct redis_socket *socket, bool is_readable, bool is_writable);
};

/* Embedded in its user. Fill `loop` and `events`, zero the rest, fd = -1. */
struct redis_socket {
	struct reactor_uv *loop;
	const struct redis_socket_events *events;
	int fd; /* -1: closed */
	bool is_open;
	bool wants_write;
	struct redis_watch *watch;
	struct redis_lookup *lookup;
	struct addrinfo *addresses; /* all of them; `next_address` is to be tried next */
	struct addrinfo *next_address;
};

/* ERR_NO_MEMORY, ERR_IO; then no callback comes. */
MUST_CHECK enum err redis_socket_open(struct redis_socket *socket, const char *host,
				      const char *port);
/* ERR_IO: it cannot be watched, close it. */
MUST_CHECK enum err redis_socket_want_write(struct redis_socket *socket, bool wants_write);
void redis_socket_close(struct redis_socket *socket); /* idempotent */
#endif
