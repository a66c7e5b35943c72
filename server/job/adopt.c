#include "job/registry_parts.h"
#include <string.h>

static bool can_be_adopted(const struct slot *slot)
{
	const char *status =
		slot->job != NULL ? state_status(&slot->job->state) : slot->past.status;

	if (slot->job != NULL && slot->job->error != OK)
		return false;
	return strcmp(status, "failed") != 0 && strcmp(status, "cancelled") != 0;
}

static bool is_of(const struct slot *slot, const char *owner)
{
	return slot->has_origin && !slot->is_erased &&
	       strcmp(slot->job != NULL ? slot->job->owner : slot->past.owner, owner) == 0;
}

static bool has_hash(const struct slot *slot, const struct origin *origin)
{
	return memcmp(slot->origin.hash, origin->hash, sizeof(origin->hash)) == 0;
}

/* Rule b, but for owner and hash. */
static bool is_orphaned(const struct slot *slot, bool is_retry, uint64_t now_ms)
{
	/* The end may still be on its way to the store. */
	bool has_ended = slot->job == NULL || slot->job->state.phase == STATE_ENDED;
	uint64_t age_ms = slot->ended_ms > 0 ? now_ms - slot->ended_ms : 0;

	if (slot->job != NULL && slot->job->log.n_readers > 0)
		return false;
	return is_retry || (has_ended && !slot->has_delivered && age_ms < ADOPT_MS);
}

static enum registry_adoption adopt(const struct slot *slot, char ret_id[JOB_ID_BYTES])
{
	memcpy(ret_id, slot->job != NULL ? slot->job->id : slot->id, JOB_ID_BYTES);
	return REGISTRY_ADOPTED;
}

enum registry_adoption registry_adopt(const struct registry *registry, const char *owner,
				      const struct origin *origin, bool is_retry,
				      char ret_id[JOB_ID_BYTES])
{
	struct reactor *reactor = registry->ports->reactor;
	const struct slot *orphan = NULL;

	LIST_EACH(node, (struct list *)&registry->slots) {
		const struct slot *slot = container_of(node, struct slot, node);

		if (!is_of(slot, owner))
			continue;
		if (origin->key[0] != '\0' && strcmp(slot->origin.key, origin->key) == 0) {
			if (!has_hash(slot, origin))
				return REGISTRY_KEY_REUSED;
			if (can_be_adopted(slot))
				return adopt(slot, ret_id);
		}
		if (orphan == NULL && has_hash(slot, origin) && can_be_adopted(slot) &&
		    is_orphaned(slot, is_retry, reactor->now_ms(reactor)))
			orphan = slot;
	}
	return orphan != NULL ? adopt(orphan, ret_id) : REGISTRY_NOT_KNOWN;
}

void registry_note_delivery(struct job *job)
{
	struct slot *slot = job->user;

	slot->has_delivered = true;
}
