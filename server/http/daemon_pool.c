#include "http/daemon_pool.h"
#include <unistd.h>
#include "base/list.h"
#include "base/mem.h"
#include "loop/fd_watch.h"

/* One run resumes and fetches, the next one sends: that is two for a chunk, without going through
 * the loop in between. Bounded, so that one busy daemon cannot hold up the others. */
enum { RUNS_MAX = 4 };

struct daemon_pool {
	struct reactor_uv *reactor;
	struct daemon_callbacks callbacks;
	size_t header_pool_bytes;
	struct list open;  /* have room */
	struct list full;
	struct list dirty; /* must run */
	struct deferred run;
	struct pool_daemon *adding; /* inside daemon_pool_add */
	size_t empty;		    /* daemons without connections */
};

struct pool_daemon {
	struct daemon_pool *pool;
	struct list node;	/* of open or full */
	struct list dirty_node; /* idle or of dirty */
	struct fd_watch watch;
	struct MHD_Daemon *mhd;
	size_t connections;
};

static void daemon_free(struct pool_daemon *daemon)
{
	fd_watch_stop(&daemon->watch);
	if (daemon->mhd != NULL)
		MHD_stop_daemon(daemon->mhd);
	list_remove(&daemon->node);
	list_remove(&daemon->dirty_node);
	mem_free(daemon);
}

static void daemon_run(struct pool_daemon *daemon)
{
	struct daemon_pool *pool = daemon->pool;
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;
	int runs = 0;

	/* No daemon has time-outs, so an answer of MHD_get_timeout means "at once". */
	do
		(void)MHD_run(daemon->mhd);
	while (++runs < RUNS_MAX && MHD_get_timeout(daemon->mhd, &wait_ms) == MHD_YES);
	if (runs == RUNS_MAX && MHD_get_timeout(daemon->mhd, &wait_ms) == MHD_YES)
		daemon_pool_wake(daemon);
	if (daemon->connections == 0 && pool->empty > DAEMON_SPARES_MAX) {
		pool->empty--;
		daemon_free(daemon);
	}
}

static void run_dirty(struct deferred *deferred)
{
	struct daemon_pool *pool = container_of(deferred, struct daemon_pool, run);
	struct list snapshot;
	struct list *node;

	list_init(&snapshot);
	while ((node = list_pop(&pool->dirty)) != NULL)
		list_append(&snapshot, node);
	while ((node = list_pop(&snapshot)) != NULL)
		daemon_run(container_of(node, struct pool_daemon, dirty_node));
}

void daemon_pool_wake(struct pool_daemon *daemon)
{
	struct reactor *reactor = reactor_uv_base(daemon->pool->reactor);

	if (daemon->dirty_node.next != NULL)
		return;
	list_append(&daemon->pool->dirty, &daemon->dirty_node);
	reactor->defer(reactor, &daemon->pool->run, run_dirty);
}

static void on_ready(struct fd_watch *watch)
{
	daemon_pool_wake(container_of(watch, struct pool_daemon, watch));
}

static struct MHD_Daemon *daemon_start(const struct daemon_pool *pool)
{
	const struct daemon_callbacks *callbacks = &pool->callbacks;

	/* The limit is ours to keep; libmicrohttpd counts a connection a little longer than we do.
	 * Strict: no HTTP/1.1 without Host, no blanks in the URI. */
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
				0, NULL, NULL, callbacks->on_request, callbacks->context,
				MHD_OPTION_CONNECTION_LIMIT, 2u * DAEMON_CONNECTIONS_MAX,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool->header_pool_bytes,
				MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_URI_LOG_CALLBACK, callbacks->on_uri, callbacks->context,
				MHD_OPTION_NOTIFY_COMPLETED, callbacks->on_completed,
				callbacks->context, MHD_OPTION_NOTIFY_CONNECTION,
				callbacks->on_connection, callbacks->context, MHD_OPTION_END);
}

static enum err daemon_new(struct daemon_pool *pool, struct pool_daemon **ret_daemon)
{
	struct pool_daemon *daemon = mem_alloc(sizeof(*daemon));
	const union MHD_DaemonInfo *info;
	enum err err = ERR_NO_MEMORY;

	if (daemon == NULL)
		return ERR_NO_MEMORY;
	daemon->pool = pool;
	daemon->mhd = daemon_start(pool);
	if (daemon->mhd != NULL) {
		info = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);
		err = fd_watch_start(&daemon->watch, pool->reactor, info->epoll_fd, on_ready);
	}
	if (err != OK) {
		daemon_free(daemon);
		return err;
	}
	list_append(&pool->open, &daemon->node);
	pool->empty++;
	*ret_daemon = daemon;
	return OK;
}

enum err daemon_pool_add(struct daemon_pool *pool, int fd, const struct sockaddr *address,
			 socklen_t len)
{
	struct pool_daemon *daemon;
	enum MHD_Result is_added;
	enum err err;

	if (list_is_empty(&pool->open)) {
		err = daemon_new(pool, &daemon);
		if (err != OK) {
			close(fd);
			return err;
		}
	}
	daemon = container_of(pool->open.next, struct pool_daemon, node);
	pool->adding = daemon;
	is_added = MHD_add_connection(daemon->mhd, fd, address, len);
	pool->adding = NULL;
	if (is_added != MHD_YES)
		return ERR_IO;
	daemon_pool_wake(daemon);
	return OK;
}

struct pool_daemon *daemon_pool_join(struct daemon_pool *pool)
{
	struct pool_daemon *daemon = pool->adding;

	if (daemon->connections++ == 0)
		pool->empty--;
	if (daemon->connections == DAEMON_CONNECTIONS_MAX)
		list_append(&pool->full, &daemon->node);
	return daemon;
}

void daemon_pool_leave(struct pool_daemon *daemon)
{
	struct daemon_pool *pool = daemon->pool;

	if (daemon->connections-- == DAEMON_CONNECTIONS_MAX)
		list_append(&pool->open, &daemon->node);
	if (daemon->connections > 0)
		return;
	pool->empty++;
	daemon_pool_wake(daemon); /* its end is decided outside of libmicrohttpd */
}

enum err daemon_pool_new(struct reactor_uv *reactor, const struct daemon_callbacks *callbacks,
			 size_t header_pool_bytes, struct daemon_pool **ret_pool)
{
	struct daemon_pool *pool = mem_alloc(sizeof(*pool));

	if (pool == NULL)
		return ERR_NO_MEMORY;
	pool->reactor = reactor;
	pool->callbacks = *callbacks;
	pool->header_pool_bytes = header_pool_bytes;
	list_init(&pool->open);
	list_init(&pool->full);
	list_init(&pool->dirty);
	*ret_pool = pool;
	return OK;
}

static void free_all(struct list *daemons)
{
	struct list *node;

	/* Stopping a daemon reports its connections as ended, which moves it between the lists. */
	while (!list_is_empty(daemons)) {
		node = daemons->next;
		daemon_free(container_of(node, struct pool_daemon, node));
	}
}

void daemon_pool_free(struct daemon_pool *pool)
{
	struct reactor *reactor;

	if (pool == NULL)
		return;
	reactor = reactor_uv_base(pool->reactor);
	free_all(&pool->full);
	free_all(&pool->open);
	reactor->undefer(reactor, &pool->run);
	mem_free(pool);
}
