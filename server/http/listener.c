#include "http/listener.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "loop/fd_watch.h"

enum { RETRY_MS = 100, HOST_BYTES = 256, PORT_BYTES = 32 };

static const char unix_prefix[] = "unix:";

struct listener {
	struct reactor_uv *reactor;
	struct listener_user user;
	struct fd_watch watch;
	struct timer retry; /* the kernel has no memory or no descriptor: pause */
	int fd;
	int spare_fd;
	char address[LISTENER_ADDRESS_BYTES];
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* "" unless unix */
};

union any_address {
	struct sockaddr plain;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage storage;
};

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Takes one waiting connection off the queue and closes it. */
static bool shed(struct listener *listener)
{
	int fd;

	if (listener->spare_fd < 0)
		return false;
	close(listener->spare_fd);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	listener->spare_fd = open_spare();
	return fd >= 0;
}

static void on_retry(struct timer *timer);
static void on_ready(struct fd_watch *watch);

static void pause_accepting(struct listener *listener)
{
	struct reactor *reactor = reactor_uv_base(listener->reactor);

	fd_watch_stop(&listener->watch);
	if (listener->spare_fd < 0)
		listener->spare_fd = open_spare();
	reactor->timer_start(reactor, &listener->retry, RETRY_MS, on_retry);
}

static void on_retry(struct timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	if (fd_watch_start(&listener->watch, listener->reactor, listener->fd, on_ready) != OK)
		pause_accepting(listener);
}

/* What accept4 reports about one dead connection and not about the listener. */
static bool is_passing(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM ||
	       error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH ||
	       error == ENONET || error == EHOSTDOWN || error == ENOPROTOOPT;
}

/* False: nothing waits any more, or nothing can be taken now. */
static bool accept_one(struct listener *listener)
{
	union any_address address;
	socklen_t len = sizeof(address);
	int on = 1;
	int fd = accept4(listener->fd, &address.plain, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		if (listener->path[0] == '\0')
			(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		listener->user.on_accept(listener->user.context, fd, &address.plain, len);
		return true;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	if (is_passing(errno))
		return true;
	if ((errno == EMFILE || errno == ENFILE) && shed(listener))
		return true;
	pause_accepting(listener);
	return false;
}

static void on_ready(struct fd_watch *watch)
{
	struct listener *listener = container_of(watch, struct listener, watch);

	for (int i = 0; i < LISTENER_BURST; i++)
		if (!accept_one(listener))
			return;
}

/* "host:port" and "[v6]:port" into their parts; false: neither. */
static bool split_address(const char *address, char host[HOST_BYTES], char port[PORT_BYTES])
{
	const char *colon = strrchr(address, ':');
	const char *from = address;
	size_t len;

	if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) >= PORT_BYTES ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	len = (size_t)(colon - address);
	if (address[0] == '[') {
		if (len < 3 || address[len - 1] != ']')
			return false;
		from++;
		len -= 2;
	} else if (memchr(address, ':', len) != NULL) {
		return false;
	}
	if (len == 0 || len >= HOST_BYTES)
		return false;
	memcpy(host, from, len);
	host[len] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return true;
}

static enum err resolve(const char *text, union any_address *ret_address, socklen_t *ret_len)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found;
	char host[HOST_BYTES];
	char port[PORT_BYTES];

	if (!split_address(text, host, port) || strlen(port) > 5 || strtoul(port, NULL, 10) > 65535)
		return ERR_INVALID;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return ERR_INVALID;
	memcpy(ret_address, found->ai_addr, found->ai_addrlen);
	*ret_len = found->ai_addrlen;
	freeaddrinfo(found);
	return OK;
}

static enum err local_address(struct listener *listener, const char *path,
			      union any_address *ret_address, socklen_t *ret_len)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(listener->path) ||
	    len + sizeof(unix_prefix) > sizeof(listener->address))
		return ERR_INVALID;
	ret_address->local = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret_address->local.sun_path, path, len + 1);
	*ret_len = sizeof(ret_address->local);
	memcpy(listener->path, path, len + 1);
	return OK;
}

