#include "base/logging.h"
#include "job/registry_parts.h"

enum { SCAN_CLAIMS = 8 }; /* at once */

static void on_scan_time(struct timer *timer);

/* A quarter more or less: processes that were started together do not look together. */
static void wait_for_next(struct registry *registry)
{
	struct reactor *reactor = registry->ports->reactor;
	uint64_t scan_ms = registry->options->scan_ms;
	uint64_t jitter_ms = reactor->random(reactor) % (scan_ms / 2 + 1);

	reactor->timer_start(reactor, &registry->scan, scan_ms - scan_ms / 4 + jitter_ms,
			     on_scan_time);
}

static bool may_take(const struct registry *registry)
{
	return !registry->is_stopping && !registry->is_handing_over &&
	       registry_running(registry) < registry->options->running_max;
}

void registry_scan_on(struct registry *registry)
{
	struct store_find *found = &registry->found;

	while (!registry->is_looking && may_take(registry) &&
	       registry->n_scan_claims < SCAN_CLAIMS && registry->next_found < found->n_ids)
		registry_claim_orphan(registry, found->ids[registry->next_found++]);
}

static void on_found(struct op *op)
{
	struct store_find *found = container_of(op, struct store_find, op);
	struct registry *registry = container_of(found, struct registry, found);

	registry->is_looking = false;
	registry->n_waiting--;
	if (op->result != OK)
		found->n_ids = 0;
	registry->next_found = 0;
	registry_scan_on(registry);
	registry_check_idle(registry);
}

/* What is left of the last look is found again. */
static void look(struct registry *registry)
{
	struct store *store = registry->ports->store;

	if (registry->is_looking || !may_take(registry) || !store->is_up(store))
		return;
	registry->is_looking = true;
	registry->n_waiting++;
	op_prepare(&registry->found.op, registry->ports->reactor,
		   registry->options->job.log.store_ms, on_found);
	store->orphans(store, &registry->found);
}

/* What a store lost while a job had nothing to write is written again. */
static void check_logs(struct registry *registry)
{
	LIST_EACH (node, &registry->slots)
		event_log_check(&container_of(node, struct slot, node)->job->log);
}

static void on_scan_time(struct timer *timer)
{
	struct registry *registry = container_of(timer, struct registry, scan);

	check_logs(registry);
	look(registry);
	wait_for_next(registry);
}

void registry_start_scan(struct registry *registry)
{
	struct reactor *reactor = registry->ports->reactor;

	if (registry->ports->store->reach != STORE_HERE)
		reactor->timer_start(reactor, &registry->scan, 0, on_scan_time);
}

void registry_stop_scan(struct registry *registry)
{
	registry->ports->reactor->timer_stop(registry->ports->reactor, &registry->scan);
	op_cancel(&registry->found.op, ERR_CANCELED);
}
