/* claim - takes a job's log up, to write on in it: reads it, appends `claimed` at <epoch+1>-0,
 * reads what landed in between.
 *
 *   claim_init(&claim, &options);
 *   op_prepare(&claim.op, ...);        its deadline is that of the whole claim
 *   claim_start(&claim)   ...   done()   ...   job_restore(), or claim_release()
 *
 * The append is election and fence: of several claimants exactly one lands, and from then on the
 * old writer's appends conflict. An unknown outcome is settled by reading: `by`, 128 random bits,
 * tells ours from another's.
 *
 * Results:
 *   OK            it is ours: the events, with our claim as the last one
 *   ERR_EXISTS    it has ended, there is nothing to claim: the events are given all the same
 *   ERR_CONFLICT  somebody else was first, or it is not wanted as it is (see `when`): read on, or
 *                 ask again later; the events read so far are given
 *   ERR_NOT_FOUND there is no such log, or it is not this owner's; nothing was claimed
 *   ERR_BROKEN    text is lost in the log: nobody can go on with it
 *   ERR_INVALID (not a log of ours), ERR_TIMEOUT (the store does not answer), ERR_NO_MEMORY,
 *   ERR_CANCELED, or the store's
 *
 * A claim that is cancelled may have landed, or land later: the log is then one whose writer does
 * nothing. Who wants it claims it again, which always works.
 *
 * The caller embeds it; the events are the claim's until job_restore() takes them. */
#ifndef LONGHAND_JOB_CLAIM_H
#define LONGHAND_JOB_CLAIM_H
#include "base/id.h"
#include "job/entries.h"

enum claim_when {
	CLAIM_ANY,    /* whoever writes it now is to stop */
	CLAIM_PARKED, /* only where nobody writes: its last event is `parked` */
};

struct claim_options {
	struct reactor *reactor;
	struct store *store;
	const char *id;	   /* copied */
	const char *owner; /* borrowed until done(): only a job of this owner's; NULL: anybody's */
	enum claim_when when;
	uint64_t store_ms; /* deadline of one operation */
	uint64_t again_ms; /* wait before an unknown outcome is looked at, doubled each time */
};

struct claim {
	struct op op; /* prepared by the caller */
	/* The result. */
	struct event *events; /* the log as far as it was read */
	size_t n_events, room;
	uint64_t epoch;	     /* ours, after OK */
	uint64_t doubt;	     /* the store's, when the reading began */
	uint64_t generation; /* store_write's: the log's writer keeps it */

	/* Its own. */
	struct claim_options options;
	char id[STORE_ID_BYTES];
	struct entries entries;
	struct store_read read;
	struct store_write write;
	struct buf line; /* of the claim */
	char by[ID_CHARS + 1];
	bool is_sent;	 /* the claim may be in the log */
	bool is_ours;	 /* it was read there */
	bool is_anew;	 /* the store has had doubts since it was sent */
	bool is_sealing; /* it only says again that the log has ended */
	unsigned tries;
	enum err outcome; /* of the append */
	struct timer again;
};

/* Options are copied. */
void claim_init(struct claim *claim, const struct claim_options *options);
/* claim->op must be prepared. */
void claim_start(struct claim *claim);
/* Not while its op is live; twice is once. */
void claim_release(struct claim *claim);
/* A string of the data of `created`; "" when absent. Valid as long as the events are. */
const char *claim_fact(const struct claim *claim, const char *name);
#endif
