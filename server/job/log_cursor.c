#include "job/log_cursor.h"
#include "base/mem.h"
#include "job/entries.h"
#include "job/labels.h"
#include "job/registry_parts.h"
#include <stdio.h>
#include <string.h>

enum { READ_BYTES = 64 << 10, READ_BYTES_MAX = 128 << 20 };
/* In times of follow_ms: what was handed over is taken up by another process before; a place among
 * the running jobs is asked for again; a store that failed is. */
enum { HANDED_OVER_LOOKS = 30, AGAIN_LOOKS = 5 };
/* An emptied store gets its logs back from those who write them. */
enum { LOST_MS = 5000 };
/* A store that is up, and fails so many times its deadline, has failed for good. */
enum { FAIL_TRIES = 5 };

struct log_cursor {
	struct log_cursor_options options;
	struct follower follower;
	char id[JOB_ID_BYTES];
	char fresh[STORE_LABEL_BYTES]; /* of `created`; "": none, or known to be gone */
	char *authorization;
	struct job *job; /* NULL: it follows the store */
	struct reader reader;

	struct entries entries; /* the place reached, also of what was read live */
	struct store_read read;
	struct event event; /* out of the entries; the cursor's own */
	bool has_event;
	bool is_reading, is_taking;
	bool is_more; /* the store has entries behind those read */
	struct taking taking;
	struct timer look;
	bool is_parked, is_handed_over; /* by the last event */
	unsigned looks;			/* since then */
	uint64_t failing_since_ms;	/* 0: the last read went well */
	bool is_freed;			/* while something is under way */
	bool is_told;			/* fail() was called */
	enum err error;
};

static struct reactor *reactor_of(const struct log_cursor *cursor)
{
	return cursor->options.registry->ports->reactor;
}

static void drop_event(struct log_cursor *cursor)
{
	if (cursor->has_event)
		event_release(&cursor->event);
	cursor->has_event = false;
}

static void free_if_idle(struct log_cursor *cursor)
{
	if (cursor->is_reading || cursor->is_taking)
		return;
	drop_event(cursor);
	buf_release(&cursor->read.entries);
	mem_free(cursor->authorization);
	mem_free(cursor);
}

/* ---- what every event says ---- */

static void note_event(struct log_cursor *cursor, const struct event *event)
{
	const char *reason = json_string_value(json_object_get(event->data, "reason"));
	struct labels labels;

	cursor->is_parked = event->kind == EVENT_PARKED;
	cursor->is_handed_over =
		cursor->is_parked && reason != NULL && strcmp(reason, EVENT_REASON_OFFERED) == 0;
	cursor->looks = 0;
	if (event->kind != EVENT_CREATED)
		return;
	labels_from_json(json_object_get(event->data, "labels"), &labels);
	memcpy(cursor->fresh, labels.fresh, sizeof(cursor->fresh));
}

/* ---- out of the store ---- */

static void on_look(struct timer *timer);

static void look_after(struct log_cursor *cursor, unsigned looks)
{
	struct reactor *reactor = reactor_of(cursor);
	uint64_t follow_ms = cursor->options.registry->options->follow_ms;

	reactor->timer_start(reactor, &cursor->look, looks * follow_ms, on_look);
}

/* Not there now, or not to be had now: for how long that may be so. */
static uint64_t patience_ms(const struct log_cursor *cursor, enum err result)
{
	const struct registry *registry = cursor->options.registry;
	struct store *store = registry->ports->store;

	switch (result) {
	case ERR_NOT_FOUND:
		return store->reach == STORE_SHARED && cursor->entries.last.epoch > 0 ? LOST_MS : 0;
	case ERR_NO_MEMORY:
	case ERR_TOO_LARGE:
	case ERR_INVALID:
		return 0;
	default:
		return store->is_up(store) ? FAIL_TRIES * registry->options->job.log.store_ms
					   : UINT64_MAX;
	}
}

static void note_failure(struct log_cursor *cursor, enum err result)
{
	uint64_t now_ms = reactor_of(cursor)->now_ms(reactor_of(cursor));

	if (cursor->failing_since_ms == 0)
		cursor->failing_since_ms = now_ms > 0 ? now_ms : 1;
	if (now_ms - cursor->failing_since_ms >= patience_ms(cursor, result))
		cursor->error = result;
	else
		look_after(cursor, AGAIN_LOOKS);
}

static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct log_cursor *cursor = container_of(read, struct log_cursor, read);

	cursor->is_reading = false;
	if (cursor->is_freed) {
		free_if_idle(cursor);
		return;
	}
	cursor->is_more = op->result == OK && read->is_more;
	if (op->result == OK) {
		cursor->failing_since_ms = 0;
		entries_feed(&cursor->entries,
			     (struct slice){ buf_str(&read->entries), read->entries.len });
	} else {
		note_failure(cursor, op->result);
	}
	log_cursor_read(cursor);
}

