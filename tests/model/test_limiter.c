/* The limiter in virtual time: nobody goes too early, nobody waits for nothing, passthrough first.
 */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/fake_reactor.h"
#include "model/limiter.h"

enum { CALLS = 64, NEVER = 0 };

static struct fake_reactor fake;
static struct limiter limiter;

struct caller {
	struct limiter_ticket ticket;
	uint64_t admitted_ms; /* NEVER */
	size_t order;	      /* among those admitted, from 1 */
};

static struct caller callers[CALLS];
static size_t n_admitted;

static void on_admitted(struct limiter_ticket *ticket)
{
	struct caller *caller = container_of(ticket, struct caller, ticket);

	assert_int_equal(caller->admitted_ms, NEVER);
	caller->admitted_ms = fake.now_ms;
	caller->order = ++n_admitted;
}

static void begin(const struct limiter_options *options)
{
	metrics_reset();
	fake_reactor_init(&fake);
	limiter_init(&limiter, &fake.base, options);
	memset(callers, 0, sizeof(callers));
	n_admitted = 0;
}

static void ask(size_t i, enum limiter_queue queue, long tokens)
{
	callers[i].admitted_ms = NEVER;
	callers[i].ticket = (struct limiter_ticket){ .queue = queue,
						     .tokens = tokens,
						     .on_admitted = on_admitted };
	if (limiter_ask(&limiter, &callers[i].ticket))
		on_admitted(&callers[i].ticket);
}

static bool is_in(size_t i)
{
	return callers[i].admitted_ms != NEVER;
}

static void end(void)
{
	for (size_t i = 0; i < CALLS; i++)
		limiter_leave(&callers[i].ticket, -1);
	fake_reactor_settle(&fake);
	assert_int_equal(limiter_waiting(&limiter), 0);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_PASSTHROUGH), 0);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_JOB), 0);
	for (int queue = 0; queue < LIMITER_QUEUES; queue++)
		assert_int_equal(limiter.in_flight[queue], 0);
	assert_int_equal(limiter.unanswered, 0);
	assert_int_equal(limiter.unanswered_tokens, 0);
	limiter_release(&limiter);
	assert_true(fake_reactor_is_idle(&fake));
}

static void without_limits_nobody_waits(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .in_flight_max = 0 });
	for (size_t i = 0; i < CALLS; i++) {
		ask(i, i % 2 == 0 ? LIMITER_JOB : LIMITER_PASSTHROUGH, 1000000);
		assert_true(is_in(i));
	}
	end();
}

static void passthrough_goes_first_and_each_queue_in_its_order(void **state)
{
	static const size_t expected[] = { 0, 2, 4, 6, 1, 3, 5 }; /* 0 has the place at first */

	(void)state;
	begin(&(struct limiter_options){ .in_flight_max = 1 });
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		ask(i, i % 2 == 0 ? LIMITER_PASSTHROUGH : LIMITER_JOB, 0);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_PASSTHROUGH), 3);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_JOB), 3);
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(n_admitted, i + 1);
		assert_int_equal(callers[expected[i]].order, i + 1);
		limiter_leave(&callers[expected[i]].ticket, -1);
		assert_int_equal(n_admitted, i + 1); /* never inside leave */
		fake_reactor_settle(&fake);
	}
	end();
}

static void whoever_gives_up_leaves_the_place_to_the_next(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .in_flight_max = 1 });
	for (size_t i = 0; i < 4; i++)
		ask(i, LIMITER_PASSTHROUGH, 0);
	limiter_leave(&callers[1].ticket, 0);
	limiter_leave(&callers[1].ticket, 0); /* does nothing */
	limiter_leave(&callers[0].ticket, 0);
	limiter_leave(&callers[2].ticket, 0); /* on the turn on which it would have gone */
	fake_reactor_settle(&fake);
	assert_false(is_in(1));
	assert_false(is_in(2));
	assert_true(is_in(3));
	end();
}

