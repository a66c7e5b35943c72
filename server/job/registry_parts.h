/* registry_parts - the inside of the registry, shared by its files only.
 *
 *   registry.c          slots: starting, attaching, parking, ends
 *   registry_take.c     claims, and jobs made of them
 *   registry_scan.c     orphans
 *   registry_erase.c    erasing, and taking labels off
 *   registry_stop.c     handing over, stopping
 *   adopt.c             repeated requests */
#ifndef LONGHAND_JOB_REGISTRY_PARTS_H
#define LONGHAND_JOB_REGISTRY_PARTS_H
#include "job/registry.h"

struct registry {
	const struct job_ports *ports;
	const struct registry_options *options;
	struct list slots;     /* newest first */
	struct list claimings; /* under way */
	struct list followers; /* every log_cursor */
	struct ledger ledger;
	size_t n_running;
	size_t n_waiting; /* operations of the store that are the registry's own */
	/* Orphans that were found, and are to be claimed one after the other. */
	struct store_find found;
	size_t next_found, n_scan_claims;
	struct timer scan;
	bool is_looking; /* `found` is on its way */
	bool is_handing_over, is_stopping, is_closed;
	struct timer stop; /* waited long enough for the store */
	struct deferred idle;
	void (*on_idle)(void *context);
	void *on_idle_context;
};

struct slot {
	struct list node;
	struct registry *registry;
	struct job *job;
	struct timer timer; /* running: the readers' grace; then: the keep */
	uint64_t reader_grace_ms;
	struct account *account; /* of its owner, while it runs */
	long asked_words;
	long words_before; /* written before this process took it */
	bool is_running;
	bool is_leaving; /* parked or offered: its op's done() is on its way */
	bool has_delivered;
	uint64_t ended_ms;	 /* by the loop's clock; 0: not yet */
	bool is_erased;		 /* nobody finds it any more */
	struct erasure *erasure; /* waits for the job's end; NULL: none */
};

/* A cursor, as long as it is there. */
struct follower {
	struct list node;
	const char *id;
	/* The process stops. It may free any follower. */
	void (*on_closed)(struct follower *follower);
};

/* registry.c's: */
void registry_free_slot(struct slot *slot);
/* For what the slot waits now. */
void registry_start_timer(struct slot *slot);
/* Who waits for it is told on a later turn. */
void registry_check_idle(struct registry *registry);
/* A job out of a claim gets its place, and starts. NULL: no memory; the job is freed. */
struct slot *registry_add(struct registry *registry, struct job *job, uint64_t grace_ms);
uint64_t registry_grace_ms(const struct registry *registry, enum job_grace grace);
long registry_words_left(const struct state *state);
bool registry_has_reader(const struct registry *registry, const char *id);

/* registry_take.c's: */
/* For an orphan, unless it is being claimed already. */
void registry_claim_orphan(struct registry *registry, const char *id);
/* The job ended here without an end, for want of memory: after a while it is an orphan. */
void registry_claim_stranded(struct registry *registry, const char *id);
/* A job has left: who waits for that may claim it. */
void registry_wake_claims(struct registry *registry, const char *id);
void registry_cancel_claims(struct registry *registry);

/* registry_scan.c's: */
void registry_start_scan(struct registry *registry);
void registry_stop_scan(struct registry *registry);
/* A claim of an orphan is over: the next one. */
void registry_scan_on(struct registry *registry);

/* registry_erase.c's: nothing of the job is on its way to the store any more. */
void registry_erase_stored(struct erasure *erasure);
#endif
