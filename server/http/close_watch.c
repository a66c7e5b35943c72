#include "http/close_watch.h"
#include <sys/epoll.h>
#include <unistd.h>
#include "base/list.h"

enum { EVENTS_MAX = 128 };

static void on_ready(struct fd_watch *watch)
{
	struct close_watch *closes = container_of(watch, struct close_watch, watch);
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(closes->epoll_fd, events, EVENTS_MAX, 0);

	/* More than these: the set stays readable, the next turn takes them. */
	for (int i = 0; i < count; i++)
		closes->on_close(events[i].data.ptr);
}

enum err close_watch_start(struct close_watch *closes, struct reactor_uv *reactor,
			   close_watch_fn on_close)
{
	enum err err;

	*closes = (struct close_watch){ .on_close = on_close };
	closes->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (closes->epoll_fd < 0)
		return ERR_IO;
	err = fd_watch_start(&closes->watch, reactor, closes->epoll_fd, on_ready);
	if (err != OK)
		close_watch_stop(closes);
	return err;
}

void close_watch_stop(struct close_watch *closes)
{
	fd_watch_stop(&closes->watch);
	if (closes->epoll_fd >= 0)
		close(closes->epoll_fd);
	closes->epoll_fd = -1;
}

enum err close_watch_add(struct close_watch *closes, int fd, void *subject)
{
	struct epoll_event event = { .events = EPOLLRDHUP | EPOLLET, .data = { .ptr = subject } };

	return epoll_ctl(closes->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? OK : ERR_IO;
}

void close_watch_remove(struct close_watch *closes, int fd)
{
	(void)epoll_ctl(closes->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}
