#include "loop/http_handle.h"

static const char *const too_late[] = {
	[HTTP_CONNECTING] = "no connection in time",
	[HTTP_WAITING] = "no answer in time",
	[HTTP_READING] = "the answer stalled",
};

static void on_deadline(struct timer *timer);

/* 0: none. */
static uint64_t phase_limit_ms(const struct http_call_handle *handle)
{
	const struct http_call *call = handle->call;
	const uint64_t limits_ms[] = {
		[HTTP_CONNECTING] = call->connect_ms,
		[HTTP_WAITING] = call->first_byte_ms,
		[HTTP_READING] = call->idle_ms,
	};

	return limits_ms[handle->phase];
}

void http_deadline_start(struct http_call_handle *handle, enum http_phase phase)
{
	uint64_t limit_ms;

	handle->phase = phase;
	http_deadline_touch(handle);
	limit_ms = phase_limit_ms(handle);
	if (limit_ms > 0)
		handle->reactor->timer_start(handle->reactor, &handle->deadline, limit_ms,
					     on_deadline);
	else
		http_deadline_stop(handle);
}

void http_deadline_touch(struct http_call_handle *handle)
{
	handle->since_ms = handle->reactor->now_ms(handle->reactor);
}

void http_deadline_stop(struct http_call_handle *handle)
{
	handle->reactor->timer_stop(handle->reactor, &handle->deadline);
}

/* Bytes that come only leave their time behind; the timer looks when it fires, and goes on for
 * what is left. */
static void on_deadline(struct timer *timer)
{
	struct http_call_handle *handle = container_of(timer, struct http_call_handle, deadline);
	uint64_t now_ms = handle->reactor->now_ms(handle->reactor);
	uint64_t due_ms;

	if (handle->phase == HTTP_READING && handle->call->stream.is_paused)
		handle->since_ms = now_ms;
	due_ms = handle->since_ms + phase_limit_ms(handle);
	if (due_ms <= now_ms)
		http_client_end_call(handle, ERR_TIMEOUT, too_late[handle->phase]);
	else
		handle->reactor->timer_start(handle->reactor, timer, due_ms - now_ms, on_deadline);
}
