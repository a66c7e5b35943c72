#include "api/chat_view.h"
#include "api/chat_body.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/log_cursor.h"
#include <stdio.h>
#include <string.h>

struct chat_view {
	struct api *api;
	struct request *request;
	char id[JOB_ID_BYTES];
	struct log_cursor *cursor; /* NULL: the view has ended */
	struct chat_render render;
	struct chat_view_wishes wishes;
	struct buf chunks;   /* rendered and not written yet */
	struct chat_body body; /* of a JSON answer */
	struct timer first_status, silence;
	uint64_t written_at_ms, started_ms;
	bool is_success; /* the backend has answered well */
};

/* ---- the status ---- */

static void begin_reply(struct chat_view *view)
{
	const char *headers[5] = { "Cache-Control: no-cache", NULL };
	struct api *api = view->api;
	char job_line[64];

	if (reply_is_begun(view->request))
		return;
	(void)snprintf(job_line, sizeof(job_line), "X-Longhand-Job: %s", view->id);
	headers[1] = job_line;
	headers[2] = view->wishes.is_stream ? "Content-Type: text/event-stream; charset=utf-8"
					    : "Content-Type: application/json";
	headers[3] = "X-Accel-Buffering: no";
	api->reactor->timer_stop(api->reactor, &view->first_status);
	metric_inc(METRIC_RESPONSES_2XX);
	metric_observe_ms(METRIC_TIME_TO_FIRST_BYTE,
			  api->reactor->now_ms(api->reactor) - view->started_ms);
	reply_stream_start(view->request, 200, headers);
}

static void write_chunks(struct chat_view *view)
{
	if (view->chunks.len == 0)
		return;
	begin_reply(view);
	reply_stream_write(view->request, view->chunks.data, view->chunks.len);
	view->written_at_ms = view->api->reactor->now_ms(view->api->reactor);
	buf_clear(&view->chunks);
}

static void on_first_status(struct timer *timer)
{
	struct chat_view *view = container_of(timer, struct chat_view, first_status);

	view->is_success = true; /* waited long enough: 200, whatever comes */
	begin_reply(view);
	write_chunks(view); /* what waited for the status */
}

/* ---- silence ---- */

static void arm_silence(struct chat_view *view, uint64_t after_ms);

/* Tells what the job waits for, if it does. */
static void write_comment(struct chat_view *view)
{
	struct job *job = registry_find(view->api->registry, view->id);
	uint64_t since_ms;
	const char *what = job != NULL ? job_waits_for(job, &since_ms) : NULL;
	char line[64];
	int len = what != NULL ? snprintf(line, sizeof(line), ": waiting for %s\n\n", what)
			       : snprintf(line, sizeof(line), ": hb\n\n");

	reply_stream_write(view->request, line, (size_t)len);
}

static void on_silence(struct timer *timer)
{
	struct chat_view *view = container_of(timer, struct chat_view, silence);
	const struct api_options *options = view->api->options;
	uint64_t silent_ms =
		view->api->reactor->now_ms(view->api->reactor) - view->written_at_ms;

	if (silent_ms < options->heartbeat_ms && view->wishes.is_stream) {
		arm_silence(view, options->heartbeat_ms - silent_ms);
		return;
	}
	if (reply_stream_unsent(view->request) == 0 || !reply_is_begun(view->request)) {
		begin_reply(view);
		view->is_success = true; /* the status is out: nothing waits for it any more */
		if (view->chunks.len > 0)
			write_chunks(view);
		else if (view->wishes.is_stream)
			write_comment(view);
		else
			reply_stream_write(view->request, " ", 1);
		view->written_at_ms = view->api->reactor->now_ms(view->api->reactor);
	}
	arm_silence(view, options->heartbeat_ms);
}

static void arm_silence(struct chat_view *view, uint64_t after_ms)
{
	struct reactor *reactor = view->api->reactor;

	reactor->timer_start(reactor, &view->silence, after_ms, on_silence);
}

/* ---- the end ---- */

static void end_view(struct chat_view *view)
{
	struct reactor *reactor = view->api->reactor;

	reactor->timer_stop(reactor, &view->first_status);
	reactor->timer_stop(reactor, &view->silence);
	log_cursor_free(view->cursor);
	view->cursor = NULL;
}

/* Before the status went out: an error answer of its own. After: what the protocol has for it. */
static void fail_view(struct chat_view *view, struct api_fault *fault)
{
	fault->job = view->id;
	end_view(view);
	if (!reply_is_begun(view->request)) {
		api_fault_send(view->request, fault);
		return;
	}
	if (!view->wishes.is_stream) {
		reply_stream_abort(view->request);
		return;
	}
	buf_clear(&view->chunks);
	if (buf_append_str(&view->chunks, "data: ") == OK &&
	    api_fault_render(fault, &view->chunks) == OK &&
	    buf_append_str(&view->chunks, "\n\n") == OK) {
		write_chunks(view);
		reply_stream_end(view->request);
	} else {
		reply_stream_abort(view->request);
	}
}

