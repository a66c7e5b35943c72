#include "job/event_log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/must.h"
#include "job/event_codec.h"
#include <string.h>

static void start_write(struct event_log *log);
static void start_read(struct event_log *log);

void event_log_init(struct event_log *log, struct reactor *reactor, struct store *store,
		    const struct event_log_options *options, const char *job)
{
	*log = (struct event_log){ .reactor = reactor,
				   .store = store,
				   .options = options,
				   .job = job,
				   .epoch = 1,
				   .next_seq = 1 };
	buf_init(&log->pending, EVENT_LOG_ENTRY_BYTES_MAX);
	buf_init(&log->flying, EVENT_LOG_ENTRY_BYTES_MAX);
	list_init(&log->readers);
}

void event_log_release(struct event_log *log)
{
	MUST(log->phase == LOG_IDLE);
	LIST_EACH (node, &log->readers)
		reader_detach(container_of(node, struct reader, node));
	log->reactor->timer_stop(log->reactor, &log->flush_timer);
	log->reactor->timer_stop(log->reactor, &log->again_timer);
	log->reactor->undefer(log->reactor, &log->flush);
	for (size_t i = 0; i < log->n_events; i++)
		event_release(&log->events[i]);
	mem_free(log->events);
	buf_release(&log->pending);
	buf_release(&log->flying);
}

/* ---- what moves on: tell the readers, then the owner ---- */

static void tell(struct event_log *log)
{
	LIST_EACH (node, &log->readers) {
		struct reader *reader = container_of(node, struct reader, node);

		reader->on_events(reader);
	}
	log->on_moved(log);
}

static void fail(struct event_log *log, enum err error)
{
	if (log->error == OK)
		log->error = error;
	log->phase = LOG_IDLE;
	buf_clear(&log->pending);
	tell(log);
}

static void landed(struct event_log *log)
{
	log->phase = LOG_IDLE;
	log->is_created = true;
	metric_add(METRIC_EVENTS, log->n_flying);
	log->n_landed += log->n_flying;
	log->n_flying = 0;
	if (log->pending.len >= log->options->flush_bytes)
		start_write(log);
	tell(log); /* may append: touches phase only through flushes of its own */
}

/* ---- the write in flight, and the doubt after it ---- */

static void on_again(struct timer *timer)
{
	struct event_log *log = container_of(timer, struct event_log, again_timer);

	if (log->error != OK)
		fail(log, log->error);
	else
		start_read(log);
}

static void wait_and_look(struct event_log *log)
{
	log->phase = LOG_WAITING;
	log->reactor->timer_start(log->reactor, &log->again_timer, log->options->again_ms,
				  on_again);
}

static void on_write_done(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);
	struct event_log *log = container_of(write, struct event_log, write);

	if (log->error != OK)
		fail(log, log->error);
	else if (op->result == OK)
		landed(log);
	else if (write->outcome == STORE_UNKNOWN || op->result == ERR_TIMEOUT)
		wait_and_look(log);
	else
		fail(log, op->result == ERR_EXISTS ? ERR_CONFLICT : op->result);
}

static void send_flying(struct event_log *log)
{
	log->phase = LOG_WRITING;
	op_prepare(&log->write.op, log->reactor, log->options->store_ms, on_write_done);
	log->write.outcome = STORE_UNKNOWN;
	if (log->is_created)
		log->store->append(log->store, &log->write);
	else
		log->store->create(log->store, &log->write);
}

/* Did the doubtful entry land? Entries after the last one known to have landed tell. */
static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct event_log *log = container_of(read, struct event_log, tail);
	uint64_t last_seq = log->write.first.seq + log->write.n_events - 1;
	bool is_there = op->result == OK && read->last.epoch == log->write.first.epoch &&
			read->last.seq == last_seq;
	bool is_newer = op->result == OK && read->last.epoch > log->epoch;

	buf_release(&read->entries);
	if (log->error != OK)
		fail(log, log->error);
	else if (is_there)
		landed(log);
	else if (is_newer || (op->result == ERR_NOT_FOUND && log->is_created))
		fail(log, ERR_CONFLICT);
	else if (op->result == OK || op->result == ERR_NOT_FOUND)
		send_flying(log);
	else
		wait_and_look(log);
}

static void start_read(struct event_log *log)
{
	struct store_read *read = &log->tail;

	log->phase = LOG_READING;
	op_prepare(&read->op, log->reactor, log->options->store_ms, on_read_done);
	read->job = log->job;
	read->after = (struct store_place){ log->epoch, log->write.first.seq - 1 };
	read->bytes_max = SIZE_MAX;
	buf_init(&read->entries, EVENT_LOG_ENTRY_BYTES_MAX);
	log->store->read(log->store, read);
}

