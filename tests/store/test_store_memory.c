/* The memory store against the suite of all stores, and under failing allocations. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "fakes/fake_reactor.h"
#include "fakes/store_suite.h"
#include "store/store_memory.h"

enum { RETENTION_MS = 60000, PARK_MS = 90000 };

static const struct store_times times = { RETENTION_MS, PARK_MS };

static struct fake_reactor loop;

static void run_until(struct store_suite *suite, const bool *flag)
{
	(void)suite;
	while (!*flag)
		assert_true(fake_reactor_turn(&loop));
}

static void advance(struct store_suite *suite, uint64_t ms)
{
	(void)suite;
	fake_reactor_advance(&loop, ms);
}

static void keeps_the_contract(void **state)
{
	struct store_memory *store;
	struct store_suite suite = { .reactor = &loop.base,
				     .run_until = run_until,
				     .advance = advance,
				     .retention_ms = RETENTION_MS,
				     .park_ms = PARK_MS };

	(void)state;
	fake_reactor_init(&loop);
	assert_int_equal(store_memory_new(&loop.base, &times, &store), OK);
	suite.store = store_memory_port(store);
	store_suite_run(&suite);
	fake_reactor_advance(&loop, STORE_UNENDED_MS + 1);
	assert_int_equal(store_memory_logs(store), 0);
	store_memory_free(store);
}

static bool is_done;

static void on_done(struct op *op)
{
	(void)op;
	is_done = true;
}

static void a_failed_allocation_leaves_no_log(void **state)
{
	struct store_memory *store;
	struct store *port;

	(void)state;
	fake_reactor_init(&loop);
	assert_int_equal(store_memory_new(&loop.base, &times, &store), OK);
	port = store_memory_port(store);
	for (size_t nth = 1; nth <= 2; nth++) {
		struct store_write write = {
			.job = "x", .first = { 1, 1 }, .n_events = 1, .data = { "a\n", 2 }
		};

		is_done = false;
		op_prepare(&write.op, &loop.base, 0, on_done);
		mem_fail_at(nth);
		port->create(port, &write);
		mem_fail_at(0);
		while (!is_done)
			assert_true(fake_reactor_turn(&loop));
		assert_int_equal(write.op.result, ERR_NO_MEMORY);
		assert_int_equal(store_memory_logs(store), 0);
	}
	store_memory_free(store);
}

static enum err put(struct store *port, const char *job, uint64_t seq, enum store_state log_state)
{
	struct store_write write = { .job = job,
				     .first = { 1, seq },
				     .n_events = 1,
				     .state = log_state,
				     .data = { "a\n", 2 } };

	is_done = false;
	op_prepare(&write.op, &loop.base, 0, on_done);
	if (seq == 1)
		port->create(port, &write);
	else
		port->append(port, &write);
	while (!is_done)
		assert_true(fake_reactor_turn(&loop));
	return write.op.result;
}

/* What is written, or goes on, is not counted among them. */
static void too_many_parked_logs_push_the_oldest_out(void **state)
{
	struct store_memory *store;
	struct store *port;

	(void)state;
	fake_reactor_init(&loop);
	assert_int_equal(store_memory_new(&loop.base, &times, &store), OK);
	store_memory_set_parked_max(store, 2);
	port = store_memory_port(store);
	assert_int_equal(put(port, "running", 1, STORE_RUNNING), OK);
	assert_int_equal(put(port, "first", 1, STORE_PARKED), OK);
	assert_int_equal(put(port, "second", 1, STORE_PARKED), OK);
	assert_int_equal(put(port, "first", 2, STORE_RUNNING), OK);
	assert_int_equal(put(port, "third", 1, STORE_PARKED), OK);
	assert_int_equal(store_memory_logs(store), 4);
	assert_int_equal(put(port, "first", 3, STORE_PARKED), OK);
	assert_int_equal(store_memory_logs(store), 3);
	assert_int_equal(put(port, "second", 2, STORE_RUNNING), ERR_CONFLICT);
	assert_int_equal(put(port, "first", 4, STORE_RUNNING), OK);
	assert_int_equal(put(port, "third", 2, STORE_RUNNING), OK);
	assert_int_equal(put(port, "running", 2, STORE_ENDED), OK);
	store_memory_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_contract),
		cmocka_unit_test(a_failed_allocation_leaves_no_log),
		cmocka_unit_test(too_many_parked_logs_push_the_oldest_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
