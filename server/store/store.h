/* store - where jobs' logs live. The port, and the contract every store keeps (the conformance
 * suite tests/fakes/store_suite runs it against each):
 *
 * - A log is a list of entries; an entry is a batch of encoded events (one JSON object a line). Its
 *   place is the epoch and seq of its last event. Entries of a log come back in the order they
 *   landed, each once, unchanged.
 * - create: makes the log with its first entry, to be found by its labels; ERR_EXISTS when the id
 *   is taken; ERR_CONFLICT when a log that was lost (see below) has been erased meanwhile. No log
 * is there without being found by its labels.
 * - append: lands at the end if the entry's first event is above the log's place and the log is
 *   there. An entry whose first seq is 0 is a claim: from then on everything of older epochs
 *   conflicts, so it is both election and fence. Outcomes: STORE_LANDED: it is there, readers see
 *   it. STORE_CONFLICT: it is not there and will never be: a higher place was written, or the log
 *   is erased or expired. STORE_LOST: the log was there and the store lost it, without anybody's
 *   wish (an emptied server): its writer, and nobody else, may create it again, from its first
 *   event. STORE_UNKNOWN: nobody knows (a time-out, a lost connection); the writer must read the
 *   tail to find out. At most one append or create per log is in flight, by its writer.
 * - read: entries above a place, up to a size; an erased or unknown log is ERR_NOT_FOUND.
 * - erase: the log is gone for good: later appends conflict, later reads find nothing.
 * - find: the logs with a label, newest first. unlabel: it is not found by it any more.
 * - orphans: logs that say STORE_RUNNING and whose writer is gone, and those STORE_OFFERED. The
 *   writer is the store object that created or claimed last; it is gone when its process is.
 * Whoever wants one claims it.
 * - Every log goes by itself: retention_ms after the entry that ends it, park_ms after the one that
 *   parks it, STORE_UNENDED_MS after its last append otherwise. A job at work never loses its log
 *   to a short retention.
 *
 * All are ops by async/op.h: done() comes on a later turn, once. */
#ifndef LONGHAND_STORE_STORE_H
#define LONGHAND_STORE_STORE_H
#include "async/op.h"
#include "base/buf.h"

enum { STORE_ID_BYTES = 33, STORE_UNENDED_MS = 24 * 3600 * 1000 };
enum { STORE_LABELS_MAX = 4, STORE_LABEL_BYTES = 96, STORE_FOUND_MAX = 100 };
enum store_outcome { STORE_LANDED, STORE_CONFLICT, STORE_LOST, STORE_UNKNOWN };

/* What an entry makes of the log's job. */
enum store_state {
	STORE_RUNNING, /* its writer goes on */
	STORE_PARKED,  /* nobody writes until somebody wants to read */
	STORE_OFFERED, /* handed over: whoever comes first may go on */
	STORE_ENDED,   /* nothing follows */
};

/* What becomes of logs when this process ends. */
enum store_reach {
	STORE_HERE,    /* they go with it */
	STORE_DURABLE, /* this process, started again, has them */
	STORE_SHARED,  /* other processes have them meanwhile */
};

struct store_times { /* how long a log stays, see above */
	uint64_t retention_ms, park_ms;
};

struct store_place {
	uint64_t epoch, seq;
};

struct store_write { /* create and append */
	struct op op;
	const char *job;	  /* borrowed until done(), as are labels and data */
	struct store_place first; /* of the first event; the others follow without a gap */
	unsigned n_events;
	enum store_state state;
	struct slice data;
	/* create: each of [A-Za-z0-9:_-], shorter than STORE_LABEL_BYTES; NULL ends them, at most
	 * STORE_LABELS_MAX; NULL: none. */
	const char *const *labels;
	enum store_outcome outcome; /* read it in done(); op.result is OK for LANDED */
	/* The store's own, kept from a log's create or first append to its last: by it a log that
	 * was lost is told from one that was erased. 0 at first. */
	uint64_t generation;
	void *provider; /* the store's own, while the op is live; so in all of these */
};

struct store_read {
	struct op op;
	const char *job;
	struct store_place after; /* entries above it; {0,0}: from the start. seq counts from 1. */
	size_t bytes_max;	  /* stop after the entry that passes it */
	struct buf entries;	  /* out: the entries' data one after the other; the call's own */
	struct store_place last;  /* out: the last entry's place; `after` when there is none */
	bool is_more;
	void *provider;
};

struct store_erase {
	struct op op;
	const char *job;
	void *provider;
};

struct store_find { /* find and orphans (which has no label) */
	struct op op;
	const char *label;			   /* borrowed until done() */
	char ids[STORE_FOUND_MAX][STORE_ID_BYTES]; /* out: newest first */
	size_t n_ids;
	bool is_more; /* older ones were left out */
	void *provider;
};

struct store_unlabel {
	struct op op;
	const char *job, *label; /* borrowed until done() */
	void *provider;
};

struct store {
	enum store_reach reach;
	void (*create)(struct store *store, struct store_write *write);
	void (*append)(struct store *store, struct store_write *write);
	void (*read)(struct store *store, struct store_read *read);
	void (*erase)(struct store *store, struct store_erase *erase);
	void (*find)(struct store *store, struct store_find *find);
	void (*unlabel)(struct store *store, struct store_unlabel *unlabel);
	void (*orphans)(struct store *store, struct store_find *find);
	/* A number that changes whenever what has landed may be gone, or may have been taken
	 * (a connection made anew, another server behind the name, a lease of our own that ran
	 * out): a writer then reads its log's tail before it appends again. */
	uint64_t (*doubt)(const struct store *store);
	bool (*is_up)(const struct store *store); /* as far as is known */
};
#endif
