#include "fakes/fake_pool.h"
#include <string.h>
#include "base/must.h"

static struct work *take(struct fake_pool *pool, size_t index)
{
	struct work *work = pool->waiting[index];

	pool->n_waiting--;
	memmove(&pool->waiting[index], &pool->waiting[index + 1],
		(pool->n_waiting - index) * sizeof(pool->waiting[0]));
	return work;
}

static void on_turn(struct deferred *deferred)
{
	struct fake_pool *pool = container_of(deferred, struct fake_pool, turn);

	while (pool->n_waiting > 0 && !pool->is_held) {
		struct work *work = take(pool, 0);

		pool->runs++;
		work->run(work);
		work->has_run = true;
		op_finish(&work->op, OK);
	}
}

static void cancel(struct op *op)
{
	struct work *work = container_of(op, struct work, op);
	struct fake_pool *pool = work->provider;

	for (size_t i = 0; i < pool->n_waiting; i++) {
		if (pool->waiting[i] == work) {
			(void)take(pool, i);
			op_finish(op, ERR_CANCELED);
			return;
		}
	}
}

static void start(struct work_port *port, struct work *work)
{
	struct fake_pool *pool = container_of(port, struct fake_pool, port);

	if (!op_begin(&work->op, cancel))
		return;
	MUST(pool->n_waiting < FAKE_POOL_WORKS);
	work->provider = pool;
	pool->waiting[pool->n_waiting++] = work;
	pool->reactor->defer(pool->reactor, &pool->turn, on_turn);
}

void fake_pool_init(struct fake_pool *pool, struct reactor *reactor)
{
	*pool = (struct fake_pool){ .port = { .start = start }, .reactor = reactor };
}

void fake_pool_release(struct fake_pool *pool)
{
	pool->is_held = false;
	pool->reactor->defer(pool->reactor, &pool->turn, on_turn);
}
