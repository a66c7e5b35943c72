#include "job/registry_parts.h"
#include <string.h>

static void on_erased(struct op *op)
{
	struct store_erase *erase = container_of(op, struct store_erase, op);
	struct erasure *erasure = container_of(erase, struct erasure, erase);
	bool is_gone = op->result == ERR_NOT_FOUND && erasure->was_here;

	erasure->registry->n_erasing--;
	registry_check_idle(erasure->registry);
	op_finish(&erasure->op, is_gone ? OK : op->result);
}

void registry_erase_stored(struct erasure *erasure)
{
	struct registry *registry = erasure->registry;
	struct store *store = registry->ports->store;

	erasure->erase.job = erasure->id;
	op_prepare(&erasure->erase.op, registry->ports->reactor,
		   registry->options->job.log.store_ms, on_erased);
	store->erase(store, &erasure->erase);
}

/* What only the list has. */
static void forget_past(struct registry *registry, const char *id)
{
	LIST_EACH(node, &registry->slots) {
		struct slot *slot = container_of(node, struct slot, node);

		if (slot->job == NULL && strcmp(slot->id, id) == 0)
			registry_free_slot(slot);
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
		registry_erase_stored(erasure);
		return;
	}
	slot->is_erased = true;
	if (slot->is_running) {
		slot->erasure = erasure; /* what is on its way to the store comes first */
	} else {
		registry_start_timer(slot);
		registry_erase_stored(erasure);
	}
	job_give_up(job);
}
