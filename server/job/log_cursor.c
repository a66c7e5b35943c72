#include "job/log_cursor.h"
#include "base/mem.h"
#include "job/event_codec.h"
#include "job/registry_parts.h"
#include <stdio.h>
#include <string.h>

enum { READ_BYTES = 64 << 10, READ_BYTES_MAX = 128 << 20 };

struct log_cursor {
	struct log_cursor_options options;
	struct job *job; /* NULL: from the store */
	struct reader reader;

	/* From the store. */
	char id[JOB_ID_BYTES];
	struct store_read read;
	size_t at;	    /* of the next line in read.entries */
	struct event event; /* decoded; the cursor's own */
	bool has_event;
	bool is_reading;
	bool is_more;	/* the store has entries behind those read */
	bool has_ended; /* the log's end event was read */
	bool is_freed;	/* while a read is in flight */
	enum err error;
};

/* ---- from the store ---- */

static void drop_event(struct log_cursor *cursor)
{
	if (cursor->has_event)
		event_release(&cursor->event);
	cursor->has_event = false;
}

static void free_now(struct log_cursor *cursor)
{
	drop_event(cursor);
	buf_release(&cursor->read.entries);
	mem_free(cursor);
}

static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct log_cursor *cursor = container_of(read, struct log_cursor, read);

	cursor->is_reading = false;
	cursor->is_more = op->result == OK && read->is_more;
	cursor->error = op->result;
	if (cursor->is_freed)
		free_now(cursor);
	else
		log_cursor_read(cursor);
}

static void read_more(struct log_cursor *cursor)
{
	struct registry *registry = cursor->options.registry;
	struct store *store = registry->ports->store;
	struct store_read *read = &cursor->read;

	buf_release(&read->entries);
	buf_init(&read->entries, READ_BYTES_MAX);
	cursor->at = 0;
	cursor->is_reading = true;
	read->job = cursor->id;
	read->after = read->last;
	read->bytes_max = READ_BYTES;
	op_prepare(&read->op, registry->ports->reactor, registry->options->job.log.store_ms,
		   on_read_done);
	store->read(store, read);
}

static const struct event *decode_next(struct log_cursor *cursor)
{
	const char *line = buf_str(&cursor->read.entries) + cursor->at;
	size_t left = cursor->read.entries.len - cursor->at;
	const char *newline = memchr(line, '\n', left);
	size_t len = newline != NULL ? (size_t)(newline - line) : left;

	cursor->error = event_decode(line, len, &cursor->event);
	if (cursor->error != OK)
		return NULL;
	cursor->at += newline != NULL ? len + 1 : len;
	cursor->has_event = true;
	cursor->has_ended = event_is_end(cursor->event.kind);
	return &cursor->event;
}

static const struct event *next_stored(struct log_cursor *cursor)
{
	drop_event(cursor);
	if (cursor->is_reading || cursor->error != OK)
		return NULL;
	if (cursor->at < cursor->read.entries.len)
		return decode_next(cursor);
	if (cursor->is_more)
		read_more(cursor);
	else if (!cursor->has_ended)
		cursor->error = ERR_BROKEN;
	return NULL;
}

/* ---- both ---- */

static const struct event *next_event(struct log_cursor *cursor)
{
	if (cursor->job == NULL)
		return next_stored(cursor);
	/* What is erased is not read to its end either. */
	return cursor->job->log.error != ERR_NOT_FOUND ? reader_next(&cursor->reader) : NULL;
}

static enum err error_of(const struct log_cursor *cursor)
{
	if (cursor->job == NULL)
		return cursor->is_reading ? OK : cursor->error;
	if (cursor->job->log.error == ERR_NOT_FOUND)
		return ERR_NOT_FOUND;
	return cursor->reader.next == cursor->job->log.n_landed ? cursor->job->log.error : OK;
}

/* An error is told to a full reader too: nothing that it could read comes any more. */
void log_cursor_read(struct log_cursor *cursor)
{
	const struct event *event;
	enum err error;

	if (cursor == NULL)
		return;
	while (!cursor->options.is_full(cursor->options.user)) {
		event = next_event(cursor);
		if (event == NULL)
			break;
		if (!cursor->options.take(cursor->options.user, event))
			return;
	}
	error = error_of(cursor);
	if (error != OK)
		cursor->options.fail(cursor->options.user, error);
}

static void on_events(struct reader *reader)
{
	log_cursor_read(container_of(reader, struct log_cursor, reader));
}

struct log_cursor *log_cursor_new(const struct log_cursor_options *options, struct job *job,
				  const char *id)
{
	struct log_cursor *cursor = mem_alloc(sizeof(*cursor));

	if (cursor == NULL)
		return NULL;
	cursor->options = *options;
	cursor->job = job;
	(void)snprintf(cursor->id, sizeof(cursor->id), "%s", id);
	buf_init(&cursor->read.entries, READ_BYTES_MAX);
	if (job != NULL)
		registry_attach(job, &cursor->reader, on_events);
	else
		read_more(cursor);
	return cursor;
}

void log_cursor_free(struct log_cursor *cursor)
{
	if (cursor == NULL)
		return;
	if (cursor->job != NULL)
		registry_detach(cursor->job, &cursor->reader);
	cursor->is_freed = true;
	if (cursor->is_reading)
		op_cancel(&cursor->read.op, ERR_CANCELED);
	else
		free_now(cursor);
}

void log_cursor_note_delivery(struct log_cursor *cursor)
{
	if (cursor->job != NULL)
		registry_note_delivery(cursor->job);
}
