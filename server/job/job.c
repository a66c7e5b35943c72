#include "job/job.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/must.h"
#include "job/job_call.h"
#include "job/job_parts.h"
#include <stdio.h>
#include <string.h>

#define JOB_STEPS(X) X(create) X(write) X(park) X(finish)

#define X(name) static enum step_next run_##name(struct job *job);
JOB_STEPS(X)
#undef X

enum {
#define X(name) STEP_##name,
	JOB_STEPS(X)
#undef X
};

static const struct job_step steps[] = {
#define X(name) [STEP_##name] = { #name, run_##name },
	JOB_STEPS(X)
#undef X
};

enum { LESSON_WORDS_MIN = 200 };

static enum step_next go(struct job *job, int step)
{
	job->step = &steps[step];
	return STEP_MORE;
}

/* ---- ends ---- */

void job_fail(struct job *job, enum err error, const char *code, const char *message)
{
	if (job->error != OK)
		return;
	job->error = error;
	job->code = code;
	(void)snprintf(job->message, sizeof(job->message), "%s", message);
}

/* What this job showed of the model, for the next ones: only from enough text to mean something. */
static void teach(struct job *job)
{
	const struct state *state = &job->state;
	struct model *model = job->ports->model;
	struct model_target target = { .backend = job->backend,
				       .model = job->backend_model,
				       .language = (unsigned)state->spec.demand.language };
	double tokens_per_word;

	if (state->written_words < LESSON_WORDS_MIN)
		return;
	tokens_per_word = (double)state->written_tokens / (double)state->written_words;
	model->learn(model, &target, state->habit, tokens_per_word);
}

static void count_section(struct job *job, enum event_kind kind)
{
	struct reactor *reactor = job->ports->reactor;

	if (kind == EVENT_SECTION_STARTED)
		job->section_started_ms = reactor->now_ms(reactor);
	if (kind != EVENT_SECTION_DONE)
		return;
	metric_inc(METRIC_SECTIONS);
	metric_observe_ms(METRIC_SECTION_TIME,
			  reactor->now_ms(reactor) - job->section_started_ms);
}

/* Appends and applies. An error here is the job's. */
static enum err take_event(struct job *job, struct event *event)
{
	const struct event *appended;
	enum err err = event_log_append(&job->log, event, &appended);

	if (err != OK)
		return err;
	job->has_ended = job->has_ended || event_is_end(appended->kind);
	count_section(job, appended->kind);
	err = state_apply(&job->state, appended);
	if (err == OK && job->has_ended)
		teach(job);
	return err;
}

static bool add_number(struct event *event, const char *key, json_int_t number)
{
	return number <= 0 || json_object_set_new(event->data, key, json_integer(number)) == 0;
}

/* A parked job has none until it is needed again. False: memory is out. */
static bool has_engine(struct job *job)
{
	if (job->engine == NULL && job->state.phase != STATE_NEW &&
	    engine_new(&job->state, job->ports->prompts, &job->engine) != OK)
		job->engine = NULL;
	return job->engine != NULL;
}

static void append_failed(struct job *job)
{
	struct event event;

	if (!has_engine(job) ||
	    engine_fail(job->engine, job->code, job->message, &event) != OK)
		return;
	if (!add_number(&event, "status", job->status) ||
	    !add_number(&event, "retry_after_ms", (json_int_t)job->retry_after_ms)) {
		event_release(&event);
		return;
	}
	(void)!take_event(job, &event);
}

/* The children have reported: say how it ended, if that can still be said. */
static void end_with_error(struct job *job)
{
	if (!job->has_ended && job->log.error == OK)
		append_failed(job);
	/* For lack of memory there is no end event: readers would wait for it for ever. */
	if (!job->has_ended)
		event_log_abandon(&job->log, job->error);
	job->has_ended = true;
}

/* ---- the driver ---- */

static bool is_drained(struct job *job)
{
	op_cancel(&job->call.op, ERR_CANCELED);
	job_call_stop_waiting(job);
	return !job->is_calling;
}

