/* http_sockets - libcurl's sockets in our loop, for all shards of a client.
 *
 * libcurl asks for a socket's events when a transfer begins and gives them up at its end, though
 * the connection stays open for the next one. Watching anew each time would cost five system calls
 * a request, so a socket that has brought its first answer stays watched until it is closed:
 *
 *   asked for --given up--> not watched
 *      | kept
 *   asked for <--wish / give up--> idle --closed--> gone
 *
 * An event of an idle one (the backend closed it) is nobody's: it ends the watching, and libcurl
 * finds out when it takes the connection again. Only the sockets of connections that were made are
 * kept: libcurl 7.88 tells us of their end, but closes all others without a word (attempts that
 * failed or were cancelled, the resolver's pairs). */
#ifndef LONGHAND_LOOP_HTTP_SOCKETS_H
#define LONGHAND_LOOP_HTTP_SOCKETS_H
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "loop/reactor_uv.h"

struct http_shard;
struct socket_watch;

struct socket_slot {
	struct socket_watch *watch; /* NULL: none */
	bool is_kept;		    /* its end will be told */
};

/* Embedded in its client. Fill `loop` and `on_event`, zero the rest. */
struct http_sockets {
	struct reactor_uv *loop;
	/* `flags` as curl_multi_socket_action takes them. */
	void (*on_event)(struct http_shard *shard, curl_socket_t fd, int flags);
	struct socket_slot *slots; /* by descriptor */
	size_t slots_len;
};

/* All sockets must be closed. */
void http_sockets_release(struct http_sockets *sockets);
/* What CURLMOPT_SOCKETFUNCTION was asked for, CURL_POLL_REMOVE included. ERR_NO_MEMORY, ERR_IO. */
MUST_CHECK enum err http_sockets_wish(struct http_sockets *sockets, struct http_shard *shard,
				      curl_socket_t fd, int what);
/* This one, of a finished transfer, waits for the next. */
void http_sockets_keep(struct http_sockets *sockets, curl_socket_t fd);
/* CURLOPT_CLOSESOCKETFUNCTION; its data are the sockets. */
int http_sockets_close(void *sockets, curl_socket_t fd);
#endif
