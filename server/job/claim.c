#include "job/claim.h"
#include "async/retry.h"
#include "base/mem.h"
#include "job/event_codec.h"
#include <stdio.h>
#include <string.h>

enum {
	READ_BYTES = 1 << 20,
	READ_BYTES_MAX = 128 << 20,
	LINE_BYTES_MAX = 4096,
	TRIES_MAX = 8,
	AGAIN_FACTOR_MAX = 64,
	EVENTS_FIRST = 64,
};

static void read_more(struct claim *claim);

void claim_init(struct claim *claim, const struct claim_options *options)
{
	*claim = (struct claim){ .options = *options };
	(void)snprintf(claim->id, sizeof(claim->id), "%s", options->id);
	entries_init(&claim->entries);
	buf_init(&claim->line, LINE_BYTES_MAX);
}

static void drop_events(struct claim *claim)
{
	for (size_t i = 0; i < claim->n_events; i++)
		event_release(&claim->events[i]);
	claim->n_events = 0;
}

void claim_release(struct claim *claim)
{
	drop_events(claim);
	mem_free(claim->events);
	claim->events = NULL;
	claim->room = 0;
	buf_release(&claim->line);
}

const char *claim_fact(const struct claim *claim, const char *name)
{
	const json_t *data = claim->n_events > 0 ? claim->events[0].data : NULL;
	const char *fact = json_string_value(json_object_get(data, name));

	return fact != NULL ? fact : "";
}

static void finish(struct claim *claim, enum err result)
{
	buf_release(&claim->line);
	op_finish(&claim->op, result);
}

/* ---- the append ---- */

static void on_again(struct timer *timer)
{
	read_more(container_of(timer, struct claim, again));
}

/* Nobody knows whether it landed: read, after a while. */
static void read_later(struct claim *claim)
{
	struct reactor *reactor = claim->options.reactor;
	struct retry_policy policy = { .base_ms = claim->options.again_ms,
				       .cap_ms = claim->options.again_ms * AGAIN_FACTOR_MAX };

	if (++claim->tries == TRIES_MAX) {
		finish(claim, ERR_TIMEOUT);
		return;
	}
	reactor->timer_start(reactor, &claim->again,
			     retry_backoff_ms(&policy, claim->tries, reactor->random(reactor)),
			     on_again);
}

static void on_write_done(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);
	struct claim *claim = container_of(write, struct claim, write);
	bool is_unknown =
		op->result == ERR_TIMEOUT || (op->result != OK && write->outcome == STORE_UNKNOWN);

	claim->outcome = is_unknown ? ERR_UNKNOWN : op->result;
	claim->generation = write->generation;
	if (claim->op.canceled != OK)
		finish(claim, claim->op.canceled);
	else if (claim->is_sealing)
		finish(claim, ERR_EXISTS);
	else if (is_unknown)
		read_later(claim);
	else if (op->result == OK || write->outcome == STORE_CONFLICT)
		read_more(claim);
	else
		finish(claim, write->outcome == STORE_LOST ? ERR_NOT_FOUND : op->result);
}

static enum err encode_claim(struct claim *claim)
{
	struct reactor *reactor = claim->options.reactor;
	json_t *data = json_pack("{s:s}", "by", claim->by);
	struct event event = { .kind = EVENT_CLAIMED,
			       .epoch = claim->epoch,
			       .at_byte = claim->entries.content_bytes,
			       .t_ms = reactor->wall_ms(reactor),
			       .data = data };
	enum err err = data != NULL ? OK : ERR_NO_MEMORY;

	if (err == OK)
		err = event_encode(&event, &claim->line);
	event_release(&event);
	return err;
}

static void append(struct claim *claim)
{
	struct store_write *write = &claim->write;
	enum err err = OK;

	if (!claim->is_sent) {
		claim->is_anew = false;
		claim->epoch = claim->entries.last.epoch + 1;
		err = encode_claim(claim);
	}
	if (err != OK) {
		finish(claim, err);
		return;
	}
	claim->is_sent = true;
	op_prepare(&write->op, claim->options.reactor, claim->options.store_ms, on_write_done);
	write->job = claim->id;
	write->first = (struct store_place){ claim->epoch, 0 };
	write->n_events = 1;
	write->state = claim->is_sealing ? STORE_ENDED : STORE_RUNNING;
	write->data = (struct slice){ claim->line.data, claim->line.len };
	write->outcome = STORE_UNKNOWN;
	claim->options.store->append(claim->options.store, write);
}

/* ---- what was read ---- */

static bool is_claimable(const struct claim *claim)
{
	return claim->options.when == CLAIM_ANY ||
	       claim->events[claim->n_events - 1].kind == EVENT_PARKED;
}

/* A claim that came behind the end has made the store believe that somebody writes: another one
 * says that it has ended. */
static void judge_ended(struct claim *claim)
{
	if (!claim->entries.is_behind_end) {
		finish(claim, ERR_EXISTS);
		return;
	}
	claim->is_sealing = true;
	claim->is_sent = false;
	buf_clear(&claim->line);
	append(claim);
}

