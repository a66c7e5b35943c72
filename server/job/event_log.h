/* event_log - the log of one job in its owner: events in order, batches on their way to the store,
 * readers behind.
 *
 *   append --> pending batch --flush--> one write in flight --landed--> readers may see it
 *
 * Append before send: a reader sees an event only after the store has acknowledged it. The first
 * text and everything that is not text leaves at the end of the turn; further text gathers for
 * flush_ms or flush_bytes. Exactly one write is in flight. An unknown outcome is settled by
 * reading the tail: found = landed, not found = written again. A conflict ends the log: `error` is
 * ERR_CONFLICT, nothing more is written, readers are told.
 *
 * The owner embeds it; on_moved() fires (on a turn of its own) after batches landed and when the
 * log failed. Events stay in memory until release. */
#ifndef LONGHAND_JOB_EVENT_LOG_H
#define LONGHAND_JOB_EVENT_LOG_H
#include "async/retry.h"
#include "job/claim.h"
#include "store/store.h"
#include "writing/event.h"

enum { EVENT_LOG_ENTRY_BYTES_MAX = 64 << 20 };

struct event_log_options {
	uint64_t flush_ms;
	size_t flush_bytes;
	uint64_t store_ms;	  /* deadline of one store operation */
	uint64_t again_ms;	  /* wait before an unknown outcome is looked at (again) */
	uint64_t again_max_ms;	  /* it doubles up to this; less than again_ms: it stays */
	size_t pending_bytes_max; /* event_log_is_full() above it */
	bool parks_in_store;	  /* a parked log is STORE_PARKED: the store counts its time */
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
	uint64_t epoch, next_seq;
	struct event *events;
	size_t n_events, room;
	size_t n_landed;  /* readers may see events[0 .. n_landed) */
	size_t n_flying;  /* events in the write in flight, after n_landed */
	uint64_t content_bytes;
	struct buf pending, flying;
	struct store_write write;
	struct store_read tail;
	enum { LOG_IDLE, LOG_WRITING, LOG_WAITING, LOG_READING } phase;
	bool is_created;
	bool has_text;
	enum err error;
	struct timer flush_timer, again_timer;
	struct deferred flush;
	struct list readers;
	size_t n_readers;
};

/* `job` (the id) and options are borrowed. The first append creates the log in the store. */
void event_log_init(struct event_log *log, struct reactor *reactor, struct store *store,
		    const struct event_log_options *options, const char *job);
/* In place of event_log_init's beginning: the log has these events, which the store has too, and
 * goes on in the epoch of the last one, our claim. Takes events, doubt and generation out of the
 * claim. */
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
/* Everything has landed, or the log has failed and nothing is in flight. */
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
