#include "api/events_view.h"
#include "api/cursor.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/event_codec.h"
#include "job/log_cursor.h"
#include <inttypes.h>
#include <stdio.h>

enum { CHUNK_BYTES_MAX = 128 << 20, CHUNK_KEEP_BYTES = 64 << 10 };

struct events_view {
	struct api *api;
	struct request *request;
	struct log_cursor *cursor; /* NULL: the view has ended */
	char id[JOB_ID_BYTES];
	uint64_t known_epoch, known_seq; /* the client has this one and those before */
	struct buf chunk;
	struct timer silence;
	uint64_t written_at_ms;
};

static void end_view(struct events_view *view)
{
	view->api->reactor->timer_stop(view->api->reactor, &view->silence);
	log_cursor_free(view->cursor);
	view->cursor = NULL;
}

static void write_chunk(struct events_view *view)
{
	reply_stream_write(view->request, view->chunk.data, view->chunk.len);
	view->written_at_ms = view->api->reactor->now_ms(view->api->reactor);
	if (view->chunk.size > CHUNK_KEEP_BYTES)
		buf_release(&view->chunk);
	else
		buf_clear(&view->chunk);
}

static enum err render_fault(const struct events_view *view, enum err error, struct buf *out)
{
	struct api_fault fault;
	enum err err = buf_append_str(out, "event: error\ndata: ");

	api_cursor_fault(view->id, error, &fault);
	if (err == OK)
		err = api_fault_render(&fault, out);
	return err == OK ? buf_append_str(out, "\n\n") : err;
}

static void fail_view(void *user, enum err error)
{
	struct events_view *view = user;

	end_view(view);
	buf_clear(&view->chunk);
	if (render_fault(view, error, &view->chunk) != OK) {
		reply_stream_abort(view->request);
		return;
	}
	write_chunk(view);
	reply_stream_end(view->request);
}

static bool is_known(const struct events_view *view, const struct event *event)
{
	if (event->epoch != view->known_epoch)
		return event->epoch < view->known_epoch;
	return event->seq <= view->known_seq;
}

/* event_encode() ends its line; the empty line behind it ends the server-sent event. */
static enum err render_event(const struct event *event, struct buf *out)
{
	enum err err =
		buf_printf(out, "id: %" PRIu64 "-%" PRIu64 "\ndata: ", event->epoch, event->seq);

	if (err == OK)
		err = event_encode(event, out);
	return err == OK ? buf_append_str(out, "\n") : err;
}

/* False: the view has ended. */
static bool take_event(void *user, const struct event *event)
{
	struct events_view *view = user;
	bool is_end = event_is_end(event->kind);
	enum err err = is_known(view, event) ? OK : render_event(event, &view->chunk);

	if (err != OK) {
		fail_view(view, err);
		return false;
	}
	if (view->chunk.len > 0)
		write_chunk(view);
	if (!is_end)
		return true;
	end_view(view);
	reply_stream_end(view->request);
	return false;
}

static bool is_full(void *user)
{
	struct events_view *view = user;

	return reply_stream_is_full(view->request);
}

static void on_silence(struct timer *timer)
{
	struct events_view *view = container_of(timer, struct events_view, silence);
	struct reactor *reactor = view->api->reactor;
	uint64_t heartbeat_ms = view->api->options->heartbeat_ms;
	uint64_t silent_ms = reactor->now_ms(reactor) - view->written_at_ms;

	if (silent_ms < heartbeat_ms) {
		reactor->timer_start(reactor, timer, heartbeat_ms - silent_ms, on_silence);
		return;
	}
	if (reply_stream_unsent(view->request) == 0)
		reply_stream_write(view->request, ": hb\n\n", 6);
	reactor->timer_start(reactor, timer, heartbeat_ms, on_silence);
}

/* ---- the request's side ---- */

static void on_drain(struct request *request)
{
	struct events_view *view = request->user;

	log_cursor_read(view->cursor);
}

static void on_gone(struct request *request)
{
	metric_inc(METRIC_CLIENT_GONE);
	end_view(request->user);
}

static void on_closed(struct request *request)
{
	struct events_view *view = request->user;

	end_view(view);
	metric_dec(METRIC_STREAMS_OPEN);
	buf_release(&view->chunk);
	api_let_go(view->api);
	mem_free(view);
}

static void begin_reply(struct events_view *view)
{
	char job_line[64];
	const char *headers[] = { "Cache-Control: no-cache", job_line,
				  "Content-Type: text/event-stream; charset=utf-8",
				  "X-Accel-Buffering: no", NULL };

	(void)snprintf(job_line, sizeof(job_line), "X-Longhand-Job: %s", view->id);
	metric_inc(METRIC_RESPONSES_2XX);
	reply_stream_start(view->request, 200, headers);
}

static void note_known(struct events_view *view)
{
	const char *known = request_header(view->request, "Last-Event-ID");
	uint64_t epoch, seq;
	char rest;

	if (known == NULL ||
	    sscanf(known, "%20" SCNu64 "-%20" SCNu64 "%c", &epoch, &seq, &rest) != 2)
		return;
	view->known_epoch = epoch;
	view->known_seq = seq;
}

void events_view_start(struct api *api, struct request *request, struct job *job, const char *id)
{
	struct events_view *view = mem_alloc(sizeof(*view));
	struct log_cursor_options from = {
		api->registry, view, is_full, take_event, fail_view, NULL
	};

	if (view != NULL)
		view->cursor = api_cursor_new(api, request, &from, job, id);
	if (view == NULL || view->cursor == NULL) {
		mem_free(view);
		api_refuse_memory(request);
		return;
	}
	view->api = api_hold(api);
	view->request = request;
	(void)snprintf(view->id, sizeof(view->id), "%s", id);
	buf_init(&view->chunk, CHUNK_BYTES_MAX);
	note_known(view);
	request->user = view;
	request->on_gone = on_gone;
	request->on_drain = on_drain;
	request->on_closed = on_closed;
	metric_inc(METRIC_STREAMS_OPEN);
	view->written_at_ms = api->reactor->now_ms(api->reactor);
	api->reactor->timer_start(api->reactor, &view->silence, api->options->heartbeat_ms,
				  on_silence);
	begin_reply(view);
	log_cursor_read(view->cursor);
}
