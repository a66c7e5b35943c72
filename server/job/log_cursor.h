/* log_cursor - reads a job's log from its first event on, wherever the log is: live out of the job
 * that this process runs or still holds, or out of the store, a piece at a time.
 *
 * A cursor holds one event, or one read of the store: a slow reader never slows the writer and
 * never makes memory grow. It owns itself: made by log_cursor_new(), given up by log_cursor_free(),
 * also inside on_events. on_events() comes on later turns when there is more to read, or when
 * log_cursor_error() has something to say. A live cursor counts as a reader of its job. */
#ifndef LONGHAND_JOB_LOG_CURSOR_H
#define LONGHAND_JOB_LOG_CURSOR_H
#include "job/registry.h"

struct log_cursor;

struct log_cursor_options {
	struct reactor *reactor;
	struct store *store;
	uint64_t store_ms; /* deadline of one read */
	void (*on_events)(void *user);
	void *user;
};

/* `job` NULL: from the store, by `id` (copied). NULL: memory is out. */
struct log_cursor *log_cursor_new(const struct log_cursor_options *options, struct job *job,
				  const char *id);
/* Nothing comes after it. NULL ok. */
void log_cursor_free(struct log_cursor *cursor);
/* What was read has gone to a client, content among it. */
void log_cursor_note_delivery(struct log_cursor *cursor);
/* The next event, valid until the next call; NULL: none now. */
const struct event *log_cursor_next(struct log_cursor *cursor);
/* OK, or why nothing will come any more though the log has no end: ERR_CONFLICT (taken over),
 * ERR_NOT_FOUND (no such log, or erased), ERR_BROKEN (nobody writes it any more), or the store's.
 * Only to be asked once log_cursor_next() gave NULL. */
enum err log_cursor_error(const struct log_cursor *cursor);
#endif