static void long_texts_leave_room_for_passthrough(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .in_flight_max = 4, .jobs_in_flight_max = 3 });
	for (size_t i = 0; i < 6; i++)
		ask(i, LIMITER_JOB, 0);
	assert_int_equal(n_admitted, 3);
	ask(6, LIMITER_PASSTHROUGH, 0);
	ask(7, LIMITER_PASSTHROUGH, 0);
	assert_true(is_in(6));
	assert_false(is_in(7));
	limiter_leave(&callers[0].ticket, -1);
	fake_reactor_settle(&fake);
	assert_true(is_in(7));
	assert_false(is_in(3));
	end();
}

/* Whenever they come, no 60 seconds have more than the limit; and at no time does one wait that
 * could go. */
static void no_minute_has_more_requests_than_the_limit(void **state)
{
	static const uint64_t paces_ms[] = { 0, 1, 333, 999, 1001, 7000, 13000 };
	const long limit = 5;

	(void)state;
	for (size_t row = 0; row < COUNT_OF(paces_ms); row++) {
		begin(&(struct limiter_options){ .requests_per_minute = limit });
		for (size_t i = 0; i < 20; i++) {
			ask(i, LIMITER_JOB, 0);
			fake_reactor_advance(&fake, paces_ms[row]);
		}
		for (size_t i = 0; i < 20; i++) {
			uint64_t fifth_before;

			while (!is_in(i))
				assert_true(fake_reactor_turn(&fake));
			if (i < (size_t)limit)
				continue;
			fifth_before = callers[i - (size_t)limit].admitted_ms;
			assert_true(callers[i].admitted_ms >= fifth_before + 60000);
			assert_true(callers[i].admitted_ms <= fifth_before + 61000 ||
				    callers[i].admitted_ms == 1000 + i * paces_ms[row]);
		}
		end();
	}
}

static void tokens_are_estimated_and_put_right(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .tokens_per_minute = 1000 });
	ask(0, LIMITER_JOB, 900);
	ask(1, LIMITER_JOB, 900);
	assert_true(is_in(0));
	assert_false(is_in(1));
	assert_in_range(limiter_wait_ms(&limiter, LIMITER_JOB, 900), 59000, 61000);
	limiter_leave(&callers[0].ticket, 50); /* it used less */
	fake_reactor_settle(&fake);
	assert_true(is_in(1));
	limiter_leave(&callers[1].ticket, 5000); /* and it more */
	ask(2, LIMITER_JOB, 1);
	fake_reactor_advance(&fake, 58000);
	assert_false(is_in(2));
	fake_reactor_advance(&fake, 4000);
	assert_true(is_in(2));
	end();
}

static void what_no_minute_has_room_for_goes_alone(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .tokens_per_minute = 1000 });
	ask(0, LIMITER_JOB, 10);
	ask(1, LIMITER_JOB, 4000);
	assert_false(is_in(1));
	fake_reactor_advance(&fake, 62000);
	assert_true(is_in(1));
	end();
}

static void hear(size_t i, struct rate_news news)
{
	limiter_note(&callers[i].ticket, &news);
	fake_reactor_settle(&fake);
}

static void what_the_backend_says_is_obeyed(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .in_flight_max = 0 });
	for (size_t i = 0; i < 3; i++)
		ask(i, LIMITER_JOB, 100);
	/* Four are left, two of the three not counted yet: two more may go. */
	hear(0, (struct rate_news){ .requests = { true, 4, 5000 } });
	for (size_t i = 3; i < 6; i++)
		ask(i, LIMITER_PASSTHROUGH, 100);
	assert_true(is_in(4));
	assert_false(is_in(5));
	assert_int_equal(limiter_wait_ms(&limiter, LIMITER_JOB, 0), 5000);
	fake_reactor_advance(&fake, 4999);
	assert_false(is_in(5));
	fake_reactor_advance(&fake, 1);
	assert_true(is_in(5));
	/* Tokens: three of 100 are not counted yet. */
	hear(1, (struct rate_news){ .tokens = { true, 550, 3000 } });
	ask(6, LIMITER_JOB, 151);
	assert_false(is_in(6));
	hear(2, (struct rate_news){ .tokens = { true, 5000, 3000 } }); /* better news */
	assert_true(is_in(6));
	/* Retry-After stops all. */
	hear(3, (struct rate_news){ .pause_ms = 2000 });
	ask(7, LIMITER_PASSTHROUGH, 0);
	fake_reactor_advance(&fake, 1999);
	assert_false(is_in(7));
	fake_reactor_advance(&fake, 1);
	assert_true(is_in(7));
	end();
}

