#include "api/chat_view.h"
#include "api/chat_body.h"
#include "api/cursor.h"
#include "api/long_reply.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/log_cursor.h"
#include <string.h>

struct chat_view {
	struct long_reply reply;
	struct log_cursor *cursor; /* NULL: the view has ended */
	struct chat_render render;
	struct chat_body body; /* of a JSON answer */
};

/* ---- the end ---- */

static void end_view(struct chat_view *view)
{
	long_reply_stop(&view->reply);
	log_cursor_free(view->cursor);
	view->cursor = NULL;
}

/* Before the status went out: an error answer of its own. After: what the protocol has for it. */
static void fail_view(struct chat_view *view, struct api_fault *fault)
{
	struct buf *chunks = &view->reply.chunks;

	end_view(view);
	if (long_reply_refuse(&view->reply, fault))
		return;
	buf_clear(chunks);
	if (buf_append_str(chunks, "data: ") == OK && api_fault_render(fault, chunks) == OK &&
	    buf_append_str(chunks, "\n\n") == OK) {
		view->reply.is_success = true;
		long_reply_write(&view->reply);
		reply_stream_end(view->reply.request);
	} else {
		reply_stream_abort(view->reply.request);
	}
}

static void fail_by_log(void *user, enum err error)
{
	struct chat_view *view = user;
	struct api_fault fault;

	api_cursor_fault(view->reply.job, error, &fault);
	fail_view(view, &fault);
}

static void fail_memory(struct chat_view *view)
{
	struct api_fault fault;

	api_fault_set_memory(&fault);
	fail_view(view, &fault);
}

/* ---- one JSON body ---- */

static void send_body(struct chat_view *view, const struct event *done)
{
	struct buf body;

	buf_init(&body, CHAT_RENDER_BYTES_MAX);
	if (chat_body_render(&view->body, &view->render, done, &body) != OK) {
		fail_memory(view);
	} else {
		end_view(view);
		long_reply_send(&view->reply, &body);
	}
	buf_release(&body);
}

/* ---- reading ---- */

static bool shows_success(const struct event *event)
{
	const char *result = json_string_value(json_object_get(event->data, "result"));

	if (event->kind == EVENT_CALL)
		return result != NULL && strcmp(result, "ok") == 0;
	return event->kind == EVENT_TEXT || event->kind == EVENT_DONE;
}

static void fail_as_logged(struct chat_view *view, const struct event *failed)
{
	struct api_fault fault;

	chat_render_fault(failed, view->reply.job, &fault);
	long_reply_write(&view->reply);
	buf_clear(&view->reply.chunks);
	fail_view(view, &fault);
}

/* False: the view has ended. */
static bool take_event(void *user, const struct event *event)
{
	struct chat_view *view = user;
	struct long_reply *reply = &view->reply;
	enum err err;

	reply->is_success = reply->is_success || shows_success(event);
	if (event->kind == EVENT_FAILED) {
		fail_as_logged(view, event);
		return false;
	}
	err = chat_render_event(&view->render, event, &reply->chunks);
	if (err == OK && !reply->is_stream)
		err = chat_body_take(&view->body, &view->render, event);
	if (err != OK) {
		fail_memory(view);
		return false;
	}
	if (!reply->is_stream)
		buf_clear(&reply->chunks);
	if (event->kind == (reply->is_stream ? EVENT_TEXT : EVENT_DONE))
		log_cursor_note_delivery(view->cursor);
	long_reply_write(reply); /* what waited for the status too */
	if (event->kind != EVENT_DONE)
		return true;
	if (!reply->is_stream) {
		send_body(view, event);
		return false;
	}
	end_view(view);
	reply_stream_end(reply->request);
	return false;
}

static bool is_full(void *user)
{
	struct chat_view *view = user;

	return reply_stream_is_full(view->reply.request);
}

/* ---- the request's side ---- */

static void on_drain(struct request *request)
{
	struct chat_view *view = request->user;

	log_cursor_read(view->cursor);
}

static void on_gone(struct request *request)
{
	struct chat_view *view = request->user;

	metric_inc(METRIC_CLIENT_GONE);
	if (view->cursor != NULL)
		end_view(view);
}

static void on_closed(struct request *request)
{
	struct chat_view *view = request->user;

	if (view->cursor != NULL)
		end_view(view);
	if (view->reply.is_stream)
		metric_dec(METRIC_STREAMS_OPEN);
	chat_render_release(&view->render);
	chat_body_release(&view->body);
	long_reply_release(&view->reply);
	mem_free(view);
}

static bool open_cursor(struct chat_view *view, struct job *job, struct buf *entries)
{
	struct log_cursor_options from = {
		view->reply.api->registry, view, is_full, take_event, fail_by_log, entries
	};

	view->cursor =
		api_cursor_new(view->reply.api, view->reply.request, &from, job, view->reply.job);
	return view->cursor != NULL;
}

static void fill_view(struct chat_view *view, const struct chat_view_wishes *wishes)
{
	view->reply.is_stream = wishes->is_stream;
	view->reply.is_success = wishes->is_resumed;
	chat_body_init(&view->body);
	chat_render_init(&view->render, wishes->is_plan_shown, wishes->has_usage,
			 view->reply.api->options->progress_ms);
	view->render.from_byte = wishes->from_byte;
	memcpy(view->render.job, view->reply.job, sizeof(view->render.job));
}

static struct chat_view *chat_view_new(struct api *api, struct request *request, struct job *job,
				       const char *id, struct buf *entries)
{
	struct chat_view *view = mem_alloc(sizeof(*view));

	if (view == NULL)
		return NULL;
	long_reply_init(&view->reply, api, request, id);
	if (open_cursor(view, job, entries))
		return view;
	long_reply_release(&view->reply);
	mem_free(view);
	return NULL;
}

void chat_view_start(struct api *api, struct request *request, struct job *job, const char *id,
		     const struct chat_view_wishes *wishes)
{
	struct chat_view *view = chat_view_new(api, request, job, id, wishes->entries);

	if (view == NULL) {
		api_refuse_memory(request);
		if (job != NULL && !wishes->is_resumed)
			job_cancel(job);
		return;
	}
	fill_view(view, wishes);
	request->user = view;
	request->on_gone = on_gone;
	request->on_drain = on_drain;
	request->on_closed = on_closed;
	if (wishes->is_stream)
		metric_inc(METRIC_STREAMS_OPEN);
	long_reply_start(&view->reply);
	log_cursor_read(view->cursor);
}
