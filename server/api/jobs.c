#include "api/jobs.h"
#include "api/chat_view.h"
#include "api/events_view.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/replay.h"
#include "writing/report.h"
#include <stdio.h>
#include <string.h>

enum { JOB_BODY_BYTES_MAX = 72 << 20 };
enum ask { ASK_STATE, ASK_TEXT, ASK_CHAT, ASK_EVENTS, ASK_ERASE };

/* What is shown of a job, wherever it comes from. */
struct job_facts {
	struct api *api;
	struct job *job; /* NULL: only the store has it */
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

/* It is parked, and nothing more can run. */
static void refuse_resume(struct request *request, enum err err)
{
	struct api_fault fault;

	if (err != ERR_LIMIT) {
		refuse_failed(request, err);
		return;
	}
	api_fault_set(&fault, API_ERROR_TOO_MANY_JOBS, NULL,
		      "The job is parked, and can not go on now: as many long texts are being "
		      "written as this server, or one owner, may have. Try again later.");
	fault.retry_after_ms = 10000;
	api_fault_send(request, &fault);
}

static void refuse_memory(struct request *request)
{
	refuse_failed(request, ERR_NO_MEMORY);
}

/* ---- what is shown ---- */

static json_t *facts_json(const struct job_facts *facts)
{
	const struct state *state = facts->state;
	json_t *plan = state->phase > STATE_PLANNING ? plan_to_json(&state->plan) : json_null();
	json_t *report = json_object_get(state->end_data, "report");
	json_t *error = state->end == EVENT_FAILED && state->phase == STATE_ENDED ? state->end_data
										  : NULL;

	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:O?,s:O?}", "id", facts->id,
			 "object", "longhand.job", "status", state_status(state), "model",
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

/* "offset=123" among the query's members; none: 0. False: it is no number of bytes. */
static bool read_offset(const char *query, uint64_t *ret_offset)
{
	static const char name[] = "offset=";
	size_t digits;

	*ret_offset = 0;
	while (*query != '\0' && strncmp(query, name, sizeof(name) - 1) != 0) {
		query += strcspn(query, "&");
		query += *query == '&';
	}
	if (*query == '\0')
		return true;
	query += sizeof(name) - 1;
	digits = strspn(query, "0123456789");
	if (digits == 0 || digits > 18 || (query[digits] != '\0' && query[digits] != '&'))
		return false;
	for (; digits > 0; digits--)
		*ret_offset = *ret_offset * 10 + (uint64_t)(*query++ - '0');
	return true;
}

/* False: ret_fault says why a reader cannot go on from there. */
static bool check_offset(const struct job_facts *facts, const char *query, uint64_t *ret_offset,
			 struct api_fault *ret_fault)
{
	const unsigned char *text = (const unsigned char *)buf_str(&facts->state->text);

	if (!read_offset(query, ret_offset)) {
		api_fault_set(ret_fault, API_ERROR_INVALID_VALUE, "offset",
			      "offset must be a whole number of bytes.");
		return false;
	}
	if (*ret_offset > facts->content_bytes) {
		api_fault_set(ret_fault, API_ERROR_OFFSET_BEYOND, "offset",
			      "offset lies beyond the text, which has %zu bytes now.",
			      facts->content_bytes);
		return false;
	}
	if (*ret_offset < facts->content_bytes && (text[*ret_offset] & 0xC0) == 0x80) {
		api_fault_set(ret_fault, API_ERROR_OFFSET_INSIDE, "offset",
			      "offset lies inside a character: give the byte where one begins.");
		return false;
	}
	return true;
}

/* A job that is read goes on. False: it cannot now, and the request is answered. */
static bool resume(struct request *request, const struct job_facts *facts)
{
	enum err err = facts->job != NULL ? registry_resume(facts->job) : OK;

	if (err != OK)
		refuse_resume(request, err);
	return err == OK;
}

static void send_chat(struct request *request, const struct job_facts *facts)
{
	struct chat_view_wishes wishes = { .is_stream = true,
					   .is_plan_shown = true,
					   .is_resumed = true };
	struct api_fault fault;

	if (!check_offset(facts, request->query, &wishes.from_byte, &fault))
		api_fault_send(request, &fault);
	else if (resume(request, facts))
		chat_view_start(facts->api, request, facts->job, facts->id, &wishes);
}

/* ---- erasing ---- */

struct erasing {
	struct erasure erasure;
	struct request *request; /* NULL once closed */
	char id[JOB_ID_BYTES];
};

static void send_erased(const struct erasing *erasing, enum err result)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	struct request *request = erasing->request;
	struct buf body;

	request->user = NULL;
	request->on_closed = NULL;
	if (result == ERR_NOT_FOUND) {
		refuse_unknown(request, erasing->id);
		return;
	}
	buf_init(&body, 256);
	if (result == OK)
		result = buf_printf(
			&body, "{\"id\":\"%s\",\"object\":\"longhand.job\",\"deleted\":true}",
			erasing->id);
	if (result == OK) {
		metric_inc(METRIC_RESPONSES_2XX);
		reply_send(request, 200, headers, &body);
	} else {
		refuse_failed(request, result);
	}
	buf_release(&body);
}

static void on_erased(struct op *op)
{
	struct erasure *erasure = container_of(op, struct erasure, op);
	struct erasing *erasing = container_of(erasure, struct erasing, erasure);

	if (erasing->request != NULL)
		send_erased(erasing, op->result);
	mem_free(erasing);
}

static void on_erasing_closed(struct request *request)
{
	struct erasing *erasing = request->user;

	if (erasing != NULL)
		erasing->request = NULL; /* it is erased all the same */
}