static void no_news_stop_a_backend_for_long(void **state)
{
	(void)state;
	begin(&(struct limiter_options){ .in_flight_max = 0 });
	ask(0, LIMITER_JOB, 100);
	hear(0, (struct rate_news){ .requests = { true, 0, UINT64_C(1) << 40 },
				    .tokens = { true, 0, UINT64_C(1) << 40 },
				    .pause_ms = UINT64_C(1) << 40 });
	ask(1, LIMITER_JOB, 100);
	fake_reactor_advance(&fake, LIMITER_NEWS_MS_MAX - 1);
	assert_false(is_in(1));
	fake_reactor_advance(&fake, 1);
	assert_true(is_in(1));
	end();
}

/* All limits, calls that come, go and give up as chance has it: the bounds hold at every step, and
 * everybody is let in at last. */
static void chance_breaks_no_limit(void **state)
{
	static const struct limiter_options options = { .in_flight_max = 5,
							.jobs_in_flight_max = 3,
							.requests_per_minute = 40,
							.tokens_per_minute = 9000 };
	uint64_t dice = 12345;

	(void)state;
	begin(&options);
	for (int step = 0; step < 4000; step++) {
		size_t i;

		dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		i = (size_t)(dice >> 33) % CALLS;
		if (callers[i].ticket.limiter != NULL)
			limiter_leave(&callers[i].ticket, (long)(dice >> 50) % 300);
		else
			ask(i, (dice >> 20) % 3 == 0 ? LIMITER_PASSTHROUGH : LIMITER_JOB,
			    (long)(dice >> 40) % 700);
		fake_reactor_advance(&fake, (dice >> 45) % 400);
		assert_true(limiter.in_flight[LIMITER_JOB] <= 3);
		assert_true(limiter.in_flight[LIMITER_JOB] +
				    limiter.in_flight[LIMITER_PASSTHROUGH] <=
			    5);
		assert_true(limiter.requests.sum <= 40);
	}
	for (int round = 0; limiter_waiting(&limiter) > 0; round++) {
		assert_true(round < CALLS * 2);
		for (size_t i = 0; i < CALLS; i++)
			if (callers[i].ticket.is_admitted)
				limiter_leave(&callers[i].ticket, -1);
		fake_reactor_advance(&fake, 62000);
	}
	end();
}

static void durations_are_read_as_servers_write_them(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
		{ "1s", 1000 },
		{ "20ms", 20 },
		{ "6m0s", 360000 },
		{ "1h2m3s", 3723000 },
		{ "1.5s", 1500 },
		{ "7.66s", 7660 },
		{ "12", 12000 },
		{ "0.25", 250 },
		{ "2d", 172800000 },
		{ "1700000060", 60000 },
		{ "1700000060500", 60500 },
		{ "1600000000", 1 },
		{ "0s", 0 },
		{ "", 0 },
		{ "soon", 0 },
		{ "1x", 0 },
		{ "1s2", 0 },
		{ "-1s", 0 },
		{ "1e400", 0 },
		{ "..", 0 },
		{ "2024-01-01T00:00:00Z", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice text = { rows[i].text, strlen(rows[i].text) };

		assert_int_equal(rate_duration_ms(text, UINT64_C(1700000000000)), rows[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_nobody_waits),
		cmocka_unit_test(passthrough_goes_first_and_each_queue_in_its_order),
		cmocka_unit_test(whoever_gives_up_leaves_the_place_to_the_next),
		cmocka_unit_test(long_texts_leave_room_for_passthrough),
		cmocka_unit_test(no_minute_has_more_requests_than_the_limit),
		cmocka_unit_test(tokens_are_estimated_and_put_right),
		cmocka_unit_test(what_no_minute_has_room_for_goes_alone),
		cmocka_unit_test(what_the_backend_says_is_obeyed),
		cmocka_unit_test(no_news_stop_a_backend_for_long),
		cmocka_unit_test(chance_breaks_no_limit),
		cmocka_unit_test(durations_are_read_as_servers_write_them),
	};

	mem_init();
	return cmocka_run_group_tests_name("limiter", tests, NULL, NULL);
}
