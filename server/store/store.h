/* store - where jobs' logs live. The port, and the contract every store keeps (the conformance
 * suite tests/fakes/store_suite runs it against each):
 *
 * - A log is a list of entries; an entry is a batch of encoded events (one JSON object a line) with
 *   the epoch and seq of its first event. Entries of a log come back in the order they landed, each
 *   once, unchanged.
 * - create: makes the log with its first entry; ERR_EXISTS when the id is taken.
 * - append: lands at the end if (epoch, seq) is above the log's last one and the log exists.
 *   Outcomes: STORE_LANDED: it is there, readers see it. STORE_CONFLICT: it is not there and will
 *   never be: a higher epoch has written, or the log is erased. STORE_UNKNOWN: nobody knows (a
 *   time-out, a lost connection); the writer must read the tail to find out. At most one append or
 *   create per log is in flight, by its owner.
 * - read: entries after a place, up to a size; an erased or unknown log is ERR_NOT_FOUND.
 * - erase: the log is gone for good: later appends conflict, later reads find nothing.
 * - Every log goes by itself: retention_ms after the entry that is_last, STORE_UNENDED_MS after its
 *   last append while there is none. A job at work never loses its log to a short retention.
 *
 * All are ops by async/op.h: done() comes on a later turn, once. */
#ifndef LONGHAND_STORE_STORE_H
#define LONGHAND_STORE_STORE_H
#include "async/op.h"
#include "base/buf.h"

enum { STORE_ID_BYTES = 33, STORE_UNENDED_MS = 24 * 3600 * 1000 };
enum store_outcome { STORE_LANDED, STORE_CONFLICT, STORE_UNKNOWN };

struct store_place {
	uint64_t epoch, seq;
};

struct store_write { /* create and append */
	struct op op;
	const char *job;	   /* borrowed until done(), as is data */
	struct store_place first; /* of the first event */
	unsigned n_events;
	bool is_last; /* the job has ended: nothing follows */
	struct slice data;
	enum store_outcome outcome; /* append: read it in done(); op.result is OK for LANDED */
};

struct store_read {
	struct op op;
	const char *job;
	struct store_place after; /* entries above it; {0,0}: from the start. seq counts from 1. */
	size_t bytes_max;	  /* stop after the entry that passes it */
	struct buf entries;	  /* out: the entries' data one after the other; the call's own */
	struct store_place last;  /* out: of the last entry's first event */
	bool is_more;
};

struct store_erase {
	struct op op;
	const char *job;
};

struct store {
	void (*create)(struct store *store, struct store_write *write);
	void (*append)(struct store *store, struct store_write *write);
	void (*read)(struct store *store, struct store_read *read);
	void (*erase)(struct store *store, struct store_erase *erase);
};
#endif
