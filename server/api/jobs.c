#include "api/jobs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/replay.h"
#include "writing/report.h"
#include <stdio.h>
#include <string.h>

enum { JOB_BODY_BYTES_MAX = 72 << 20 };
enum ask { ASK_STATE, ASK_TEXT };

/* What is shown of a job, wherever it comes from. */
struct job_facts {
	const char *id;
	const char *model;
	const struct state *state;
	size_t content_bytes; /* what readers may see */
};

static void refuse_unknown(struct request *request, const char *id)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_JOB_NOT_FOUND, NULL,
		      "There is no job %.40s: it never was, or its retention is over.", id);
	api_fault_send(request, &fault);
}

static void refuse_failed(struct request *request, enum err err)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_INTERNAL, NULL, "The job can not be read: %s.",
		      err_text(err));
	api_fault_send(request, &fault);
}

static void refuse_memory(struct request *request)
{
	refuse_failed(request, ERR_NO_MEMORY);
}

/* ---- what is shown ---- */

static const char *state_name(const struct state *state)
{
	switch (state->phase) {
	case STATE_NEW:
	case STATE_PLANNING:
		return "planning";
	case STATE_WRITING:
		return "writing";
	case STATE_ENDED:
		break;
	}
	if (state->end == EVENT_FAILED)
		return "failed";
	return state->is_cancelled ? "cancelled" : "done";
}

static json_t *facts_json(const struct job_facts *facts)
{
	const struct state *state = facts->state;
	json_t *plan = state->phase > STATE_PLANNING ? plan_to_json(&state->plan) : json_null();
	json_t *report = json_object_get(state->end_data, "report");
	json_t *error = state->end == EVENT_FAILED && state->phase == STATE_ENDED ? state->end_data
										  : NULL;

	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:O?,s:O?}", "id", facts->id,
			 "object", "longhand.job", "status", state_name(state), "model",
			 facts->model, "created", (json_int_t)(state->created_ms / 1000),
			 "target_words", (json_int_t)state->spec.target_words, "words",
			 (json_int_t)state->words, "section", (json_int_t)state->section + 1,
			 "bytes", (json_int_t)facts->content_bytes, "plan", plan, "report", report,
			 "error", error);
}

static void send_state(struct request *request, const struct job_facts *facts)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	json_t *json = facts_json(facts);
	struct buf body;

	buf_init(&body, JOB_BODY_BYTES_MAX);
	if (json == NULL || json_append(&body, json) != OK)
		refuse_memory(request);
	else
		reply_send(request, 200, headers, &body);
	json_decref(json);
	buf_release(&body);
}

static void send_text(struct request *request, const struct job_facts *facts)
{
	const char *headers[] = { "Content-Type: text/plain; charset=utf-8", NULL };
	struct buf body;

	buf_init(&body, JOB_BODY_BYTES_MAX);
	if (buf_append(&body, buf_str(&facts->state->text), facts->content_bytes) != OK)
		refuse_memory(request);
	else
		reply_send(request, 200, headers, &body);
	buf_release(&body);
}

static void send_facts(struct request *request, const struct job_facts *facts, enum ask ask)
{
	metric_inc(METRIC_RESPONSES_2XX);
	if (ask == ASK_STATE)
		send_state(request, facts);
	else
		send_text(request, facts);
}

/* ---- a job of the registry ---- */

/* Only what the store has acknowledged is shown. */
static size_t landed_bytes(const struct event_log *log)
{
	for (size_t i = log->n_landed; i > 0; i--)
		if (log->events[i - 1].kind == EVENT_TEXT)
			return log->events[i - 1].at_byte + log->events[i - 1].text_len;
	return 0;
}

static void send_live(struct request *request, const struct job *job, enum ask ask)
{
	struct job_facts facts = { job->id, job->model_id, &job->state, landed_bytes(&job->log) };

	send_facts(request, &facts, ask);
}

/* ---- a job of the store ---- */

struct lookup {
	struct request *request; /* NULL once closed */
	struct replay replay;
	enum ask ask;
	char id[JOB_ID_BYTES];
};

