/* raw_server - a server whose every byte the test chooses, on threads of its own.
 *
 * serve() runs on a thread per connection, with plain blocking calls, so that a test reads as a
 * conversation. Assertions belong on the test's own thread: serve() leaves what it saw in atomics.
 * It uses malloc: mem_fail_at() must not hit it. */
#ifndef LONGHAND_FAKES_RAW_SERVER_H
#define LONGHAND_FAKES_RAW_SERVER_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw_server;
struct server_conn;
typedef void (*raw_serve_fn)(struct server_conn *conn);

struct server_conn {
	struct raw_server *server;
	int fd;
	unsigned number; /* of the connection, from 0 */
	char *head;	 /* the last request's, terminated */
	char *body;
	size_t body_len;
};

struct raw_server {
	uint16_t port;
	int fd;
	raw_serve_fn serve;
	void *user;
	atomic_uint accepted;
	atomic_uint open;
	atomic_uint requests;
	atomic_uint seen; /* for the test's own counting */
	atomic_uint gate; /* what conn_wait_gate() waits for */
	atomic_size_t sent_bytes;
};

/* NULL: no socket. */
struct raw_server *raw_server_start(raw_serve_fn serve, void *user);
/* Ends all connections, waits for their threads. */
void raw_server_stop(struct raw_server *server);

/* For serve(). False: the other side has gone. */
bool conn_read_request(struct server_conn *conn);
bool conn_send(struct server_conn *conn, const char *text);
bool conn_send_bytes(struct server_conn *conn, const char *data, size_t len);
/* An answer with Content-Length. */
bool conn_answer(struct server_conn *conn, const char *status, const char *body, size_t len);
/* Closes with a reset. */
void conn_reset(struct server_conn *conn);
/* Until the other side closes. */
void conn_wait_close(struct server_conn *conn);
/* Until the test has raised server->gate to `level` (or the connection ends). */
void conn_wait_gate(struct server_conn *conn, unsigned level);
#endif
