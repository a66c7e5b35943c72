/* What is deferred runs in order, once, and what it defers waits for the next turn. */
#include "check.h"
#include <string.h>
#include "async/defer_queue.h"

enum { MANY = 5 };

static struct deferred deferreds[MANY];
static struct defer_queue queue;
static size_t ran[4 * MANY];
static size_t n_ran;

static int empty_queue(void **state)
{
	(void)state;
	memset(deferreds, 0, sizeof(deferreds));
	defer_queue_init(&queue);
	n_ran = 0;
	return 0;
}

static void note(struct deferred *deferred)
{
	assert_null(deferred->run);
	ran[n_ran++] = (size_t)(deferred - deferreds);
}

static void note_another(struct deferred *deferred)
{
	(void)deferred;
	ran[n_ran++] = MANY;
}

static void expect_ran(const size_t *expected, size_t count)
{
	assert_int_equal(n_ran, count);
	assert_memory_equal(ran, expected, count * sizeof(*expected));
}

static void they_run_once_in_the_order_they_came(void **state)
{
	static const size_t expected[] = { 2, 0, 1 };
	size_t first_turn, second_turn;

	(void)state;
	assert_true(defer_queue_is_empty(&queue));
	defer_queue_add(&queue, &deferreds[2], note);
	defer_queue_add(&queue, &deferreds[0], note);
	defer_queue_add(&queue, &deferreds[1], note);
	assert_false(defer_queue_is_empty(&queue));
	first_turn = defer_queue_run(&queue);
	second_turn = defer_queue_run(&queue);
	assert_int_equal(first_turn, 3);
	assert_int_equal(second_turn, 0);
	expect_ran(expected, COUNT_OF(expected));
	assert_true(defer_queue_is_empty(&queue));
}

static void one_that_waits_keeps_its_place_and_its_function(void **state)
{
	static const size_t expected[] = { 0, 1 };

	(void)state;
	defer_queue_add(&queue, &deferreds[0], note);
	defer_queue_add(&queue, &deferreds[1], note);
	defer_queue_add(&queue, &deferreds[0], note_another);
	(void)defer_queue_run(&queue);
	expect_ran(expected, COUNT_OF(expected));
}

static void one_that_was_removed_does_not_run(void **state)
{
	static const size_t expected[] = { 1, 0 };

	(void)state;
	defer_queue_remove(&deferreds[0]); /* idle: nothing happens */
	defer_queue_add(&queue, &deferreds[0], note);
	defer_queue_add(&queue, &deferreds[1], note);
	defer_queue_remove(&deferreds[0]);
	defer_queue_remove(&deferreds[0]);
	(void)defer_queue_run(&queue);
	defer_queue_add(&queue, &deferreds[0], note);
	(void)defer_queue_run(&queue);
	expect_ran(expected, COUNT_OF(expected));
}

static void again(struct deferred *deferred)
{
	note(deferred);
	defer_queue_add(&queue, deferred, again);
}

static void a_chain_takes_a_turn_for_each_link(void **state)
{
	static const size_t expected[] = { 0, 1, 0, 1, 0, 1 };

	(void)state;
	defer_queue_add(&queue, &deferreds[0], again);
	defer_queue_add(&queue, &deferreds[1], again);
	for (size_t turn = 0; turn < 3; turn++) {
		size_t count = defer_queue_run(&queue);

		assert_int_equal(count, 2);
	}
	expect_ran(expected, COUNT_OF(expected));
	defer_queue_remove(&deferreds[0]);
	defer_queue_remove(&deferreds[1]);
	assert_true(defer_queue_is_empty(&queue));
}

static void remove_the_next(struct deferred *deferred)
{
	note(deferred);
	defer_queue_remove(deferred + 1);
}

static void remove_and_defer_the_next(struct deferred *deferred)
{
	remove_the_next(deferred);
	defer_queue_add(&queue, deferred + 1, note);
}

static void one_that_runs_may_remove_another_of_its_turn(void **state)
{
	static const size_t expected[] = { 0, 2, 4, 3 };

	(void)state;
	defer_queue_add(&queue, &deferreds[0], remove_the_next);
	defer_queue_add(&queue, &deferreds[1], note);
	defer_queue_add(&queue, &deferreds[2], remove_and_defer_the_next);
	defer_queue_add(&queue, &deferreds[3], note);
	defer_queue_add(&queue, &deferreds[4], note);
	(void)defer_queue_run(&queue);
	(void)defer_queue_run(&queue); /* the one deferred anew */
	expect_ran(expected, COUNT_OF(expected));
}

static void wipe(struct deferred *deferred)
{
	note(deferred);
	memset(deferred, 0xAB, sizeof(*deferred)); /* as good as freed */
}

static void one_that_runs_may_free_itself(void **state)
{
	static const size_t expected[] = { 0, 1 };

	(void)state;
	defer_queue_add(&queue, &deferreds[0], wipe);
	defer_queue_add(&queue, &deferreds[1], wipe);
	(void)defer_queue_run(&queue);
	expect_ran(expected, COUNT_OF(expected));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(they_run_once_in_the_order_they_came, empty_queue),
		cmocka_unit_test_setup(one_that_waits_keeps_its_place_and_its_function,
				       empty_queue),
		cmocka_unit_test_setup(one_that_was_removed_does_not_run, empty_queue),
		cmocka_unit_test_setup(a_chain_takes_a_turn_for_each_link, empty_queue),
		cmocka_unit_test_setup(one_that_runs_may_remove_another_of_its_turn, empty_queue),
		cmocka_unit_test_setup(one_that_runs_may_free_itself, empty_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
