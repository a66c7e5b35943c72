#include "loop/fd_watch.h"
#include <uv.h>
#include "base/mem.h"

/* The uv handle outlives the watch until libuv has closed it. */
struct fd_watch_handle {
	uv_poll_t poll;
	struct fd_watch *watch; /* NULL once stopped */
};

static void on_closed(uv_handle_t *handle)
{
	mem_free(container_of(handle, struct fd_watch_handle, poll));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct fd_watch_handle *handle = container_of(poll, struct fd_watch_handle, poll);

	(void)events;
	if (handle->watch == NULL)
		return;
	handle->watch->on_ready(handle->watch);
	/* A reset or an error comes as a status without events, and libuv then stops watching. It
	 * counts as ready, and as long as nobody stops the watch it stays level-triggered. */
	if (status < 0 && handle->watch != NULL)
		(void)uv_poll_start(poll, UV_READABLE, on_poll);
}

enum err fd_watch_start(struct fd_watch *watch, struct reactor_uv *reactor, int fd,
			fd_watch_fn on_ready)
{
	struct fd_watch_handle *handle = mem_alloc(sizeof(*handle));

	if (handle == NULL)
		return ERR_NO_MEMORY;
	if (uv_poll_init(reactor_uv_loop(reactor), &handle->poll, fd) != 0) {
		mem_free(handle);
		return ERR_IO;
	}
	handle->watch = watch;
	watch->on_ready = on_ready;
	watch->handle = handle;
	if (uv_poll_start(&handle->poll, UV_READABLE, on_poll) != 0) {
		fd_watch_stop(watch);
		return ERR_IO;
	}
	return OK;
}

void fd_watch_stop(struct fd_watch *watch)
{
	struct fd_watch_handle *handle = watch->handle;

	if (handle == NULL)
		return;
	watch->handle = NULL;
	handle->watch = NULL;
	uv_close((uv_handle_t *)&handle->poll, on_closed); /* stops polling at once */
}
