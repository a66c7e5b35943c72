/* job - one long text being written: the engine's decisions carried out.
 *
 *   job_new:     create --- write --- finish
 *                   \      |   |     /
 *   job_restore: ----\-----+   park /
 *                     \____________/
 *      any error or stop: drain the model call, append the end, then finish
 *
 * A step runs on the loop thread and says what comes next: MORE (run the next step now), WAIT (a
 * call, the store or a timer will wake the job) or DONE. `finish` is the only way out. Exactly one
 * end event is appended, unless the log itself has failed.
 *
 * A parked job has no call, no engine and no timer: only its log and state. It parks where the next
 * call would begin, at the last sentence there is. job_offer() parks it for another process.
 *
 * A job is also made of a claim, and goes on where its log ends: what is written stays, only the
 * call that was running is made again. The same log gives the same state. What its caller needs of
 * the request is in `created`, but for the client's authorization, which no log holds: see
 * job_authorize().
 *
 * The job owns its spec, state, engine, log and the model call in flight. job->op is its caller's:
 * done() comes once everything has landed and nothing is in flight; the log stays readable until
 * job_free(). Cancelling the op ends the job with `failed` (shutting_down); job_cancel() ends it
 * as its user asked: `cancelled`, then `done` with the text that is there. */
#ifndef LONGHAND_JOB_JOB_H
#define LONGHAND_JOB_JOB_H
#include "job/claim.h"
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

/* What becomes of a job that nobody reads. The times are its process's. */
enum job_grace {
	JOB_GRACE_STREAM, /* it goes on for a streaming reader's grace, then parks */
	JOB_GRACE_ANSWER, /* for that of a reader who waits for the whole */
	JOB_GRACE_KEPT,	  /* it goes on to its end */
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
	/* What the API that it came by must know to show it again, for the `created` event; NULL:
	 * nothing. Borrowed. */
	json_t *response;
	enum job_grace grace;
	const char *const *labels; /* as store_write's; copied; NULL: none */
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
	char *backend, *backend_model, *backend_id; /* of its target */
	enum job_grace grace;
	char *labels[STORE_LABELS_MAX + 1];
	const struct job_options *options;
	const struct job_ports *ports;
	const struct job_step *step;
	bool is_running; /* inside the driver */

	struct spec spec; /* until `created` is appended, as is response */
	json_t *response;
	struct state state;
	struct engine *engine;
	struct event_log log; /* its first event has all the facts, see docs/api.md */

	struct generate_call call;
	json_t *messages, *schema; /* of the call */
	bool is_calling;
	/* The backend rejected response_format: plans are asked for without. */
	bool is_schema_refused;
	unsigned tries;		/* failed calls in a row without progress */
	struct timer backoff;
	uint64_t backoff_since_ms;
	const char *failed_backend; /* that the last call failed at; the model's own, NULL: none */
	bool has_answer; /* a backend has written something: it is worth waiting for */

	enum err error; /* the first one wins; OK while all is well */
	const char *code;	/* of the failed event */
	int status;		/* HTTP status that fits it */
	uint64_t retry_after_ms; /* what its backend asked for; 0: nothing */
	char message[JOB_MESSAGE_BYTES];
	bool is_restored, is_cancel_wanted;
	bool is_park_wanted, is_offer_wanted, is_parked;
	bool is_park_told;
	bool is_freed;		 /* by its owner, while its log looked at the store */
	struct deferred leaving; /* for the end of that */
	/* It has, and the log has landed; NULL ok. No call of this header inside it but
	 * job_leave(). */
	void (*on_parked)(struct job *job);
	bool has_ended; /* an end event was appended, or could not be */
	uint64_t started_ms, section_started_ms;
	void *user;
};

/* ERR_NO_MEMORY. `request->spec` is empty afterwards, in any case. */
MUST_CHECK enum err job_new(const struct job_ports *ports, const struct job_options *options,
			    struct job_request *request, struct job **ret_job);
/* A job out of a claim whose result was OK; takes its events, and releases it, in any case.
 * ERR_INVALID: events that no job has; ERR_NO_MEMORY. Before job_start() it may be given an
 * authorization, and job_park() or job_cancel() may say that it is not to write on: no call is made
 * then, and the log gets its `parked`, or its end. */
MUST_CHECK enum err job_restore(const struct job_ports *ports, const struct job_options *options,
				struct claim *claim, struct job **ret_job);
/* The authorization (copied) of a request that takes a restored job up, for a backend without a key
 * of its own. Without one, a call that such a backend refuses (401, 403) parks the job while nobody
 * reads it, and fails it (backend_rejected) when somebody does. ERR_NO_MEMORY. */
MUST_CHECK enum err job_authorize(struct job *job, const char *authorization);
/* Idle only: never started, or after done(). An ended job whose log is just looking at the store
 * (event_log_check) goes when that has answered. NULL ok. */
void job_free(struct job *job);
/* job->op must be prepared. */
void job_start(struct job *job);
/* The user's stop: the text stays. */
void job_cancel(struct job *job);
/* What its call waits for: "backend_limit", "backend_breaker" (see model_wait), "backend_retry"
 * (the last one failed); NULL: nothing. `ret_since_ms` in reactor time. */
const char *job_waits_for(const struct job *job, uint64_t *ret_since_ms);
/* Nobody reads: the call is closed, and the job parks; unless there is nothing left to ask for,
 * then it ends. */
void job_park(struct job *job);
/* This process stops: the same, but `parked` says that whoever comes first may go on. on_parked()
 * says that it is over; or the op's done(), where the job ends instead. */
void job_offer(struct job *job);
/* A parked job whose on_parked() has come leaves this process: the op's done() comes with OK, no
 * event is written. */
void job_leave(struct job *job);
/* Somebody reads again. */
void job_resume(struct job *job);
/* The end without an end event, because the log is to be erased: readers are told ERR_NOT_FOUND on
 * a later turn, and see nothing more. The op's done() comes if it has not; then nothing of the job
 * is on its way to the store any more. */
void job_give_up(struct job *job);
#endif
