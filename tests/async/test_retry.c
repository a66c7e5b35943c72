/* Retry: how often, how long between, what ends it - and a cancel at any time is one end. */
#include "check.h"
#include <string.h>
#include "async/retry.h"
#include "fakes/fake_reactor.h"

enum { TRIES_MAX = 8, HANG = 1000000 };

/* What each attempt of a story does. */
struct attempt_row {
	uint64_t ms; /* HANG: never answers */
	enum err result;
	uint64_t retry_after_ms;
	bool is_final;
};

static const struct retry_policy policy = { .max_tries = 4,
					    .base_ms = 100,
					    .cap_ms = 300,
					    .retry_after_cap_ms = 5000,
					    .try_ms = 500 };

static struct fake_reactor fake;
static struct retry retry;
static const struct attempt_row *rows;
static struct timer answer;
static unsigned live;
static unsigned starts;
static unsigned dones;
static enum err last_result;

static void on_answer(struct timer *timer)
{
	const struct attempt_row *row = &rows[starts - 1];

	(void)timer;
	live--;
	retry.retry_after_ms = row->retry_after_ms;
	retry.is_final = row->is_final;
	op_finish(&retry.attempt, row->result);
}

static void attempt_cancel(struct op *op)
{
	assert_int_equal(op->canceled,
			 retry.op.canceled != OK ? retry.op.canceled : ERR_TIMEOUT);
	fake.base.timer_stop(&fake.base, &answer);
	live--;
	op_finish(op, ERR_CANCELED);
}

static void attempt_start(struct retry *of, struct op *attempt)
{
	assert_ptr_equal(of, &retry);
	assert_ptr_equal(attempt, &retry.attempt);
	assert_int_equal(of->retry_after_ms, 0);
	assert_false(of->is_final);
	if (!op_begin(attempt, attempt_cancel))
		return;
	starts++;
	live++;
	assert_int_equal(live, 1);
	fake.base.timer_start(&fake.base, &answer, rows[starts - 1].ms, on_answer);
}

static void on_done(struct op *op)
{
	dones++;
	last_result = op->result;
	memset(&retry, 0xAA, sizeof(retry));
}

static void start(const struct attempt_row *story, uint64_t deadline_ms)
{
	fake_reactor_init(&fake);
	rows = story;
	live = starts = dones = 0;
	memset(&retry, 0xAA, sizeof(retry)); /* retry_start sets what it needs */
	op_prepare(&retry.op, &fake.base, deadline_ms, on_done);
	retry_start(&retry, &policy, attempt_start);
	assert_int_equal(dones, 0);
}

static void expect_end(enum err result)
{
	fake_reactor_run_until_idle(&fake);
	assert_int_equal(dones, 1);
	assert_int_equal(live, 0);
	assert_int_equal(last_result, result);
	assert_true(fake_reactor_is_idle(&fake));
}

