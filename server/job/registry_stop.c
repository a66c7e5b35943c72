#include "base/logging.h"
#include "job/registry_parts.h"

static bool is_shared(const struct registry *registry)
{
	return registry->ports->store->reach == STORE_SHARED;
}

void registry_hand_over(struct registry *registry)
{
	if (!is_shared(registry))
		return;
	registry->is_handing_over = true;
	LIST_EACH (node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (slot->is_running && !slot->is_leaving)
			job_offer(slot->job);
	}
}

/* One that is kept goes on by itself when this process is started again. */
static void park_all(struct registry *registry)
{
	LIST_EACH (node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (!slot->is_running || slot->is_leaving)
			continue;
		if (slot->job->grace == JOB_GRACE_KEPT)
			job_offer(slot->job);
		else
			job_park(slot->job);
	}
}

static void fail_all(struct registry *registry)
{
	LIST_EACH (node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (slot->is_running)
			op_cancel(&slot->job->op, ERR_CANCELED);
	}
}

/* Those of jobs that end here read the end. Each callback may free any of them. */
static void close_followers(struct registry *registry)
{
	struct list closing;
	struct list *node;

	list_init(&closing);
	while ((node = list_pop(&registry->followers)) != NULL)
		list_append(&closing, node);
	while ((node = list_pop(&closing)) != NULL) {
		struct follower *follower = container_of(node, struct follower, node);

		list_append(&registry->followers, node);
		follower->on_closed(follower);
	}
}

/* The store does not answer: what is not in it is lost, and a claim of it finds what is. */
static void on_stop_time(struct timer *timer)
{
	struct registry *registry = container_of(timer, struct registry, stop);

	LIST_EACH (node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (!slot->is_running)
			continue;
		log_error("job_cut_off", "job=%s reason=%s", slot->job->id,
			  "the store did not answer in time");
		job_give_up(slot->job);
	}
}

void registry_stop(struct registry *registry, void (*on_idle)(void *context), void *context)
{
	struct reactor *reactor = registry->ports->reactor;

	registry->is_stopping = registry->is_closed = true;
	registry->on_idle = on_idle;
	registry->on_idle_context = context;
	registry_stop_scan(registry);
	registry_cancel_claims(registry);
	if (is_shared(registry))
		registry_hand_over(registry);
	else if (registry->ports->store->reach == STORE_DURABLE)
		park_all(registry);
	else
		fail_all(registry);
	close_followers(registry);
	reactor->timer_start(reactor, &registry->stop,
			     STOP_TRIES * registry->options->job.log.store_ms, on_stop_time);
	registry_check_idle(registry);
}
