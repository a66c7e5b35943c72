/* log_cursor - reads a job's log from its first event on, wherever the log is, and follows it to
 * its end: live out of the job while this process writes or still holds it; else out of the store,
 * a piece at a time, and by looking again every follow_ms at its end.
 *
 *              the job is here                    parked, handed over, taken over
 *     store ──────────────────────► the job's log ───────────────────────────────► store
 *       └── parked, and nobody has taken it up: registry_take()
 *
 * Whatever happens to the job, its reader sees each event once, and text without a gap. A store
 * that does not answer is waited for; so is a place among the running jobs.
 *
 * A cursor holds one event, or one read of the store: a slow reader never slows the writer and
 * never makes memory grow. It owns itself: made by log_cursor_new(), given up by log_cursor_free(),
 * also inside its callbacks. They come inside log_cursor_read(), and on later turns when there is
 * more to read; none comes inside log_cursor_new(). A live cursor counts as a reader of its job. */
#ifndef LONGHAND_JOB_LOG_CURSOR_H
#define LONGHAND_JOB_LOG_CURSOR_H
#include "job/registry.h"

struct log_cursor;

struct log_cursor_options {
	struct registry *registry; /* it knows the store */
	void *user;
	/* Nothing is taken while it is so; log_cursor_read() goes on. */
	bool (*is_full)(void *user);
	/* The next event, valid in this call. False: nothing more is wanted, and the cursor may be
	 * freed already. */
	bool (*take)(void *user, const struct event *event);
	/* Once, and last: nothing more can be read though the log has no end.
	 * ERR_CONFLICT (the log cannot be read on: text is missing in it), ERR_NOT_FOUND (no such
	 * log, or erased), ERR_CANCELED (this process stops, the text is kept), or the store's. */
	void (*fail)(void *user, enum err error);
	/* The log's entries from the first on, where they have just been read: taken over, for a
	 * cursor that begins in the store. NULL: none. */
	struct buf *entries;
};

/* `job` NULL: from the store, by `id` (copied). NULL: memory is out. */
struct log_cursor *log_cursor_new(const struct log_cursor_options *options, struct job *job,
				  const char *id);
/* What a backend without a key of its own is to be asked with, if the job has to be taken up: the
 * reader's "Authorization: ..." (copied; NULL: none). ERR_NO_MEMORY. */
MUST_CHECK enum err log_cursor_authorize(struct log_cursor *cursor, const char *authorization);
/* Nothing comes after it. NULL ok. */
void log_cursor_free(struct log_cursor *cursor);
/* What was read has gone to a client, content among it. */
void log_cursor_note_delivery(struct log_cursor *cursor);
/* Reads on: to begin with, and when there is room again. NULL ok. */
void log_cursor_read(struct log_cursor *cursor);
#endif
