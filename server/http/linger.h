/* linger - closes a socket so that its last answer arrives.
 *
 * A refusal (413, 429, 400) is sent while the client may still be sending its body. Closing a
 * socket with unread bytes makes the kernel send a reset, and the reset can overtake the answer.
 * So a duplicate of the socket is kept for a moment, and what comes is thrown away, until the
 * client has closed, LINGER_MS have passed or LINGER_BYTES were read. Best effort: above
 * LINGER_SOCKETS_MAX sockets, or without memory, nothing is kept. */
#ifndef LONGHAND_HTTP_LINGER_H
#define LONGHAND_HTTP_LINGER_H
#include "base/list.h"
#include "loop/reactor_uv.h"

enum { LINGER_SOCKETS_MAX = 64, LINGER_MS = 2000, LINGER_BYTES = 64 << 20 };

/* Embedded in its user. */
struct linger_set {
	struct reactor_uv *reactor;
	struct list sockets;
	size_t count;
};

void linger_init(struct linger_set *linger, struct reactor_uv *reactor);
/* `fd` stays its owner's, who closes it soon. */
void linger_add(struct linger_set *linger, int fd);
void linger_release(struct linger_set *linger);
#endif
