#include "http/connection.h"
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/metrics.h"

/* Connections above connections_max that are let in to be told so. */
enum { SPARES_MAX = 64 };

uint64_t connection_now_ms(const struct connection *connection)
{
	struct reactor *reactor = reactor_uv_base(connection->server->reactor);

	return reactor->now_ms(reactor);
}

static void enter(struct connection *connection, enum connection_state state)
{
	connection->state = state;
	connection->since_ms = connection_now_ms(connection);
}

void connection_hold(struct connection *connection)
{
	MHD_suspend_connection(connection->mhd);
	connection->state = CONNECTION_HELD; /* has no time-out: needs no clock */
}

void connection_wake(struct connection *connection)
{
	if (connection->state != CONNECTION_HELD)
		return;
	enter(connection, CONNECTION_SENDING);
	MHD_resume_connection(connection->mhd);
	daemon_pool_wake(connection->daemon);
}

void connection_hasten(struct connection *connection)
{
	MHD_set_connection_option(connection->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
	daemon_pool_wake(connection->daemon);
}

void connection_cut(struct connection *connection)
{
	connection->is_cut = true;
	connection_hasten(connection);
	if (connection->state == CONNECTION_HELD)
		connection_wake(connection);
	else
		(void)shutdown(connection->fd, SHUT_RDWR); /* libmicrohttpd sees it and closes */
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void connection_started(struct http_server *server, struct MHD_Connection *mhd,
			       void **socket_context)
{
	struct connection *connection = server->arriving;

	server->arriving = NULL;
	*socket_context = connection;
	connection->mhd = mhd;
	connection->daemon = daemon_pool_join(server->pool);
	connection->is_spare = server->connections_count - server->spares_count >=
			       server->options.connections_max;
	server->spares_count += connection->is_spare;
	server->connections_count++;
	metric_inc(METRIC_CONNECTIONS_OPEN);
	list_append(&server->connections, &connection->node);
	enter(connection, CONNECTION_READING);
	http_server_watch_time(server);
	if (close_watch_add(&server->closes, connection->fd, connection) != OK)
		connection_cut(connection);
}

static void connection_ended(struct connection *connection)
{
	struct http_server *server = connection->server;

	close_watch_remove(&server->closes, connection->fd);
	if (connection->must_linger && !connection->is_gone && !connection->is_cut)
		linger_add(&server->linger, connection->fd);
	list_remove(&connection->node);
	server->connections_count--;
	metric_dec(METRIC_CONNECTIONS_OPEN);
	server->spares_count -= connection->is_spare;
	daemon_pool_leave(connection->daemon);
	mem_free(connection);
}

static void on_mhd_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
			      enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connection_started(context, mhd, socket_context);
	else
		connection_ended(*socket_context);
}

void connection_accept(struct http_server *server, int fd, const struct sockaddr *address,
		       socklen_t len)
{
	size_t regular = server->connections_count - server->spares_count;
	struct connection *connection = NULL;

	if (regular < server->options.connections_max || server->spares_count < SPARES_MAX)
		connection = mem_alloc(sizeof(*connection));
	if (connection == NULL) {
		close(fd);
		return;
	}
	connection->server = server;
	connection->fd = fd;
	server->arriving = connection;
	/* Taken over or not: libmicrohttpd closes the socket, and tells its end if it told of its
	 * start. */
	if (daemon_pool_add(server->pool, fd, address, len) != OK && server->arriving != NULL)
		mem_free(connection);
	server->arriving = NULL;
}

/* The first line of a request is there. What is returned comes back as its context. */
static void *on_mhd_uri(void *context, const char *uri, struct MHD_Connection *mhd)
{
	struct connection *connection = connection_of(mhd);

	if (connection->state == CONNECTION_IDLE)
		enter(connection, CONNECTION_READING);
	connection->exchange = exchange_new(context, connection, uri != NULL ? uri : "");
	return connection->exchange;
}

/* Still a spare one when it has a request? Others may have left. */
static bool is_over_limit(struct connection *connection)
{
	struct http_server *server = connection->server;

	if (!connection->is_spare)
		return false;
	if (server->connections_count - server->spares_count >= server->options.connections_max)
		return true;
	connection->is_spare = false;
	server->spares_count--;
	return false;
}

/* MHD_NO closes the connection. */
static enum MHD_Result queue(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	enum MHD_Result is_queued;

	is_queued = MHD_queue_response(connection->mhd, exchange->status, exchange->response);
	MHD_destroy_response(exchange->response);
	exchange->response = NULL;
	enter(connection, CONNECTION_SENDING);
	return is_queued;
}

/* An early answer makes libmicrohttpd close the connection after it. */
static enum MHD_Result refuse(struct exchange *exchange, enum http_refusal refusal)
{
	const struct http_handler *handler = &exchange->server->handler;

	exchange->phase = EXCHANGE_REFUSED;
	exchange->connection->must_linger = true;
	buf_release(&exchange->request.body);
	handler->on_refused(handler->context, &exchange->request, refusal);
	return exchange->response != NULL ? queue(exchange) : MHD_NO;
}

/* One without a body is complete already: it gets its answer as all others do, and the connection
 * goes on. */
static bool is_wanted(const struct exchange *exchange)
{
	const struct http_handler *handler = &exchange->server->handler;

	return handler->is_wanted == NULL || !request_has_body(exchange) ||
	       handler->is_wanted(handler->context, &exchange->request);
}

/* The headers are there. libmicrohttpd sends 100 Continue when this returns without an answer. */
static enum MHD_Result take_headers(struct exchange *exchange, const char *method,
				    const char *version)
{
	exchange->is_headers_seen = true;
	exchange->request.is_http_1_0 = strcmp(version, "HTTP/1.1") != 0;
	if (exchange_set_method(exchange, method) != OK)
		return MHD_NO;
	if (request_is_ambiguous(exchange))
		return refuse(exchange, HTTP_REFUSAL_LENGTH_AND_CODING);
	if (is_over_limit(exchange->connection))
		return refuse(exchange, HTTP_REFUSAL_CONNECTIONS);
	if (request_content_length(exchange) > exchange->server->options.body_bytes_max)
		return refuse(exchange, HTTP_REFUSAL_TOO_LARGE);
	return is_wanted(exchange) ? MHD_YES : refuse(exchange, HTTP_REFUSAL_UNWANTED);
}

static enum MHD_Result take_body(struct exchange *exchange, const char *data, size_t len)
{
	enum err err = buf_append(&exchange->request.body, data, len);

	if (err == OK)
		return MHD_YES;
	if (err == ERR_TOO_LARGE) {
		/* libmicrohttpd takes no answer while it reads a body. */
		exchange->is_raw = true;
		(void)refuse(exchange, HTTP_REFUSAL_TOO_LARGE);
	}
	return MHD_NO;
}

static void hand_out(struct exchange *exchange)
{
	struct http_server *server = exchange->server;

	exchange->phase = EXCHANGE_HANDED_OUT;
	list_append(&server->open, &exchange->node);
	server->open_count++;
	server->handler.on_request(server->handler.context, &exchange->request);
}

/* The request is complete. Comes again when a held connection goes on. */
static enum MHD_Result go_on(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;

	if (exchange->phase == EXCHANGE_ARRIVING && !connection->is_gone)
		hand_out(exchange);
	if (connection->is_gone || connection->is_cut)
		return MHD_NO;
	if (exchange->response != NULL)
		return queue(exchange);
	connection_hold(connection);
	return MHD_YES;
}

/* libmicrohttpd's signature. */
static enum MHD_Result on_mhd_request(void *context, struct MHD_Connection *mhd, const char *url,
				      const char *method, const char *version, const char *upload,
				      size_t *upload_len, void **request_context)
{
	struct exchange *exchange = *request_context;
	size_t len = *upload_len;

	(void)context;
	(void)mhd;
	(void)url; /* decoded; ours is as sent */
	if (exchange == NULL)
		return MHD_NO; /* no memory for it */
	if (!exchange->is_headers_seen)
		return take_headers(exchange, method, version);
	*upload_len = 0;
	return len > 0 ? take_body(exchange, upload, len) : go_on(exchange);
}

static void on_mhd_completed(void *context, struct MHD_Connection *mhd, void **request_context,
			     enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *request_context;
	struct connection *connection = connection_of(mhd);
	bool is_failed = code != MHD_REQUEST_TERMINATED_COMPLETED_OK;

	(void)context;
	*request_context = NULL;
	connection->exchange = NULL;
	enter(connection, CONNECTION_IDLE);
	if (exchange == NULL)
		return;
	exchange->connection = NULL;
	if (exchange->phase != EXCHANGE_HANDED_OUT) {
		/* libmicrohttpd may have answered with an error of its own. */
		connection->must_linger = true;
		exchange_free(exchange);
		return;
	}
	if (connection->is_gone ? is_failed
				: is_failed && !exchange->is_aborted && !connection->is_cut)
		exchange->request.is_client_gone = true;
	http_server_finish(exchange);
}

struct daemon_callbacks connection_callbacks(struct http_server *server)
{
	return (struct daemon_callbacks){
		.context = server,
		.on_uri = on_mhd_uri,
		.on_request = on_mhd_request,
		.on_completed = on_mhd_completed,
		.on_connection = on_mhd_connection,
	};
}

void connection_on_close(void *subject)
{
	struct connection *connection = subject;
	struct exchange *exchange = connection->exchange;

	if (connection->is_gone)
		return;
	connection->is_gone = true;
	if (exchange == NULL || exchange->phase != EXCHANGE_HANDED_OUT)
		return; /* libmicrohttpd sees it itself while it reads */
	if (connection->state == CONNECTION_SENDING && !exchange->is_stream)
		return; /* a whole answer on its way may still be wanted */
	connection_cut(connection);
	exchange_tell_gone(exchange);
}

/* Bytes that the other side has acknowledged; for a unix socket what is not read yet. Only
 * whether it changes is of interest. */
static uint64_t bytes_taken(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int waiting = 0;

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
		return info.tcpi_bytes_acked;
	(void)ioctl(fd, SIOCOUTQ, &waiting);
	return (uint64_t)waiting;
}

/* A client that takes nothing is as good as gone, and what the kernel holds for it is dropped. */
static void check_sending(struct connection *connection, uint64_t now_ms)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	uint64_t taken_bytes = bytes_taken(connection->fd);

	if (taken_bytes != connection->taken_bytes) {
		connection->taken_bytes = taken_bytes;
		connection->since_ms = now_ms;
	}
	if (now_ms - connection->since_ms < connection->server->options.stuck_ms)
		return;
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	connection->is_gone = true;
	connection_cut(connection);
	if (connection->exchange != NULL)
		exchange_tell_gone(connection->exchange);
}

void connection_check(struct connection *connection, uint64_t now_ms)
{
	const struct http_server_options *options = &connection->server->options;
	uint64_t age_ms = now_ms - connection->since_ms;

	switch (connection->state) {
	case CONNECTION_READING:
		if (age_ms >= options->header_ms)
			connection_cut(connection);
		break;
	case CONNECTION_IDLE:
		if (age_ms >= options->idle_ms || connection->server->is_draining)
			connection_cut(connection);
		break;
	case CONNECTION_SENDING:
		check_sending(connection, now_ms);
		break;
	case CONNECTION_HELD:
		break;
	}
}
