#include "api/jobs_parts.h"
#include "base/mem.h"
#include "job/replay.h"
#include <stdio.h>
#include <string.h>

void jobs_refuse_unknown(struct request *request, const char *id)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_JOB_NOT_FOUND, NULL,
		      "There is no job %.40s: it never was, or its retention is over.", id);
	api_fault_send(request, &fault);
}

void jobs_refuse_failed(struct request *request, enum err err)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_INTERNAL, NULL, "The job can not be read: %s.",
		      err_text(err));
	api_fault_send(request, &fault);
}

static void refuse_unknown(struct api *api, struct request *request, const char *id,
			   enum job_question question)
{
	if (question >= JOB_RESPONSE)
		responses_refuse_unknown(api, request);
	else
		jobs_refuse_unknown(request, id);
}

static bool is_shown(const struct job_facts *facts, enum job_question question)
{
	return question < JOB_RESPONSE ||
	       (facts->response != NULL &&
		!json_is_false(json_object_get(facts->response, "store")));
}

static void answer(struct request *request, const struct job_facts *facts,
		   enum job_question question)
{
	bool is_elsewhere = facts->job == NULL && facts->state->phase != STATE_ENDED;

	if (!is_shown(facts, question))
		refuse_unknown(facts->api, request, facts->id, question);
	else if (question == JOB_ERASE || question == JOB_RESPONSE_ERASE)
		jobs_erase(request, facts, question);
	else if (is_elsewhere && (question == JOB_CANCEL || question == JOB_RESPONSE_CANCEL))
		jobs_cancel(request, facts, question);
	else if (question >= JOB_RESPONSE)
		responses_show(request, facts, question);
	else
		jobs_show(request, facts, question);
}

/* ---- of the registry ---- */

/* Only what the store has acknowledged is shown. */
static size_t landed_bytes(const struct event_log *log)
{
	for (size_t i = log->n_landed; i > 0; i--)
		if (log->events[i - 1].kind == EVENT_TEXT)
			return log->events[i - 1].at_byte + log->events[i - 1].text_len;
	return 0;
}

static void answer_live(struct api *api, struct request *request, struct job *job,
			enum job_question question)
{
	const struct event_log *log = &job->log;
	const json_t *created = log->n_events > 0 ? log->events[0].data : NULL;
	struct job_facts facts = { .api = api,
				   .job = job,
				   .id = job->id,
				   .owner = job->owner,
				   .model = job->model_id,
				   .state = &job->state,
				   .response = json_object_get(created, "response"),
				   .content_bytes = landed_bytes(log),
				   .is_end_seen = log->n_landed == log->n_events };

	answer(request, &facts, question);
}

/* ---- of the store ---- */

struct lookup {
	struct api *api;
	struct request *request; /* NULL once closed */
	struct replay replay;
	enum job_question question;
	char id[JOB_ID_BYTES];
	char owner[OWNER_BYTES]; /* who asks */
};

static void on_replayed(struct op *op)
{
	struct replay *replay = container_of(op, struct replay, op);
	struct lookup *lookup = container_of(replay, struct lookup, replay);
	struct job_facts facts = { .api = lookup->api,
				   .id = lookup->id,
				   .owner = lookup->owner,
				   .model = replay->model_id,
				   .state = &replay->state,
				   .entries = &replay->whole,
				   .response = replay->response,
				   .content_bytes = replay->state.text.len,
				   .is_end_seen = true };

	if (lookup->request != NULL) {
		lookup->request->user = NULL;
		lookup->request->on_closed = NULL;
		if (op->result == OK && replay->owner != NULL &&
		    strcmp(replay->owner, lookup->owner) == 0)
			answer(lookup->request, &facts, lookup->question);
		else if (op->result == OK || op->result == ERR_NOT_FOUND)
			refuse_unknown(lookup->api, lookup->request, lookup->id, lookup->question);
		else
			jobs_refuse_failed(lookup->request, op->result);
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

static void look_up(struct api *api, struct request *request, const char *id, const char *owner,
		    enum job_question question)
{
	struct lookup *lookup = mem_alloc(sizeof(*lookup));

	if (lookup == NULL) {
		api_refuse_memory(request);
		return;
	}
	(void)snprintf(lookup->id, sizeof(lookup->id), "%s", id);
	(void)snprintf(lookup->owner, sizeof(lookup->owner), "%s", owner);
	lookup->api = api_hold(api);
	lookup->request = request;
	lookup->question = question;
	request->user = lookup;
	request->on_closed = on_closed;
	op_prepare(&lookup->replay.op, api->reactor, 0, on_replayed);
	replay_start(&lookup->replay, api->store, lookup->id, api->options->store_ms);
}

/* ---- either ---- */

/* Another process may have erased it: only the store knows, while it can be asked. */
static bool is_for_the_store(const struct api *api, const struct job *job)
{
	struct store *store = api->store;

	return store->reach == STORE_SHARED && store->is_up(store) &&
	       job->state.phase == STATE_ENDED && event_log_is_settled(&job->log);
}

void jobs_find(struct api *api, struct request *request, const char *id, const char *owner,
	       enum job_question question)
{
	struct job *job = registry_find(api->registry, id);

	if (job == NULL || is_for_the_store(api, job))
		look_up(api, request, id, owner, question);
	else if (strcmp(job->owner, owner) != 0)
		refuse_unknown(api, request, id, question);
	else
		answer_live(api, request, job, question);
}
