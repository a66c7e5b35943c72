#include "job/event_log.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/must.h"
#include "job/event_codec.h"
#include "job/event_log_parts.h"
#include <string.h>

/* A line without its text, about; and what a flying buffer may keep between batches. */
enum { LINE_BYTES = 64, FLYING_KEEP_BYTES = 16 << 10 };

void event_log_init(struct event_log *log, struct reactor *reactor, struct store *store,
		    const struct event_log_options *options, const char *job)
{
	*log = (struct event_log){ .reactor = reactor,
				   .store = store,
				   .options = options,
				   .job = job,
				   .epoch = 1,
				   .next_seq = 1 };
	buf_init(&log->flying, EVENT_LOG_ENTRY_BYTES_MAX);
	list_init(&log->readers);
}

void event_log_adopt(struct event_log *log, struct claim *claim)
{
	MUST(log->n_events == 0 && claim->n_events > 0);
	log->events = claim->events;
	log->room = claim->room;
	log->n_events = log->n_landed = log->n_stored = log->n_sent = claim->n_events;
	log->epoch = claim->epoch;
	log->content_bytes = claim->entries.content_bytes;
	log->has_text = log->content_bytes > 0;
	log->doubt = claim->doubt;
	log->write.generation = claim->generation;
	log->is_created = true;
	claim->events = NULL;
	claim->n_events = claim->room = 0;
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

/* The end has landed: whatever becomes of the store's copy is no failure of the job. */
static bool is_over(const struct event_log *log)
{
	return log->n_events > 0 && log->n_landed == log->n_events &&
	       event_is_end(log->events[log->n_events - 1].kind);
}

void event_log_fail(struct event_log *log, enum err error)
{
	log->phase = LOG_IDLE;
	if (log->error == OK && is_over(log))
		log->is_let_go = true;
	else if (log->error == OK)
		log->error = error;
	tell(log);
}

void event_log_stored(struct event_log *log)
{
	log->phase = LOG_IDLE;
	log->is_created = true;
	log->tries = 0;
	if (log->n_stored > log->n_landed) {
		metric_add(METRIC_EVENTS, log->n_stored - log->n_landed);
		log->n_landed = log->n_stored;
	}
	event_log_move_on(log);
	tell(log);
}

/* ---- the write in flight ---- */

static void on_again(struct timer *timer)
{
	struct event_log *log = container_of(timer, struct event_log, again_timer);

	log->phase = LOG_IDLE;
	event_log_move_on(log);
}

void event_log_wait(struct event_log *log)
{
	const struct event_log_options *options = log->options;
	struct retry_policy policy = { .base_ms = options->again_ms,
				       .cap_ms = options->again_max_ms };

	if (policy.cap_ms < policy.base_ms)
		policy.cap_ms = policy.base_ms;
	log->phase = LOG_WAITING;
	log->tries++;
	log->reactor->timer_start(
		log->reactor, &log->again_timer,
		retry_backoff_ms(&policy, log->tries, log->reactor->random(log->reactor)),
		on_again);
}

/* A claim that is written again may have come too late: the look after it tells. */
static void landed(struct event_log *log)
{
	log->is_unsure = log->events[log->n_stored].seq == 0;
	log->n_stored += log->n_flying;
	log->repeat_from = log->repeat_to = 0;
	event_log_stored(log);
}

/* The store lost the log, and nobody erased it: it gets it back. */
static void lost(struct event_log *log)
{
	log_info("log_written_again", "job=%s events=%zu", log->job, log->n_events);
	log->phase = LOG_IDLE;
	log->is_created = false;
	log->n_stored = 0;
	event_log_move_on(log);
}

static void not_known(struct event_log *log)
{
	log->is_unsure = true;
	log->repeat_from = log->n_stored;
	log->repeat_to = log->n_stored + log->n_flying;
	event_log_wait(log);
}

/* Perhaps with ourselves: a copy of this batch that was long on its way. */
static void conflict(struct event_log *log)
{
	log->phase = LOG_IDLE;
	log->is_unsure = log->has_conflict = true;
	event_log_move_on(log);
}

static void on_write_done(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);
	struct event_log *log = container_of(write, struct event_log, write);

	if (log->flying.size > FLYING_KEEP_BYTES)
		buf_release(&log->flying);
	if (log->error != OK)
		event_log_fail(log, log->error);
	else if (op->result == OK)
		landed(log);
	else if (write->outcome == STORE_LOST && log->is_created)
		lost(log);
	else if (op->result == ERR_EXISTS || op->result == ERR_CONFLICT)
		conflict(log);
	else if (write->outcome == STORE_UNKNOWN || op->result == ERR_TIMEOUT)
		not_known(log);
	else
		event_log_fail(log, op->result);
}

/* ---- batches ---- */

static size_t weight_of(const struct event *event)
{
	return event->text_len + LINE_BYTES;
}

/* An entry begins and ends with a claim, and where one that is repeated began and ended. */
static bool is_border(const struct event_log *log, size_t at)
{
	return log->events[at].seq == 0 || log->events[at - 1].seq == 0 || at == log->repeat_from ||
	       at == log->repeat_to;
}

static enum err encode_batch(struct event_log *log)
{
	size_t at = log->n_stored;
	enum err err = OK;