static void erase(struct request *request, const struct job_facts *facts)
{
	struct erasing *erasing = mem_alloc(sizeof(*erasing));

	if (erasing == NULL) {
		refuse_memory(request);
		return;
	}
	(void)snprintf(erasing->id, sizeof(erasing->id), "%s", facts->id);
	erasing->request = request;
	request->user = erasing;
	request->on_closed = on_erasing_closed;
	op_prepare(&erasing->erasure.op, facts->api->reactor, 0, on_erased);
	registry_erase(facts->api->registry, erasing->id, &erasing->erasure);
}

/* ---- each question its answer ---- */

static void send_facts(struct request *request, const struct job_facts *facts, enum ask ask)
{
	switch (ask) {
	case ASK_STATE:
		metric_inc(METRIC_RESPONSES_2XX);
		send_state(request, facts);
		break;
	case ASK_TEXT:
		metric_inc(METRIC_RESPONSES_2XX);
		send_text(request, facts);
		break;
	case ASK_CHAT:
		send_chat(request, facts);
		break;
	case ASK_EVENTS:
		if (resume(request, facts))
			events_view_start(facts->api, request, facts->job, facts->id);
		break;
	case ASK_ERASE:
		erase(request, facts);
		break;
	}
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

static void send_live(struct api *api, struct request *request, struct job *job, enum ask ask)
{
	struct job_facts facts = { api,		  job,	       job->id,
				   job->model_id, &job->state, landed_bytes(&job->log) };

	send_facts(request, &facts, ask);
}

/* ---- a job of the store ---- */

struct lookup {
	struct api *api;
	struct request *request; /* NULL once closed */
	struct replay replay;
	enum ask ask;
	char id[JOB_ID_BYTES];
	char owner[OWNER_BYTES]; /* who asks */
};

static void on_replayed(struct op *op)
{
	struct replay *replay = container_of(op, struct replay, op);
	struct lookup *lookup = container_of(replay, struct lookup, replay);
	struct job_facts facts = { lookup->api,	     NULL,	     lookup->id,
				   replay->model_id, &replay->state, replay->state.text.len };

	if (lookup->request != NULL) {
		lookup->request->user = NULL;
		lookup->request->on_closed = NULL;
		if (op->result == OK && replay->owner != NULL &&
		    strcmp(replay->owner, lookup->owner) == 0)
			send_facts(lookup->request, &facts, lookup->ask);
		else if (op->result == OK || op->result == ERR_NOT_FOUND)
			refuse_unknown(lookup->request, lookup->id);
		else
			refuse_failed(lookup->request, op->result);
	}
	replay_release(replay);
	api_let_go(lookup->api);
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

static void look_up(struct api *api, struct request *request, const char *id, enum ask ask,
		    const char *owner)
{
	struct lookup *lookup = mem_alloc(sizeof(*lookup));

	if (lookup == NULL) {
		refuse_memory(request);
		return;
	}
	(void)snprintf(lookup->id, sizeof(lookup->id), "%s", id);
	(void)snprintf(lookup->owner, sizeof(lookup->owner), "%s", owner);
	lookup->api = api_hold(api);
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

/* A stream has no HEAD: there is nothing to say about it that would not begin it. */
static const struct job_path {
	const char *what; /* behind the id */
	const char *method;
	const char *allow;
	enum ask ask;
} paths[] = {
	{ "", "GET", "GET, HEAD, DELETE", ASK_STATE },
	{ "text", "GET", "GET, HEAD", ASK_TEXT },
	{ "chat", "GET", "GET", ASK_CHAT },
	{ "events", "GET", "GET", ASK_EVENTS },
	{ "cancel", "POST", "POST", ASK_STATE },
};

static const struct job_path *find_path(const char *what)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strcmp(paths[i].what, what) == 0)
			return &paths[i];
	return NULL;
}

void jobs_get(struct api *api, struct request *request, const char *rest, const char *owner)
{
	char id[JOB_ID_BYTES];
	const char *what = "";
	const struct job_path *path;
	struct job *job;

	if (!split_path(rest, id, &what) || find_path(what) == NULL) {
		refuse_unknown(request, rest);
		return;
	}
	path = find_path(what);
	if (strstr(path->allow, request->method) == NULL) {
		api_refuse_method(request, path->allow);
		return;
	}
	job = registry_find(api->registry, id);
	if (job == NULL)
		look_up(api, request, id, path->ask, owner);
	else if (strcmp(job->owner, owner) != 0)
		refuse_unknown(request, id);
	else
		send_live(api, request, job, path->ask);
}

void jobs_post(struct api *api, struct request *request, const char *rest, const char *owner)
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
		look_up(api, request, id, ASK_STATE, owner); /* ended: nothing to stop */
		return;
	}
	if (strcmp(job->owner, owner) != 0) {
		refuse_unknown(request, id);
		return;
	}
	job_cancel(job);
	metric_inc(METRIC_RESPONSES_2XX);
	send_live(api, request, job, ASK_STATE);
}

void jobs_delete(struct api *api, struct request *request, const char *rest, const char *owner)
{
	char id[JOB_ID_BYTES];
	const char *what = "";
	struct job *job;

	if (!split_path(rest, id, &what) || find_path(what) == NULL) {
		refuse_unknown(request, rest);
		return;
	}
	if (what[0] != '\0') {
		api_refuse_method(request, find_path(what)->allow);
		return;
	}
	job = registry_find(api->registry, id);
	if (job == NULL)
		look_up(api, request, id, ASK_ERASE, owner);
	else if (strcmp(job->owner, owner) != 0)
		refuse_unknown(request, id);
	else
		send_live(api, request, job, ASK_ERASE);
}
