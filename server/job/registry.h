/* registry - the jobs of this process: those it writes, and those that ended a moment ago.
 *
 *                      last reader gone for its grace, or handed over
 *       start ──► here ──────────────────────────────► parked, offered: only its log is left
 *                  ▲ │                                                        │
 *                  │ └─► ended ── keep_ms ──► gone (the log stays)            │
 *                  └────────────── take: claimed by this process ◄────────────┘
 *
 * It owns its jobs. A job leaves keep_ms after its end, once no reader is attached; what it wrote
 * is then still in the store for as long as that keeps it. A job whose last reader left parks
 * after its grace, because nobody would see what it writes: its backend's call is closed, and when
 * its log says so, it leaves at once. Whoever wants it then takes it (registry_take), here or in
 * another process; log_cursor does, for its reader. Where jobs outlive their process, the registry
 * looks for orphans from time to time and takes them: those that are kept, or have a reader here,
 * go on; the others park at once. */
#ifndef LONGHAND_JOB_REGISTRY_H
#define LONGHAND_JOB_REGISTRY_H
#include "job/job.h"
#include "job/ledger.h"

struct registry;

struct registry_options {
	size_t running_max;
	uint64_t stream_grace_ms, answer_grace_ms; /* of enum job_grace */
	/* A job that was handed over goes on so long at least: who read it may read it there. */
	uint64_t handover_grace_ms;
	uint64_t keep_ms;	    /* after the end */
	uint64_t scan_ms;	    /* how often it looks for orphans */
	uint64_t follow_ms;	    /* how often readers of a job that is not here look for more */
	uint64_t adopt_ms;	    /* deadline of each look for an earlier request's job */
	struct ledger_limits owner; /* of each */
	struct job_options job;
};

/* Ports and options are borrowed until registry_reload() gives others, and for the jobs' lives. */
MUST_CHECK enum err registry_new(const struct job_ports *ports,
				 const struct registry_options *options,
				 struct registry **ret_registry);
/* Jobs that start from now on have these; the ones that are there keep theirs. Reactor and store
 * must be the same. */
void registry_reload(struct registry *registry, const struct job_ports *ports,
		     const struct registry_options *options);
/* How many jobs still have these ports, and the options that came with them. */
size_t registry_uses(const struct registry *registry, const struct job_ports *ports);
/* After registry_stop() and its on_idle(), or when nothing was ever started; NULL ok. */
void registry_free(struct registry *registry);

/* ---- starting ---- */

enum registry_answer {
	REGISTRY_OK,
	REGISTRY_STOPPING,
	REGISTRY_FULL,	      /* running_max */
	REGISTRY_OWNER_FULL,  /* owner.jobs_max */
	REGISTRY_OWNER_WORDS, /* owner.words_per_day */
};
/* What a job counts for its owner until its end: the words it was asked for. */
long registry_words(const struct spec *spec);
/* Whether a job of so many words could start, or go on. ret_words_left: of the owner's today. */
enum registry_answer registry_ask(const struct registry *registry, const char *owner, long words,
				  uint64_t *ret_words_left);
/* The same for the rest of a parked job: OK, ERR_LIMIT, ERR_CANCELED (stopping). */
MUST_CHECK enum err registry_admit(const struct registry *registry, const char *owner,
				   const struct state *state);
/* Starts a job; without a reader it goes on for request->grace. ERR_LIMIT: registry_ask() says
 * which; ERR_CANCELED: registry_stop() was called; ERR_NO_MEMORY. request->spec is empty
 * afterwards. */
MUST_CHECK enum err registry_start(struct registry *registry, struct job_request *request,
				   struct job **ret_job);

/* ---- finding and reading ---- */

/* NULL: not here. The job is valid until the end of the turn, or as long as a reader is
 * attached. */
struct job *registry_find(struct registry *registry, const char *id);
/* A view's way to attach and detach; the grace runs from the last detach. */
void registry_attach(struct job *job, struct reader *reader, reader_fn on_events);
void registry_detach(struct job *job, struct reader *reader);
/* Content of the job has gone to a client: a repeated request finds it as fresh no more. `fresh` is
 * its label, "" none (copied); `job` NULL: not here. */
void registry_note_delivery(struct registry *registry, struct job *job, const char *id,
			    const char *fresh);
size_t registry_running(const struct registry *registry);
/* A job in a list; strings are valid until the end of the turn. */
struct job_summary {
	const char *id, *owner, *model_id;
	const char *status; /* as state_status() */
	uint64_t created_ms;
	long target_words, words;
};
struct job_summary job_summary_of(const char *id, const char *owner, const char *model_id,
				  const struct state *state);
/* Calls each(context, summary) for all jobs that are here, newest first. */
void registry_each(struct registry *registry,
		   void (*each)(void *context, const struct job_summary *summary), void *context);

/* ---- taking up a job that is not here ---- */

/* Embedded by who wants it; those who want the same job share one claim. */
struct taking {
	struct op op;	/* prepared by the caller */
	const char *id; /* borrowed until done() */
	/* The reader's "Authorization: ...", for a backend without a key of its own; borrowed
	 * likewise; NULL: none. */
	const char *authorization;
	/* It is cancelled when it is here: whoever writes it stops, and no limit counts. */
	bool is_to_end;
	struct list node; /* the registry's */
};

/* Results: OK: registry_find() has it now, or it has ended; attach soon, its grace runs.
 * ERR_CONFLICT: somebody else was first: read on; ERR_LIMIT: not now; ERR_CANCELED: cancelled, or
 * this process stops; ERR_NOT_FOUND: there is no such log; ERR_BROKEN, ERR_INVALID: its log cannot
 * be gone on with; ERR_TIMEOUT ...: the store's. */
void registry_take(struct registry *registry, struct taking *taking);

/* The same for nobody in particular: it goes on for its grace. */
void registry_wake(struct registry *registry, const char *id, const char *authorization);

/* ---- erasing ---- */

/* One erasing of a job, embedded by who wants it. */
struct erasure {
	struct op op;	/* prepared by the caller; it cannot be cancelled */
	const char *id; /* borrowed until done() */
	struct registry *registry;
	struct store_erase erase;
	bool was_here; /* the registry's: its log may not even have reached the store */
};

/* Stops the job, ends its readers (ERR_NOT_FOUND) and erases its log, here or only in the store;
 * a process that writes it stops at its next append. From now on registry_find() does not know it,
 * from done() on the store neither. Results: OK, ERR_NOT_FOUND, or the store's failure: then the
 * log may still be there. */
void registry_erase(struct registry *registry, const char *id, struct erasure *erasure);

/* ---- stopping ---- */

/* Where other processes share the store: running jobs are offered to them at once, and no orphan is
 * taken any more; readers follow their jobs. Elsewhere it does nothing. May be called again. */
void registry_hand_over(struct registry *registry);
/* The end: nothing starts any more. Running jobs are offered where the store is shared; parked
 * where it is durable; and end with `failed` (shutting_down) where their text goes with this
 * process. Readers of what goes on elsewhere, or later, are told ERR_CANCELED. on_idle fires on a
 * later turn when nothing runs (any more) and nothing is under way to the store; a store that does
 * not answer is waited for so long as STOP_TRIES of its operations may take. */
enum { STOP_TRIES = 2 };
void registry_stop(struct registry *registry, void (*on_idle)(void *context), void *context);
#endif
