/* registry - the jobs of this process: running ones, and those that ended a moment ago.
 *
 * It owns its jobs. A job leaves keep_ms after its end, once no reader is attached; what it wrote
 * is then still in the store for as long as that keeps it. A job whose last reader left parks
 * after the grace given for it, because nobody would see what it writes: its backend's call is
 * closed, and it counts as running no more. When a reader comes back it goes on. Nobody came for
 * park_ms: it is cancelled, and its text stays as long as any finished one's.
 *
 * What a list of jobs shows stays for retention_ms after the end: no text, no plan. */
#ifndef LONGHAND_JOB_REGISTRY_H
#define LONGHAND_JOB_REGISTRY_H
#include "job/job.h"
#include "job/ledger.h"

struct registry;

struct registry_options {
	size_t running_max;
	size_t parked_max; /* above it the one parked longest ago is cancelled; 0: no bound */
	uint64_t park_ms;
	uint64_t keep_ms; /* after the end */
	uint64_t retention_ms; /* after the end it is still listed */
	struct ledger_limits owner; /* of each */
	struct job_options job;
};

/* Ports and options are borrowed until registry_reload() gives others, and for the jobs' lives. */
MUST_CHECK enum err registry_new(const struct job_ports *ports,
				 const struct registry_options *options,
				 struct registry **ret_registry);
/* Jobs that start from now on have these; the ones that are there keep theirs. The reactor must be
 * the same. */
void registry_reload(struct registry *registry, const struct job_ports *ports,
		     const struct registry_options *options);
/* How many jobs still have these ports, and the options that came with them. */
size_t registry_uses(const struct registry *registry, const struct job_ports *ports);
/* No job may be running; NULL ok. */
void registry_free(struct registry *registry);
enum registry_answer {
	REGISTRY_OK,
	REGISTRY_STOPPING,
	REGISTRY_FULL,	      /* running_max */
	REGISTRY_OWNER_FULL,  /* owner.jobs_max */
	REGISTRY_OWNER_WORDS, /* owner.words_per_day */
};
/* What a job counts for its owner until its end: the words it was asked for. */
long registry_words(const struct spec *spec);
/* Whether a job of so many words could start. ret_words_left: of the owner's today. */
enum registry_answer registry_ask(const struct registry *registry, const char *owner, long words,
				  uint64_t *ret_words_left);
/* Starts a job. reader_grace_ms: how long it goes on without a reader (UINT64_MAX: for ever).
 * ERR_LIMIT: registry_ask() says which; ERR_CANCELED: registry_stop() was called; ERR_NO_MEMORY.
 * request->spec is empty afterwards. */
MUST_CHECK enum err registry_start(struct registry *registry, struct job_request *request,
				   uint64_t reader_grace_ms, struct job **ret_job);
/* One erasing of a job, embedded by who wants it. */
struct erasure {
	struct op op; /* prepared by the caller; it cannot be cancelled */
	const char *id; /* borrowed until done() */
	struct registry *registry;
	struct store_erase erase;
	bool was_here; /* the registry's: its log may not even have reached the store */
};

/* Stops the job, ends its readers (ERR_NOT_FOUND) and erases its log, here or only in the store.
 * From now on registry_find() does not know it, from done() on the store neither. Results: OK,
 * ERR_NOT_FOUND, or the store's failure: then the log may still be there. */
void registry_erase(struct registry *registry, const char *id, struct erasure *erasure);
/* NULL: not here. The job is valid until the end of the turn, or as long as a reader is
 * attached. */
struct job *registry_find(struct registry *registry, const char *id);
/* Whether a request repeats an earlier one, whose job it then takes up (newest first):
 *   a) same owner, same key: same hash, else REGISTRY_KEY_REUSED;
 *   b) same owner, same hash, no reader attached, and it says that it is a retry, or the earlier
 *      job has ended less than ADOPT_MS ago and no byte of its content was ever delivered.
 * Jobs that failed or were cancelled have nothing to give: asked again, they are written anew. */
enum registry_adoption { REGISTRY_NOT_KNOWN, REGISTRY_ADOPTED, REGISTRY_KEY_REUSED };
enum { ADOPT_MS = 600000 };
enum registry_adoption registry_adopt(const struct registry *registry, const char *owner,
				      const struct origin *origin, bool is_retry,
				      char ret_id[JOB_ID_BYTES]);
/* Content of the job has gone to a client. */
void registry_note_delivery(struct job *job);
/* Before a reader comes back: a parked job goes on. ERR_LIMIT, ERR_CANCELED: see registry_start;
 * ERR_NO_MEMORY. */
MUST_CHECK enum err registry_resume(struct job *job);
/* A view's way to attach and detach; the grace runs from the last detach. */
void registry_attach(struct job *job, struct reader *reader, reader_fn on_events);
void registry_detach(struct job *job, struct reader *reader);
/* Without those that are parked. */
size_t registry_running(const struct registry *registry);
/* A job in a list; strings are valid until the end of the turn. */
struct job_summary {
	const char *id, *owner, *model_id;
	const char *status; /* as state_status() */
	uint64_t created_ms;
	long target_words, words;
};
/* Calls each(context, summary) for all jobs within their retention, newest first. */
void registry_each(struct registry *registry,
		   void (*each)(void *context, const struct job_summary *summary), void *context);
/* Ends all running jobs with `failed` (shutting_down); on_idle fires on a later turn when none
 * runs (any more)
 * and nothing is being erased. */
void registry_stop(struct registry *registry, void (*on_idle)(void *context), void *context);
#endif
