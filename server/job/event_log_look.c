/* The look at a log's tail in the store: what of it is ours, and how far it goes. */
#include "base/mem.h"
#include "job/entries.h"
#include "job/event_codec.h"
#include "job/event_log_parts.h"
#include <string.h>

enum { LOOK_BYTES = 1 << 20, STEP_BACK_FACTOR = 4 };

static void read_after(struct event_log *log, struct store_place after);

static struct store_place place_before(const struct event_log *log, size_t index)
{
	const struct event *before;

	if (index == 0)
		return (struct store_place){ 0, 0 };
	before = &log->events[index - 1];
	return (struct store_place){ before->epoch, before->seq };
}

/* The index of our event at that place, or n_events. Events are in the order of their places. */
static size_t find_event(const struct event_log *log, uint64_t epoch, uint64_t seq)
{
	size_t low = 0, high = log->n_events;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct event *event = &log->events[middle];

		if (event->epoch < epoch || (event->epoch == epoch && event->seq < seq))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < log->n_events && log->events[low].epoch == epoch && log->events[low].seq == seq)
		return low;
	return log->n_events;
}

static const char *by_of(const struct event *event)
{
	const char *by = json_string_value(json_object_get(event->data, "by"));

	return by != NULL ? by : "";
}

/* By what other versions of this program keep too: members of data may come and go. */
static bool is_same(const struct event *ours, const struct event *theirs)
{
	return ours->kind == theirs->kind && ours->section == theirs->section &&
	       ours->at_byte == theirs->at_byte && ours->t_ms == theirs->t_ms &&
	       ours->text_len == theirs->text_len &&
	       (ours->text_len == 0 || memcmp(ours->text, theirs->text, ours->text_len) == 0) &&
	       strcmp(by_of(ours), by_of(theirs)) == 0;
}

/* ERR_CONFLICT: an event that is not ours. */
static enum err match_line(struct event_log *log, struct slice line, bool *ret_is_claim)
{
	struct event event;
	enum err err = event_decode(line.data, line.len, &event);
	size_t index;

	if (err != OK)
		return err == ERR_NO_MEMORY ? err : ERR_CONFLICT;
	index = find_event(log, event.epoch, event.seq);
	if (index == log->n_events || !is_same(&log->events[index], &event))
		err = ERR_CONFLICT;
	else if (index >= log->n_matched)
		log->n_matched = index + 1;
	*ret_is_claim = err == OK && event.epoch == log->epoch && event.seq == 0;
	event_release(&event);
	return err;
}

static enum err match_entries(struct event_log *log)
{
	struct entries entries;
	struct slice line;
	enum err err = OK;

	entries_init(&entries);
	entries_feed(&entries,
		     (struct slice){ buf_str(&log->tail.entries), log->tail.entries.len });
	log->has_fence = false;
	while (err != ERR_NO_MEMORY && entries_cut(&entries, &line)) {
		enum err match = match_line(log, line, &log->has_fence);

		err = err != OK && match != ERR_NO_MEMORY ? err : match;
	}
	return err;
}

/* ---- a claim that was written again, and came too late ---- */

static void on_offered(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);
	struct event_log *log = container_of(write, struct event_log, write);

	event_log_fail(log, ERR_CONFLICT);
}

static enum err encode_offer(struct event_log *log)
{
	struct event offer = { .kind = EVENT_PARKED,
			       .epoch = log->epoch,
			       .seq = 1,
			       .at_byte = log->content_bytes,
			       .t_ms = log->reactor->wall_ms(log->reactor),
			       .data = json_pack("{s:s}", "reason", EVENT_REASON_OFFERED) };
	enum err err = offer.data != NULL ? OK : ERR_NO_MEMORY;

	buf_clear(&log->flying);
	if (err == OK)
		err = event_encode(&offer, &log->flying);
	event_release(&offer);
	return err;
}

/* The other owner wrote on before our claim came, and by it we have shut it out: somebody has to go
 * on with what is there, and we cannot. */
