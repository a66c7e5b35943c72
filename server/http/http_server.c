#include "http/http_server.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "base/must.h"
#include "http/connection.h"
#include "http/listener.h"

enum { SCAN_MIN_MS = 10, SCAN_MAX_MS = 1000, SCANS_PER_LIMIT = 4 };

/* One listener of the server. */
struct ear {
	struct list node;
	struct listener *listener;
};

static struct reactor *base_of(const struct http_server *server)
{
	return reactor_uv_base(server->reactor);
}

/* The shortest of the time-outs, looked at a few times while it runs. */
static uint64_t scan_ms(const struct http_server_options *options)
{
	uint64_t shortest_ms = options->header_ms;

	if (options->idle_ms < shortest_ms)
		shortest_ms = options->idle_ms;
	if (options->stuck_ms < shortest_ms)
		shortest_ms = options->stuck_ms;
	shortest_ms /= SCANS_PER_LIMIT;
	if (shortest_ms < SCAN_MIN_MS)
		return SCAN_MIN_MS;
	return shortest_ms < SCAN_MAX_MS ? shortest_ms : SCAN_MAX_MS;
}

/* One timer for all connections: a walk per second costs less than a timer that moves with every
 * chunk. */
static void on_scan(struct timer *timer)
{
	struct http_server *server = container_of(timer, struct http_server, scan);
	uint64_t now_ms = base_of(server)->now_ms(base_of(server));

	LIST_EACH(node, &server->connections)
		connection_check(container_of(node, struct connection, node), now_ms);
	if (server->connections_count > 0)
		http_server_watch_time(server);
}

void http_server_watch_time(struct http_server *server)
{
	if (server->scan.fire == NULL)
		base_of(server)->timer_start(base_of(server), &server->scan,
					     scan_ms(&server->options), on_scan);
}

static void close_listeners(struct http_server *server)
{
	struct list *node;

	while ((node = list_pop(&server->listeners)) != NULL) {
		struct ear *ear = container_of(node, struct ear, node);

		listener_free(ear->listener);
		mem_free(ear);
	}
}

static void server_stopped(struct http_server *server)
{
	void (*on_stopped)(void *context) = server->on_stopped;

	server->on_stopped = NULL;
	if (on_stopped != NULL)
		on_stopped(server->stopped_context); /* may free the server */
}

/* The handler hears of the client first and of the end one turn later. False: not yet. */
static bool close_exchange(struct exchange *exchange)
{
	struct request *request = &exchange->request;

	if (request->is_client_gone && !exchange->is_gone_told) {
		exchange_tell_gone(exchange);
		return false;
	}
	list_remove(&exchange->node);
	exchange->server->open_count--;
	metric_observe_ms(METRIC_REQUEST_TIME,
			  base_of(exchange->server)->now_ms(base_of(exchange->server)) -
				  exchange->started_ms);
	if (request->on_closed != NULL)
		request->on_closed(request);
	exchange_free(exchange);
	return true;
}

static void on_closing(struct deferred *deferred)
{
	struct http_server *server = container_of(deferred, struct http_server, closing);

	LIST_EACH(node, &server->finished)
		(void)close_exchange(container_of(node, struct exchange, node));
	if (!list_is_empty(&server->finished))
		base_of(server)->defer(base_of(server), &server->closing, on_closing);
	else if (server->is_stopping && server->pool == NULL)
		server_stopped(server);
}

void http_server_finish(struct exchange *exchange)
{
	struct http_server *server = exchange->server;

	list_append(&server->finished, &exchange->node);
	base_of(server)->defer(base_of(server), &server->closing, on_closing);
}

static void on_accept(void *context, int fd, const struct sockaddr *address, socklen_t len)
{
	connection_accept(context, fd, address, len);
}

enum err http_server_new(struct reactor_uv *reactor, const struct http_server_options *options,
			 const struct http_handler *handler, struct http_server **ret_server)
{
	struct http_server *server = mem_alloc(sizeof(*server));
	struct daemon_callbacks callbacks;
	enum err err;

	if (server == NULL)
		return ERR_NO_MEMORY;
	server->reactor = reactor;
	server->options = *options;
	server->handler = *handler;
	list_init(&server->listeners);
	list_init(&server->connections);
	list_init(&server->open);
	list_init(&server->finished);
	linger_init(&server->linger, reactor);
	err = close_watch_start(&server->closes, reactor, connection_on_close);
	if (err != OK) {
		mem_free(server);
		return err;
	}
	callbacks = connection_callbacks(server);
	err = daemon_pool_new(reactor, &callbacks, options->header_pool_bytes, &server->pool);
	if (err != OK) {
		http_server_free(server);
		return err;
	}
	*ret_server = server;
	return OK;
}

enum err http_server_listen(struct http_server *server, const char *address, bool is_port_shared,
			    char ret_bound[128])
{
	struct listener_place place = { .address = address, .is_port_shared = is_port_shared };
	struct listener_user user = { .context = server, .on_accept = on_accept };
	struct ear *ear = mem_alloc(sizeof(*ear));
	enum err err;

	if (ear == NULL)
		return ERR_NO_MEMORY;
	err = listener_new(server->reactor, &place, &user, &ear->listener);
	if (err != OK) {
		mem_free(ear);
		return err;
	}
	list_append(&server->listeners, &ear->node);
	(void)snprintf(ret_bound, LISTENER_ADDRESS_BYTES, "%s", listener_address(ear->listener));
	return OK;
}

void http_server_drain(struct http_server *server)
{
	uint64_t now_ms = base_of(server)->now_ms(base_of(server));

	if (server->is_draining || server->is_stopping)
		return;
	LIST_EACH(node, &server->listeners)
		listener_drain(container_of(node, struct ear, node)->listener);
	server->is_draining = true;
	close_listeners(server);
	LIST_EACH(node, &server->connections)
		connection_check(container_of(node, struct connection, node), now_ms);
}

/* Not inside libmicrohttpd's callbacks: it ends the daemons, which must not hold a suspended
 * connection. */
static void on_stopping(struct deferred *deferred)
{
	struct http_server *server = container_of(deferred, struct http_server, stopping);
	struct daemon_pool *pool = server->pool;

	LIST_EACH(node, &server->connections)
		connection_cut(container_of(node, struct connection, node));
	daemon_pool_free(pool);
	server->pool = NULL;
	linger_release(&server->linger);
	close_watch_stop(&server->closes);
	base_of(server)->timer_stop(base_of(server), &server->scan);
	base_of(server)->defer(base_of(server), &server->closing, on_closing);
}

void http_server_stop(struct http_server *server, void (*on_stopped)(void *context), void *context)
{
	MUST(!server->is_stopping);
	server->is_stopping = true;
	server->on_stopped = on_stopped;
	server->stopped_context = context;
	close_listeners(server);
	base_of(server)->defer(base_of(server), &server->stopping, on_stopping);
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	MUST(server->connections_count == 0 && server->open_count == 0);
	close_listeners(server);
	daemon_pool_free(server->pool);
	linger_release(&server->linger);
	close_watch_stop(&server->closes);
	base_of(server)->timer_stop(base_of(server), &server->scan);
	base_of(server)->undefer(base_of(server), &server->closing);
	base_of(server)->undefer(base_of(server), &server->stopping);
	mem_free(server);
}

size_t http_server_connections(const struct http_server *server)
{
	return server->connections_count;
}

size_t http_server_requests(const struct http_server *server)
{
	return server->open_count;
}
