#include "job/registry.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/registry_parts.h"
#include <string.h>

static struct reactor *reactor_of(struct slot *slot)
{
	return slot->registry->ports->reactor;
}

void registry_free_slot(struct slot *slot)
{
	reactor_of(slot)->timer_stop(reactor_of(slot), &slot->timer);
	list_remove(&slot->node);
	job_free(slot->job);
	metric_dec(METRIC_JOBS_KEPT);
	mem_free(slot);
}

/* ---- time ---- */

static void on_keep_over(struct timer *timer)
{
	struct slot *slot = container_of(timer, struct slot, timer);

	if (slot->job->log.n_readers == 0)
		registry_free_slot(slot); /* else the last reader's leaving starts it again */
}

static void on_grace_over(struct timer *timer)
{
	job_park(container_of(timer, struct slot, timer)->job);
}

uint64_t registry_grace_ms(const struct registry *registry, enum job_grace grace)
{
	const struct registry_options *options = registry->options;

	if (grace == JOB_GRACE_KEPT)
		return UINT64_MAX;
	return grace == JOB_GRACE_STREAM ? options->stream_grace_ms : options->answer_grace_ms;
}

/* Only what ended here is worth keeping: the rest is read from the store. */
static uint64_t keep_ms(const struct slot *slot)
{
	bool has_ended_here = !slot->is_erased && !slot->is_leaving && slot->job->error == OK;

	return has_ended_here ? slot->registry->options->keep_ms : 0;
}

void registry_start_timer(struct slot *slot)
{
	struct reactor *reactor = reactor_of(slot);

	if (!slot->is_running)
		reactor->timer_start(reactor, &slot->timer, keep_ms(slot), on_keep_over);
	else if (!slot->is_leaving && slot->reader_grace_ms != UINT64_MAX)
		reactor->timer_start(reactor, &slot->timer, slot->reader_grace_ms, on_grace_over);
}

/* ---- idle ---- */

static void on_registry_idle(struct deferred *deferred)
{
	struct registry *registry = container_of(deferred, struct registry, idle);
	struct reactor *reactor = registry->ports->reactor;
	void (*on_idle)(void *context) = registry->on_idle;

	registry->on_idle = NULL;
	reactor->timer_stop(reactor, &registry->stop);
	if (on_idle != NULL)
		on_idle(registry->on_idle_context);
}

void registry_check_idle(struct registry *registry)
{
	struct reactor *reactor = registry->ports->reactor;

	if (registry->on_idle != NULL && registry->n_running == 0 && registry->n_waiting == 0 &&
	    list_is_empty(&registry->claimings))
		reactor->defer(reactor, &registry->idle, on_registry_idle);
}

/* ---- ends ---- */

static void count_end(const struct slot *slot)
{
	const struct job *job = slot->job;
	const struct state *state = &job->state;

	if (slot->is_leaving)
		metric_inc(METRIC_JOBS_PARKED);
	else if (job->error == ERR_CONFLICT)
		metric_inc(METRIC_JOBS_LOST);
	else if (job->error == ERR_NOT_FOUND)
		metric_inc(METRIC_JOBS_CANCELLED); /* erased */
	else if (state->end == EVENT_FAILED || job->error != OK)
		metric_inc(METRIC_JOBS_FAILED);
	else
		metric_inc(state->is_cancelled ? METRIC_JOBS_CANCELLED : METRIC_JOBS_DONE);
	metric_add(METRIC_WORDS_WRITTEN, (uint64_t)(state->words - slot->words_before));
	metric_add(METRIC_WORDS_DISCARDED, (uint64_t)state->words_dropped);
	metric_add(METRIC_REPAIRS, json_array_size(state->repairs));
}

static void close_account(struct slot *slot)
{
	struct reactor *reactor = reactor_of(slot);
	long words = slot->job->state.words - slot->words_before;

	if (slot->account != NULL)
		ledger_close(slot->account, (uint64_t)slot->asked_words, (uint64_t)words,
			     reactor->wall_ms(reactor));
	slot->account = NULL;
}

static void on_job_parked(struct job *job)
{
	struct slot *slot = job->user;

	slot->is_leaving = true;
	job_leave(job);
}

