/* registry_parts - the inside of the registry, shared by its files only. */
#ifndef LONGHAND_JOB_REGISTRY_PARTS_H
#define LONGHAND_JOB_REGISTRY_PARTS_H
#include "job/registry.h"

struct registry {
	const struct job_ports *ports;
	const struct registry_options *options;
	struct list slots; /* newest first */
	struct ledger ledger;
	size_t n_running; /* parked ones too */
	size_t n_parked, n_erasing;
	bool is_stopping;
	struct deferred idle;
	void (*on_idle)(void *context);
	void *on_idle_context;
};

struct slot {
	struct list node;
	struct registry *registry;
	struct job *job;    /* NULL: only its summary is left */
	/* Running: the readers' grace; parked: how long; ended: the keep, then the retention. */
	struct timer timer;
	uint64_t reader_grace_ms;
	struct account *account; /* of its owner, while it runs */
	long asked_words;
	long words_before; /* written before it parked last */
	bool is_running;
	bool is_parked;
	struct origin origin;
	bool has_origin, has_delivered;
	uint64_t ended_ms; /* by the loop's clock; 0: not yet */
	bool is_erased;		 /* nobody finds it any more */
	struct erasure *erasure; /* waits for the job's end; NULL: none */
	struct job_summary past; /* its strings are ours, but for status */
	char id[JOB_ID_BYTES];
};

/* registry.c's, for registry_erase.c: */
void registry_free_slot(struct slot *slot);
/* For what the slot waits now. */
void registry_start_timer(struct slot *slot);
/* Who waits for it is told on a later turn. */
void registry_check_idle(struct registry *registry);
/* registry_erase.c's, for registry.c: nothing of the job is on its way to the store any more. */
void registry_erase_stored(struct erasure *erasure);
#endif
