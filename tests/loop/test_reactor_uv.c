/* The real loop: turns are fair, deferreds wait a turn, watches see data and resets. */
#include "check.h"
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
#include "base/mem.h"
#include "loop/fd_watch.h"
#include "loop/reactor_uv.h"

static struct reactor_uv *loop;
static struct reactor *reactor;

static int open_loop(void **state)
{
	(void)state;
	if (reactor_uv_new(&loop) != OK)
		return -1;
	reactor = reactor_uv_base(loop);
	return 0;
}

static int close_loop(void **state)
{
	(void)state;
	reactor_uv_free(loop);
	return 0;
}

struct chain {
	struct deferred deferred;
	struct timer timer;
	unsigned runs;
};

static void defer_again(struct deferred *deferred)
{
	struct chain *chain = container_of(deferred, struct chain, deferred);

	chain->runs++;
	reactor->defer(reactor, deferred, defer_again);
}

static void start_again(struct timer *timer)
{
	struct chain *chain = container_of(timer, struct chain, timer);

	chain->runs++;
	reactor->timer_start(reactor, timer, 0, start_again);
}

static void a_chain_of_deferrals_or_zero_timers_runs_once_a_turn(void **state)
{
	struct chain deferrals = { .runs = 0 };
	struct chain timers = { .runs = 0 };

	(void)state;
	reactor->defer(reactor, &deferrals.deferred, defer_again);
	reactor->defer(reactor, &deferrals.deferred, defer_again); /* waits already */
	reactor->timer_start(reactor, &timers.timer, 0, start_again);
	for (unsigned turn = 1; turn <= 50; turn++) {
		reactor_uv_turn(loop);
		assert_int_equal(deferrals.runs, turn);
		assert_int_equal(timers.runs, turn);
	}
	reactor->undefer(reactor, &deferrals.deferred);
	reactor->undefer(reactor, &deferrals.deferred);
	reactor->timer_stop(reactor, &timers.timer);
}

struct pair {
	struct deferred deferred;
	struct pair *other;
	unsigned runs;
};

static void undefer_the_other(struct deferred *deferred)
{
	struct pair *pair = container_of(deferred, struct pair, deferred);

	pair->runs++;
	reactor->undefer(reactor, &pair->other->deferred);
}

static void a_deferred_may_take_back_another_of_the_same_turn(void **state)
{
	struct pair a = { .runs = 0 };
	struct pair b = { .runs = 0 };

	(void)state;
	a.other = &b;
	b.other = &a;
	reactor->defer(reactor, &a.deferred, undefer_the_other);
	reactor->defer(reactor, &b.deferred, undefer_the_other);
	reactor_uv_turn(loop);
	assert_int_equal(a.runs, 1);
	assert_int_equal(b.runs, 0);
}

static void note_time(struct timer *timer)
{
	struct chain *chain = container_of(timer, struct chain, timer);

	chain->runs++;
	assert_true(reactor->now_ms(reactor) >= timer->due_ms);
	reactor_uv_stop(loop);
}

static void never(struct timer *timer)
{
	(void)timer;
	fail_msg("a stopped timer fired");
}

static void run_ends_by_stop_and_delivers_what_is_left(void **state)
{
	struct chain first = { .runs = 0 };
	struct chain moved = { .runs = 0 };
	struct chain stopped = { .runs = 0 };
	struct pair last = { .runs = 0 };

	(void)state;
	last.other = &last;
	reactor->timer_start(reactor, &first.timer, 5, note_time);
	reactor->timer_start(reactor, &moved.timer, 1, never);
	reactor->timer_start(reactor, &moved.timer, UINT64_MAX, never);
	reactor->timer_start(reactor, &stopped.timer, 2, never);
	reactor->timer_stop(reactor, &stopped.timer);
	reactor_uv_run(loop);
	assert_int_equal(first.runs, 1);
	reactor->timer_stop(reactor, &moved.timer);
	reactor->defer(reactor, &last.deferred, undefer_the_other);
	reactor_uv_stop(loop);
	reactor_uv_run(loop);
	assert_int_equal(last.runs, 1);
}

static void clocks_and_chance(void **state)
{
	uint64_t a = reactor->random(reactor);
	uint64_t b = reactor->random(reactor);

	(void)state;
	assert_true(a != b);
	assert_true(reactor->wall_ms(reactor) > UINT64_C(1577836800000)); /* after 2020 */
}

struct watched {
	struct fd_watch watch;
	unsigned calls;
	unsigned stop_at;
};

static void on_ready(struct fd_watch *watch)
{
	struct watched *watched = container_of(watch, struct watched, watch);

	watched->calls++;
	if (watched->calls == watched->stop_at)
		fd_watch_stop(watch);
}

static void a_watch_is_level_triggered_and_stops_at_once(void **state)
{
	struct watched watched = { .stop_at = 3 };
	struct chain chain = { .runs = 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_watch_start(&watched.watch, loop, fds[0], on_ready), OK);
	assert_int_equal(write(fds[1], "x", 1), 1);
	while (watched.calls < 3)
		reactor_uv_turn(loop);
	assert_null(watched.watch.handle);
	fd_watch_stop(&watched.watch);
	/* The number of the closed descriptor is free at once. */
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_watch_start(&watched.watch, loop, fds[0], on_ready), OK);
	assert_int_equal(write(fds[1], "x", 1), 1);
	reactor->timer_start(reactor, &chain.timer, 10000, never);
	while (watched.calls < 5)
		reactor_uv_turn(loop);
	reactor->timer_stop(reactor, &chain.timer);
	fd_watch_stop(&watched.watch);
	close(fds[0]);
	close(fds[1]);
}

/* A connection whose other end has sent a reset. */
static int reset_connection(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct linger linger = { .l_onoff = 1 };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int server;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(setsockopt(server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(server);
	close(listener);
	return client;
}

static void a_reset_counts_as_ready_again_and_again(void **state)
{
	struct watched watched = { .stop_at = 3 };
	int fd = reset_connection();

	(void)state;
	assert_int_equal(fd_watch_start(&watched.watch, loop, fd, on_ready), OK);
	while (watched.calls < 3)
		reactor_uv_turn(loop);
	assert_null(watched.watch.handle);
	close(fd);
}

static void failures_leave_nothing_behind(void **state)
{
	struct watched watched = { .stop_at = 1 };
	struct reactor_uv *other = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(fd_watch_start(&watched.watch, loop, -1, on_ready), ERR_IO);
	assert_null(watched.watch.handle);
	assert_int_equal(pipe(fds), 0);
	mem_fail_at(1);
	assert_int_equal(fd_watch_start(&watched.watch, loop, fds[0], on_ready), ERR_NO_MEMORY);
	mem_fail_at(1);
	assert_int_equal(reactor_uv_new(&other), ERR_NO_MEMORY);
	mem_fail_at(0);
	assert_null(watched.watch.handle);
	assert_null(other);
	close(fds[0]);
	close(fds[1]);
	reactor_uv_free(NULL);
}

int main(void)
{
#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
	static const struct CMUnitTest tests[] = {
		ON_LOOP(a_chain_of_deferrals_or_zero_timers_runs_once_a_turn),
		ON_LOOP(a_deferred_may_take_back_another_of_the_same_turn),
		ON_LOOP(run_ends_by_stop_and_delivers_what_is_left),
		ON_LOOP(clocks_and_chance),
		ON_LOOP(a_watch_is_level_triggered_and_stops_at_once),
		ON_LOOP(a_reset_counts_as_ready_again_and_again),
		ON_LOOP(failures_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
