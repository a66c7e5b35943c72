#include "api/long_request.h"
#include "api/origin.h"
#include "api/start_fault.h"
#include "api/turn.h"
#include "base/id.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"

static void refuse_start(struct turn *turn, enum err err, long words)
{
	start_fault(turn->api, turn->owner, words, err, &turn->fault);
	turn_refuse(turn);
}

static enum job_grace grace_of(const struct turn *turn)
{
	if (turn->options.keep)
		return JOB_GRACE_KEPT;
	return turn->chat.is_stream ? JOB_GRACE_STREAM : JOB_GRACE_ANSWER;
}

/* ---- a new one ---- */

static bool fill_request(struct turn *turn, const char *const *labels, struct job_request *asked)
{
	struct long_request wanted = {
		.chat = &turn->chat,
		.options = &turn->options,
		.preset = turn->preset,
		.demand = &turn->demand,
		.mode = turn->route.kind == ROUTE_SERIAL ? WRITING_SERIAL : WRITING_SINGLE,
		.target = turn->target,
	};

	*asked = (struct job_request){ .model_id = buf_str(&turn->chat.model),
				       .target = wanted.target,
				       .owner = turn->owner,
				       .authorization = turn_authorization(turn),
				       .labels = labels,
				       .grace = grace_of(turn) };
	return long_request_spec(turn->api, &wanted, &asked->spec, &turn->fault) &&
	       (turn->kind->ask == NULL || turn->kind->ask(turn, asked));
}

static void start_new(struct turn *turn)
{
	struct api *api = turn->api;
	const char *labels[STORE_LABELS_MAX + 1];
	struct job_request asked;
	char id[ID_CHARS + 1];
	struct job *job;
	long words;
	enum err err;

	labels_list(&turn->adoption.labels, labels);
	if (!fill_request(turn, labels, &asked)) {
		spec_release(&asked.spec);
		turn_refuse(turn);
		return;
	}
	words = registry_words(&asked.spec);
	asked.id = id;
	err = id_new(id);
	if (err == OK)
		err = registry_start(api->registry, &asked, &job);
	spec_release(&asked.spec);
	if (err != OK) {
		refuse_start(turn, err, words);
		return;
	}
	metric_inc(METRIC_REQUESTS_LONG);
	log_info("job_started", "job=%s request=%s target_words=%ld mode=%s", id, turn->request->id,
		 job->state.spec.target_words,
		 turn->route.kind == ROUTE_SERIAL ? "serial" : "single");
	turn->kind->answer(turn, job, id, false);
}

/* ---- an earlier one ---- */

static void take_up(struct turn *turn)
{
	const struct adoption *adoption = &turn->adoption;
	struct registry *registry = turn->api->registry;
	struct job *job = registry_find(registry, adoption->id);
	enum err err = OK;

	if (job == NULL && adoption->is_parked)
		err = registry_admit(registry, turn->owner, &adoption->replay.state);
	if (err != OK) {
		refuse_start(turn, err, 0);
		return;
	}
	log_info("job_adopted", "job=%s request=%s", adoption->id, turn->request->id);
	turn->kind->answer(turn, job, adoption->id, true);
}

static void on_adopted(struct op *op)
{
	struct adoption *adoption = container_of(op, struct adoption, op);
	struct turn *turn = container_of(adoption, struct turn, adoption);

	if (turn_is_left(turn))
		return;
	switch (adoption->answer) {
	case ADOPT_NOTHING:
		start_new(turn);
		break;
	case ADOPT_KEY_REUSED:
		api_fault_set(&turn->fault, API_ERROR_KEY_REUSED, NULL,
			      "This Idempotency-Key came with another request before: give each "
			      "request a key of its own.");
		turn_refuse(turn);
		break;
	case ADOPT_JOB:
		take_up(turn);
		break;
	}
}

/* ---- either ---- */

static bool refuses_for_store(struct turn *turn)
{
	struct store *store = turn->api->store;

	if (!turn->api->options->refuses_when_store_down || store->is_up(store))
		return false;
	api_fault_set(&turn->fault, API_ERROR_STORE_DOWN, NULL,
		      "The store that keeps long texts does not answer: try again later.");
	turn->fault.retry_after_ms = turn->api->options->store_ms;
	turn_refuse(turn);
	return true;
}

/* What it points to may change while the store is asked. False: no memory. */
static bool keep_target(struct turn *turn, const struct model_target *target)
{
	turn->target = (struct model_target){ .backend = mem_strdup(target->backend),
					      .model = mem_strdup(target->model),
					      .language = target->language };
	if (target->id != NULL)
		turn->target.id = mem_strdup(target->id);
	return turn->target.backend != NULL && turn->target.model != NULL &&
	       (target->id == NULL || turn->target.id != NULL);
}

void turn_start_job(struct turn *turn, const struct model_target *target)
{
	struct adoption *adoption = &turn->adoption;

	if (!keep_target(turn, target)) {
		api_fault_set_memory(&turn->fault);
		turn_refuse(turn);
		return;
	}
	if (refuses_for_store(turn))
		return;
	origin_of(turn->request, turn_body(turn), turn->owner, &adoption->labels);
	if (turn->is_new_each_time) {
		start_new(turn);
		return;
	}
	adoption->registry = turn->api->registry;
	adoption->is_retry = origin_is_retry(turn->request);
	turn->request->user = turn;
	turn->request->on_closed = turn_on_closed;
	op_prepare(&adoption->op, turn->api->reactor, 0, on_adopted);
	adopt_start(adoption);
}
