#include "base/mem.h"
#include "job/registry_parts.h"
#include <stdio.h>

static void on_erased(struct op *op)
{
	struct store_erase *erase = container_of(op, struct store_erase, op);
	struct erasure *erasure = container_of(erase, struct erasure, erase);
	bool is_gone = op->result == ERR_NOT_FOUND && erasure->was_here;

	erasure->registry->n_waiting--;
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

static void never_cancelled(struct op *op)
{
	(void)op;
}

void registry_erase(struct registry *registry, const char *id, struct erasure *erasure)
{
	struct job *job = registry_find(registry, id);
	struct slot *slot = job != NULL ? job->user : NULL;

	erasure->id = id;
	erasure->registry = registry;
	erasure->was_here = slot != NULL;
	if (!op_begin(&erasure->op, never_cancelled))
		return;
	registry->n_waiting++;
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

/* ---- taking a label off ---- */

struct unlabelling {
	struct store_unlabel unlabel;
	struct registry *registry;
	char id[JOB_ID_BYTES];
	char label[STORE_LABEL_BYTES];
};

static void on_unlabelled(struct op *op)
{
	struct store_unlabel *unlabel = container_of(op, struct store_unlabel, op);
	struct unlabelling *unlabelling = container_of(unlabel, struct unlabelling, unlabel);
	struct registry *registry = unlabelling->registry;

	mem_free(unlabelling);
	registry->n_waiting--;
	registry_check_idle(registry);
}

/* Where it fails, a request that comes again gets the text that it had before. */
static void take_off(struct registry *registry, const char *id, const char *label)
{
	struct store *store = registry->ports->store;
	struct unlabelling *unlabelling = label[0] != '\0' ? mem_alloc(sizeof(*unlabelling)) : NULL;

	if (unlabelling == NULL)
		return;
	unlabelling->registry = registry;
	(void)snprintf(unlabelling->id, sizeof(unlabelling->id), "%s", id);
	(void)snprintf(unlabelling->label, sizeof(unlabelling->label), "%s", label);
	unlabelling->unlabel.job = unlabelling->id;
	unlabelling->unlabel.label = unlabelling->label;
	registry->n_waiting++;
	op_prepare(&unlabelling->unlabel.op, registry->ports->reactor,
		   registry->options->job.log.store_ms, on_unlabelled);
	store->unlabel(store, &unlabelling->unlabel);
}

void registry_note_delivery(struct registry *registry, struct job *job, const char *id,
			    const char *fresh)
{
	struct slot *slot = job != NULL ? job->user : NULL;

	if (slot != NULL && slot->has_delivered)
		return;
	if (slot != NULL)
		slot->has_delivered = true;
	take_off(registry, id, fresh);
}
