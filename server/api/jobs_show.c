#include "api/chat_view.h"
#include "api/events_view.h"
#include "api/jobs_parts.h"
#include "api/start_fault.h"
#include "base/json.h"
#include "base/metrics.h"
#include "writing/report.h"
#include <string.h>

enum { JOB_BODY_BYTES_MAX = 72 << 20 };

/* null: for nothing. */
static json_t *waiting_json(const struct job_facts *facts)
{
	struct reactor *reactor = facts->api->reactor;
	uint64_t since_ms = 0;
	const char *what = facts->job != NULL ? job_waits_for(facts->job, &since_ms) : NULL;

	if (what == NULL)
		return json_null();
	return json_pack("{s:s,s:I}", "for", what, "since_s",
			 (json_int_t)((reactor->now_ms(reactor) - since_ms) / 1000));
}

static json_t *facts_json(const struct job_facts *facts)
{
	const struct state *state = facts->state;
	json_t *plan = state->phase > STATE_PLANNING ? plan_to_json(&state->plan) : json_null();
	json_t *report = json_object_get(state->end_data, "report");
	json_t *error =
		state->end == EVENT_FAILED && state->phase == STATE_ENDED ? state->end_data : NULL;

	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:O?,s:O?}", "id", facts->id,
			 "object", "longhand.job", "status", state_status(state), "model",
			 facts->model, "created", (json_int_t)(state->created_ms / 1000),
			 "target_words", (json_int_t)state->spec.target_words, "words",
			 (json_int_t)state->words, "section", (json_int_t)state->section + 1,
			 "bytes", (json_int_t)facts->content_bytes, "waiting", waiting_json(facts),
			 "plan", plan, "report", report, "error", error);
}

static void send_body(struct request *request, const char *const *headers, struct buf *body)
{
	metric_inc(METRIC_RESPONSES_2XX);
	reply_send(request, 200, headers, body);
}

static void send_state(struct request *request, const struct job_facts *facts)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	json_t *json = facts_json(facts);
	struct buf body;

	buf_init(&body, JOB_BODY_BYTES_MAX);
	if (json == NULL || json_append(&body, json) != OK)
		api_refuse_memory(request);
	else
		send_body(request, headers, &body);
	json_decref(json);
	buf_release(&body);
}

static void send_text(struct request *request, const struct job_facts *facts)
{
	const char *headers[] = { "Content-Type: text/plain; charset=utf-8", NULL };
	struct buf body;

	buf_init(&body, JOB_BODY_BYTES_MAX);
	if (buf_append(&body, buf_str(&facts->state->text), facts->content_bytes) != OK)
		api_refuse_memory(request);
	else
		send_body(request, headers, &body);
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

/* False: ret_fault says why a reader cannot go on from there. Where the job is written here, all of
 * its text counts: a reader elsewhere may have seen what the store has, but has not confirmed to us
 * yet. */
static bool check_offset(const struct job_facts *facts, const char *query, uint64_t *ret_offset,
			 struct api_fault *ret_fault)
{
	const unsigned char *text = (const unsigned char *)buf_str(&facts->state->text);
	size_t text_bytes = facts->state->text.len;

	if (!read_offset(query, ret_offset)) {
		api_fault_set(ret_fault, API_ERROR_INVALID_VALUE, "offset",
			      "offset must be a whole number of bytes.");
		return false;
	}
	if (*ret_offset > text_bytes) {
		api_fault_set(ret_fault, API_ERROR_OFFSET_BEYOND, "offset",
			      "offset lies beyond the text, which has %zu bytes now.", text_bytes);
		return false;
	}
	if (*ret_offset < text_bytes && (text[*ret_offset] & 0xC0) == 0x80) {
		api_fault_set(ret_fault, API_ERROR_OFFSET_INSIDE, "offset",
			      "offset lies inside a character: give the byte where one begins.");
		return false;
	}
	return true;
}

/* It is parked, and nothing more can run. */
static void refuse_resume(struct request *request, const struct job_facts *facts, enum err err)
{
	struct api_fault fault;

	if (err == ERR_CANCELED) {
		start_fault(facts->api, facts->owner, 0, err, &fault);
	} else {
		api_fault_set(&fault, API_ERROR_TOO_MANY_JOBS, NULL,
			      "The job is parked, and can not go on now: as many long texts are "
			      "being written as this server, or one owner, may have. Try again "
			      "later.");
		fault.retry_after_ms = 10000;
	}
	api_fault_send(request, &fault);
}

bool jobs_resume(struct request *request, const struct job_facts *facts)
{
	const struct state *state = facts->state;
	bool is_parked = facts->job == NULL && state->is_parked && state->phase != STATE_ENDED;
	enum err err = is_parked ? registry_admit(facts->api->registry, facts->owner, state) : OK;

	if (err != OK)
		refuse_resume(request, facts, err);
	return err == OK;
}

static void send_chat(struct request *request, const struct job_facts *facts)
{
	struct chat_view_wishes wishes = { .is_stream = true,
					   .is_plan_shown = true,
					   .is_resumed = true,
					   .entries = facts->entries };
	struct api_fault fault;

	if (!check_offset(facts, request->query, &wishes.from_byte, &fault))
		api_fault_send(request, &fault);
	else if (jobs_resume(request, facts))
		chat_view_start(facts->api, request, facts->job, facts->id, &wishes);
}

void jobs_show(struct request *request, const struct job_facts *facts, enum job_question question)
{
	switch (question) {
	case JOB_TEXT:
		send_text(request, facts);
		break;
	case JOB_CHAT:
		send_chat(request, facts);
		break;
	case JOB_EVENTS:
		if (jobs_resume(request, facts))
			events_view_start(facts->api, request, facts->job, facts->id);
		break;
	case JOB_CANCEL:
		if (facts->job != NULL) /* else it has ended: nothing to stop */
			job_cancel(facts->job);
		send_state(request, facts);
		break;
	case JOB_STATE:
	default:
		send_state(request, facts);
		break;
	}
}
