#include "job/registry.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <string.h>

struct registry {
	const struct job_ports *ports;
	const struct registry_options *options;
	struct list slots; /* newest first */
	struct ledger ledger;
	size_t n_running, n_erasing;
	bool is_stopping;
	struct deferred idle;
	void (*on_idle)(void *context);
	void *on_idle_context;
};

struct slot {
	struct list node;
	struct registry *registry;
	struct job *job;    /* NULL: only its summary is left */
	struct timer timer; /* running: the readers' grace; ended: the keep, then the retention */
	uint64_t reader_grace_ms;
	struct account *account; /* of its owner, while it runs */
	long asked_words;
	bool is_running;
	bool is_erased;		 /* nobody finds it any more */
	struct erasure *erasure; /* waits for the job's end; NULL: none */
	struct job_summary past; /* its strings are ours, but for status */
	char id[JOB_ID_BYTES];
};

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

static void slot_free(struct slot *slot)
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
	slot_free(container_of(timer, struct slot, timer));
}

/* The job goes; for the rest of its retention the list still has it. */
static void shrink(struct slot *slot)
{
	const struct registry_options *options = slot->registry->options;
	struct reactor *reactor = reactor_of(slot);

	if (slot->is_erased || options->retention_ms <= options->keep_ms || !keep_summary(slot)) {
		slot_free(slot);
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
	job_cancel(container_of(timer, struct slot, timer)->job);
}

static void start_timer(struct slot *slot)
{
	const struct registry_options *options = slot->registry->options;
	struct reactor *reactor = reactor_of(slot);

	if (!slot->is_running)
		reactor->timer_start(reactor, &slot->timer, slot->is_erased ? 0 : options->keep_ms,
				     on_keep_over);
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

static void check_idle(struct registry *registry)
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

/* ---- erasing ---- */

static void on_erased(struct op *op)
{
	struct store_erase *erase = container_of(op, struct store_erase, op);
	struct erasure *erasure = container_of(erase, struct erasure, erase);
	bool is_gone = op->result == ERR_NOT_FOUND && erasure->was_here;

	erasure->registry->n_erasing--;
	check_idle(erasure->registry);
	op_finish(&erasure->op, is_gone ? OK : op->result);
}

static void erase_stored(struct erasure *erasure)
{
	struct registry *registry = erasure->registry;
	struct store *store = registry->ports->store;

	erasure->erase.job = erasure->id;
	op_prepare(&erasure->erase.op, registry->ports->reactor,
		   registry->options->job.log.store_ms, on_erased);
	store->erase(store, &erasure->erase);
}

/* ---- ends ---- */

static void on_job_done(struct op *op)
{
	struct job *job = container_of(op, struct job, op);
	struct slot *slot = job->user;
	struct registry *registry = slot->registry;
	struct reactor *reactor = reactor_of(slot);

	count_end(job);
	ledger_close(slot->account, (uint64_t)slot->asked_words, (uint64_t)job->state.words,
		     reactor->wall_ms(reactor));
	metric_observe_ms(METRIC_JOB_TIME, reactor->now_ms(reactor) - job->started_ms);
	metric_dec(METRIC_JOBS_RUNNING);
	slot->is_running = false;
	registry->n_running--;
	reactor->timer_stop(reactor, &slot->timer);
	start_timer(slot);
	if (slot->erasure != NULL)
		erase_stored(slot->erasure);
	slot->erasure = NULL;
	check_idle(registry);
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
		slot_free(container_of(node, struct slot, node));
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
	if (registry->n_running >= registry->options->running_max)
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

/* What only the list has. */
static void forget_past(struct registry *registry, const char *id)
{
	LIST_EACH(node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (slot->job == NULL && strcmp(slot->id, id) == 0)
			slot_free(slot);
	}
}

static void never_cancelled(struct op *op)
{
	(void)op;
}

void registry_erase(struct registry *registry, const char *id, struct erasure *erasure)
{
	struct job *job = registry_find(registry, id);
	struct slot *slot = job != NULL ? job->user : NULL;

	forget_past(registry, id);
	erasure->id = id;
	erasure->registry = registry;
	erasure->was_here = slot != NULL;
	if (!op_begin(&erasure->op, never_cancelled))
		return;
	registry->n_erasing++;
	if (slot == NULL) {
		erase_stored(erasure);
		return;
	}
	slot->is_erased = true;
	if (slot->is_running) {
		slot->erasure = erasure; /* what is on its way to the store comes first */
	} else {
		start_timer(slot);
		erase_stored(erasure);
	}
	job_give_up(job);
}

void registry_attach(struct job *job, struct reader *reader, reader_fn on_events)
{
	struct slot *slot = job->user;

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
		start_timer(slot);
}

size_t registry_running(const struct registry *registry)
{
	return registry->n_running;
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
	check_idle(registry);
}
