/* Work on threads: the loop goes on meanwhile, done() comes on it, and a cancel waits for the
 * thread. */
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "base/mem.h"
#include "loop/work_pool.h"

enum { MANY = 40 };

static struct reactor_uv *loop;
static struct reactor *reactor;
static struct work_pool *pool;

struct sum {
	struct work work;
	sem_t *gate; /* run() waits here, or NULL */
	atomic_bool has_begun;
	uint64_t result;
	pthread_t thread;
	unsigned dones;
	enum err error;
};

static int open_pool(void **state)
{
	(void)state;
	if (reactor_uv_new(&loop) != OK || work_pool_new(loop, &pool) != OK)
		return -1;
	reactor = reactor_uv_base(loop);
	return 0;
}

static int close_pool(void **state)
{
	(void)state;
	work_pool_free(pool);
	reactor_uv_free(loop);
	return 0;
}

static void run_sum(struct work *work)
{
	struct sum *sum = container_of(work, struct sum, work);

	sum->thread = pthread_self();
	atomic_store(&sum->has_begun, true);
	if (sum->gate != NULL)
		(void)sem_wait(sum->gate);
	for (uint64_t i = 1; i <= 1000; i++)
		sum->result += i;
}

static void on_done(struct op *op)
{
	struct sum *sum = container_of(op, struct sum, work.op);

	assert_null(sum->work.provider);
	sum->dones++;
	sum->error = op->result;
}

static void start(struct sum *sum, sem_t *gate, uint64_t deadline_ms)
{
	*sum = (struct sum){ .gate = gate };
	work_prepare(&sum->work, reactor, deadline_ms, run_sum, on_done);
	work_pool_port(pool)->start(work_pool_port(pool), &sum->work);
	assert_int_equal(sum->dones, 0);
}

static void wait_for(struct sum *sum)
{
	while (sum->dones == 0)
		reactor_uv_turn(loop);
}

static void many_pieces_of_work(void **state)
{
	static struct sum sums[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		start(&sums[i], NULL, 0);
	for (size_t i = 0; i < MANY; i++) {
		wait_for(&sums[i]);
		assert_int_equal(sums[i].error, OK);
		assert_true(sums[i].work.has_run);
		assert_int_equal(sums[i].result, 500500);
		assert_false(pthread_equal(sums[i].thread, pthread_self()));
	}
}

static void on_tick(struct timer *timer)
{
	(void)timer;
}

/* All threads stand at a gate: the loop turns on, what waits can be taken back, what runs
 * cannot. */
static void cancel_of_what_runs_and_of_what_waits(void **state)
{
	struct timer timer = { .fire = NULL };
	static struct sum running[4]; /* as many as there are threads */
	static struct sum late;
	static struct sum waiting;
	sem_t gate;

	(void)state;
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	for (size_t i = 0; i < COUNT_OF(running); i++)
		start(&running[i], &gate, 0);
	start(&waiting, &gate, 0);
	start(&late, &gate, 30);
	for (size_t i = 0; i < COUNT_OF(running); i++) {
		while (!atomic_load(&running[i].has_begun)) {
			reactor->timer_start(reactor, &timer, 1, on_tick);
			reactor_uv_turn(loop);
		}
	}
	reactor->timer_stop(reactor, &timer);
	op_cancel(&running[0].work.op, ERR_CANCELED);
	op_cancel(&waiting.work.op, ERR_CONFLICT);
	assert_int_equal(waiting.dones, 0);
	wait_for(&waiting);
	wait_for(&late);
	assert_int_equal(waiting.error, ERR_CONFLICT);
	assert_int_equal(late.error, ERR_TIMEOUT);
	assert_false(waiting.work.has_run || atomic_load(&waiting.has_begun));
	assert_false(late.work.has_run);
	assert_int_equal(running[0].dones, 0); /* its thread still uses its memory */
	for (size_t i = 0; i < COUNT_OF(running); i++)
		assert_int_equal(sem_post(&gate), 0);
	for (size_t i = 0; i < COUNT_OF(running); i++) {
		wait_for(&running[i]);
		assert_int_equal(running[i].error, i == 0 ? ERR_CANCELED : OK);
		assert_int_equal(running[i].result, 500500);
	}
	assert_int_equal(sem_destroy(&gate), 0);
}

static void never_started_and_no_memory(void **state)
{
	static struct sum sum;
	struct work_pool *other = NULL;

	(void)state;
	sum = (struct sum){ .gate = NULL };
	work_prepare(&sum.work, reactor, 0, run_sum, on_done);
	op_cancel(&sum.work.op, ERR_CANCELED);
	work_pool_port(pool)->start(work_pool_port(pool), &sum.work);
	wait_for(&sum);
	assert_int_equal(sum.error, ERR_CANCELED);
	assert_false(sum.work.has_run);
	mem_fail_at(1);
	start(&sum, NULL, 0);
	wait_for(&sum);
	assert_int_equal(sum.error, ERR_NO_MEMORY);
	mem_fail_at(1);
	assert_int_equal(work_pool_new(loop, &other), ERR_NO_MEMORY);
	mem_fail_at(0);
	assert_null(other);
	work_pool_free(NULL);
}

int main(void)
{
#define WITH_POOL(test) cmocka_unit_test_setup_teardown(test, open_pool, close_pool)
	static const struct CMUnitTest tests[] = {
		WITH_POOL(many_pieces_of_work),
		WITH_POOL(cancel_of_what_runs_and_of_what_waits),
		WITH_POOL(never_started_and_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
