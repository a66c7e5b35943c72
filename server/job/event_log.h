/* event_log - the log of one job in its owner: events in order, those behind the store's on their
 * way there, readers behind.
 *
 *   events   |......stored......|...in flight...|...gathering...|
 *   readers  |......landed......|     (never goes back, n_stored may)
 *
 * Append before send: a reader sees an event only after the store has acknowledged it. The first
 * text and everything that is not text leaves at the end of the turn; further text gathers for
 * flush_ms or flush_bytes. Exactly one write is in flight, encoded from the events, so that any of
 * them can be written again.
 *
 * Where the outcome of a write is unknown, or the store's `doubt` has changed, the log looks at its
 * tail in the store before it writes on:
 *   the tail is one of its events     what is behind it is written (again)
 *   it is anybody else's              conflict: `error` is ERR_CONFLICT, nothing more is written
 *   there is no log                   the next append tells: STORE_LOST: all of it is
 *                                     written again, from the first event; else conflict
 *
 * A batch that is written again keeps its bounds; a claim stands in an entry of its own, and where
 * it is written again the log looks whether something came before it (then it offers the job to
 * whoever comes first, and conflicts). A store that is away costs a
 * try now and then (again_ms, doubled up to again_max_ms): text gathers, event_log_is_full() tells
 * the writer to wait, readers get it when the store is back.
 *
 * The owner embeds it; on_moved() fires (on a turn of its own) after batches landed, when the log
 * failed, and when a look is over. Events stay in memory until release. */
#ifndef LONGHAND_JOB_EVENT_LOG_H
#define LONGHAND_JOB_EVENT_LOG_H
#include "async/retry.h"
#include "job/claim.h"
#include "store/store.h"
#include "writing/event.h"

/* An entry is closed when it has passed ENTRY_BYTES; one event alone may be larger. */
enum { EVENT_LOG_ENTRY_BYTES = 1 << 20, EVENT_LOG_ENTRY_BYTES_MAX = 64 << 20 };

struct event_log_options {
	uint64_t flush_ms;
	size_t flush_bytes;
	uint64_t store_ms;	  /* deadline of one store operation */
	uint64_t again_ms;	  /* wait before an unknown outcome is looked at (again) */
	uint64_t again_max_ms;	  /* it doubles up to this; less than again_ms: it stays */
	size_t pending_bytes_max; /* event_log_is_full() above it */
};

struct event_log;
struct reader;
typedef void (*reader_fn)(struct reader *reader);

/* A cursor. Embedded in a view; detach it before it goes. */
struct reader {
	struct list node;
	struct event_log *log; /* NULL: detached */
	size_t next;	       /* index of the next event to read */
	reader_fn on_events;   /* there is more, or the log failed or was closed */
};

struct event_log {
	struct reactor *reactor;
	struct store *store;
	const struct event_log_options *options;
	const char *job;
	void (*on_moved)(struct event_log *log);
	const char *const *labels; /* for create; borrowed; NULL: none */
	uint64_t epoch, next_seq;
	struct event *events;
	size_t n_events, room;
	size_t n_landed;	       /* readers may see events[0 .. n_landed) */
	size_t n_stored;	       /* what the store is known to have */
	size_t n_sent;		       /* as far as ever was written; the rest is gathering */
	size_t n_flying;	       /* events in the write in flight, after n_stored */
	size_t repeat_from, repeat_to; /* bounds of the batch whose outcome was unknown */
	size_t gathering_bytes;
	uint64_t content_bytes;
	struct buf flying;
	struct store_write write;
	struct store_read tail;
	enum { LOG_IDLE, LOG_WRITING, LOG_WAITING, LOG_LOOKING } phase;
	uint64_t doubt;	     /* the store's, when it was looked at last */
	uint64_t look_doubt; /* the same for the look in flight */
	size_t look_from;    /* index of the first event that the look reads */
	size_t n_matched;    /* events up to the last one that it found */
	bool is_unsure;	     /* look before the next write */
	bool has_conflict;   /* the look is to explain one */
	bool is_claim_looked_at;
	bool has_stranger;   /* the look found an event that is not ours */
	bool has_fence;	     /* the last event that the look found is our claim */
	bool is_due; /* to be written as soon as nothing is in flight */
	bool is_created;
	bool is_let_go; /* it has ended, and the store's copy is nobody's business any more */
	bool has_text;
	unsigned tries;
	enum err error;
	struct timer flush_timer, again_timer;
	struct deferred flush;
	struct list readers;
	size_t n_readers;
};

/* `job` (the id) and options are borrowed. The first append creates the log in the store. */
void event_log_init(struct event_log *log, struct reactor *reactor, struct store *store,
		    const struct event_log_options *options, const char *job);
/* After event_log_init: the log has the claim's events, which the store has too, and goes on in the
 * epoch of the last one, our claim. Takes them out of the claim, whose result was OK. */
void event_log_adopt(struct event_log *log, struct claim *claim);
/* Where the store's doubt has changed: look, and write again what it lost. To be called now and
 * then while a job waits, and for an ended one as long as it is kept. */
void event_log_check(struct event_log *log);
/* Only when settled; detaches readers. */
void event_log_release(struct event_log *log);
/* Takes the event over (also on failure), gives it epoch, seq, at_byte and t_ms; returned is the
 * log's own, valid until the next append. ERR_NO_MEMORY, ERR_TOO_LARGE, or the log's error. */
MUST_CHECK enum err event_log_append(struct event_log *log, struct event *event,
				     const struct event **ret_event);
/* So much waits for the store that the writer should wait too. */
bool event_log_is_full(const struct event_log *log);
/* Nothing is in flight, and everything has landed or the log has failed. */
bool event_log_is_settled(const struct event_log *log);
/* Nothing more is asked of the store than what is in flight: for a job that is given up. Readers
 * are told on a later turn. */
void event_log_abandon(struct event_log *log, enum err why);

/* The reader's events begin at the first one; on_events() comes on a later turn at the earliest. */
void reader_attach(struct reader *reader, struct event_log *log, reader_fn on_events);
void reader_detach(struct reader *reader); /* idempotent */
/* The next landed event, or NULL: none now. */
const struct event *reader_next(struct reader *reader);
#endif
