/* redis_conn - one connection to Redis or Valkey that is kept up, and calls over it.
 *
 *   look up, connect --> AUTH, SELECT, PING --> up --broken, silent, READONLY--> wait --> again
 *
 * A call is one or more commands that are sent together and answered one by one; calls of one turn
 * leave in one write. Answers come in order, so a call that was given up (cancelled, timed out)
 * leaves a record behind which meets its answer; no late answer finds a freed call. What was not
 * sent yet is taken back: `is_sent` false in done() means that Redis has seen nothing of it.
 *
 * While the connection is not up, calls fail at once with ERR_REFUSED: waiting is the caller's.
 * One call's time-out touches no other; a connection that owes an answer and says nothing for
 * silence_ms is dropped, as is one whose PING (after ping_ms without a byte) stays unanswered.
 * So `is up` is never older than ping_ms + silence_ms. A server that says READONLY or LOADING is
 * not ours to write to (any more): it is dropped too, and perhaps another one answers next time.
 *
 * The caller owns the redis_call until done(), and no argument after redis_call_add(). */
#ifndef LONGHAND_LOOP_REDIS_CONN_H
#define LONGHAND_LOOP_REDIS_CONN_H
#include "async/op.h"
#include "async/retry.h"
#include "base/buf.h"
#include "loop/reactor_uv.h"
#include "loop/redis_reply.h"
#include "base/redis_url.h"

enum { REDIS_CALL_COMMANDS_MAX = 16 };

struct redis_conn;
struct redis_record;

struct redis_conn_options {
	uint64_t connect_ms; /* look-up, connection and greeting */
	uint64_t silence_ms; /* without a byte while an answer is owed */
	uint64_t ping_ms;    /* without a byte before we ask whether it is alive; 0: never */
	uint64_t backoff_ms; /* before the second attempt, doubled each time, with jitter */
	uint64_t backoff_cap_ms;
	size_t queue_bytes_max; /* of what is not written to the socket yet */
	size_t reply_bytes_max; /* of one reply */
	/* It came up or went down, or an attempt failed; from the loop, never inside a call of
	 * ours. May start calls, may not free the connection. May be NULL. */
	void (*on_change)(struct redis_conn *conn, void *context);
	void *context;
};

struct redis_call {
	struct op op; /* prepared by redis_call_prepare */

	/* The answer, in done() only: the call's own, freed right after it. An error reply is an
	 * answer too. op.result other than OK: ERR_REFUSED (not up), ERR_BROKEN (the connection
	 * ended), ERR_TOO_LARGE (the queue is full, or the call), ERR_NO_MEMORY, and the op's. */
	struct redis_reply *replies[REDIS_CALL_COMMANDS_MAX];
	unsigned n_replies;
	unsigned n_commands;
	bool is_sent; /* some of it may have reached Redis */

	/* redis_conn's own. */
	struct buf out;
	enum err fault;
	struct redis_record *record;
	op_done_fn on_done;
};

/* Takes the URL over and empties it. Starts to connect. */
MUST_CHECK enum err redis_conn_new(struct reactor_uv *loop, struct redis_url *url,
				   const struct redis_conn_options *options,
				   struct redis_conn **ret_conn);
/* No call may be live; NULL ok. */
void redis_conn_free(struct redis_conn *conn);

bool redis_conn_is_up(const struct redis_conn *conn);
/* How often it came up: 0 never. Between two equal values nothing was lost in between. */
uint64_t redis_conn_connection(const struct redis_conn *conn);
/* Why the last connection ended or the last attempt failed; "" before. Without secrets. */
const char *redis_conn_failure(const struct redis_conn *conn);
/* host:port/db, for people. */
const char *redis_conn_shown(const struct redis_conn *conn);
/* Attempts that have failed since it was up last. */
unsigned redis_conn_failures(const struct redis_conn *conn);

/* Zeroes the call and prepares its op. */
void redis_call_prepare(struct redis_call *call, struct reactor *reactor, uint64_t deadline_ms,
			op_done_fn done);
/* One more command; the arguments are copied. What fails here is the call's result later. */
void redis_call_add(struct redis_call *call, const struct slice *args, size_t n_args);
void redis_conn_start(struct redis_conn *conn, struct redis_call *call);

/* For tests and metrics: bytes that wait to be written, records that wait for answers. */
size_t redis_conn_queued_bytes(const struct redis_conn *conn);
size_t redis_conn_awaited(const struct redis_conn *conn);
#endif
