/* redis_task - one operation of store_redis on its way, from its start to its op_finish; and what
 * the files of store_redis share. */
#ifndef LONGHAND_STORE_REDIS_TASK_H
#define LONGHAND_STORE_REDIS_TASK_H
#include "store/redis_eval.h"
#include "store/store_redis.h"

struct store_redis {
	struct store port;
	struct redis_session session;
	struct store_times times;
	size_t n_tasks;
};

struct redis_task;
typedef void (*redis_task_fn)(struct redis_task *task);

struct redis_task {
	struct redis_call call;
	struct store_redis *store;
	struct op *op;
	redis_task_fn answered; /* the call has its answers, none of them an error */
	size_t count;		/* read: how many entries were asked for */
	struct buf packed;	/* write: its lines, while the call is made */
};

struct store_redis *store_redis_of(const struct store *port);
/* Longer than anything of a job stays: what must not go before it. */
uint64_t store_redis_longest_ms(const struct store_redis *store);

/* NULL: the operation is over already. */
struct redis_task *redis_task_begin(struct store *port, struct op *op, redis_task_fn answered);
/* Its call is full: off with it. */
void redis_task_send(struct redis_task *task);
/* Another call for the same operation, in answered(). */
void redis_task_renew_call(struct redis_task *task);
/* Frees it. */
void redis_task_end(struct redis_task *task, enum err result);

/* store_redis_write.c */
void store_redis_create(struct store *port, struct store_write *write);
void store_redis_append(struct store *port, struct store_write *write);
#endif