static void on_job_done(struct op *op)
{
	struct job *job = container_of(op, struct job, op);
	struct slot *slot = job->user;
	struct registry *registry = slot->registry;
	struct reactor *reactor = reactor_of(slot);

	count_end(slot);
	close_account(slot);
	metric_observe_ms(METRIC_JOB_TIME, reactor->now_ms(reactor) - job->started_ms);
	metric_dec(METRIC_JOBS_RUNNING);
	slot->is_running = false;
	slot->ended_ms = reactor->now_ms(reactor);
	registry->n_running--;
	reactor->timer_stop(reactor, &slot->timer);
	registry_start_timer(slot);
	if (slot->erasure != NULL)
		registry_erase_stored(slot->erasure);
	slot->erasure = NULL;
	if (job->log.error == ERR_NO_MEMORY)
		registry_claim_stranded(registry, job->id);
	registry_wake_claims(registry, job->id);
	registry_check_idle(registry);
}

/* ---- life ---- */

enum err registry_new(const struct job_ports *ports, const struct registry_options *options,
		      struct registry **ret_registry)
{
	struct registry *registry = mem_alloc(sizeof(*registry));

	if (registry == NULL)
		return ERR_NO_MEMORY;
	registry->ports = ports;
	registry->options = options;
	list_init(&registry->slots);
	list_init(&registry->claimings);
	list_init(&registry->followers);
	ledger_init(&registry->ledger);
	registry_start_scan(registry);
	*ret_registry = registry;
	return OK;
}

void registry_reload(struct registry *registry, const struct job_ports *ports,
		     const struct registry_options *options)
{
	registry->ports = ports;
	registry->options = options;
}

size_t registry_uses(const struct registry *registry, const struct job_ports *ports)
{
	size_t count = 0;

	LIST_EACH (node, &registry->slots)
		count += container_of(node, struct slot, node)->job->ports == ports;
	return count;
}

void registry_free(struct registry *registry)
{
	if (registry == NULL)
		return;
	registry_stop_scan(registry);
	registry_cancel_claims(registry);
	LIST_EACH (node, &registry->slots)
		registry_free_slot(container_of(node, struct slot, node));
	ledger_release(&registry->ledger);
	registry->ports->reactor->timer_stop(registry->ports->reactor, &registry->stop);
	registry->ports->reactor->undefer(registry->ports->reactor, &registry->idle);
	mem_free(registry);
}

/* ---- starting ---- */

long registry_words(const struct spec *spec)
{
	return spec->is_plan_only || spec->target_words < 0 ? 0 : spec->target_words;
}

long registry_words_left(const struct state *state)
{
	long words = registry_words(&state->spec) - state->words;

	return words > 0 ? words : 0;
}

enum registry_answer registry_ask(const struct registry *registry, const char *owner, long words,
				  uint64_t *ret_words_left)
{
	const struct ledger_limits *limits = &registry->options->owner;
	struct reactor *reactor = registry->ports->reactor;
	uint64_t wall_ms = reactor->wall_ms(reactor);

	*ret_words_left = ledger_words_left(&registry->ledger, limits, owner, wall_ms);
	if (registry->is_stopping)
		return REGISTRY_STOPPING;
	if (registry_running(registry) >= registry->options->running_max)
		return REGISTRY_FULL;
	switch (ledger_ask(&registry->ledger, limits, owner, (uint64_t)words, wall_ms)) {
	case LEDGER_JOBS:
		return REGISTRY_OWNER_FULL;
	case LEDGER_WORDS:
		return REGISTRY_OWNER_WORDS;
	default:
		return REGISTRY_OK;
	}
}

enum err registry_admit(const struct registry *registry, const char *owner,
			const struct state *state)
{
	uint64_t words_left;

	if (registry->is_handing_over)
		return ERR_CANCELED;
	switch (registry_ask(registry, owner, registry_words_left(state), &words_left)) {
	case REGISTRY_OK:
		return OK;
	case REGISTRY_STOPPING:
		return ERR_CANCELED;
	default:
		return ERR_LIMIT;
	}
}

