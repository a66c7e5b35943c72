#include "loop/signals.h"
#include <signal.h>
#include <uv.h>
#include "base/mem.h"

static const int watched[] = { SIGTERM, SIGINT, SIGHUP };
enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

/* Outlives the watch until libuv has closed all of them. */
struct signals_handle {
	uv_signal_t signals[WATCHED];
	struct signals *owner; /* NULL once stopped */
	size_t open;
};

static void on_closed(uv_handle_t *uv)
{
	struct signals_handle *handle = uv->data;

	handle->open--;
	if (handle->open == 0)
		mem_free(handle);
}

static void on_uv_signal(uv_signal_t *uv, int number)
{
	struct signals_handle *handle = uv->data;

	if (handle->owner != NULL)
		handle->owner->on_signal(handle->owner, number);
}

enum err signals_start(struct signals *signals, struct reactor_uv *loop, signals_fn on_signal)
{
	struct signals_handle *handle = mem_alloc(sizeof(*handle));

	if (handle == NULL)
		return ERR_NO_MEMORY;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error like a full disk */
	handle->owner = signals;
	signals->on_signal = on_signal;
	for (size_t i = 0; i < WATCHED; i++) {
		uv_signal_t *uv = &handle->signals[i];

		if (uv_signal_init(reactor_uv_loop(loop), uv) != 0)
			break;
		uv->data = handle;
		handle->open++;
		if (uv_signal_start(uv, on_uv_signal, watched[i]) != 0)
			break;
	}
	signals->handle = handle;
	if (handle->open == WATCHED && uv_is_active((uv_handle_t *)&handle->signals[WATCHED - 1]))
		return OK;
	signals_stop(signals);
	return ERR_IO;
}

void signals_stop(struct signals *signals)
{
	struct signals_handle *handle = signals->handle;
	size_t open;

	if (handle == NULL)
		return;
	signals->handle = NULL;
	handle->owner = NULL;
	open = handle->open;
	for (size_t i = 0; i < open; i++)
		uv_close((uv_handle_t *)&handle->signals[i], on_closed);
	if (open == 0)
		mem_free(handle);
}