/* Chance is 0 here: each wait is the shorter half, 50, 100, 150, 150 ... */
static void stories_of_tries(void **state)
{
	static const struct {
		const char *name;
		struct attempt_row attempts[TRIES_MAX];
		uint64_t deadline_ms;
		enum err result;
		unsigned starts;
		uint64_t took_ms;
	} stories[] = {
		{ "at once", { { 20, OK, 0, false } }, 0, OK, 1, 20 },
		{ "third",
		  { { 20, ERR_UPSTREAM, 0, false }, { 20, ERR_REFUSED, 0, false },
		    { 20, OK, 0, false } },
		  0, OK, 3, 20 + 50 + 20 + 100 + 20 },
		{ "never",
		  { { 20, ERR_BROKEN, 0, false }, { 20, ERR_BUSY, 0, false },
		    { 20, ERR_UPSTREAM, 0, false }, { 20, ERR_REFUSED, 0, false } },
		  0, ERR_REFUSED, 4, 80 + 50 + 100 + 150 },
		{ "of no use", { { 20, ERR_REJECTED, 0, false } }, 0, ERR_REJECTED, 1, 20 },
		{ "some was sent", { { 20, ERR_BROKEN, 0, true } }, 0, ERR_BROKEN, 1, 20 },
		{ "hangs once",
		  { { HANG, OK, 0, false }, { 20, OK, 0, false } },
		  0, OK, 2, 500 + 50 + 20 },
		{ "asked to wait",
		  { { 20, ERR_BUSY, 2000, false }, { 20, OK, 0, false } },
		  0, OK, 2, 20 + 2000 + 20 },
		{ "asked to wait less",
		  { { 20, ERR_BUSY, 3, false }, { 20, OK, 0, false } },
		  0, OK, 2, 20 + 50 + 20 },
		{ "asked for too much",
		  { { 20, ERR_BUSY, 999999, false }, { 20, OK, 0, false } },
		  0, OK, 2, 20 + 5000 + 20 },
		{ "late in a try", { { HANG, OK, 0, false } }, 300, ERR_TIMEOUT, 1, 300 },
		{ "late in a wait", { { 20, ERR_BUSY, 2000, false } }, 300, ERR_TIMEOUT, 1, 300 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(stories); i++) {
		print_message("%s\n", stories[i].name);
		start(stories[i].attempts, stories[i].deadline_ms);
		expect_end(stories[i].result);
		assert_int_equal(starts, stories[i].starts);
		assert_int_equal(fake.now_ms - 1000, stories[i].took_ms);
	}
}

static const struct attempt_row long_story[TRIES_MAX] = { { 20, ERR_BUSY, 120, false },
							  { HANG, OK, 0, false },
							  { 20, ERR_UPSTREAM, 0, false },
							  { HANG, OK, 0, false } };

static void cancel_at_every_millisecond(void **state)
{
	(void)state;
	for (uint64_t at_ms = 0; at_ms < 1400; at_ms++) {
		start(long_story, 0);
		fake_reactor_advance(&fake, at_ms);
		if (dones == 1)
			break;
		op_cancel(&retry.op, ERR_CONFLICT);
		assert_int_equal(dones, 0);
		expect_end(ERR_CONFLICT);
		assert_in_range(fake.now_ms, 1000 + at_ms, 1000 + at_ms);
	}
	assert_int_equal(starts, 4);
}

static void cancel_after_every_turn(void **state)
{
	enum err expected;
	unsigned turns = 0;

	(void)state;
	for (unsigned at = 0;; at++) {
		start(long_story, 0);
		for (turns = 0; turns < at && fake_reactor_turn(&fake); turns++)
			;
		if (dones == 1)
			break;
		/* One that has failed already, and only waits to say so, keeps its error. */
		expected = retry.op.state == OP_FINISHED ? ERR_TIMEOUT : ERR_CANCELED;
		op_cancel(&retry.op, ERR_CANCELED);
		expect_end(expected);
	}
	assert_int_equal(starts, 4);
	assert_in_range(turns, 8, 20);
}

static void cancelled_before_the_start(void **state)
{
	(void)state;
	fake_reactor_init(&fake);
	live = starts = dones = 0;
	op_prepare(&retry.op, &fake.base, 5, on_done);
	op_cancel(&retry.op, ERR_CANCELED);
	retry_start(&retry, &policy, attempt_start);
	expect_end(ERR_CANCELED);
	assert_int_equal(starts, 0);
}

static void waits_double_up_to_the_cap_with_jitter(void **state)
{
	static const struct {
		uint64_t base_ms;
		uint64_t cap_ms;
		unsigned tries;
		uint64_t shortest_ms;
		uint64_t longest_ms;
	} table[] = {
		{ 100, 10000, 1, 50, 99 },	{ 100, 10000, 2, 100, 199 },
		{ 100, 10000, 5, 800, 1599 },	{ 100, 10000, 8, 5000, 9999 },
		{ 100, 10000, 4000, 5000, 9999 }, { 7, 10000, 1, 4, 6 },
		{ 500, 100, 1, 50, 99 },	{ 0, 100, 3, 0, 0 },
		{ 1, UINT64_MAX, 64, UINT64_C(1) << 62, (UINT64_C(1) << 63) - 512 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct retry_policy row = { .base_ms = table[i].base_ms,
					    .cap_ms = table[i].cap_ms };

		assert_true(retry_backoff_ms(&row, table[i].tries, 0) == table[i].shortest_ms);
		assert_true(retry_backoff_ms(&row, table[i].tries, UINT64_MAX) ==
			    table[i].longest_ms);
	}
}

static void every_error_is_transient_or_not(void **state)
{
	static const enum err transient[] = { ERR_UPSTREAM, ERR_BUSY, ERR_TIMEOUT, ERR_REFUSED,
					      ERR_BROKEN };
	size_t count = 0;

	(void)state;
	for (int err = OK; err <= ERR_IO; err++)
		count += retry_is_transient((enum err)err);
	assert_int_equal(count, COUNT_OF(transient));
	for (size_t i = 0; i < COUNT_OF(transient); i++)
		assert_true(retry_is_transient(transient[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_of_tries),
		cmocka_unit_test(cancel_at_every_millisecond),
		cmocka_unit_test(cancel_after_every_turn),
		cmocka_unit_test(cancelled_before_the_start),
		cmocka_unit_test(waits_double_up_to_the_cap_with_jitter),
		cmocka_unit_test(every_error_is_transient_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
