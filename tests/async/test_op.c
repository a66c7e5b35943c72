/* The contract of an operation: exactly one done(), on a later turn, whoever ends it and when. */
#include "check.h"
#include <string.h>
#include "async/op.h"
#include "base/mem.h"
#include "fakes/dies.h"
#include "fakes/fake_reactor.h"

static struct fake_reactor fake;
static unsigned dones;
static enum err last_result;
static bool is_inside; /* start() or cancel() */

/* A provider that answers after a while, and takes a while to give up. */
struct service {
	struct op *op;
	struct timer answer;
	uint64_t answer_ms;
	uint64_t give_up_ms;
	enum err result;
	unsigned cancels;
};

static void on_answer(struct timer *timer)
{
	struct service *service = container_of(timer, struct service, answer);
	struct op *op = service->op;

	service->op = NULL;
	op_finish(op, service->result);
}

static struct service service;

static void service_cancel(struct op *op)
{
	assert_ptr_equal(op, service.op);
	service.cancels++;
	fake.base.timer_stop(&fake.base, &service.answer);
	if (service.give_up_ms > 0) {
		fake.base.timer_start(&fake.base, &service.answer, service.give_up_ms, on_answer);
		return;
	}
	service.op = NULL;
	op_finish(op, ERR_CANCELED);
}

static void service_start(struct op *op)
{
	service.op = op;
	if (!op_begin(op, service_cancel))
		return;
	fake.base.timer_start(&fake.base, &service.answer, service.answer_ms, on_answer);
}

static int setup(void **state)
{
	(void)state;
	fake_reactor_init(&fake);
	service = (struct service){ .answer_ms = 10 };
	dones = 0;
	return 0;
}

/* As callers do: the memory goes in done(), so whoever touches it later is seen. */
static void on_done(struct op *op)
{
	assert_false(is_inside);
	assert_false(op_is_live(op));
	dones++;
	last_result = op->result;
	memset(op, 0xAA, sizeof(*op));
	mem_free(op);
}

static struct op *prepared(uint64_t deadline_ms)
{
	struct op *op = mem_alloc(sizeof(*op));

	assert_non_null(op);
	op_prepare(op, &fake.base, deadline_ms, on_done);
	assert_true(op_is_live(op));
	return op;
}

static struct op *started(uint64_t deadline_ms)
{
	struct op *op = prepared(deadline_ms);

	is_inside = true;
	service_start(op);
	is_inside = false;
	return op;
}

static void cancel(struct op *op, enum err why)
{
	is_inside = true;
	op_cancel(op, why);
	is_inside = false;
}

static void expect_end(enum err result)
{
	fake_reactor_run_until_idle(&fake);
	assert_int_equal(dones, 1);
	assert_int_equal(last_result, result);
	assert_true(fake_reactor_is_idle(&fake));
}

static void a_result_arrives_once_and_stops_the_deadline(void **state)
{
	(void)state;
	(void)started(500);
	expect_end(OK);
	assert_int_equal(fake.now_ms, 1010);
	assert_int_equal(service.cancels, 0);
}

static void a_deadline_runs_from_the_begin(void **state)
{
	struct op *op = prepared(5);

	(void)state;
	fake_reactor_advance(&fake, 100);
	service_start(op);
	fake_reactor_advance(&fake, 4);
	assert_int_equal(dones, 0);
	expect_end(ERR_TIMEOUT);
	assert_int_equal(service.cancels, 1);
	assert_int_equal(fake.now_ms, 1105);
}

static void cancel_at_every_millisecond(void **state)
{
	(void)state;
	for (uint64_t give_up_ms = 0; give_up_ms < 4; give_up_ms++) {
		for (uint64_t at_ms = 0; at_ms < 10; at_ms++) {
			struct op *op;

			setup(NULL);
			service.give_up_ms = give_up_ms;
			op = started(30);
			fake_reactor_advance(&fake, at_ms);
			cancel(op, ERR_CONFLICT);
			assert_int_equal(dones, 0);
			expect_end(ERR_CONFLICT);
			assert_int_equal(service.cancels, 1);
		}
	}
}

static void the_first_reason_counts(void **state)
{
	struct op *op;

	(void)state;
	service.give_up_ms = 5;
	op = started(8);
	cancel(op, ERR_CONFLICT);
	cancel(op, ERR_CANCELED);
	fake_reactor_advance(&fake, 4);
	cancel(op, ERR_CANCELED);
	expect_end(ERR_CONFLICT);
	assert_int_equal(service.cancels, 1);
}

