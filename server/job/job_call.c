#include "job/job_call.h"
#include "base/metrics.h"
#include "base/must.h"
#include "writing/prompt.h"
#include <stdio.h>

/* What a failed call means to the client of the job: code of docs/api.md and HTTP status. */
static const struct {
	enum err error;
	const char *code;
	int status;
	enum metric metric;
} failures[] = {
	{ ERR_TIMEOUT, "backend_timeout", 504, METRIC_UPSTREAM_ERRORS_TIMEOUT },
	{ ERR_REFUSED, "backend_unavailable", 502, METRIC_UPSTREAM_ERRORS_REFUSED },
	{ ERR_BROKEN, "backend_unavailable", 502, METRIC_UPSTREAM_ERRORS_BROKEN },
	{ ERR_UPSTREAM, "backend_failed", 502, METRIC_UPSTREAM_ERRORS_FAILED },
	{ ERR_BUSY, "backend_busy", 503, METRIC_UPSTREAM_ERRORS_BUSY },
	{ ERR_REJECTED, "backend_rejected", 502, METRIC_UPSTREAM_ERRORS_REJECTED },
	{ ERR_NO_MEMORY, "internal_error", 500, METRIC_UPSTREAM_ERRORS_FAILED },
};

static size_t find_failure(enum err error)
{
	size_t count = sizeof(failures) / sizeof(failures[0]);

	for (size_t i = 0; i < count; i++)
		if (failures[i].error == error)
			return i;
	return 3;
}

static void release_ask(struct job *job)
{
	json_decref(job->messages);
	json_decref(job->schema);
	job->messages = NULL;
	job->schema = NULL;
}

static void on_backoff_over(struct timer *timer)
{
	metric_dec(METRIC_CALLS_WAITING_JOB);
	job_run(container_of(timer, struct job, backoff));
}

void job_call_stop_waiting(struct job *job)
{
	if (job->backoff.fire == NULL)
		return;
	metric_dec(METRIC_CALLS_WAITING_JOB);
	job->ports->reactor->timer_stop(job->ports->reactor, &job->backoff);
}

const char *job_waits_for(const struct job *job, uint64_t *ret_since_ms)
{
	if (job->backoff.fire != NULL) {
		*ret_since_ms = job->backoff_since_ms;
		return "backend_retry";
	}
	*ret_since_ms = job->call.wait.since_ms;
	return job->is_calling ? job->call.wait.what : NULL;
}

static void wait_before_next(struct job *job)
{
	const struct retry_policy *policy = &job->options->retry;
	struct reactor *reactor = job->ports->reactor;
	uint64_t wait_ms = retry_backoff_ms(policy, job->tries, reactor->random(reactor));
	uint64_t asked_ms = job->call.retry_after_ms;

	if (asked_ms > policy->retry_after_cap_ms)
		asked_ms = policy->retry_after_cap_ms;
	metric_inc(METRIC_UPSTREAM_RETRIES);
	metric_inc(METRIC_CALLS_WAITING_JOB);
	job->backoff_since_ms = reactor->now_ms(reactor);
	reactor->timer_start(reactor, &job->backoff, asked_ms > wait_ms ? asked_ms : wait_ms,
			     on_backoff_over);
}

static bool is_about_key(const struct job *job)
{
	return job->call.status == 401 || job->call.status == 403;
}

/* The request that gave the key has gone with its process: a backend without a key of its own
 * refuses us. Nobody reads: the next one who wants to may bring one. */
static void miss_key(struct job *job)
{
	if (job->log.n_readers == 0) {
		job->is_park_wanted = true;
		return;
	}
	job->status = job->call.status;
	job_fail(job, ERR_REJECTED, "backend_rejected",
		 "the backend wants a key, and the request that brought one has gone with the "
		 "process that served it: ask again, with the key");
}

static bool is_key_missing(const struct job *job)
{
	return job->is_restored && job->authorization == NULL && is_about_key(job);
}

