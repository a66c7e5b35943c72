#include "job/registry.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/registry_parts.h"
#include <string.h>

static struct reactor *reactor_of(struct slot *slot)
{
	return slot->registry->ports->reactor;
}

static void free_job(struct slot *slot)
{
	if (slot->job == NULL)
		return;
	job_free(slot->job);
	slot->job = NULL;
	metric_dec(METRIC_JOBS_KEPT);
}

void registry_free_slot(struct slot *slot)
{
	reactor_of(slot)->timer_stop(reactor_of(slot), &slot->timer);
	list_remove(&slot->node);
	free_job(slot);
	mem_free((char *)slot->past.owner);
	mem_free((char *)slot->past.model_id);
	mem_free(slot);
}

static struct job_summary summary_of(const struct job *job)
{
	return (struct job_summary){ .id = job->id,
				     .owner = job->owner,
				     .model_id = job->model_id,
				     .status = state_status(&job->state),
				     .created_ms = job->state.created_ms,
				     .target_words = job->state.spec.target_words,
				     .words = job->state.words };
}

/* False: no memory. */
static bool keep_summary(struct slot *slot)
{
	slot->past = summary_of(slot->job);
	memcpy(slot->id, slot->job->id, sizeof(slot->id));
	slot->past.id = slot->id;
	slot->past.owner = mem_strdup(slot->job->owner);
	slot->past.model_id = mem_strdup(slot->job->model_id);
	return slot->past.owner != NULL && slot->past.model_id != NULL;
}

static void on_retention_over(struct timer *timer)
{
	registry_free_slot(container_of(timer, struct slot, timer));
}

/* The job goes; for the rest of its retention the list still has it. */
static void shrink(struct slot *slot)
{
	const struct registry_options *options = slot->registry->options;
	struct reactor *reactor = reactor_of(slot);

	if (slot->is_erased || options->retention_ms <= options->keep_ms || !keep_summary(slot)) {
		registry_free_slot(slot);
		return;
	}
	free_job(slot);
	reactor->timer_start(reactor, &slot->timer, options->retention_ms - options->keep_ms,
			     on_retention_over);
}

static void on_keep_over(struct timer *timer)
{
	struct slot *slot = container_of(timer, struct slot, timer);

	if (slot->job->log.n_readers == 0)
		shrink(slot); /* else the last reader's leaving starts it again */
}

static void on_grace_over(struct timer *timer)
{
	job_park(container_of(timer, struct slot, timer)->job);
}

static void on_park_over(struct timer *timer)
{
	job_cancel(container_of(timer, struct slot, timer)->job);
}

void registry_start_timer(struct slot *slot)
{
	const struct registry_options *options = slot->registry->options;
	struct reactor *reactor = reactor_of(slot);

	if (!slot->is_running)
		reactor->timer_start(reactor, &slot->timer, slot->is_erased ? 0 : options->keep_ms,
				     on_keep_over);
	else if (slot->is_parked)
		reactor->timer_start(reactor, &slot->timer, options->park_ms, on_park_over);
	else if (slot->reader_grace_ms != UINT64_MAX)
		reactor->timer_start(reactor, &slot->timer, slot->reader_grace_ms, on_grace_over);
}

static void on_registry_idle(struct deferred *deferred)
{
	struct registry *registry = container_of(deferred, struct registry, idle);
	void (*on_idle)(void *context) = registry->on_idle;

	registry->on_idle = NULL;
	if (on_idle != NULL)
		on_idle(registry->on_idle_context);
}

void registry_check_idle(struct registry *registry)
{
	struct reactor *reactor = registry->ports->reactor;

	if (registry->n_running == 0 && registry->n_erasing == 0 && registry->on_idle != NULL)
		reactor->defer(reactor, &registry->idle, on_registry_idle);
}

static void count_end(const struct job *job)
{
	const struct state *state = &job->state;

	if (job->error == ERR_NOT_FOUND)
		metric_inc(METRIC_JOBS_CANCELLED); /* erased */
	else if (state->end == EVENT_FAILED || job->error != OK)
		metric_inc(METRIC_JOBS_FAILED);
	else
		metric_inc(state->is_cancelled ? METRIC_JOBS_CANCELLED : METRIC_JOBS_DONE);
	metric_add(METRIC_WORDS_WRITTEN, (uint64_t)state->words);
	metric_add(METRIC_WORDS_DISCARDED, (uint64_t)state->words_dropped);
	metric_add(METRIC_REPAIRS, json_array_size(state->repairs));
}

