/* raw_client - a real server on a real loop, and clients that speak to it byte by byte, all in
 * one thread: whoever waits turns the loop. What does not come within SERVED_PATIENCE_MS fails the
 * test; nothing else depends on time. */
#ifndef LONGHAND_TESTS_RAW_CLIENT_H
#define LONGHAND_TESTS_RAW_CLIENT_H
#include "base/buf.h"
#include "http/http_server.h"
#include "http/reply.h"

enum { SERVED_PATIENCE_MS = 20000, SERVED_REQUESTS_MAX = 512 };

/* The server, its handler, and what the handler was told. */
struct served {
	struct reactor_uv *reactor;
	struct http_server *server;
	struct timer tick; /* the loop never sleeps long */
	size_t ticks;
	char address[128];
	request_fn on_request; /* NULL: hold it */
	bool is_nothing_wanted;
	struct request *held[SERVED_REQUESTS_MAX]; /* not closed yet; NULL: free place */
	struct request *last;
	size_t requests;
	size_t refused[HTTP_REFUSAL_COUNT];
	size_t gone;
	size_t drained;
	size_t closed;
	bool is_stopped;
};

extern const struct http_server_options served_defaults;
/* `address` NULL: 127.0.0.1 and any port. */
void served_start(struct served *served, const struct http_server_options *options,
		  const char *address);
/* With a handler of the test's own; on_request and what is counted stay unused. */
void served_start_with(struct served *served, const struct http_server_options *options,
		       const struct http_handler *handler);
void served_turn(struct served *served);
/* Turns until *number is at least `enough`. */
void served_wait(struct served *served, const size_t *number, size_t enough);
/* Stops and frees; every request must have been closed exactly once. */
void served_end(struct served *served);

struct raw_client {
	struct served *served;
	struct buf got;
	int fd;
	bool is_ended; /* the other side closed, or `error` says how it broke */
	int error;
};

void raw_connect(struct raw_client *client, struct served *served);
void raw_send(struct raw_client *client, const char *text);
/* Turns the loop while the socket is full. */
void raw_send_bytes(struct raw_client *client, const char *data, size_t len);
/* Reads what is there, at most `max` bytes. */
void raw_read(struct raw_client *client, size_t max);
/* Until what came holds `text`. */
void raw_expect(struct raw_client *client, const char *text);
void raw_expect_end(struct raw_client *client);
/* How often `text` is in what came. */
size_t raw_count(const struct raw_client *client, const char *text);
bool raw_has(const struct raw_client *client, const char *text);
void raw_forget(struct raw_client *client);
void raw_close(struct raw_client *client);
void raw_reset(struct raw_client *client); /* closes with a reset */
#endif
