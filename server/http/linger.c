#include "http/linger.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "loop/fd_watch.h"

enum { READ_BYTES = 16 << 10, READS_MAX = 8 };

struct linger_socket {
	struct list node;
	struct linger_set *linger;
	struct fd_watch watch;
	struct timer deadline;
	size_t read_bytes;
	int fd;
};

static void socket_free(struct linger_socket *socket)
{
	struct reactor *reactor = reactor_uv_base(socket->linger->reactor);

	reactor->timer_stop(reactor, &socket->deadline);
	fd_watch_stop(&socket->watch);
	list_remove(&socket->node);
	socket->linger->count--;
	close(socket->fd);
	mem_free(socket);
}

static void on_deadline(struct timer *timer)
{
	socket_free(container_of(timer, struct linger_socket, deadline));
}

static void on_ready(struct fd_watch *watch)
{
	struct linger_socket *socket = container_of(watch, struct linger_socket, watch);
	char waste[READ_BYTES];
	ssize_t len = 1;

	for (int i = 0; i < READS_MAX && len > 0; i++) {
		len = recv(socket->fd, waste, sizeof(waste), MSG_DONTWAIT);
		socket->read_bytes += len > 0 ? (size_t)len : 0;
	}
	if (len == 0 || socket->read_bytes > LINGER_BYTES ||
	    (len < 0 && errno != EAGAIN && errno != EINTR))
		socket_free(socket);
}

void linger_init(struct linger_set *linger, struct reactor_uv *reactor)
{
	*linger = (struct linger_set){ .reactor = reactor };
	list_init(&linger->sockets);
}

void linger_add(struct linger_set *linger, int fd)
{
	struct reactor *reactor = reactor_uv_base(linger->reactor);
	struct linger_socket *socket;

	if (linger->count >= LINGER_SOCKETS_MAX)
		return;
	socket = mem_alloc(sizeof(*socket));
	if (socket == NULL)
		return;
	socket->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (socket->fd < 0) {
		mem_free(socket);
		return;
	}
	socket->linger = linger;
	list_append(&linger->sockets, &socket->node);
	linger->count++;
	if (fd_watch_start(&socket->watch, linger->reactor, socket->fd, on_ready) != OK) {
		socket_free(socket);
		return;
	}
	(void)shutdown(socket->fd, SHUT_WR);
	reactor->timer_start(reactor, &socket->deadline, LINGER_MS, on_deadline);
}

void linger_release(struct linger_set *linger)
{
	struct list *node;

	while ((node = list_pop(&linger->sockets)) != NULL)
		socket_free(container_of(node, struct linger_socket, node));
}