static void end_by_failure(struct job *job, enum err result)
{
	size_t i = find_failure(result);
	bool is_clients_fault = result == ERR_REJECTED && job->call.status >= 400 &&
				job->call.status < 500 &&
				(!is_about_key(job) || job->call.is_clients_key);

	job->status = is_clients_fault ? job->call.status : failures[i].status;
	job->retry_after_ms = job->call.retry_after_ms;
	job_fail(job, result, failures[i].code,
		 job->call.message[0] != '\0' ? job->call.message : err_text(result));
}

/* Its backends are left alone, and nothing has been written yet: whoever asked had better ask
 * elsewhere, or later. */
static bool is_hopeless(const struct job *job)
{
	return job->call.is_left_alone && !job->call.is_patient;
}

/* Tries again while that may help; the engine has kept what whole sentences there were. */
static void judge_failure(struct job *job, enum err result)
{
	metric_inc(failures[find_failure(result)].metric);
	if (engine_made_progress(job->engine))
		job->tries = 0;
	job->tries++;
	if (result == ERR_REJECTED && job->schema != NULL && !job->is_schema_refused)
		job->is_schema_refused = true; /* asked again at once, without */
	else if (retry_is_transient(result) && !is_hopeless(job) &&
		 job->tries < job->options->retry.max_tries)
		wait_before_next(job);
	else if (result == ERR_REJECTED && is_key_missing(job))
		miss_key(job);
	else
		end_by_failure(job, result);
}

static void on_call_done(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);
	struct job *job = container_of(call, struct job, call);
	uint64_t now_ms = op->reactor->now_ms(op->reactor);
	struct call_end end = { .result = op->result,
				.finish = call->finish,
				.usage = call->usage,
				.took_ms = now_ms - call->started_ms };
	enum err err = engine_on_call_end(job->engine, &end);

	job->is_calling = false;
	job->failed_backend = retry_is_transient(op->result) ? call->backend : NULL;
	job->has_answer = job->has_answer || op->result == OK || call->first_text_ms > 0;
	if (call->first_text_ms > 0)
		metric_observe_ms(METRIC_UPSTREAM_FIRST_BYTE,
				  call->first_text_ms - call->started_ms);
	if (err != OK)
		job_fail(job, err, "internal_error", err_text(err));
	else if (op->result == OK || op->result == ERR_CANCELED)
		job->tries = 0;
	else
		judge_failure(job, op->result);
	release_ask(job);
	job_run(job);
}

static void feed(struct job *job, enum err err)
{
	if (err != OK)
		job_fail(job, err, "internal_error", err_text(err));
	job_run(job);
}

static void on_text(struct generate_call *call, const char *text, size_t len)
{
	struct job *job = container_of(call, struct job, call);

	feed(job, engine_on_text(job->engine, text, len));
}

static void on_reasoning(struct generate_call *call, const char *text, size_t len)
{
	struct job *job = container_of(call, struct job, call);

	feed(job, engine_on_reasoning(job->engine, text, len));
}

void job_call_start(struct job *job, struct engine_ask *ask)
{
	struct generate_call *call = &job->call;

	MUST(!job->is_calling);
	*call = (struct generate_call){
		.target = { .backend = job->backend,
			    .model = job->backend_model,
			    .id = job->backend_id },
		.is_patient = job->has_answer || job->state.text.len > 0,
		.avoid = job->failed_backend,
		.prompt_tokens = prompt_messages_tokens(ask->messages),
		.is_prefilled = ask->is_prefilled,
		.max_tokens = ask->max_tokens,
		.sampling = ask->sampling,
		.request_id = job->id,
		.authorization = job->authorization,
		.on_text = on_text,
		.on_reasoning = on_reasoning,
	};
	job->messages = ask->messages;
	job->schema = ask->schema;
	ask->messages = NULL;
	ask->schema = NULL;
	call->messages = job->messages;
	call->schema = job->is_schema_refused ? NULL : job->schema;
	job->is_calling = true;
	metric_inc(ask->role == ASK_PLAN ? METRIC_UPSTREAM_CALLS_PLAN
					 : METRIC_UPSTREAM_CALLS_WRITE);
	op_prepare(&call->op, job->ports->reactor, job->options->retry.try_ms, on_call_done);
	job->ports->model->generate(job->ports->model, call);
}