static void a_deadline_and_then_a_cancel_is_a_timeout(void **state)
{
	struct op *op;

	(void)state;
	service.give_up_ms = 5;
	op = started(3);
	fake_reactor_advance(&fake, 4);
	cancel(op, ERR_CANCELED);
	expect_end(ERR_TIMEOUT);
}

static void cancelled_before_it_began(void **state)
{
	struct op *op = prepared(5);

	(void)state;
	cancel(op, ERR_CANCELED);
	fake_reactor_advance(&fake, 50);
	assert_int_equal(dones, 0);
	service_start(op);
	assert_int_equal(dones, 0);
	expect_end(ERR_CANCELED);
	assert_int_equal(service.cancels, 0);
}

/* Finished, but done() is still on its way. */
static void a_cancel_after_the_finish(void **state)
{
	static const struct {
		enum err finished;
		enum err expected;
	} rows[] = {
		{ OK, ERR_CANCELED },
		{ ERR_BROKEN, ERR_BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct op *op = prepared(0);

		dones = 0;
		assert_true(op_begin(op, service_cancel));
		op_finish(op, rows[i].finished);
		assert_true(op_is_live(op));
		cancel(op, ERR_CANCELED);
		expect_end(rows[i].expected);
	}
	assert_int_equal(service.cancels, 0);
}

static void a_held_op_waits_until_it_is_let_go_or_cancelled(void **state)
{
	(void)state;
	for (int is_cancel = 0; is_cancel <= 1; is_cancel++) {
		for (int hold_late = 0; hold_late <= 1; hold_late++) {
			struct op *op = prepared(0);

			dones = 0;
			assert_true(op_begin(op, service_cancel));
			if (!hold_late)
				op_hold(op);
			op_finish(op, OK);
			op_hold(op);
			fake_reactor_run_until_idle(&fake);
			assert_int_equal(dones, 0);
			if (is_cancel)
				cancel(op, ERR_CANCELED);
			else
				op_unhold(op);
			assert_int_equal(dones, 0);
			expect_end(is_cancel ? ERR_CANCELED : OK);
		}
	}
}

static struct op again;

static void start_the_next(struct op *op)
{
	dones++;
	last_result = op->result;
	if (dones == 3)
		return;
	op_prepare(op, &fake.base, 100, start_the_next);
	service_start(op);
}

static void an_op_may_be_used_again_in_its_done(void **state)
{
	(void)state;
	op_prepare(&again, &fake.base, 100, start_the_next);
	service_start(&again);
	fake_reactor_run_until_idle(&fake);
	assert_int_equal(dones, 3);
	assert_int_equal(fake.now_ms, 1030);
	op_cancel(&again, ERR_CANCELED); /* idle: nothing */
	assert_true(fake_reactor_is_idle(&fake));
}

static void begin(struct op *op)
{
	if (!op_begin(op, service_cancel))
		fail_msg("it was not cancelled");
}

static void finish_twice(void *arg)
{
	struct op *op = prepared(0);

	(void)arg;
	begin(op);
	op_finish(op, OK);
	op_finish(op, OK);
}

static void finish_unbegun(void *arg)
{
	(void)arg;
	op_finish(prepared(0), OK);
}

static void begin_twice(void *arg)
{
	struct op *op = prepared(0);

	(void)arg;
	begin(op);
	begin(op);
}

static void cancel_for_no_reason(void *arg)
{
	(void)arg;
	op_cancel(prepared(0), OK);
}

static void legal(void *arg)
{
	(void)arg;
	(void)started(5);
	fake_reactor_run_until_idle(&fake);
}

static void broken_contracts_die_where_they_are_broken(void **state)
{
	(void)state;
	assert_true(dies(finish_twice, NULL));
	assert_true(dies(finish_unbegun, NULL));
	assert_true(dies(begin_twice, NULL));
	assert_true(dies(cancel_for_no_reason, NULL));
	assert_false(dies(legal, NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_result_arrives_once_and_stops_the_deadline, setup),
		cmocka_unit_test_setup(a_deadline_runs_from_the_begin, setup),
		cmocka_unit_test_setup(cancel_at_every_millisecond, setup),
		cmocka_unit_test_setup(the_first_reason_counts, setup),
		cmocka_unit_test_setup(a_deadline_and_then_a_cancel_is_a_timeout, setup),
		cmocka_unit_test_setup(cancelled_before_it_began, setup),
		cmocka_unit_test_setup(a_cancel_after_the_finish, setup),
		cmocka_unit_test_setup(a_held_op_waits_until_it_is_let_go_or_cancelled, setup),
		cmocka_unit_test_setup(an_op_may_be_used_again_in_its_done, setup),
		cmocka_unit_test_setup(broken_contracts_die_where_they_are_broken, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