	buf_clear(&log->flying);
	while (err == OK && at < log->n_events && log->flying.len < EVENT_LOG_ENTRY_BYTES &&
	       (at == log->n_stored || !is_border(log, at)))
		err = event_encode(&log->events[at++], &log->flying);
	log->n_flying = at - log->n_stored;
	return err;
}

static enum store_state state_after(const struct event_log *log, size_t end)
{
	const struct event *last = &log->events[end - 1];
	const char *reason = json_string_value(json_object_get(last->data, "reason"));

	if (end < log->n_events)
		return STORE_RUNNING;
	if (event_is_end(last->kind))
		return STORE_ENDED;
	if (last->kind != EVENT_PARKED)
		return STORE_RUNNING;
	if (reason != NULL && strcmp(reason, EVENT_REASON_OFFERED) == 0)
		return STORE_OFFERED;
	return STORE_PARKED;
}

static void send(struct event_log *log)
{
	struct store_write *write = &log->write;
	const struct event *first = &log->events[log->n_stored];

	log->phase = LOG_WRITING;
	op_prepare(&write->op, log->reactor, log->options->store_ms, on_write_done);
	write->job = log->job;
	write->first = (struct store_place){ first->epoch, first->seq };
	write->n_events = (unsigned)log->n_flying;
	write->state = state_after(log, log->n_stored + log->n_flying);
	write->data = (struct slice){ log->flying.data, log->flying.len };
	write->labels = log->is_created ? NULL : log->labels;
	write->outcome = STORE_UNKNOWN;
	if (log->is_created)
		log->store->append(log->store, write);
	else
		log->store->create(log->store, write);
}

static void start_write(struct event_log *log)
{
	enum err err = encode_batch(log);
	size_t end = log->n_stored + log->n_flying;

	if (err == ERR_NO_MEMORY) {
		event_log_wait(log);
		return;
	}
	if (err != OK) {
		event_log_fail(log, err);
		return;
	}
	if (log->n_sent == 0)
		log->doubt = log->store->doubt(log->store);
	for (; log->n_sent < end; log->n_sent++)
		log->gathering_bytes -= weight_of(&log->events[log->n_sent]);
	log->is_due = end < log->n_events;
	if (!log->is_due)
		log->reactor->timer_stop(log->reactor, &log->flush_timer);
	send(log);
}

void event_log_move_on(struct event_log *log)
{
	bool has_doubt = log->is_unsure || log->doubt != log->store->doubt(log->store);
	bool is_wanted = log->is_due || log->n_stored < log->n_sent ||
			 log->gathering_bytes >= log->options->flush_bytes;

	if (log->phase != LOG_IDLE || log->error != OK || log->is_let_go)
		return;
	if (log->n_sent > 0 && has_doubt)
		event_log_look(log);
	else if (log->n_stored < log->n_events && is_wanted)
		start_write(log);
}

void event_log_check(struct event_log *log)
{
	if (log->n_sent > 0)
		event_log_move_on(log);
}

/* ---- appending ---- */

static void flush(struct event_log *log)
{
	log->is_due = log->n_stored < log->n_events;
	event_log_move_on(log);
}

static void on_flush_timer(struct timer *timer)
{
	flush(container_of(timer, struct event_log, flush_timer));
}

static void on_flush(struct deferred *deferred)
{
	struct event_log *log = container_of(deferred, struct event_log, flush);

	if (log->error != OK && log->phase == LOG_IDLE)
		event_log_fail(log, log->error); /* given up with nothing in flight */
	else
		flush(log);
}

static void plan_flush(struct event_log *log, enum event_kind kind)
{
	bool is_text = kind == EVENT_TEXT || kind == EVENT_REASONING;
	bool is_urgent =
		!is_text || !log->has_text || log->gathering_bytes >= log->options->flush_bytes;

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

	if (err != OK) {
		event_release(event);
		return err;
	}
	event->epoch = log->epoch;
	event->seq = log->next_seq++;
	event->at_byte = log->content_bytes;
	event->t_ms = log->reactor->wall_ms(log->reactor);
	taken = &log->events[log->n_events++];
	*taken = *event;
	*event = (struct event){ .kind = taken->kind }; /* releasing it again does nothing */
	if (taken->kind == EVENT_TEXT)
		log->content_bytes += taken->text_len;
	log->gathering_bytes += weight_of(taken);
	plan_flush(log, taken->kind);
	*ret_event = taken;
	return OK;
}

bool event_log_is_full(const struct event_log *log)
{
	return log->gathering_bytes >= log->options->pending_bytes_max;
}

bool event_log_is_settled(const struct event_log *log)
{
	bool has_landed = log->n_stored == log->n_events && log->n_landed == log->n_events;

	return log->phase == LOG_IDLE && (log->error != OK || log->is_let_go || has_landed);
}

void event_log_abandon(struct event_log *log, enum err why)
{
	if (log->error == OK)
		log->error = why;
	op_cancel(&log->write.op, why);
	op_cancel(&log->tail.op, why);
	if (log->phase == LOG_WAITING) {
		log->reactor->timer_stop(log->reactor, &log->again_timer);
		log->phase = LOG_IDLE;
	}
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