/* ---- parking ---- */

static void close_account(struct slot *slot)
{
	struct reactor *reactor = reactor_of(slot);
	long words = slot->job->state.words - slot->words_before;

	if (slot->account != NULL)
		ledger_close(slot->account, (uint64_t)slot->asked_words, (uint64_t)words,
			     reactor->wall_ms(reactor));
	slot->account = NULL;
	slot->words_before = slot->job->state.words;
}

static void end_oldest_parked(struct registry *registry)
{
	struct list *node = registry->slots.prev;

	while (node != &registry->slots && !container_of(node, struct slot, node)->is_parked)
		node = node->prev;
	if (node != &registry->slots)
		job_cancel(container_of(node, struct slot, node)->job);
}

static void on_job_parked(struct job *job)
{
	struct slot *slot = job->user;
	struct registry *registry = slot->registry;
	size_t parked_max = registry->options->parked_max;

	if (parked_max > 0 && registry->n_parked >= parked_max)
		end_oldest_parked(registry);
	close_account(slot);
	slot->is_parked = true;
	registry->n_parked++;
	metric_dec(METRIC_JOBS_RUNNING);
	metric_inc(METRIC_JOBS_PARKED);
	registry_start_timer(slot);
}

enum err registry_resume(struct job *job)
{
	struct slot *slot = job->user;
	struct registry *registry = slot->registry;
	long words = registry_words(&job->state.spec) - job->state.words;
	enum registry_answer answer;
	uint64_t wall_ms, left;
	enum err err;

	if (!slot->is_parked)
		return OK;
	words = words > 0 ? words : 0;
	wall_ms = reactor_of(slot)->wall_ms(reactor_of(slot));
	answer = registry_ask(registry, job->owner, words, &left);
	if (answer != REGISTRY_OK)
		return answer == REGISTRY_STOPPING ? ERR_CANCELED : ERR_LIMIT;
	err = ledger_open(&registry->ledger, job->owner, (uint64_t)words, wall_ms, &slot->account);
	if (err != OK)
		return err;
	slot->asked_words = words;
	slot->is_parked = false;
	registry->n_parked--;
	metric_dec(METRIC_JOBS_PARKED);
	metric_inc(METRIC_JOBS_RUNNING);
	registry_start_timer(slot); /* the reader's attaching stops it */
	job_resume(job);
	return OK;
}

/* ---- ends ---- */

static void on_job_done(struct op *op)
{
	struct job *job = container_of(op, struct job, op);
	struct slot *slot = job->user;
	struct registry *registry = slot->registry;
	struct reactor *reactor = reactor_of(slot);

	count_end(job);
	close_account(slot);
	metric_observe_ms(METRIC_JOB_TIME, reactor->now_ms(reactor) - job->started_ms);
	metric_dec(slot->is_parked ? METRIC_JOBS_PARKED : METRIC_JOBS_RUNNING);
	registry->n_parked -= slot->is_parked;
	slot->is_running = slot->is_parked = false;
	slot->ended_ms = reactor->now_ms(reactor);
	registry->n_running--;
	reactor->timer_stop(reactor, &slot->timer);
	registry_start_timer(slot);
	if (slot->erasure != NULL)
		registry_erase_stored(slot->erasure);
	slot->erasure = NULL;
	registry_check_idle(registry);
}

enum err registry_new(const struct job_ports *ports, const struct registry_options *options,
		      struct registry **ret_registry)
{
	struct registry *registry = mem_alloc(sizeof(*registry));

	if (registry == NULL)
		return ERR_NO_MEMORY;
	registry->ports = ports;
	registry->options = options;
	list_init(&registry->slots);
	ledger_init(&registry->ledger);
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

	LIST_EACH(node, &registry->slots) {
		const struct slot *slot = container_of(node, struct slot, node);

		count += slot->job != NULL && slot->job->ports == ports;
	}
	return count;
}

void registry_free(struct registry *registry)
{
	if (registry == NULL)
		return;
	LIST_EACH(node, &registry->slots)
		registry_free_slot(container_of(node, struct slot, node));
	ledger_release(&registry->ledger);
	registry->ports->reactor->undefer(registry->ports->reactor, &registry->idle);
	mem_free(registry);
}

