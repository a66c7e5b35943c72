/* replay - the state of a job out of its log in the store: for jobs that this process does not
 * run (any more). */
#ifndef LONGHAND_JOB_REPLAY_H
#define LONGHAND_JOB_REPLAY_H
#include "job/entries.h"
#include "job/labels.h"
#include "writing/state.h"

struct replay {
	struct op op; /* prepared by the caller */
	struct store *store;
	struct store_read read;
	struct entries entries;
	uint64_t store_ms;
	struct state state;	/* the result; state_release() it, whatever the result was */
	char *owner, *model_id; /* of the created event; replay_release() */
	json_t *response;	/* its member, NULL: none */
	struct labels labels;	/* likewise */
	struct buf whole;	/* the log, where it came in one piece; likewise */
};

/* Results: OK, ERR_NOT_FOUND, ERR_INVALID (a log that cannot be), ERR_BROKEN (text is lost in it),
 * ERR_TIMEOUT, ERR_NO_MEMORY. `job` is borrowed until done(). */
void replay_start(struct replay *replay, struct store *store, const char *job, uint64_t store_ms);
void replay_release(struct replay *replay);
#endif
