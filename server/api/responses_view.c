#include "api/responses_view.h"
#include "api/chat_render.h"
#include "api/cursor.h"
#include "api/long_reply.h"
#include "api/responses_render.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/log_cursor.h"
#include <stdio.h>
#include <string.h>

struct responses_view {
	struct long_reply reply;
	struct log_cursor *cursor; /* NULL: the view has ended */
	struct responses_render render;
	struct responses_wishes wishes;
};

/* ---- what is not stored goes ---- */

struct erasing {
	struct erasure erasure;
	char id[JOB_ID_BYTES];
};

static void on_erased(struct op *op)
{
	struct erasure *erasure = container_of(op, struct erasure, op);

	mem_free(container_of(erasure, struct erasing, erasure));
}

/* Without memory it stays until its retention is over; nobody is shown it. */
static void erase(const struct responses_view *view)
{
	struct erasing *erasing = mem_alloc(sizeof(*erasing));
	struct api *api = view->reply.api;

	if (erasing == NULL)
		return;
	(void)snprintf(erasing->id, sizeof(erasing->id), "%s", view->reply.job);
	op_prepare(&erasing->erasure.op, api->reactor, 0, on_erased);
	registry_erase(api->registry, erasing->id, &erasing->erasure);
}

/* ---- the end ---- */

static void end_view(struct responses_view *view)
{
	if (view->cursor == NULL)
		return;
	long_reply_stop(&view->reply);
	log_cursor_free(view->cursor);
	view->cursor = NULL;
	if (view->wishes.is_erased_after)
		erase(view);
}

/* Whatever becomes of the response: this answer cannot go on. */
static void fail_view(struct responses_view *view, struct api_fault *fault)
{
	struct long_reply *reply = &view->reply;

	end_view(view);
	if (long_reply_refuse(reply, fault))
		return;
	if (responses_events_error(&view->render.events, fault, &reply->chunks) == OK) {
		reply->is_success = true;
		long_reply_write(reply);
		reply_stream_end(reply->request);
	} else {
		reply_stream_abort(reply->request);
	}
}

static void fail_by_log(void *user, enum err error)
{
	struct responses_view *view = user;
	struct api_fault fault;

	api_cursor_fault(view->reply.job, error, &fault);
	fail_view(view, &fault);
}

static void fail_by(struct responses_view *view, enum err err)
{
	struct api_fault fault;

	if (err == ERR_NO_MEMORY)
		api_fault_set_memory(&fault);
	else
		api_fault_set(&fault, API_ERROR_INTERNAL, NULL,
			      "The job %s can not be shown as a response: %s.", view->reply.job,
			      err_text(err));
	fail_view(view, &fault);
}

static void send_object(struct responses_view *view)
{
	struct buf body;
	enum err err;

	buf_init(&body, RESPONSES_RENDER_BYTES_MAX);
	err = responses_render_object(&view->render, &body);
	if (err == OK) {
		log_cursor_note_delivery(view->cursor);
		end_view(view);
		long_reply_send(&view->reply, &body);
	} else {
		fail_by(view, err);
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

/* Nothing was sent, and the client is to learn of the failure as an error of HTTP. */
static bool is_http_error(const struct responses_view *view, const struct event *event)
{
	if (event->kind != EVENT_FAILED)
		return false;
	return view->wishes.answer == RESPONSES_WHOLE ||
	       (view->wishes.answer == RESPONSES_STREAM && !view->reply.is_success);
}

static bool is_last(const struct responses_view *view, const struct event *event)
{
	return event_is_end(event->kind) ||
	       (view->wishes.answer == RESPONSES_CREATED && event->kind == EVENT_CREATED);
}

/* False: the view has ended. */
static bool take_stream(struct responses_view *view, const struct event *event)
{
	struct long_reply *reply = &view->reply;

	if (event->kind == EVENT_TEXT)
		log_cursor_note_delivery(view->cursor);
	long_reply_write(reply); /* what waited for the status too */
	if (!is_last(view, event))
		return true;
	end_view(view);
	reply_stream_end(reply->request);
	return false;
}

static bool take_event(void *user, const struct event *event)
{
	struct responses_view *view = user;
	struct long_reply *reply = &view->reply;
	struct api_fault fault;
	enum err err;

	reply->is_success = reply->is_success || shows_success(event);
	if (is_http_error(view, event)) {
		chat_render_fault(event, reply->job, &fault);
		fail_view(view, &fault);
		return false;
	}
	err = responses_render_event(&view->render, event, &reply->chunks);
	if (err != OK) {
		fail_by(view, err);
		return false;
	}
	if (reply->is_stream)
		return take_stream(view, event);
	buf_clear(&reply->chunks);
	if (!is_last(view, event))
		return true;
	send_object(view);
	return false;
}

static bool is_full(void *user)
{
	struct responses_view *view = user;

	return reply_stream_is_full(view->reply.request);
}

/* ---- the request's side ---- */

static void on_drain(struct request *request)
{
	struct responses_view *view = request->user;

	log_cursor_read(view->cursor);
}

static void on_gone(struct request *request)
{
	metric_inc(METRIC_CLIENT_GONE);
	end_view(request->user);
}

static void on_closed(struct request *request)
{
	struct responses_view *view = request->user;

	end_view(view);
	if (view->reply.is_stream)
		metric_dec(METRIC_STREAMS_OPEN);
	responses_render_release(&view->render);
	long_reply_release(&view->reply);
	mem_free(view);
}

static struct responses_view *view_new(struct api *api, struct request *request, struct job *job,
				       const char *id)
{
	struct responses_view *view = mem_alloc(sizeof(*view));
	struct log_cursor_options from = { api->registry, view,	       is_full,
					   take_event,	  fail_by_log, NULL };

	if (view != NULL)
		view->cursor = api_cursor_new(api, request, &from, job, id);
	if (view == NULL || view->cursor == NULL) {
		mem_free(view);
		return NULL;
	}
	long_reply_init(&view->reply, api, request, id);
	return view;
}

void responses_view_start(struct api *api, struct request *request, struct job *job, const char *id,
			  const struct responses_wishes *wishes)
{
	struct responses_view *view = view_new(api, request, job, id);

	if (view == NULL) {
		api_refuse_memory(request);
		if (job != NULL && !wishes->is_resumed)
			job_cancel(job);
		return;
	}
	view->wishes = *wishes;
	view->reply.is_stream = wishes->answer == RESPONSES_STREAM;
	view->reply.is_success = wishes->is_resumed;
	responses_render_init(&view->render, id, wishes->after);
	request->user = view;
	request->on_gone = on_gone;
	request->on_drain = on_drain;
	request->on_closed = on_closed;
	if (view->reply.is_stream)
		metric_inc(METRIC_STREAMS_OPEN);
	long_reply_start(&view->reply);
	log_cursor_read(view->cursor);
}
