#include "api/long_reply.h"
#include "base/metrics.h"
#include <stdio.h>

enum { LONG_REPLY_BYTES_MAX = 512 << 20, CHUNKS_KEEP_BYTES = 64 << 10 };

static uint64_t now_ms(const struct long_reply *reply)
{
	return reply->api->reactor->now_ms(reply->api->reactor);
}

void long_reply_init(struct long_reply *reply, struct api *api, struct request *request,
		     const char *job)
{
	*reply = (struct long_reply){ .api = api_hold(api), .request = request };
	reply->has_job = job[0] != '\0';
	(void)snprintf(reply->job, sizeof(reply->job), "%s", job);
	reply->written_at_ms = reply->started_ms = now_ms(reply);
	buf_init(&reply->chunks, LONG_REPLY_BYTES_MAX);
}

void long_reply_release(struct long_reply *reply)
{
	long_reply_stop(reply);
	buf_release(&reply->chunks);
	api_let_go(reply->api);
}

void long_reply_stop(struct long_reply *reply)
{
	struct reactor *reactor = reply->api->reactor;

	reactor->timer_stop(reactor, &reply->first_status);
	reactor->timer_stop(reactor, &reply->silence);
}

/* ---- the status ---- */

void long_reply_begin(struct long_reply *reply)
{
	const char *headers[5] = { "Cache-Control: no-cache", NULL };
	struct reactor *reactor = reply->api->reactor;
	char job_line[64];

	if (reply_is_begun(reply->request))
		return;
	(void)snprintf(job_line, sizeof(job_line), "X-Longhand-Job: %s", reply->job);
	headers[1] = reply->is_stream ? "Content-Type: text/event-stream; charset=utf-8"
				      : "Content-Type: application/json";
	headers[2] = "X-Accel-Buffering: no";
	headers[3] = reply->has_job ? job_line : NULL;
	reactor->timer_stop(reactor, &reply->first_status);
	metric_inc(METRIC_RESPONSES_2XX);
	metric_observe_ms(METRIC_TIME_TO_FIRST_BYTE, now_ms(reply) - reply->started_ms);
	reply_stream_start(reply->request, 200, headers);
}

static void write_chunks(struct long_reply *reply)
{
	if (reply->chunks.len == 0)
		return;
	long_reply_begin(reply);
	reply_stream_write(reply->request, reply->chunks.data, reply->chunks.len);
	reply->written_at_ms = now_ms(reply);
	if (reply->chunks.size > CHUNKS_KEEP_BYTES)
		buf_release(&reply->chunks);
	else
		buf_clear(&reply->chunks);
}

void long_reply_write(struct long_reply *reply)
{
	if (reply->is_success)
		write_chunks(reply);
}

static void on_first_status(struct timer *timer)
{
	struct long_reply *reply = container_of(timer, struct long_reply, first_status);

	reply->is_success = true; /* waited long enough: 200, whatever comes */
	long_reply_begin(reply);
	write_chunks(reply);
}

/* ---- silence ---- */

static void arm_silence(struct long_reply *reply, uint64_t after_ms);

/* Tells what the job waits for, if it does. */
static void write_comment(struct long_reply *reply)
{
	struct job *job =
		reply->has_job ? registry_find(reply->api->registry, reply->job) : NULL;
	uint64_t since_ms;
	const char *what = job != NULL ? job_waits_for(job, &since_ms) : NULL;
	char line[64];
	int len = what != NULL ? snprintf(line, sizeof(line), ": waiting for %s\n\n", what)
			       : snprintf(line, sizeof(line), ": hb\n\n");

	reply_stream_write(reply->request, line, (size_t)len);
}

static void fill_silence(struct long_reply *reply)
{
	long_reply_begin(reply);
	reply->is_success = true; /* the status is out: nothing waits for it any more */
	if (reply->chunks.len > 0)
		write_chunks(reply);
	else if (reply->is_stream)
		write_comment(reply);
	else
		reply_stream_write(reply->request, " ", 1);
	reply->written_at_ms = now_ms(reply);
}

static void on_silence(struct timer *timer)
{
	struct long_reply *reply = container_of(timer, struct long_reply, silence);
	const struct api_options *options = reply->api->options;
	uint64_t silent_ms = now_ms(reply) - reply->written_at_ms;

	if (silent_ms < options->heartbeat_ms && reply->is_stream) {
		arm_silence(reply, options->heartbeat_ms - silent_ms);
		return;
	}
	if (reply_stream_unsent(reply->request) == 0 || !reply_is_begun(reply->request))
		fill_silence(reply);
	arm_silence(reply, options->heartbeat_ms);
}

static void arm_silence(struct long_reply *reply, uint64_t after_ms)
{
	struct reactor *reactor = reply->api->reactor;

	reactor->timer_start(reactor, &reply->silence, after_ms, on_silence);
}

void long_reply_start(struct long_reply *reply)
{
	struct reactor *reactor = reply->api->reactor;
	const struct api_options *options = reply->api->options;

	if (!reply->is_stream) {
		arm_silence(reply, options->json_whitespace_after_ms);
		return;
	}
	arm_silence(reply, options->heartbeat_ms);
	if (reply->is_success)
		long_reply_begin(reply);
	else
		reactor->timer_start(reactor, &reply->first_status, options->first_status_ms,
				     on_first_status);
}

/* ---- ends ---- */

void long_reply_send(struct long_reply *reply, struct buf *body)
{
	char job_line[64];
	const char *headers[] = { "Content-Type: application/json",
				  reply->has_job ? job_line : NULL, NULL };

	long_reply_stop(reply);
	(void)snprintf(job_line, sizeof(job_line), "X-Longhand-Job: %s", reply->job);
	if (reply_is_begun(reply->request)) {
		reply_stream_write(reply->request, body->data, body->len);
		reply_stream_end(reply->request);
		return;
	}
	metric_inc(METRIC_RESPONSES_2XX);
	reply_send(reply->request, 200, headers, body);
}

bool long_reply_refuse(struct long_reply *reply, struct api_fault *fault)
{
	long_reply_stop(reply);
	if (!reply_is_begun(reply->request)) {
		fault->job = reply->has_job ? reply->job : NULL;
		api_fault_send(reply->request, fault);
		return true;
	}
	if (!reply->is_stream)
		reply_stream_abort(reply->request);
	return !reply->is_stream;
}

