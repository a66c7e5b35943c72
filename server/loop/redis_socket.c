#include "loop/redis_socket.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include "base/mem.h"

/* Both outlive the socket until libuv has done with them. */
struct redis_lookup {
	uv_getaddrinfo_t request;
	struct redis_socket *socket; /* NULL: nobody waits any more */
};

struct redis_watch {
	uv_poll_t poll;
	struct redis_socket *socket; /* NULL: closing */
};

static void on_event(uv_poll_t *poll, int status, int events);
static void try_next(struct redis_socket *socket, const char *failure);

static void on_watch_closed(uv_handle_t *handle)
{
	mem_free(container_of(handle, struct redis_watch, poll));
}

static void close_fd(struct redis_socket *socket)
{
	if (socket->watch != NULL) {
		socket->watch->socket = NULL;
		uv_close((uv_handle_t *)&socket->watch->poll, on_watch_closed);
		socket->watch = NULL;
	}
	if (socket->fd >= 0)
		(void)close(socket->fd);
	socket->fd = -1;
	socket->is_open = socket->wants_write = false;
}

void redis_socket_close(struct redis_socket *socket)
{
	close_fd(socket);
	if (socket->lookup != NULL) {
		socket->lookup->socket = NULL;
		(void)uv_cancel((uv_req_t *)&socket->lookup->request); /* or it runs to its end */
		socket->lookup = NULL;
	}
	uv_freeaddrinfo(socket->addresses);
	socket->addresses = socket->next_address = NULL;
}

static int wished_events(const struct redis_socket *socket)
{
	if (!socket->is_open)
		return UV_WRITABLE;
	return UV_READABLE | (socket->wants_write ? UV_WRITABLE : 0);
}

static void give_up(struct redis_socket *socket, const char *failure)
{
	redis_socket_close(socket);
	socket->events->on_open(socket, ERR_REFUSED, failure);
}

static enum err watch(struct redis_socket *socket)
{
	struct redis_watch *made = mem_alloc(sizeof(*made));

	if (made == NULL)
		return ERR_NO_MEMORY;
	if (uv_poll_init_socket(reactor_uv_loop(socket->loop), &made->poll, socket->fd) != 0) {
		mem_free(made);
		return ERR_IO;
	}
	made->socket = socket;
	socket->watch = made;
	return uv_poll_start(&made->poll, wished_events(socket), on_event) == 0 ? OK : ERR_IO;
}

/* 0, or the errno. */
static int connect_to(struct redis_socket *made, const struct addrinfo *address)
{
	int one = 1;

	made->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made->fd < 0)
		return errno;
	(void)setsockopt(made->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(made->fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS)
		return errno;
	return watch(made) == OK ? 0 : ENOMEM;
}

static void try_next(struct redis_socket *socket, const char *failure)
{
	while (socket->next_address != NULL) {
		const struct addrinfo *address = socket->next_address;
		int code = connect_to(socket, address);

		socket->next_address = address->ai_next;
		if (code == 0)
			return;
		close_fd(socket);
		failure = strerrordesc_np(code);
	}
	give_up(socket, failure);
}

static void on_connected(struct redis_socket *socket)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
		code = errno;
	if (code != 0) {
		close_fd(socket);
		try_next(socket, strerrordesc_np(code));
		return;
	}
	socket->is_open = true;
	if (uv_poll_start(&socket->watch->poll, wished_events(socket), on_event) != 0) {
		give_up(socket, "it cannot be watched");
		return;
	}
	socket->events->on_open(socket, OK, NULL);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct redis_watch *from = container_of(poll, struct redis_watch, poll);

	if (from->socket == NULL)
		return;
	if (!from->socket->is_open) {
		on_connected(from->socket);
		return;
	}
	/* A reset comes as a status without events, and libuv then stops watching. */
	from->socket->events->on_ready(from->socket, status < 0 || (events & UV_READABLE),
				       status < 0 || (events & UV_WRITABLE));
	if (status < 0 && from->socket != NULL)
		(void)uv_poll_start(poll, wished_events(from->socket), on_event);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
	struct redis_lookup *lookup = container_of(request, struct redis_lookup, request);
	struct redis_socket *socket = lookup->socket;

	mem_free(lookup);
	if (socket == NULL) {
		uv_freeaddrinfo(addresses);
		return;
	}
	socket->lookup = NULL;
	socket->addresses = socket->next_address = addresses;
	try_next(socket, status != 0 ? "the host's name is not known" : "it has no address");
}

enum err redis_socket_open(struct redis_socket *socket, const char *host, const char *port)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct redis_lookup *lookup = mem_alloc(sizeof(*lookup));

	if (lookup == NULL)
		return ERR_NO_MEMORY;
	if (uv_getaddrinfo(reactor_uv_loop(socket->loop), &lookup->request, on_found, host, port,
			   &hints) != 0) {
		mem_free(lookup);
		return ERR_IO;
	}
	lookup->socket = socket;
	socket->lookup = lookup;
	return OK;
}

enum err redis_socket_want_write(struct redis_socket *socket, bool wants_write)
{
	if (!socket->is_open || socket->wants_write == wants_write)
		return OK;
	socket->wants_write = wants_write;
	return uv_poll_start(&socket->watch->poll, wished_events(socket), on_event) == 0 ? OK
											 : ERR_IO;
}