/* In its owner's account, in front of the others, and on its way. NULL: no memory. */
static struct slot *start_slot(struct registry *registry, struct job *job, long words,
			       uint64_t grace_ms)
{
	struct reactor *reactor = registry->ports->reactor;
	struct slot *slot = mem_alloc(sizeof(*slot));

	if (slot == NULL || ledger_open(&registry->ledger, job->owner, (uint64_t)words,
					reactor->wall_ms(reactor), &slot->account) != OK) {
		mem_free(slot);
		job_free(job);
		return NULL;
	}
	slot->registry = registry;
	slot->job = job;
	slot->is_running = true;
	slot->asked_words = words;
	slot->words_before = job->state.words;
	slot->reader_grace_ms = grace_ms;
	job->user = slot;
	job->on_parked = on_job_parked;
	list_append(registry->slots.next, &slot->node);
	registry->n_running++;
	metric_inc(METRIC_JOBS_RUNNING);
	metric_inc(METRIC_JOBS_KEPT);
	op_prepare(&job->op, reactor, 0, on_job_done);
	job_start(job);
	return slot;
}

struct slot *registry_add(struct registry *registry, struct job *job, uint64_t grace_ms)
{
	struct slot *slot = start_slot(registry, job, registry_words_left(&job->state), grace_ms);

	if (slot != NULL)
		registry_start_timer(slot); /* a reader's attaching stops it */
	return slot;
}

enum err registry_start(struct registry *registry, struct job_request *request,
			struct job **ret_job)
{
	long words = registry_words(&request->spec);
	uint64_t grace_ms = registry_grace_ms(registry, request->grace);
	uint64_t words_left;
	enum registry_answer answer = registry_ask(registry, request->owner, words, &words_left);
	enum err err;

	if (answer != REGISTRY_OK) {
		spec_release(&request->spec);
		return answer == REGISTRY_STOPPING ? ERR_CANCELED : ERR_LIMIT;
	}
	err = job_new(registry->ports, &registry->options->job, request, ret_job);
	if (err == OK && start_slot(registry, *ret_job, words, grace_ms) == NULL)
		err = ERR_NO_MEMORY;
	return err;
}

/* ---- finding and reading ---- */

struct job *registry_find(struct registry *registry, const char *id)
{
	LIST_EACH (node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);
		bool is_gone = slot->is_erased || (slot->is_leaving && !slot->is_running) ||
			       slot->job->log.error == ERR_CONFLICT;

		if (!is_gone && strcmp(slot->job->id, id) == 0)
			return slot->job;
	}
	return NULL;
}

bool registry_has_reader(const struct registry *registry, const char *id)
{
	LIST_EACH (node, (struct list *)&registry->followers)
		if (strcmp(container_of(node, struct follower, node)->id, id) == 0)
			return true;
	return false;
}

void registry_attach(struct job *job, struct reader *reader, reader_fn on_events)
{
	struct slot *slot = job->user;

	if (!slot->is_leaving)
		job_resume(job); /* it may have been about to park */
	reader_attach(reader, &job->log, on_events);
	reactor_of(slot)->timer_stop(reactor_of(slot), &slot->timer);
}

void registry_detach(struct job *job, struct reader *reader)
{
	if (reader->log == NULL)
		return;
	reader_detach(reader);
	if (job->log.n_readers == 0)
		registry_start_timer(job->user);
}

size_t registry_running(const struct registry *registry)
{
	return registry->n_running;
}

struct job_summary job_summary_of(const char *id, const char *owner, const char *model_id,
				  const struct state *state)
{
	return (struct job_summary){ .id = id,
				     .owner = owner,
				     .model_id = model_id,
				     .status = state_status(state),
				     .created_ms = state->created_ms,
				     .target_words = state->spec.target_words,
				     .words = state->words };
}

void registry_each(struct registry *registry,
		   void (*each)(void *context, const struct job_summary *summary), void *context)
{
	LIST_EACH (node, &registry->slots) {
		const struct job *job = container_of(node, struct slot, node)->job;
		struct job_summary summary =
			job_summary_of(job->id, job->owner, job->model_id, &job->state);

		if (registry_find(registry, job->id) == job)
			each(context, &summary);
	}
}
