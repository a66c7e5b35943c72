/* Signals reach the loop, and only while somebody watches. */
#include "check.h"
#include <signal.h>
#include <unistd.h>
#include "base/mem.h"
#include "loop/signals.h"

static struct reactor_uv *loop;
static struct signals signals;
static int seen[64];
static size_t seen_count;
static size_t stop_at;

static void on_signal(struct signals *from, int number)
{
	assert_ptr_equal(from, &signals);
	seen[seen_count++] = number;
	if (seen_count == stop_at)
		signals_stop(&signals);
}

static int open_loop(void **state)
{
	(void)state;
	seen_count = 0;
	stop_at = 0;
	return reactor_uv_new(&loop) == OK ? 0 : -1;
}

static int close_loop(void **state)
{
	(void)state;
	reactor_uv_free(loop);
	return 0;
}

static void each_signal_is_one_call(void **state)
{
	static const int numbers[] = { SIGHUP, SIGTERM, SIGINT, SIGTERM };

	(void)state;
	assert_int_equal(signals_start(&signals, loop, on_signal), OK);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_int_equal(kill(getpid(), numbers[i]), 0);
		while (seen_count == i)
			reactor_uv_turn(loop);
		assert_int_equal(seen[i], numbers[i]);
	}
	assert_int_equal(raise(SIGPIPE), 0); /* nothing happens */
	signals_stop(&signals);
	signals_stop(&signals);
	assert_int_equal(seen_count, COUNT_OF(numbers));
}

static void stopped_inside_its_own_call(void **state)
{
	struct sigaction action;

	(void)state;
	stop_at = 1;
	assert_int_equal(signals_start(&signals, loop, on_signal), OK);
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	while (seen_count == 0)
		reactor_uv_turn(loop);
	assert_null(signals.handle);
	assert_int_equal(sigaction(SIGTERM, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	/* And it can be watched again. */
	stop_at = 2;
	assert_int_equal(signals_start(&signals, loop, on_signal), OK);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	while (seen_count == 1)
		reactor_uv_turn(loop);
	assert_int_equal(seen[1], SIGTERM);
}

static void without_memory(void **state)
{
	(void)state;
	mem_fail_at(1);
	assert_int_equal(signals_start(&signals, loop, on_signal), ERR_NO_MEMORY);
	mem_fail_at(0);
	assert_null(signals.handle);
}

int main(void)
{
#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
	static const struct CMUnitTest tests[] = {
		ON_LOOP(each_signal_is_one_call),
		ON_LOOP(stopped_inside_its_own_call),
		ON_LOOP(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