/* Where the store has lost something, the same claim is not sent again but another one: the first
 * may stand in a copy of the log that its owner is giving back, where it is one of its events. */
static void append_again(struct claim *claim)
{
	enum err err = OK;

	if (claim->is_anew) {
		claim->is_sent = false;
		buf_clear(&claim->line);
		err = id_new(claim->by);
	}
	if (err != OK)
		finish(claim, err);
	else
		append(claim);
}

static void judge_sent(struct claim *claim)
{
	const struct store_place *last = &claim->entries.last;

	if (claim->is_ours && last->epoch == claim->epoch && last->seq == 0)
		finish(claim, OK);
	else if (last->epoch >= claim->epoch || claim->outcome != ERR_UNKNOWN)
		finish(claim, ERR_CONFLICT);
	else
		append_again(claim);
}

static bool has_doubt(const struct claim *claim)
{
	return claim->doubt != claim->options.store->doubt(claim->options.store);
}

/* What was read may be gone: all of it again. */
static void read_anew(struct claim *claim)
{
	drop_events(claim);
	entries_init(&claim->entries);
	claim->is_ours = false;
	claim->outcome = ERR_UNKNOWN;
	claim->is_anew = true;
	claim->doubt = claim->options.store->doubt(claim->options.store);
	read_more(claim);
}

static void judge(struct claim *claim)
{
	const char *owner = claim->options.owner;

	if (claim->n_events == 0)
		finish(claim, ERR_NOT_FOUND);
	else if (owner != NULL && strcmp(claim_fact(claim, "owner"), owner) != 0)
		finish(claim, ERR_NOT_FOUND);
	else if (claim->entries.has_ended)
		judge_ended(claim);
	else if (claim->is_sent)
		judge_sent(claim);
	else if (is_claimable(claim))
		append(claim);
	else
		finish(claim, ERR_CONFLICT);
}

static enum err keep(struct claim *claim, struct event *event)
{
	size_t room = claim->room > 0 ? claim->room * 2 : EVENTS_FIRST;
	struct event *events = claim->events;
	const char *by = json_string_value(json_object_get(event->data, "by"));

	if (claim->n_events == claim->room) {
		events = mem_realloc(events, room * sizeof(*events));
		if (events == NULL) {
			event_release(event);
			return ERR_NO_MEMORY;
		}
		claim->events = events;
		claim->room = room;
	}
	if (event->kind == EVENT_CLAIMED && by != NULL && strcmp(by, claim->by) == 0)
		claim->is_ours = true;
	claim->events[claim->n_events++] = *event;
	return OK;
}

static enum err take_entries(struct claim *claim)
{
	struct slice data = { buf_str(&claim->read.entries), claim->read.entries.len };
	struct event event;
	enum err err = OK;

	entries_feed(&claim->entries, data);
	while (err == OK) {
		err = entries_next(&claim->entries, &event);
		if (err == OK)
			err = keep(claim, &event);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Before the claim is sent whoever asks may ask again; behind it we want to know. */
static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct claim *claim = container_of(read, struct claim, read);
	enum err err = op->result == OK ? take_entries(claim) : op->result;
	bool is_away = op->result == ERR_TIMEOUT || op->result == ERR_UNKNOWN ||
		       retry_is_transient(op->result);

	buf_release(&read->entries);
	if (claim->op.canceled != OK)
		finish(claim, claim->op.canceled);
	else if (claim->is_sent && is_away)
		read_later(claim);
	else if (op->result == OK && has_doubt(claim))
		read_anew(claim);
	else if (err != OK)
		finish(claim, err);
	else if (read->is_more)
		read_more(claim);
	else
		judge(claim);
}

static void read_more(struct claim *claim)
{
	struct store_read *read = &claim->read;

	op_prepare(&read->op, claim->options.reactor, claim->options.store_ms, on_read_done);
	read->job = claim->id;
	read->after = claim->entries.last;
	read->bytes_max = READ_BYTES;
	buf_init(&read->entries, READ_BYTES_MAX);
	claim->options.store->read(claim->options.store, read);
}

/* ---- life ---- */

static void on_cancel(struct op *op)
{
	struct claim *claim = container_of(op, struct claim, op);
	struct reactor *reactor = claim->options.reactor;

	op_cancel(&claim->read.op, op->canceled);
	op_cancel(&claim->write.op, op->canceled);
	if (op_is_live(&claim->read.op) || op_is_live(&claim->write.op))
		return; /* its done() finishes ours */
	reactor->timer_stop(reactor, &claim->again);
	finish(claim, op->canceled);
}

void claim_start(struct claim *claim)
{
	enum err err;

	if (!op_begin(&claim->op, on_cancel))
		return;
	claim->doubt = claim->options.store->doubt(claim->options.store);
	err = id_new(claim->by);
	if (err != OK)
		finish(claim, err);
	else
		read_more(claim);
}