static struct slot *slot_new(struct registry *registry, struct job_request *request)
{
	struct slot *slot = mem_alloc(sizeof(*slot));

	if (slot == NULL) {
		spec_release(&request->spec);
		return NULL;
	}
	slot->registry = registry;
	slot->is_running = true;
	if (job_new(registry->ports, &registry->options->job, request, &slot->job) != OK) {
		mem_free(slot);
		return NULL;
	}
	slot->job->user = slot;
	slot->job->on_parked = on_job_parked;
	return slot;
}

long registry_words(const struct spec *spec)
{
	return spec->is_plan_only || spec->target_words < 0 ? 0 : spec->target_words;
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

/* Opens the job in its owner's account, then makes it. NULL: no memory. */
static struct slot *open_slot(struct registry *registry, struct job_request *request)
{
	uint64_t wall_ms = registry->ports->reactor->wall_ms(registry->ports->reactor);
	long words = registry_words(&request->spec);
	struct account *account;
	struct slot *slot;

	if (ledger_open(&registry->ledger, request->owner, (uint64_t)words, wall_ms, &account) !=
	    OK) {
		spec_release(&request->spec);
		return NULL;
	}
	slot = slot_new(registry, request);
	if (slot == NULL) {
		ledger_close(account, (uint64_t)words, 0, wall_ms);
		return NULL;
	}
	slot->account = account;
	slot->asked_words = words;
	slot->has_origin = request->origin != NULL;
	if (slot->has_origin)
		slot->origin = *request->origin;
	return slot;
}

enum err registry_start(struct registry *registry, struct job_request *request,
			uint64_t reader_grace_ms, struct job **ret_job)
{
	struct slot *slot;
	uint64_t words_left;
	enum registry_answer answer = registry_ask(
		registry, request->owner, registry_words(&request->spec), &words_left);

	if (answer != REGISTRY_OK) {
		spec_release(&request->spec);
		return answer == REGISTRY_STOPPING ? ERR_CANCELED : ERR_LIMIT;
	}
	slot = open_slot(registry, request);
	if (slot == NULL)
		return ERR_NO_MEMORY;
	slot->reader_grace_ms = reader_grace_ms;
	list_append(registry->slots.next, &slot->node); /* in front */
	registry->n_running++;
	metric_inc(METRIC_JOBS_RUNNING);
	metric_inc(METRIC_JOBS_KEPT);
	op_prepare(&slot->job->op, registry->ports->reactor, 0, on_job_done);
	job_start(slot->job);
	*ret_job = slot->job;
	return OK;
}

struct job *registry_find(struct registry *registry, const char *id)
{
	LIST_EACH(node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (slot->job != NULL && !slot->is_erased && strcmp(slot->job->id, id) == 0)
			return slot->job;
	}
	return NULL;
}

void registry_attach(struct job *job, struct reader *reader, reader_fn on_events)
{
	struct slot *slot = job->user;

	if (!slot->is_parked)
		job_resume(job); /* it may have been about to park */
	reader_attach(reader, &job->log, on_events);
	reactor_of(slot)->timer_stop(reactor_of(slot), &slot->timer);
}

void registry_detach(struct job *job, struct reader *reader)
{
	struct slot *slot = job->user;

	if (reader->log == NULL)
		return;
	reader_detach(reader);
	if (job->log.n_readers == 0)
		registry_start_timer(slot);
}

size_t registry_running(const struct registry *registry)
{
	return registry->n_running - registry->n_parked;
}

void registry_each(struct registry *registry,
		   void (*each)(void *context, const struct job_summary *summary), void *context)
{
	LIST_EACH(node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);
		struct job_summary summary =
			slot->job != NULL ? summary_of(slot->job) : slot->past;

		if (!slot->is_erased)
			each(context, &summary);
	}
}

void registry_stop(struct registry *registry, void (*on_idle)(void *context), void *context)
{
	registry->is_stopping = true;
	registry->on_idle = on_idle;
	registry->on_idle_context = context;
	LIST_EACH(node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (slot->is_running)
			op_cancel(&slot->job->op, ERR_CANCELED);
	}
	registry_check_idle(registry);
}