static void on_replayed(struct op *op)
{
	struct replay *replay = container_of(op, struct replay, op);
	struct lookup *lookup = container_of(replay, struct lookup, replay);
	struct job_facts facts = { lookup->id, replay->model_id, &replay->state,
				   replay->state.text.len };

	if (lookup->request != NULL) {
		lookup->request->user = NULL;
		if (op->result == OK && replay->owner != NULL)
			send_facts(lookup->request, &facts, lookup->ask);
		else if (op->result == OK || op->result == ERR_NOT_FOUND)
			refuse_unknown(lookup->request, lookup->id);
		else
			refuse_failed(lookup->request, op->result);
	}
	replay_release(replay);
	mem_free(lookup);
}

static void on_closed(struct request *request)
{
	struct lookup *lookup = request->user;

	if (lookup == NULL)
		return;
	lookup->request = NULL;
	op_cancel(&lookup->replay.op, ERR_CANCELED);
}

static void look_up(struct api *api, struct request *request, const char *id, enum ask ask)
{
	struct lookup *lookup = mem_alloc(sizeof(*lookup));

	if (lookup == NULL) {
		refuse_memory(request);
		return;
	}
	(void)snprintf(lookup->id, sizeof(lookup->id), "%s", id);
	lookup->request = request;
	lookup->ask = ask;
	request->user = lookup;
	request->on_closed = on_closed;
	op_prepare(&lookup->replay.op, api->reactor, 0, on_replayed);
	replay_start(&lookup->replay, api->store, lookup->id, api->options->store_ms);
}

/* ---- paths ---- */

/* "ID" or "ID/what" with an id of 32 hex digits; what is "" without the slash. */
static bool split_path(const char *rest, char ret_id[JOB_ID_BYTES], const char **ret_what)
{
	size_t len = strspn(rest, "0123456789abcdef");

	if (len != JOB_ID_BYTES - 1 || (rest[len] != '\0' && rest[len] != '/'))
		return false;
	memcpy(ret_id, rest, len);
	ret_id[len] = '\0';
	*ret_what = rest[len] == '/' ? rest + len + 1 : "";
	return true;
}

static const struct job_path {
	const char *what; /* behind the id */
	const char *method;
	const char *allow;
} paths[] = {
	{ "", "GET", "GET, HEAD" },
	{ "text", "GET", "GET, HEAD" },
	{ "cancel", "POST", "POST" },
};

static const struct job_path *find_path(const char *what)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strcmp(paths[i].what, what) == 0)
			return &paths[i];
	return NULL;
}

void jobs_get(struct api *api, struct request *request, const char *rest)
{
	char id[JOB_ID_BYTES];
	const char *what = "";
	const struct job *job;
	enum ask ask;

	if (!split_path(rest, id, &what) || find_path(what) == NULL) {
		refuse_unknown(request, rest);
		return;
	}
	if (strcmp(find_path(what)->method, "GET") != 0) {
		api_refuse_method(request, find_path(what)->allow);
		return;
	}
	ask = what[0] == '\0' ? ASK_STATE : ASK_TEXT;
	job = registry_find(api->registry, id);
	if (job != NULL)
		send_live(request, job, ask);
	else
		look_up(api, request, id, ask);
}

void jobs_post(struct api *api, struct request *request, const char *rest)
{
	char id[JOB_ID_BYTES];
	const char *what;
	struct job *job;

	if (!split_path(rest, id, &what) || find_path(what) == NULL) {
		refuse_unknown(request, rest);
		return;
	}
	if (strcmp(find_path(what)->method, "POST") != 0) {
		api_refuse_method(request, find_path(what)->allow);
		return;
	}
	job = registry_find(api->registry, id);
	if (job == NULL) {
		look_up(api, request, id, ASK_STATE); /* ended long ago: nothing to stop */
		return;
	}
	job_cancel(job);
	metric_inc(METRIC_RESPONSES_2XX);
	send_live(request, job, ASK_STATE);
}
