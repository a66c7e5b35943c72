/* connection - one client connection and the exchange (request and answer) it is busy with.
 * Private to http/.
 *
 *   READING --request complete--> HELD <--> SENDING --answer sent--> IDLE --> READING ...
 *
 * HELD means suspended in libmicrohttpd: the handler is thinking, or a stream has nothing to
 * send. libmicrohttpd frees nothing of a held connection, so whoever wants it to end must wake it;
 * its callbacks then see is_cut or is_gone and refuse to go on.
 *
 * The exchange outlives the connection: the handler's last call, on_closed(), comes on a later
 * turn than the end of the socket. `exchange->connection` is NULL from then on. */
#ifndef LONGHAND_HTTP_CONNECTION_H
#define LONGHAND_HTTP_CONNECTION_H
#include <microhttpd.h>
#include "base/list.h"
#include "http/close_watch.h"
#include "http/daemon_pool.h"
#include "http/http_server.h"
#include "http/linger.h"

enum connection_state { CONNECTION_READING, CONNECTION_HELD, CONNECTION_SENDING, CONNECTION_IDLE };

struct connection {
	struct list node; /* of server->connections */
	struct http_server *server;
	struct pool_daemon *daemon;
	struct MHD_Connection *mhd;
	struct exchange *exchange; /* NULL between requests */
	int fd;
	enum connection_state state;
	uint64_t since_ms;    /* the state began, or the client took bytes */
	uint64_t taken_bytes; /* by the client, when last looked at */
	bool is_spare;	      /* came above connections_max */
	bool is_gone;	      /* the client has closed its side */
	bool is_cut;	      /* must end now */
	bool must_linger;
};

enum { ADDED_BYTES_MAX = 16 << 10 };
enum exchange_phase { EXCHANGE_ARRIVING, EXCHANGE_REFUSED, EXCHANGE_HANDED_OUT };

struct exchange {
	struct request request;
	struct list node; /* of server->open or server->finished */
	struct http_server *server;
	struct connection *connection; /* NULL: libmicrohttpd is done with it */
	enum exchange_phase phase;
	uint64_t started_ms; /* its first line was there */
	bool is_method_owned;
	bool is_headers_seen; /* the first call with headers has been */
	bool is_raw;	      /* refused while its body is read: see reply.c */
	bool is_gone_told;

	/* The answer. */
	struct MHD_Response *response; /* waits to be queued */
	unsigned status;
	struct buf added; /* header lines, each terminated */
	bool is_begun;
	bool is_stream;
	bool is_ended;
	bool is_aborted;
	bool is_full;	 /* on_drain is owed */
	bool is_trimmed; /* see reply_stream.c */
	struct buf unsent;
	size_t taken; /* of unsent.data: with libmicrohttpd already */
	struct deferred drain;
	char text[]; /* path and query */
};

/* One thread, one loop: everything below may be touched from any callback. */
struct http_server {
	struct reactor_uv *reactor;
	struct http_server_options options;
	struct http_handler handler;
	struct list listeners;
	struct connection *arriving; /* inside daemon_pool_add */
	struct list connections;
	struct list open;     /* exchanges handed out */
	struct list finished; /* exchanges whose on_closed is due */
	size_t connections_count;
	size_t spares_count; /* of them, above connections_max */
	size_t open_count;   /* open and finished */
	struct daemon_pool *pool;
	struct close_watch closes;
	struct linger_set linger;
	struct timer scan; /* of the time-outs */
	struct deferred closing;
	struct deferred stopping;
	void (*on_stopped)(void *context);
	void *stopped_context;
	bool is_draining;
	bool is_stopping;
};

/* connection.c */
struct daemon_callbacks connection_callbacks(struct http_server *server);
/* Takes a new socket over. */
void connection_accept(struct http_server *server, int fd, const struct sockaddr *address,
		       socklen_t len);
void connection_on_close(void *subject); /* for the close watch */
/* Ends the connection as soon as possible, without further answer. */
void connection_cut(struct connection *connection);
/* It is about to end. libmicrohttpd 0.9.75 forgets a connection whose content reader fails until
 * its socket has news, which a dead one never has; connections with a time-out of their own are
 * looked at in each of its runs. */
void connection_hasten(struct connection *connection);
/* Lets libmicrohttpd go on with a held connection. */
void connection_wake(struct connection *connection);
/* Inside libmicrohttpd's callbacks only. */
void connection_hold(struct connection *connection);
/* Cuts it when its time is over. */
void connection_check(struct connection *connection, uint64_t now_ms);
uint64_t connection_now_ms(const struct connection *connection);

/* request.c */
struct exchange *exchange_new(struct http_server *server, struct connection *connection,
			      const char *uri);
void exchange_free(struct exchange *exchange); /* NULL ok */
MUST_CHECK enum err exchange_set_method(struct exchange *exchange, const char *method);
struct exchange *exchange_of(const struct request *request);
/* True when the headers leave doubt where the body ends. */
bool request_is_ambiguous(const struct exchange *exchange);
/* By its headers, which are not ambiguous. */
bool request_has_body(const struct exchange *exchange);
/* By its header; 0 without one. Larger than any limit: SIZE_MAX. */
size_t request_content_length(const struct exchange *exchange);

/* Calls on_gone, once. */
void exchange_tell_gone(struct exchange *exchange);

/* reply.c */
/* Takes the response over (NULL: no memory), adds the headers and lets it be queued. */
void reply_begin(struct exchange *exchange, struct MHD_Response *response, int status,
		 const char *const *headers);

/* http_server.c */
/* on_closed is due. */
void http_server_finish(struct exchange *exchange);
void http_server_watch_time(struct http_server *server);
#endif
