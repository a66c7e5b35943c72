/* redis_queue - what was or will be sent to Redis, and whom its answers are for. For redis_conn.
 *
 *   add --> unsent --all of it written--> awaited --last answer--> gone
 *
 * A record outlives its call: one that was given up after some of it was written stays until its
 * answers have come. Records own their bytes and leave in the order in which they came. */
#ifndef LONGHAND_LOOP_REDIS_QUEUE_H
#define LONGHAND_LOOP_REDIS_QUEUE_H
#include "loop/redis_conn.h"

struct redis_queue;

struct redis_record {
	struct list node; /* unsent or awaited */
	struct redis_queue *queue;
	struct redis_call *call; /* NULL: nobody wants the answers (any more) */
	struct buf out;
	size_t written_bytes;
	unsigned n_owed;
	bool is_greeting;
};

/* Embedded in the connection. */
struct redis_queue {
	struct list unsent, awaited;
	size_t queued_bytes;
	size_t n_awaited;
};

void redis_queue_init(struct redis_queue *queue);
/* Takes the bytes over and empties `out`; NULL: no memory. */
struct redis_record *redis_queue_add(struct redis_queue *queue, struct buf *out, unsigned n_owed);
/* Writes what the socket takes. 0, or an errno; *ret_is_full: the rest has to wait. */
MUST_CHECK int redis_queue_write(struct redis_queue *queue, int fd, bool *ret_is_full);
/* Who the next answer is for; NULL: nobody has asked. */
struct redis_record *redis_queue_next(struct redis_queue *queue);
/* Gives it to the record, which goes with its last one: true. Takes the reply over. */
bool redis_queue_take(struct redis_record *record, struct redis_reply *reply);
/* The connection is gone: all calls end, ERR_BROKEN those of which something was written,
 * ERR_REFUSED the others. */
void redis_queue_break(struct redis_queue *queue);
/* Nobody wants the answers; a record of which nothing was written goes. */
void redis_queue_give_up(struct redis_record *record);
bool redis_queue_is_owed(const struct redis_queue *queue);
bool redis_queue_has_calls(const struct redis_queue *queue);
#endif