void job_run(struct job *job)
{
	enum step_next next = STEP_MORE;

	if (job->is_running)
		return; /* a step caused this: its driver goes on */
	job->is_running = true;
	while (next == STEP_MORE) {
		if (job->error != OK && job->step != &steps[STEP_finish]) {
			if (!is_drained(job))
				break; /* every child reports before we finish */
			end_with_error(job);
			go(job, STEP_finish);
		}
		next = job->step->run(job);
	}
	job->is_running = false;
	if (next == STEP_DONE)
		op_finish(&job->op, job->error);
}

void job_on_log_moved(struct job *job)
{
	const struct event_log *log = &job->log;

	if (log->error != OK)
		job_fail(job, log->error, "job_taken_over",
			 "the job's log was taken over by another process or is gone");
	if (job->op.state == OP_RUNNING)
		job_run(job);
}

/* ---- steps ---- */

static enum step_next run_create(struct job *job)
{
	json_t *data = job_created_data(job);
	struct event event;
	enum err err = ERR_NO_MEMORY;

	if (data != NULL)
		err = event_init(&event, EVENT_CREATED, 0, (struct slice){ NULL, 0 }, data);
	if (err == OK)
		err = take_event(job, &event);
	if (err == OK)
		err = engine_new(&job->state, job->ports->prompts, &job->engine);
	spec_release(&job->spec);
	json_decref(job->response);
	job->response = NULL;
	if (err != OK) {
		job_fail(job, err, "internal_error", err_text(err));
		return STEP_MORE;
	}
	return go(job, STEP_write);
}

/* ERR_TOO_LARGE: the request does not fit the model's window. */
static enum step_next give_up(struct job *job, enum err err)
{
	job->status = err == ERR_TOO_LARGE ? 400 : 500;
	if (err == ERR_TOO_LARGE)
		job_fail(job, err, "context_length_exceeded",
			 "the request does not fit the model's window: shorten it, or set the "
			 "backend's window_tokens if it is larger");
	else
		job_fail(job, err, "internal_error", err_text(err));
	return STEP_MORE;
}

static enum step_next carry_out(struct job *job, struct engine_action *action)
{
	enum err err;

	switch (action->kind) {
	case ENGINE_ASK:
		if (job->is_park_wanted)
			return go(job, STEP_park);
		job_call_start(job, &action->ask);
		return STEP_MORE; /* the engine may have more to append meanwhile */
	case ENGINE_STOP_CALL:
		op_cancel(&job->call.op, ERR_CANCELED);
		return STEP_MORE;
	case ENGINE_APPEND:
		err = take_event(job, &action->event);
		return err == OK ? STEP_MORE : give_up(job, err);
	case ENGINE_WAIT:
		return STEP_WAIT;
	case ENGINE_END:
		return go(job, STEP_finish);
	}
	return STEP_WAIT;
}

/* Nothing is written before `created` has landed, and nothing while too much waits for
 * the store. */
static enum step_next run_write(struct job *job)
{
	struct engine_action action = { .kind = ENGINE_WAIT };
	enum step_next next;
	enum err err;

	if (job->log.n_landed == 0 || event_log_is_full(&job->log) || job->backoff.fire != NULL)
		return STEP_WAIT;
	err = engine_next(job->engine, &action);
	if (err != OK)
		return give_up(job, err);
	next = carry_out(job, &action);
	engine_action_release(&action);
	return next;
}

static enum err append_bare(struct job *job, enum event_kind kind, json_t *data)
{
	struct event event;
	enum err err = event_init(&event, kind, 0, (struct slice){ NULL, 0 }, data);

	return err == OK ? take_event(job, &event) : err;
}

/* The engine goes with the call that it was about to make: a new one goes on from the state. */
static enum err append_parked(struct job *job)
{
	json_t *data = NULL;
	enum err err;

	if (job->is_offer_wanted) {
		data = json_pack("{s:s}", "reason", EVENT_REASON_OFFERED);
		if (data == NULL)
			return ERR_NO_MEMORY;
	}
	err = append_bare(job, EVENT_PARKED, data);
	if (err != OK)
		return err;
	engine_free(job->engine);
	job->engine = NULL;
	job->is_parked = true;
	return OK;
}

