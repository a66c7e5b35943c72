/* http_shard - one curl multi handle under our loop: its timer and its sockets.
 *
 *   a socket, our timer --->  curl_multi_socket_action  --->  callbacks of the transfers
 *                             curl_multi_info_read      --->  on_end() for each that ended
 *                             ... out of libcurl again  --->  on_left()
 *
 * While libcurl is on the stack nothing may be removed from it or added to it: *is_inside says so
 * to all shards of a client, and on_left() is where what had to wait is done. Used by http_client
 * only. */
#ifndef LONGHAND_LOOP_HTTP_SHARD_H
#define LONGHAND_LOOP_HTTP_SHARD_H
#include <curl/curl.h>
#include <stdbool.h>
#include "loop/http_sockets.h"
#include "loop/reactor_uv.h"

struct http_shard;

struct http_shard_events {
	/* Still added; the easy's CURLOPT_PRIVATE tells whose it is. Not inside a callback. */
	void (*on_end)(struct http_shard *shard, CURL *easy, CURLcode code);
	void (*on_left)(struct http_shard *shard);
	/* A socket of this transfer cannot be watched: it must be given up. */
	void (*on_lost)(struct http_shard *shard, CURL *easy);
};

/* Embedded in its client. */
struct http_shard {
	CURLM *multi;
	struct reactor_uv *loop;
	struct http_sockets *sockets; /* one for all shards of a client */
	struct timer timer;
	const struct http_shard_events *events;
	void *owner;
	bool *is_inside; /* one for all shards of a client */
	bool needs_kick; /* something was added */
	size_t in_flight;
	size_t idle_max; /* connections kept for the next call */
};

/* Fill `loop`, `sockets`, `events`, `owner`, `is_inside`, `idle_max` first, zero the rest. */
MUST_CHECK enum err http_shard_init(struct http_shard *shard);
/* Something is to be done on a socket: for the sockets' on_event. */
void http_shard_on_socket(struct http_shard *shard, curl_socket_t fd, int flags);
/* Nothing may be in flight; zeroed is ok. */
void http_shard_release(struct http_shard *shard);
/* Not while inside, except from on_end() and on_left(). */
MUST_CHECK enum err http_shard_add(struct http_shard *shard, CURL *easy);
void http_shard_remove(struct http_shard *shard, CURL *easy);
/* Starts what was added; calls back. Not while inside. */
void http_shard_kick(struct http_shard *shard);
/* Lets a paused transfer go on; calls back. Not while inside. */
void http_shard_unpause(struct http_shard *shard, CURL *easy);
#endif
