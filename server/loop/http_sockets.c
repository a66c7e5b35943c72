#include "loop/http_sockets.h"
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include "base/mem.h"

enum { SLOTS_FIRST = 64 };

/* The memory outlives the watch until uv has closed the handle. */
struct socket_watch {
	uv_poll_t poll;
	struct http_sockets *sockets; /* NULL: closing */
	struct http_shard *shard;     /* NULL: idle */
	curl_socket_t fd;
	int events; /* what uv watches for: UV_READABLE, UV_WRITABLE */
};

/* NULL: memory is out. */
static struct socket_slot *slot_of(struct http_sockets *sockets, curl_socket_t fd)
{
	size_t at = (size_t)fd;
	size_t len = sockets->slots_len > 0 ? sockets->slots_len : SLOTS_FIRST;
	struct socket_slot *slots;

	if (at < sockets->slots_len)
		return &sockets->slots[at];
	while (len <= at)
		len *= 2;
	slots = mem_realloc(sockets->slots, len * sizeof(slots[0]));
	if (slots == NULL)
		return NULL;
	memset(slots + sockets->slots_len, 0, (len - sockets->slots_len) * sizeof(slots[0]));
	sockets->slots = slots;
	sockets->slots_len = len;
	return &slots[at];
}

static void on_watch_closed(uv_handle_t *handle)
{
	mem_free(container_of(handle, struct socket_watch, poll));
}

/* Before the descriptor is closed, so its number is free for others at once. */
static void drop(struct socket_slot *slot)
{
	struct socket_watch *watch = slot->watch;

	if (watch == NULL)
		return;
	slot->watch = NULL;
	watch->sockets = NULL;
	uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *watch = container_of(poll, struct socket_watch, poll);
	int wished = watch->events;
	int flags = 0;

	if (watch->sockets == NULL)
		return;
	if (watch->shard == NULL || status < 0) {
		(void)uv_poll_stop(poll);
		watch->events = 0;
	}
	if (watch->shard == NULL)
		return;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	/* A reset comes as a status without events: libcurl has to look for itself. */
	if (status < 0)
		flags = CURL_CSELECT_IN | CURL_CSELECT_OUT;
	watch->sockets->on_event(watch->shard, watch->fd, flags);
	/* Still wanted as before, and libcurl, which has not seen the stop, does not say so. */
	if (status < 0 && watch->sockets != NULL && watch->shard != NULL && watch->events == 0) {
		(void)uv_poll_start(poll, wished, on_socket_event);
		watch->events = wished;
	}
}

static struct socket_watch *watch_new(struct http_sockets *sockets, curl_socket_t fd)
{
	struct socket_watch *watch = mem_alloc(sizeof(*watch));

	if (watch == NULL)
		return NULL;
	if (uv_poll_init_socket(reactor_uv_loop(sockets->loop), &watch->poll, fd) != 0) {
		mem_free(watch);
		return NULL;
	}
	watch->sockets = sockets;
	watch->fd = fd;
	return watch;
}

static void give_up(struct http_sockets *sockets, curl_socket_t fd)
{
	struct socket_slot *slot;

	if ((size_t)fd >= sockets->slots_len)
		return;
	slot = &sockets->slots[fd];
	if (!slot->is_kept)
		drop(slot);
	else if (slot->watch != NULL)
		slot->watch->shard = NULL;
}

enum err http_sockets_wish(struct http_sockets *sockets, struct http_shard *shard,
			   curl_socket_t fd, int what)
{
	int events = ((what & CURL_POLL_IN) ? UV_READABLE : 0) |
		     ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0);
	struct socket_slot *slot;

	if (what == CURL_POLL_REMOVE) {
		give_up(sockets, fd);
		return OK;
	}
	slot = slot_of(sockets, fd);
	if (slot == NULL)
		return ERR_NO_MEMORY;
	if (slot->watch == NULL)
		slot->watch = watch_new(sockets, fd);
	if (slot->watch == NULL)
		return ERR_NO_MEMORY;
	slot->watch->shard = shard;
	if (events == slot->watch->events)
		return OK;
	slot->watch->events = events;
	return uv_poll_start(&slot->watch->poll, events, on_socket_event) == 0 ? OK : ERR_IO;
}

void http_sockets_keep(struct http_sockets *sockets, curl_socket_t fd)
{
	struct socket_slot *slot = slot_of(sockets, fd);

	if (slot != NULL) /* else watched as long as it is asked for */
		slot->is_kept = true;
}

int http_sockets_close(void *sockets, curl_socket_t fd)
{
	struct http_sockets *all = sockets;

	if ((size_t)fd < all->slots_len) {
		drop(&all->slots[fd]);
		all->slots[fd].is_kept = false;
	}
	return close(fd);
}

void http_sockets_release(struct http_sockets *sockets)
{
	mem_free(sockets->slots);
	sockets->slots = NULL;
	sockets->slots_len = 0;
}