static enum step_next run_park(struct job *job)
{
	enum err err = job->is_parked ? OK : append_parked(job);

	if (err != OK)
		return give_up(job, err);
	if (job->is_park_told || !event_log_is_settled(&job->log))
		return STEP_WAIT;
	job->is_park_told = true;
	if (job->on_parked != NULL)
		job->on_parked(job);
	return job->step == &steps[STEP_park] ? STEP_WAIT : STEP_MORE;
}

static enum step_next run_finish(struct job *job)
{
	return is_drained(job) && event_log_is_settled(&job->log) ? STEP_DONE : STEP_WAIT;
}

/* ---- life ---- */

static void on_op_cancel(struct op *op)
{
	struct job *job = container_of(op, struct job, op);

	job_fail(job, op->canceled, "shutting_down",
		 "the server is shutting down and does not keep the text: ask again");
	job->status = 503;
	job_run(job);
}

/* What was said before the start is done first; then it goes on as if it had never stood still. */
static void start_restored(struct job *job)
{
	enum err err = has_engine(job) ? OK : ERR_NO_MEMORY;

	go(job, STEP_write);
	if (err == OK && job->is_cancel_wanted)
		engine_cancel(job->engine);
	else if (err == OK && job->state.is_parked && !job->is_park_wanted)
		err = append_bare(job, EVENT_RESUMED, NULL);
	if (err != OK)
		job_fail(job, err, "internal_error", err_text(err));
}

void job_start(struct job *job)
{
	if (!op_begin(&job->op, on_op_cancel))
		return;
	job->started_ms = job->ports->reactor->now_ms(job->ports->reactor);
	if (job->is_restored)
		start_restored(job);
	else
		go(job, STEP_create);
	job_run(job);
}

static bool can_go_on(const struct job *job)
{
	return job->op.state == OP_RUNNING && !job->has_ended && job->error == OK &&
	       (job->engine != NULL || job->is_parked);
}

static void leave_park(struct job *job)
{
	job->is_park_wanted = job->is_offer_wanted = false;
	if (!job->is_parked)
		return;
	job->is_parked = job->is_park_told = false;
	if (!has_engine(job))
		job_fail(job, ERR_NO_MEMORY, "internal_error", err_text(ERR_NO_MEMORY));
	go(job, STEP_write);
}

static void close_call(struct job *job)
{
	op_cancel(&job->call.op, ERR_CANCELED);
	job_call_stop_waiting(job);
}

void job_cancel(struct job *job)
{
	job->is_cancel_wanted = true;
	if (!can_go_on(job))
		return;
	leave_park(job);
	if (job->engine != NULL)
		engine_cancel(job->engine);
	close_call(job);
	job_run(job);
}

void job_park(struct job *job)
{
	bool is_started = job->op.state == OP_RUNNING;

	if (is_started && (!can_go_on(job) || job->is_parked))
		return;
	job->is_park_wanted = true;
	if (!is_started)
		return;
	close_call(job);
	job_run(job);
}

void job_offer(struct job *job)
{
	if (!can_go_on(job) || job->is_parked)
		return;
	job->is_offer_wanted = true;
	job_park(job);
}

void job_leave(struct job *job)
{
	if (job->op.state != OP_RUNNING || !job->is_parked || !job->is_park_told)
		return;
	job->has_ended = true;
	go(job, STEP_finish);
	job_run(job);
}

void job_resume(struct job *job)
{
	bool was_parked = job->is_parked;
	enum err err;

	if (!can_go_on(job))
		return;
	leave_park(job);
	err = was_parked ? append_bare(job, EVENT_RESUMED, NULL) : OK;
	if (err != OK)
		job_fail(job, err, "internal_error", err_text(err));
	if (was_parked)
		job_run(job);
}

void job_give_up(struct job *job)
{
	event_log_abandon(&job->log, ERR_NOT_FOUND);
	job->has_ended = true;
	if (job->op.state != OP_RUNNING)
		return;
	job_fail(job, ERR_NOT_FOUND, "job_erased", "the job was erased");
	job_run(job);
}
