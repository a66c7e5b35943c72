#include "job/adopt.h"
#include "job/registry_parts.h"
#include <string.h>

static bool is_same(const char *label, const char *other)
{
	return label[0] != '\0' && strcmp(label, other) == 0;
}

/* Nothing is to be had of it. */
static bool is_spoilt(const struct state *state)
{
	const char *status = state_status(state);

	return strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0;
}

/* ---- of the registry ---- */

static void labels_of(const struct job *job, struct labels *ret_labels)
{
	const struct event_log *log = &job->log;
	const json_t *data = log->n_events > 0 ? log->events[0].data : NULL;

	labels_from_json(json_object_get(data, "labels"), ret_labels);
}

/* Rule b, but for the request. */
static bool is_orphaned(const struct slot *slot, bool is_retry, uint64_t now_ms)
{
	/* The end may still be on its way to the store. */
	bool has_ended = slot->job->state.phase == STATE_ENDED;
	uint64_t age_ms = slot->ended_ms > 0 ? now_ms - slot->ended_ms : 0;

	if (slot->job->log.n_readers > 0)
		return false;
	return is_retry || (has_ended && !slot->has_delivered && age_ms < ADOPT_MS);
}

static void adopt_slot(struct adoption *adoption, const struct slot *slot)
{
	memcpy(adoption->id, slot->job->id, JOB_ID_BYTES);
	adoption->is_parked = slot->job->state.is_parked;
	adoption->answer = ADOPT_JOB;
}

static void look_here(struct adoption *adoption)
{
	struct registry *registry = adoption->registry;
	struct reactor *reactor = registry->ports->reactor;
	const struct slot *orphan = NULL;

	LIST_EACH (node, &registry->slots) {
		const struct slot *slot = container_of(node, struct slot, node);
		bool can_be_adopted = slot->job->error == OK && !is_spoilt(&slot->job->state);
		struct labels labels;

		labels_of(slot->job, &labels);
		if (slot->is_erased)
			continue;
		if (is_same(adoption->labels.key, labels.key)) {
			if (!is_same(adoption->labels.same, labels.same)) {
				adoption->answer = ADOPT_KEY_REUSED;
				return;
			}
			if (can_be_adopted) {
				adopt_slot(adoption, slot);
				return;
			}
		}
		if (orphan == NULL && can_be_adopted &&
		    is_same(adoption->labels.same, labels.same) &&
		    is_orphaned(slot, adoption->is_retry, reactor->now_ms(reactor)))
			orphan = slot;
	}
	if (orphan != NULL)
		adopt_slot(adoption, orphan);
}

/* ---- of the store ---- */

static void read_next(struct adoption *adoption);

static void finish(struct adoption *adoption)
{
	op_finish(&adoption->op, OK);
}

/* A log that was found by key (is_by_key), or by its request. */
static void judge(struct adoption *adoption, bool is_by_key)
{
	const struct replay *replay = &adoption->replay;
	const struct state *state = &replay->state;
	struct reactor *reactor = adoption->registry->ports->reactor;
	uint64_t wall_ms = reactor->wall_ms(reactor);
	bool has_ended = state->phase == STATE_ENDED;

	if (is_by_key && !is_same(replay->labels.same, adoption->labels.same)) {
		adoption->answer = ADOPT_KEY_REUSED;
		return;
	}
	if (is_spoilt(state))
		return;
	if (!is_by_key && !adoption->is_retry &&
	    (!has_ended || wall_ms > state->last_ms + ADOPT_MS))
		return;
	adoption->answer = ADOPT_JOB;
	adoption->is_parked = state->is_parked && !has_ended;
	memcpy(adoption->id, adoption->replay.read.job, strlen(adoption->replay.read.job) + 1);
}

static const char *candidate(const struct adoption *adoption, size_t index)
{
	if (index < adoption->by_key.n_ids)
		return adoption->by_key.ids[index];
	return adoption->by_request.ids[index - adoption->by_key.n_ids];
}

static void on_replayed(struct op *op)
{
	struct replay *replay = container_of(op, struct replay, op);
	struct adoption *adoption = container_of(replay, struct adoption, replay);

	if (op->result == OK)
		judge(adoption, adoption->next <= adoption->by_key.n_ids);
	read_next(adoption);
}

/* What is here was judged before. */
static void read_next(struct adoption *adoption)
{
	struct registry *registry = adoption->registry;
	size_t count = adoption->by_key.n_ids + adoption->by_request.n_ids;

	while (adoption->next < count &&
	       registry_find(registry, candidate(adoption, adoption->next)) != NULL)
		adoption->next++;
	if (adoption->answer != ADOPT_NOTHING || adoption->next == count ||
	    adoption->n_read == ADOPT_LOGS_MAX || adoption->op.canceled != OK) {
		finish(adoption);
		return;
	}
	adoption->n_read++;
	adopt_release(adoption);
	adoption->has_replay = true;
	op_prepare(&adoption->replay.op, registry->ports->reactor, 0, on_replayed);
	replay_start(&adoption->replay, registry->ports->store,
		     candidate(adoption, adoption->next++), registry->options->job.log.store_ms);
}

static void on_all_found(struct adoption *adoption)
{
	if (--adoption->n_finding == 0)
		read_next(adoption);
}

static void on_found_by_key(struct op *op)
{
	struct store_find *find = container_of(op, struct store_find, op);

	if (op->result != OK)
		find->n_ids = 0;
	on_all_found(container_of(find, struct adoption, by_key));
}

static void on_found_by_request(struct op *op)
{
	struct store_find *find = container_of(op, struct store_find, op);

	if (op->result != OK)
		find->n_ids = 0;
	on_all_found(container_of(find, struct adoption, by_request));
}

static void find_by(struct adoption *adoption, struct store_find *find, const char *label,
		    op_done_fn done)
{
	struct registry *registry = adoption->registry;
	struct store *store = registry->ports->store;

	find->n_ids = 0;
	if (label[0] == '\0')
		return;
	adoption->n_finding++;
	find->label = label;
	op_prepare(&find->op, registry->ports->reactor, registry->options->adopt_ms, done);
	store->find(store, find);
}

static void on_cancel(struct op *op)
{
	struct adoption *adoption = container_of(op, struct adoption, op);

	op_cancel(&adoption->by_key.op, op->canceled);
	op_cancel(&adoption->by_request.op, op->canceled);
	op_cancel(&adoption->replay.op, op->canceled);
}

void adopt_start(struct adoption *adoption)
{
	struct store *store = adoption->registry->ports->store;
	const struct labels *labels = &adoption->labels;

	adoption->answer = ADOPT_NOTHING;
	adoption->is_parked = false;
	adoption->next = adoption->n_read = adoption->n_finding = 0;
	if (!op_begin(&adoption->op, on_cancel))
		return;
	look_here(adoption);
	if (adoption->answer == ADOPT_NOTHING && store->is_up(store)) {
		find_by(adoption, &adoption->by_key, labels->key, on_found_by_key);
		find_by(adoption, &adoption->by_request,
			adoption->is_retry ? labels->same : labels->fresh, on_found_by_request);
	}
	if (adoption->n_finding == 0)
		finish(adoption);
}

void adopt_release(struct adoption *adoption)
{
	if (adoption->has_replay)
		replay_release(&adoption->replay);
	adoption->has_replay = false;
}