static void read_more(struct log_cursor *cursor)
{
	struct registry *registry = cursor->options.registry;
	struct store *store = registry->ports->store;
	struct store_read *read = &cursor->read;

	buf_release(&read->entries);
	buf_init(&read->entries, READ_BYTES_MAX);
	cursor->is_reading = true;
	read->job = cursor->id;
	read->after = cursor->entries.last;
	read->bytes_max = READ_BYTES;
	op_prepare(&read->op, registry->ports->reactor, registry->options->job.log.store_ms,
		   on_read_done);
	store->read(store, read);
}

/* NULL: nothing now; what comes next is arranged for. */
static const struct event *next_stored(struct log_cursor *cursor)
{
	enum err err;

	drop_event(cursor);
	if (cursor->is_reading || cursor->error != OK)
		return NULL;
	err = entries_next(&cursor->entries, &cursor->event);
	if (err == OK) {
		cursor->has_event = true;
		return &cursor->event;
	}
	if (err != ERR_NOT_FOUND)
		cursor->error = err == ERR_BROKEN ? ERR_CONFLICT : err;
	else if (cursor->is_more)
		read_more(cursor);
	return NULL;
}

/* ---- here ---- */

static void on_events(struct reader *reader)
{
	log_cursor_read(container_of(reader, struct log_cursor, reader));
}

static bool is_above(const struct event *event, struct store_place place)
{
	if (event->epoch != place.epoch)
		return event->epoch > place.epoch;
	return event->seq > place.seq;
}

/* The first event behind the place reached. */
static size_t index_in(const struct log_cursor *cursor, const struct event_log *log)
{
	size_t low = 0, high = log->n_landed;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_above(&log->events[middle], cursor->entries.last))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void join_job(struct log_cursor *cursor, struct job *job)
{
	cursor->job = job;
	registry_attach(job, &cursor->reader, on_events);
	cursor->reader.next = index_in(cursor, &job->log);
	cursor->is_parked = false;
	cursor->failing_since_ms = 0;
}

static void leave_job(struct log_cursor *cursor)
{
	registry_detach(cursor->job, &cursor->reader);
	cursor->job = NULL;
	cursor->is_more = false;
	entries_feed(&cursor->entries, (struct slice){ "", 0 });
}

/* The same that entries_next() sees to. */
static bool note_place(struct log_cursor *cursor, const struct event *event)
{
	struct entries *entries = &cursor->entries;

	if (event->kind == EVENT_TEXT && event->at_byte != entries->content_bytes)
		return false;
	entries->last = (struct store_place){ event->epoch, event->seq };
	entries->has_ended = event_is_end(event->kind);
	if (event->kind == EVENT_TEXT)
		entries->content_bytes += event->text_len;
	return true;
}

/* What is erased is not read to its end either. */
static const struct event *next_live(struct log_cursor *cursor)
{
	const struct event_log *log = &cursor->job->log;
	const struct event *event;

	if (log->error == ERR_NOT_FOUND) {
		cursor->error = ERR_NOT_FOUND;
		return NULL;
	}
	event = reader_next(&cursor->reader);
	if (event != NULL) {
		if (note_place(cursor, event))
			return event;
		cursor->error = ERR_CONFLICT;
	} else if (log->error == ERR_CONFLICT || cursor->is_parked) {
		leave_job(cursor); /* it goes on elsewhere, or may be taken up again */
	} else {
		cursor->error = log->error;
	}
	return NULL;
}

/* ---- taking it up ---- */

static void on_taken(struct op *op)
{
	struct taking *taking = container_of(op, struct taking, op);
	struct log_cursor *cursor = container_of(taking, struct log_cursor, taking);

	cursor->is_taking = false;
	if (cursor->is_freed) {
		free_if_idle(cursor);
		return;
	}
	switch (op->result) {
	case OK:
		on_look(&cursor->look);
		return;
	case ERR_CONFLICT: /* somebody else's: it is to be read on */
		look_after(cursor, 1);
		break;
	case ERR_LIMIT:
	case ERR_CANCELED:
		look_after(cursor, AGAIN_LOOKS);
		break;
	case ERR_BROKEN:
		cursor->error = ERR_CONFLICT;
		break;
	default:
		note_failure(cursor, op->result);
		break;
	}
	log_cursor_read(cursor);
}

static void take_up(struct log_cursor *cursor)
{
	cursor->is_taking = true;
	cursor->taking =
		(struct taking){ .id = cursor->id, .authorization = cursor->authorization };
	op_prepare(&cursor->taking.op, reactor_of(cursor), 0, on_taken);
	registry_take(cursor->options.registry, &cursor->taking);
}

