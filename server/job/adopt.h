/* adopt - whether a request repeats an earlier one, whose job it then takes up, wherever that is:
 *
 *   a) same key: same request, else ADOPT_KEY_REUSED;
 *   b) same request, and it says that it is a retry, and nobody here reads the job; or the job has
 *      ended less than ADOPT_MS ago and no byte of its content was ever delivered.
 *
 * The newest one counts. Jobs that failed or were cancelled have nothing to give: asked again, they
 * are written anew. Jobs that are here are looked at first; then the store is asked by labels: for
 * all of them at once, then for the logs that it names. A store that does not answer within
 * adopt_ms, or is down, has nothing to say: better twice than not at all. */
#ifndef LONGHAND_JOB_ADOPT_H
#define LONGHAND_JOB_ADOPT_H
#include "job/labels.h"
#include "job/registry.h"
#include "job/replay.h"

enum { ADOPT_MS = 600000, ADOPT_LOGS_MAX = 4 };
enum adopt_answer { ADOPT_NOTHING, ADOPT_JOB, ADOPT_KEY_REUSED };

struct adoption {
	struct op op; /* prepared by the caller */
	struct registry *registry;
	struct labels labels; /* of the request */
	bool is_retry;
	/* The result. */
	enum adopt_answer answer;
	char id[JOB_ID_BYTES]; /* of ADOPT_JOB */
	bool is_parked;	       /* it can only be read on when it may go on: see registry_admit */
	/* Its own. */
	struct store_find by_key, by_request;
	struct replay replay; /* of a log that was found */
	bool has_replay;
	unsigned n_finding;
	size_t next; /* of the logs found: those by key, then the others */
	unsigned n_read;
};

/* registry, labels and is_retry are set; the op's result is OK, or that of its cancel. */
void adopt_start(struct adoption *adoption);
/* Not while its op is live; twice is once. */
void adopt_release(struct adoption *adoption);
#endif
