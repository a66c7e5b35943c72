/* job - one long text being written: the engine's decisions carried out.
 *
 *      create --- write --- finish
 *         \      |   |     /
 *          \     park     /
 *           \____________/
 *      any error or stop: drain the model call, append the end, then finish
 *
 * A step runs on the loop thread and says what comes next: MORE (run the next step now), WAIT (a
 * call, the store or a timer will wake the job) or DONE. `finish` is the only way out. Exactly one
 * end event is appended, unless the log itself has failed.
 *
 * A parked job has no call, no engine and no timer: only its log and state. It parks where the next
 * call would begin, at the last sentence there is.
 *
 * The job owns its spec, state, engine, log and the model call in flight. job->op is its caller's:
 * done() comes once everything has landed and nothing is in flight; the log stays readable until
 * job_free(). Cancelling the op ends the job with `failed` (shutting_down); job_cancel() ends it
 * as its user asked: `cancelled`, then `done` with the text that is there. */
#ifndef LONGHAND_JOB_JOB_H
#define LONGHAND_JOB_JOB_H
#include "job/event_log.h"
#include "model/model.h"
#include "writing/engine.h"

enum { JOB_ID_BYTES = 33, JOB_MESSAGE_BYTES = 640 };

struct job_options {
	struct event_log_options log;
	struct retry_policy retry; /* of model calls; try_ms is a call's total deadline */
};

struct job_ports {
	struct reactor *reactor;
	struct model *model;
	struct store *store;
	const struct prompt_set *prompts;
};

enum { ORIGIN_HASH_BYTES = 32, ORIGIN_KEY_BYTES_MAX = 255 };

/* Where a job came from: two requests of one owner with equal hashes are the same request. */
struct origin {
	unsigned char hash[ORIGIN_HASH_BYTES];
	char key[ORIGIN_KEY_BYTES_MAX + 1]; /* Idempotency-Key; "": none */
};

struct job_request {
	const char *id;	      /* 32 hex digits */
	const char *model_id; /* as the client named it */
	struct model_target target;
	const char *owner; /* "" where there are no keys */
	/* "Authorization: ..." of the client, for a backend without a key of its own; NULL: none.
	 * Kept in memory while the job runs, never in its log. */
	const char *authorization;
	struct spec spec; /* taken over */
	const struct origin *origin; /* what a repetition is known by; NULL: never adopted */
};

enum step_next { STEP_MORE, STEP_WAIT, STEP_DONE };
struct job;
struct job_step {
	const char *name;
	enum step_next (*run)(struct job *job);
};

struct job {
	struct op op;
	char id[JOB_ID_BYTES];
	char *model_id, *owner;
	char *authorization; /* NULL: none */
	char *backend, *backend_model;
	const struct job_options *options;
	const struct job_ports *ports;
	const struct job_step *step;
	bool is_running; /* inside the driver */

	struct spec spec; /* until `created` is appended */
	struct state state;
	struct engine *engine;
	struct event_log log;

	struct generate_call call;
	json_t *messages, *schema; /* of the call */
	bool is_calling;
	/* The backend rejected response_format: plans are asked for without. */
	bool is_schema_refused;
	unsigned tries;		/* failed calls in a row without progress */
	struct timer backoff;

	enum err error; /* the first one wins; OK while all is well */
	const char *code;	/* of the failed event */
	int status;		/* HTTP status that fits it */
	uint64_t retry_after_ms; /* what its backend asked for; 0: nothing */
	char message[JOB_MESSAGE_BYTES];
	bool is_park_wanted, is_parked;
	void (*on_parked)(struct job *job); /* it has; NULL ok. No call of this header inside it. */
	bool has_ended; /* an end event was appended, or could not be */
	uint64_t started_ms, section_started_ms;
	void *user;
};

/* ERR_NO_MEMORY. `request->spec` is empty afterwards, in any case. */
MUST_CHECK enum err job_new(const struct job_ports *ports, const struct job_options *options,
			    struct job_request *request, struct job **ret_job);
/* Idle only: never started, or after done(). NULL ok. */
void job_free(struct job *job);
/* job->op must be prepared. */
void job_start(struct job *job);
/* The user's stop: the text stays. */
void job_cancel(struct job *job);
/* Nobody reads: the call is closed, and the job parks; unless there is nothing left to ask for,
 * then it ends. */
void job_park(struct job *job);
/* Somebody reads again. */
void job_resume(struct job *job);
/* The end without an end event, because the log is to be erased: readers are told ERR_NOT_FOUND on
 * a later turn, and see nothing more. The op's done() comes if it has not; then nothing of the job
 * is on its way to the store any more. */
void job_give_up(struct job *job);
#endif
