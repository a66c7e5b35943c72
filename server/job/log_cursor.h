/* log_cursor - reads a job's log from its first event on, wherever the log is: live out of the job
 * that this process runs or still holds, or out of the store, a piece at a time.
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
	 * ERR_CONFLICT (taken over), ERR_NOT_FOUND (no such log, or erased), ERR_BROKEN (nobody
	 * writes it any more), or the store's. */
	void (*fail)(void *user, enum err error);
};

/* `job` NULL: from the store, by `id` (copied). NULL: memory is out. */
struct log_cursor *log_cursor_new(const struct log_cursor_options *options, struct job *job,
				  const char *id);
/* Nothing comes after it. NULL ok. */
void log_cursor_free(struct log_cursor *cursor);
/* What was read has gone to a client, content among it. */
void log_cursor_note_delivery(struct log_cursor *cursor);
/* Reads on: to begin with, and when there is room again. NULL ok. */
void log_cursor_read(struct log_cursor *cursor);
#endif
