#include "store/redis_task.h"
#include "base/mem.h"

struct store_redis *store_redis_of(const struct store *port)
{
	return container_of(port, struct store_redis, port);
}

uint64_t store_redis_longest_ms(const struct store_redis *store)
{
	return 2 * (uint64_t)STORE_UNENDED_MS + store->times.retention_ms + store->times.park_ms;
}

void redis_task_end(struct redis_task *task, enum err result)
{
	struct op *op = task->op;

	task->store->n_tasks--;
	op->provider = NULL;
	mem_free(task);
	op_finish(op, result);
}

/* The server does not know our scripts any more, or says no: try again later. */
static void look_at_errors(struct redis_task *task)
{
	struct redis_session *session = &task->store->session;

	for (unsigned i = 0; i < task->call.n_replies; i++) {
		const struct redis_reply *reply = task->call.replies[i];

		if (redis_reply_is_error(reply, "NOSCRIPT "))
			redis_session_prepare_again(session);
		else if (reply->kind == REDIS_KIND_ERROR)
			redis_session_tell(session, STORE_REDIS_REFUSES, reply->text.data);
	}
}

static bool has_error(const struct redis_task *task)
{
	for (unsigned i = 0; i < task->call.n_replies; i++)
		if (task->call.replies[i]->kind == REDIS_KIND_ERROR)
			return true;
	return false;
}

static void on_call_done(struct op *op)
{
	struct redis_task *task = container_of(op, struct redis_task, call.op);

	if (op->result == ERR_BROKEN || op->result == ERR_REFUSED) {
		/* Of the connection, not of a log: the same for all who ask a store. */
		redis_task_end(task, ERR_UNKNOWN);
	} else if (op->result != OK) {
		redis_task_end(task, op->result);
	} else if (has_error(task)) {
		look_at_errors(task);
		redis_task_end(task, ERR_UNKNOWN);
	} else {
		task->answered(task);
	}
}

static void cancel_task(struct op *op)
{
	struct redis_task *task = op->provider;

	op_cancel(&task->call.op, op->canceled);
}

struct redis_task *redis_task_begin(struct store *port, struct op *op, redis_task_fn answered)
{
	struct store_redis *store = store_redis_of(port);
	struct redis_task *task;

	if (!op_begin(op, cancel_task))
		return NULL;
	task = mem_alloc(sizeof(*task));
	if (task == NULL) {
		op_finish(op, ERR_NO_MEMORY);
		return NULL;
	}
	*task = (struct redis_task){ .store = store, .op = op, .answered = answered };
	op->provider = task;
	store->n_tasks++;
	redis_call_prepare(&task->call, store->session.reactor, 0, on_call_done);
	return task;
}

void redis_task_send(struct redis_task *task)
{
	/* Before the session is ready there are no scripts: as if it were not connected. */
	if (!redis_session_is_ready(&task->store->session))
		op_cancel(&task->call.op, ERR_REFUSED);
	redis_conn_start(task->store->session.conn, &task->call);
}

void redis_task_renew_call(struct redis_task *task)
{
	redis_call_prepare(&task->call, task->store->session.reactor, 0, on_call_done);
}