/* What parks stays the registry's, which ends it in time. */
static enum store_state state_after(enum event_kind kind)
{
	return event_is_end(kind) ? STORE_ENDED : STORE_RUNNING;
}

static void start_write(struct event_log *log)
{
	struct buf pending = log->pending;

	if (log->phase != LOG_IDLE || log->error != OK || log->pending.len == 0)
		return;
	log->reactor->timer_stop(log->reactor, &log->flush_timer);
	log->pending = log->flying;
	buf_clear(&log->pending);
	log->flying = pending;
	log->n_flying = log->n_events - log->n_landed;
	log->write.job = log->job;
	log->write.first = (struct store_place){ log->epoch, log->next_seq - log->n_flying };
	log->write.n_events = (unsigned)log->n_flying;
	log->write.state = state_after(log->events[log->n_events - 1].kind);
	log->write.data = (struct slice){ log->flying.data, log->flying.len };
	send_flying(log);
}

/* ---- appending ---- */

static void on_flush_timer(struct timer *timer)
{
	start_write(container_of(timer, struct event_log, flush_timer));
}

static void on_flush(struct deferred *deferred)
{
	struct event_log *log = container_of(deferred, struct event_log, flush);

	if (log->error != OK && log->phase == LOG_IDLE)
		fail(log, log->error); /* given up with nothing in flight */
	else
		start_write(log);
}

static void plan_flush(struct event_log *log, enum event_kind kind)
{
	bool is_text = kind == EVENT_TEXT || kind == EVENT_REASONING;
	bool is_urgent =
		!is_text || !log->has_text || log->pending.len >= log->options->flush_bytes;

	log->has_text = log->has_text || kind == EVENT_TEXT;
	if (is_urgent)
		log->reactor->defer(log->reactor, &log->flush, on_flush);
	else if (log->flush_timer.fire == NULL)
		log->reactor->timer_start(log->reactor, &log->flush_timer, log->options->flush_ms,
					  on_flush_timer);
}

static enum err make_room(struct event_log *log)
{
	size_t room = log->room > 0 ? log->room * 2 : 32;
	struct event *events;

	if (log->n_events < log->room)
		return OK;
	events = mem_realloc(log->events, room * sizeof(*events));
	if (events == NULL)
		return ERR_NO_MEMORY;
	log->events = events;
	log->room = room;
	return OK;
}

enum err event_log_append(struct event_log *log, struct event *event,
			  const struct event **ret_event)
{
	enum err err = log->error != OK ? log->error : make_room(log);
	struct event *taken;

	event->epoch = log->epoch;
	event->seq = log->next_seq;
	event->at_byte = log->content_bytes;
	event->t_ms = log->reactor->wall_ms(log->reactor);
	if (err == OK)
		err = event_encode(event, &log->pending);
	if (err != OK) {
		event_release(event);
		return err;
	}
	taken = &log->events[log->n_events++];
	*taken = *event;
	*event = (struct event){ .kind = taken->kind }; /* releasing it again does nothing */
	log->next_seq++;
	if (taken->kind == EVENT_TEXT)
		log->content_bytes += taken->text_len;
	plan_flush(log, taken->kind);
	*ret_event = taken;
	return OK;
}

bool event_log_is_full(const struct event_log *log)
{
	return log->pending.len >= log->options->pending_bytes_max;
}

bool event_log_is_settled(const struct event_log *log)
{
	return log->phase == LOG_IDLE && (log->error != OK || log->n_landed == log->n_events);
}

void event_log_abandon(struct event_log *log, enum err why)
{
	if (log->error == OK)
		log->error = why;
	op_cancel(&log->write.op, why);
	op_cancel(&log->tail.op, why);
	if (log->phase == LOG_IDLE)
		log->reactor->defer(log->reactor, &log->flush, on_flush);
}

/* ---- readers ---- */

void reader_attach(struct reader *reader, struct event_log *log, reader_fn on_events)
{
	reader->log = log;
	reader->next = 0;
	reader->on_events = on_events;
	list_append(&log->readers, &reader->node);
	log->n_readers++;
}

void reader_detach(struct reader *reader)
{
	if (reader->log == NULL)
		return;
	list_remove(&reader->node);
	reader->log->n_readers--;
	reader->log = NULL;
}

const struct event *reader_next(struct reader *reader)
{
	if (reader->log == NULL || reader->next >= reader->log->n_landed)
		return NULL;
	return &reader->log->events[reader->next++];
}