static void fail_by_log(void *user, enum err error)
{
	struct chat_view *view = user;
	struct api_fault fault;

	if (error == ERR_NOT_FOUND)
		api_fault_set(&fault, API_ERROR_JOB_ERASED, NULL, "The job %s was erased.",
			      view->id);
	else
		api_fault_set(&fault, error == ERR_CONFLICT ? API_ERROR_JOB_TAKEN_OVER
							    : API_ERROR_INTERNAL,
			      NULL, "The job %s can not go on here: %s. Ask for it again.",
			      view->id, err_text(error));
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
	char job_line[64];
	const char *headers[] = { "Content-Type: application/json", job_line, NULL };
	struct buf body;

	(void)snprintf(job_line, sizeof(job_line), "X-Longhand-Job: %s", view->id);
	buf_init(&body, CHAT_RENDER_BYTES_MAX);
	if (chat_body_render(&view->body, &view->render, done, &body) != OK) {
		fail_memory(view);
	} else if (reply_is_begun(view->request)) {
		end_view(view);
		reply_stream_write(view->request, body.data, body.len);
		reply_stream_end(view->request);
	} else {
		end_view(view);
		metric_inc(METRIC_RESPONSES_2XX);
		reply_send(view->request, 200, headers, &body);
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

/* False: the view has ended. */
static bool take_event(void *user, const struct event *event)
{
	struct chat_view *view = user;
	enum err err;

	view->is_success = view->is_success || shows_success(event);
	if (event->kind == EVENT_FAILED) {
		struct api_fault fault;

		chat_render_fault(event, view->id, &fault);
		if (view->is_success)
			write_chunks(view);
		buf_clear(&view->chunks);
		fail_view(view, &fault);
		return false;
	}
	err = chat_render_event(&view->render, event, &view->chunks);
	if (err == OK && !view->wishes.is_stream)
		err = chat_body_take(&view->body, &view->render, event);
	if (err != OK) {
		fail_memory(view);
		return false;
	}
	if (!view->wishes.is_stream)
		buf_clear(&view->chunks);
	if (event->kind == (view->wishes.is_stream ? EVENT_TEXT : EVENT_DONE))
		log_cursor_note_delivery(view->cursor);
	if (event->kind != EVENT_DONE) {
		if (view->is_success) /* what waited for the status too */
			write_chunks(view);
		return true;
	}
	if (!view->wishes.is_stream) {
		send_body(view, event);
		return false;
	}
	write_chunks(view);
	end_view(view);
	reply_stream_end(view->request);
	return false;
}

static bool is_full(void *user)
{
	struct chat_view *view = user;

	return reply_stream_is_full(view->request);
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
	if (view->wishes.is_stream)
		metric_dec(METRIC_STREAMS_OPEN);
	chat_render_release(&view->render);
	buf_release(&view->chunks);
	chat_body_release(&view->body);
	api_let_go(view->api);
	mem_free(view);
}

static void arm_timers(struct chat_view *view)
{
	struct reactor *reactor = view->api->reactor;
	const struct api_options *options = view->api->options;

	if (!view->wishes.is_stream) {
		arm_silence(view, options->json_whitespace_after_ms);
		return;
	}
	reactor->timer_start(reactor, &view->first_status, options->first_status_ms,
			     on_first_status);
	arm_silence(view, options->heartbeat_ms);
}

static bool open_cursor(struct chat_view *view, struct job *job)
{
	struct log_cursor_options from = { view->api->registry, view, is_full, take_event,
					   fail_by_log };

	view->cursor = log_cursor_new(&from, job, view->id);
	return view->cursor != NULL;
}

static void fill_view(struct chat_view *view, const char *id,
		      const struct chat_view_wishes *wishes)
{
	const struct api *api = view->api;

	(void)snprintf(view->id, sizeof(view->id), "%s", id);
	view->wishes = *wishes;
	view->is_success = wishes->is_resumed;
	view->started_ms = view->written_at_ms = api->reactor->now_ms(api->reactor);
	buf_init(&view->chunks, CHAT_RENDER_BYTES_MAX);
	chat_body_init(&view->body);
	chat_render_init(&view->render, wishes->is_plan_shown, wishes->has_usage,
			 api->options->progress_ms);
	view->render.from_byte = wishes->from_byte;
	memcpy(view->render.job, view->id, sizeof(view->render.job));
}

void chat_view_start(struct api *api, struct request *request, struct job *job, const char *id,
		     const struct chat_view_wishes *wishes)
{
	struct chat_view *view = mem_alloc(sizeof(*view));

	if (view != NULL) {
		view->api = api;
		view->request = request;
		fill_view(view, id, wishes);
	}
	if (view == NULL || !open_cursor(view, job)) {
		mem_free(view);
		api_refuse_memory(request);
		if (job != NULL && !wishes->is_resumed)
			job_cancel(job);
		return;
	}
	(void)api_hold(api);
	request->user = view;
	request->on_gone = on_gone;
	request->on_drain = on_drain;
	request->on_closed = on_closed;
	if (wishes->is_stream)
		metric_inc(METRIC_STREAMS_OPEN);
	arm_timers(view);
	if (wishes->is_resumed && wishes->is_stream)
		begin_reply(view);
	log_cursor_read(view->cursor);
}