/* All that the store had was read. */
static void wait_for_more(struct log_cursor *cursor)
{
	struct registry *registry = cursor->options.registry;

	if (cursor->error != OK || cursor->is_reading || cursor->is_taking || cursor->is_freed ||
	    cursor->look.fire != NULL || cursor->entries.left.len > 0 || cursor->is_more ||
	    cursor->entries.has_ended)
		return;
	cursor->looks++;
	if (registry->is_closed)
		cursor->error = ERR_CANCELED;
	else if (cursor->is_parked &&
		 (!cursor->is_handed_over || cursor->looks > HANDED_OVER_LOOKS))
		take_up(cursor);
	else
		look_after(cursor, 1);
}

static void on_look(struct timer *timer)
{
	struct log_cursor *cursor = container_of(timer, struct log_cursor, look);
	struct job *job = registry_find(cursor->options.registry, cursor->id);

	if (job != NULL && !job->is_parked)
		join_job(cursor, job);
	else
		read_more(cursor);
	log_cursor_read(cursor);
}

/* ---- both ---- */

static const struct event *next_event(struct log_cursor *cursor)
{
	const struct event *event;

	event = cursor->job != NULL ? next_live(cursor) : next_stored(cursor);
	if (event != NULL)
		note_event(cursor, event);
	return event;
}

/* An error is told to a full reader too: nothing that it could read comes any more. */
static void tell_error(struct log_cursor *cursor)
{
	if (cursor->job != NULL && cursor->job->log.error == ERR_NOT_FOUND)
		cursor->error = ERR_NOT_FOUND;
	if (cursor->error == OK || cursor->is_told)
		return;
	cursor->is_told = true;
	cursor->options.fail(cursor->options.user, cursor->error);
}

void log_cursor_read(struct log_cursor *cursor)
{
	if (cursor == NULL || cursor->is_told)
		return;
	while (!cursor->options.is_full(cursor->options.user)) {
		const struct event *event = next_event(cursor);

		if (event == NULL)
			break;
		if (!cursor->options.take(cursor->options.user, event))
			return;
	}
	if (cursor->job == NULL)
		wait_for_more(cursor);
	tell_error(cursor);
}

/* Of a job that ends here, it reads the end. */
static void on_closed(struct follower *follower)
{
	struct log_cursor *cursor = container_of(follower, struct log_cursor, follower);

	if (cursor->job != NULL || cursor->error != OK)
		return;
	cursor->error = ERR_CANCELED;
	tell_error(cursor);
}

/* What comes behind them is looked for like anything new. */
static void take_entries(struct log_cursor *cursor, struct buf *entries)
{
	cursor->read.entries = *entries;
	buf_init(entries, entries->max_bytes);
	entries_feed(&cursor->entries,
		     (struct slice){ buf_str(&cursor->read.entries), cursor->read.entries.len });
}

struct log_cursor *log_cursor_new(const struct log_cursor_options *options, struct job *job,
				  const char *id)
{
	struct log_cursor *cursor = mem_alloc(sizeof(*cursor));

	if (cursor == NULL)
		return NULL;
	cursor->options = *options;
	(void)snprintf(cursor->id, sizeof(cursor->id), "%s", id);
	buf_init(&cursor->read.entries, READ_BYTES_MAX);
	entries_init(&cursor->entries);
	cursor->follower.id = cursor->id;
	cursor->follower.on_closed = on_closed;
	list_append(&options->registry->followers, &cursor->follower.node);
	if (job != NULL)
		join_job(cursor, job);
	else if (options->entries != NULL && options->entries->len > 0)
		take_entries(cursor, options->entries);
	else
		read_more(cursor);
	return cursor;
}

enum err log_cursor_authorize(struct log_cursor *cursor, const char *authorization)
{
	char *copy = authorization != NULL ? mem_strdup(authorization) : NULL;

	if (authorization != NULL && copy == NULL)
		return ERR_NO_MEMORY;
	mem_free(cursor->authorization);
	cursor->authorization = copy;
	return OK;
}

void log_cursor_free(struct log_cursor *cursor)
{
	if (cursor == NULL)
		return;
	if (cursor->job != NULL)
		registry_detach(cursor->job, &cursor->reader);
	list_remove(&cursor->follower.node);
	reactor_of(cursor)->timer_stop(reactor_of(cursor), &cursor->look);
	cursor->is_freed = true;
	if (cursor->is_reading)
		op_cancel(&cursor->read.op, ERR_CANCELED);
	if (cursor->is_taking)
		op_cancel(&cursor->taking.op, ERR_CANCELED);
	free_if_idle(cursor);
}

void log_cursor_note_delivery(struct log_cursor *cursor)
{
	if (cursor->fresh[0] == '\0')
		return;
	registry_note_delivery(cursor->options.registry, cursor->job, cursor->id, cursor->fresh);
	cursor->fresh[0] = '\0';
}
