/* scripted_job - drives an engine against a scripted model, without a loop: what job/ does, in
 * forty lines. Keeps the log, so that a test can replay it. */
#ifndef LONGHAND_FAKES_SCRIPTED_JOB_H
#define LONGHAND_FAKES_SCRIPTED_JOB_H
#include "fakes/scripted_model.h"

struct scripted_job {
	struct scripted_model model;
	struct state state;
	struct prompt_set *prompts;
	struct event *log;
	size_t n_log, log_size;
	size_t piece_bytes;	/* of a delta; 0: the whole answer at once */
	size_t cancel_at;	/* the engine is cancelled before this action; 0: never */
	size_t drop_engine_at;	/* a new engine takes over before this action, in mid-call too */
	size_t n_actions, n_asks, n_stops;
	size_t failures_left;	/* failed calls until the job gives up */
	struct sampling sampling; /* of the latest ask */
	size_t bytes_sent;	/* by the model */
	bool has_no_usage;	/* the backend never says what a call used */
};

/* Takes `spec` over. */
void scripted_job_init(struct scripted_job *job, struct spec *spec);
void scripted_job_release(struct scripted_job *job);
/* Until the end. ERR_NO_MEMORY where the engine or the state said so; the job is then as it was
 * left. ERR_LIMIT: it does not come to an end. */
MUST_CHECK enum err scripted_job_run(struct scripted_job *job);
/* A spec for tests: request, target, language by the request's first character. */
void scripted_spec(struct spec *spec, const char *request, long target_words);
#endif
