/* The heap of timers: order, removal from anywhere, and no starving by timers that start timers. */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "async/timer_heap.h"

enum { MANY = 2000 };

static struct timer timers[MANY];
static size_t fired[2 * MANY];
static size_t fired_count;
static struct timer_heap heap;

static int empty_heap(void **state)
{
	(void)state;
	memset(timers, 0, sizeof(timers));
	memset(&heap, 0, sizeof(heap));
	fired_count = 0;
	return 0;
}

static void note(struct timer *timer)
{
	assert_null(timer->fire);
	fired[fired_count++] = (size_t)(timer - timers);
}

static uint64_t pseudo_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

static void timers_fire_by_time_and_then_by_start(void **state)
{
	static const uint64_t due_ms[] = { 30, 10, 20, 10, 30, 10 };
	static const size_t expected[] = { 1, 3, 5, 2, 0, 4 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(due_ms); i++)
		timer_heap_add(&heap, &timers[i], due_ms[i], note);
	assert_int_equal(timer_heap_first(&heap)->due_ms, 10);
	assert_int_equal(timer_heap_run(&heap, 9), 0);
	assert_int_equal(timer_heap_run(&heap, 20), 4);
	assert_int_equal(heap.count, 2);
	assert_int_equal(timer_heap_run(&heap, 1000), 2);
	assert_memory_equal(fired, expected, sizeof(expected));
	assert_null(timer_heap_first(&heap));
}

/* Against the plainest model there is: an array of due times. */
static void any_mix_of_starts_moves_and_stops_keeps_the_order(void **state)
{
	static uint64_t due_ms[MANY]; /* 0: idle */
	uint64_t seed = 7;
	uint64_t last_ms = 0;
	size_t running = 0;

	(void)state;
	memset(due_ms, 0, sizeof(due_ms));
	for (size_t n = 0; n < 20 * MANY; n++) {
		size_t i = pseudo_random(&seed) % MANY;

		if (pseudo_random(&seed) % 3 == 0) {
			timer_heap_remove(&heap, &timers[i]);
			due_ms[i] = 0;
		} else {
			due_ms[i] = 1 + pseudo_random(&seed) % 500;
			timer_heap_add(&heap, &timers[i], due_ms[i], note);
		}
	}
	for (size_t i = 0; i < MANY; i++)
		running += due_ms[i] != 0;
	assert_int_equal(heap.count, running);
	for (uint64_t now_ms = 0; now_ms <= 500; now_ms += 7) {
		size_t before = fired_count;

		(void)timer_heap_run(&heap, now_ms);
		for (size_t i = before; i < fired_count; i++) {
			assert_in_range(due_ms[fired[i]], 1, now_ms);
			assert_true(due_ms[fired[i]] >= last_ms);
			last_ms = due_ms[fired[i]];
			due_ms[fired[i]] = 0;
		}
	}
	(void)timer_heap_run(&heap, 501);
	assert_int_equal(heap.count, 0);
	assert_true(fired_count > MANY / 2);
}

static void restart_at_once(struct timer *timer)
{
	fired_count++;
	timer_heap_add(&heap, timer, 5, restart_at_once);
}

static void a_timer_that_restarts_itself_waits_for_the_next_turn(void **state)
{
	(void)state;
	timer_heap_add(&heap, &timers[0], 5, restart_at_once);
	timer_heap_add(&heap, &timers[1], 5, restart_at_once);
	assert_int_equal(timer_heap_run(&heap, 5), 2);
	assert_int_equal(timer_heap_run(&heap, 5), 2);
	assert_int_equal(fired_count, 4);
	timer_heap_remove(&heap, &timers[0]);
	timer_heap_remove(&heap, &timers[1]);
}

static void stop_the_next(struct timer *timer)
{
	note(timer);
	timer_heap_remove(&heap, timer + 1);
}

static void a_timer_may_stop_another_that_is_due(void **state)
{
	(void)state;
	timer_heap_add(&heap, &timers[0], 5, stop_the_next);
	timer_heap_add(&heap, &timers[1], 5, note);
	timer_heap_add(&heap, &timers[2], 5, note);
	assert_int_equal(timer_heap_run(&heap, 5), 2);
	assert_int_equal(fired[1], 2);
	timer_heap_remove(&heap, &timers[1]); /* idle: nothing happens */
	assert_int_equal(heap.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(timers_fire_by_time_and_then_by_start, empty_heap),
		cmocka_unit_test_setup(any_mix_of_starts_moves_and_stops_keeps_the_order,
				       empty_heap),
		cmocka_unit_test_setup(a_timer_that_restarts_itself_waits_for_the_next_turn,
				       empty_heap),
		cmocka_unit_test_setup(a_timer_may_stop_another_that_is_due, empty_heap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