/* A socket file that a dead process left behind would make bind() fail for ever. */
static void remove_stale(const union any_address *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, &address->plain, len) != 0 && errno == ECONNREFUSED)
		(void)unlink(address->local.sun_path);
	close(fd);
}

static enum err listen_on(struct listener *listener, const union any_address *address,
			  socklen_t len, bool is_port_shared)
{
	int family = address->plain.sa_family;
	int on = 1;

	listener->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return ERR_IO;
	if (family == AF_UNIX)
		remove_stale(address, len);
	else if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return ERR_IO;
	if (family == AF_INET6 &&
	    setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return ERR_IO;
	if (is_port_shared && family != AF_UNIX &&
	    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		return ERR_IO;
	if (bind(listener->fd, &address->plain, len) != 0) {
		listener->path[0] = '\0'; /* somebody else's file */
		return ERR_IO;
	}
	return listen(listener->fd, LISTENER_BACKLOG) == 0 ? OK : ERR_IO;
}

static enum err name_address(struct listener *listener)
{
	union any_address bound = { 0 };
	socklen_t len = sizeof(bound);
	char host[INET6_ADDRSTRLEN] = "";

	if (listener->path[0] != '\0') {
		(void)snprintf(listener->address, sizeof(listener->address), "%s%s", unix_prefix,
			       listener->path);
		return OK;
	}
	if (getsockname(listener->fd, &bound.plain, &len) != 0)
		return ERR_IO;
	if (bound.plain.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &bound.v6.sin6_addr, host, sizeof(host));
		(void)snprintf(listener->address, sizeof(listener->address), "[%s]:%u", host,
			       (unsigned)ntohs(bound.v6.sin6_port));
		return OK;
	}
	(void)inet_ntop(AF_INET, &bound.v4.sin_addr, host, sizeof(host));
	(void)snprintf(listener->address, sizeof(listener->address), "%s:%u", host,
		       (unsigned)ntohs(bound.v4.sin_port));
	return OK;
}

static enum err listener_open(struct listener *listener, const struct listener_place *place)
{
	size_t prefix_len = sizeof(unix_prefix) - 1;
	union any_address address = { .storage = { 0 } };
	socklen_t len = 0;
	enum err err;

	if (strncmp(place->address, unix_prefix, prefix_len) == 0)
		err = local_address(listener, place->address + prefix_len, &address, &len);
	else
		err = resolve(place->address, &address, &len);
	if (err == OK)
		err = listen_on(listener, &address, len, place->is_port_shared);
	if (err == OK)
		err = name_address(listener);
	if (err == OK)
		err = fd_watch_start(&listener->watch, listener->reactor, listener->fd, on_ready);
	return err;
}

enum err listener_new(struct reactor_uv *reactor, const struct listener_place *place,
		      const struct listener_user *user, struct listener **ret_listener)
{
	struct listener *listener = mem_alloc(sizeof(*listener));
	enum err err;
	int error;

	if (listener == NULL)
		return ERR_NO_MEMORY;
	listener->reactor = reactor;
	listener->user = *user;
	listener->fd = -1;
	listener->spare_fd = open_spare();
	err = listener_open(listener, place);
	if (err != OK) {
		error = errno;
		listener_free(listener);
		errno = error;
		return err;
	}
	*ret_listener = listener;
	return OK;
}

const char *listener_address(const struct listener *listener)
{
	return listener->address;
}

void listener_drain(struct listener *listener)
{
	while (accept_one(listener))
		continue;
}

void listener_free(struct listener *listener)
{
	struct reactor *reactor;

	if (listener == NULL)
		return;
	reactor = reactor_uv_base(listener->reactor);
	reactor->timer_stop(reactor, &listener->retry);
	fd_watch_stop(&listener->watch);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->spare_fd >= 0)
		close(listener->spare_fd);
	if (listener->path[0] != '\0')
		(void)unlink(listener->path);
	mem_free(listener);
}