static void stop_by_conflict(struct event_log *log)
{
	struct store_write *write = &log->write;

	if (!log->has_fence || encode_offer(log) != OK) {
		event_log_fail(log, ERR_CONFLICT);
		return;
	}
	log->phase = LOG_WRITING;
	op_prepare(&write->op, log->reactor, log->options->store_ms, on_offered);
	write->job = log->job;
	write->first = (struct store_place){ log->epoch, 1 };
	write->n_events = 1;
	write->state = STORE_OFFERED;
	write->data = (struct slice){ log->flying.data, log->flying.len };
	write->labels = NULL;
	write->outcome = STORE_UNKNOWN;
	log->store->append(log->store, write);
}

/* ---- what it means ---- */

static void found_tail(struct event_log *log)
{
	bool has_moved = log->n_matched != log->n_stored;
	bool had_conflict = log->has_conflict;

	log->n_stored = log->n_matched;
	log->doubt = log->look_doubt;
	log->is_unsure = log->has_conflict = false;
	if (had_conflict && !has_moved)
		event_log_fail(log, ERR_CONFLICT);
	else
		event_log_stored(log);
}

/* Was it lost or erased, or is it not there yet? A write tells: one of the first events, since
 * another owner may be about to give the store its copy back, and no gap may come in between. */
static void found_nothing(struct event_log *log)
{
	log->phase = LOG_IDLE;
	log->doubt = log->look_doubt;
	log->is_unsure = false;
	if (log->has_conflict) {
		event_log_fail(log, ERR_CONFLICT);
		return;
	}
	log->n_stored = 0;
	log->is_due = true;
	event_log_move_on(log);
}

/* Nothing above where we looked: further back, until something is found. */
static void look_further_back(struct event_log *log)
{
	size_t back = (log->n_stored - log->look_from) * STEP_BACK_FACTOR;

	if (log->look_from == 0) {
		found_nothing(log);
		return;
	}
	log->look_from = log->look_from > back ? log->look_from - back : 0;
	read_after(log, place_before(log, log->look_from));
}

static void look_at_tail(struct event_log *log)
{
	log->is_claim_looked_at = true;
	log->n_matched = 0;
	log->look_from = log->n_stored > 0 ? log->n_stored - 1 : 0;
	read_after(log, place_before(log, log->look_from));
}

/* A stranger beside our claim: the tail tells whether the claim came behind it. */
static void on_entries(struct event_log *log, enum err err)
{
	if (err == ERR_NO_MEMORY) {
		event_log_wait(log);
		return;
	}
	log->has_stranger = log->has_stranger || err != OK;
	if (!log->is_claim_looked_at)
		look_at_tail(log);
	else if (log->has_stranger && !log->tail.is_more)
		stop_by_conflict(log);
	else if (log->tail.is_more)
		read_after(log, log->tail.last);
	else if (log->n_matched == 0)
		look_further_back(log);
	else
		found_tail(log);
}

static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct event_log *log = container_of(read, struct event_log, tail);
	enum err err = op->result == OK ? match_entries(log) : OK;

	buf_release(&read->entries);
	if (log->error != OK)
		event_log_fail(log, log->error);
	else if (op->result == OK)
		on_entries(log, err);
	else if (op->result == ERR_NOT_FOUND)
		found_nothing(log);
	else
		event_log_wait(log);
}

static void read_after(struct event_log *log, struct store_place after)
{
	struct store_read *read = &log->tail;

	op_prepare(&read->op, log->reactor, log->options->store_ms, on_read_done);
	read->job = log->job;
	read->after = after;
	read->bytes_max = log->is_claim_looked_at ? LOOK_BYTES : 1;
	buf_init(&read->entries, 2 * (size_t)EVENT_LOG_ENTRY_BYTES_MAX);
	log->store->read(log->store, read);
}

/* Two claimants may have written the same epoch, when a failover dropped one of the claims: the
 * claim is looked at before the tail. */
void event_log_look(struct event_log *log)
{
	size_t claim = find_event(log, log->epoch, 0);

	log->is_unsure = true;
	log->phase = LOG_LOOKING;
	log->look_doubt = log->store->doubt(log->store);
	log->is_claim_looked_at = claim >= log->n_stored;
	log->has_stranger = false;
	log->n_matched = 0;
	if (log->is_claim_looked_at)
		look_at_tail(log);
	else
		read_after(log, place_before(log, claim));
}
