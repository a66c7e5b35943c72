/* Streams: nothing while paused, nothing after a cancel, nothing lost, one done(). */
#include "check.h"
#include <string.h>
#include "async/stream_op.h"
#include "fakes/dies.h"
#include "fakes/fake_reactor.h"

#define TEXT "Once upon a time there was a stream that ran to the sea."

/* A source of one byte a millisecond. It reads ahead of a paused stream by one byte, which it
 * keeps, as a socket's reader would. */
struct source {
	struct stream_op *stream;
	struct timer tick;
	size_t at;
	bool is_waiting; /* a push was refused */
	bool is_stubborn; /* goes on pushing for a while after a cancel */
	unsigned cancels;
	unsigned pauses;
	unsigned resumes;
};

enum action { NOTHING, PAUSE, CANCEL, PAUSE_AND_RESUME };

static struct fake_reactor fake;
static struct source source;
static struct stream_op stream;
static char got[sizeof(TEXT) + 1];
static size_t got_len;
static unsigned dones;
static enum err last_result;
static bool may_have_data;
static enum action action;
static size_t action_at;

static void on_tick(struct timer *timer)
{
	(void)timer;
	if (source.at == strlen(TEXT)) {
		source.stream = NULL;
		op_finish(&stream.op, OK);
		return;
	}
	if (!stream_op_push(&stream, &TEXT[source.at], 1) && !source.is_stubborn) {
		source.is_waiting = true;
		return;
	}
	source.at++;
	if (source.stream != NULL)
		fake.base.timer_start(&fake.base, &source.tick, 1, on_tick);
}

static void source_cancel(struct op *op)
{
	source.cancels++;
	if (source.is_stubborn) {
		fake.base.timer_start(&fake.base, &source.tick, 0, on_tick);
		return;
	}
	fake.base.timer_stop(&fake.base, &source.tick);
	source.stream = NULL;
	op_finish(op, ERR_CANCELED);
}

static void source_pause(struct stream_op *paused)
{
	assert_ptr_equal(paused, &stream);
	source.pauses++;
}

static void source_resume(struct stream_op *resumed)
{
	assert_ptr_equal(resumed, &stream);
	source.resumes++;
	if (!source.is_waiting)
		return;
	source.is_waiting = false;
	fake.base.timer_start(&fake.base, &source.tick, 0, on_tick);
}

static const struct stream_provider provider = { .cancel = source_cancel,
						 .pause = source_pause,
						 .resume = source_resume };

static void act(enum action what)
{
	switch (what) {
	case NOTHING:
		break;
	case PAUSE:
		stream_op_pause(&stream);
		may_have_data = false;
		break;
	case CANCEL:
		op_cancel(&stream.op, ERR_CONFLICT);
		may_have_data = false;
		break;
	case PAUSE_AND_RESUME:
		stream_op_pause(&stream);
		stream_op_resume(&stream);
		break;
	}
}

static void on_data(struct stream_op *from, const char *data, size_t len)
{
	assert_ptr_equal(from, &stream);
	assert_true(may_have_data);
	assert_true(got_len + len < sizeof(got));
	memcpy(got + got_len, data, len);
	got_len += len;
	if (got_len == action_at)
		act(action);
}

static void on_done(struct op *op)
{
	assert_false(stream.is_paused && op->result == OK);
	dones++;
	last_result = op->result;
}

static void begin(void)
{
	source.stream = &stream;
	if (stream_op_begin(&stream, &provider))
		fake.base.timer_start(&fake.base, &source.tick, 1, on_tick);
}

static void start(enum action what, size_t at)
{
	fake_reactor_init(&fake);
	memset(got, 0, sizeof(got));
	memset(&source, 0, sizeof(source));
	got_len = 0;
	dones = 0;
	may_have_data = true;
	action = what;
	action_at = at;
	stream_op_prepare(&stream, &fake.base, 0, on_data, on_done);
	begin();
}

static void resume(void)
{
	may_have_data = true;
	stream_op_resume(&stream);
}

static void expect_end(enum err result)
{
	fake_reactor_run_until_idle(&fake);
	assert_int_equal(dones, 1);
	assert_int_equal(last_result, result);
	if (result == OK)
		assert_string_equal(got, TEXT);
	memset(&stream, 0xAA, sizeof(stream));
}

static void everything_arrives_in_order(void **state)
{
	(void)state;
	start(NOTHING, 0);
	expect_end(OK);
	assert_int_equal(source.pauses, 0);
}

static void paused_inside_each_on_data(void **state)
{
	(void)state;
	for (size_t at = 1; at <= strlen(TEXT); at++) {
		start(PAUSE, at);
		fake_reactor_advance(&fake, 2000);
		assert_int_equal(got_len, at);
		assert_int_equal(dones, 0); /* also when its source has ended */
		resume();
		assert_int_equal(got_len, at); /* never inside resume */
		expect_end(OK);
		assert_int_equal(source.pauses, 1);
	}
}

static void paused_at_each_millisecond_from_outside(void **state)
{
	(void)state;
	for (uint64_t at_ms = 0; at_ms <= strlen(TEXT) + 1; at_ms++) {
		start(NOTHING, 0);
		fake_reactor_advance(&fake, at_ms);
		if (dones == 1)
			continue;
		act(PAUSE);
		act(PAUSE);
		fake_reactor_advance(&fake, 2000);
		assert_int_equal(dones, 0);
		assert_int_equal(source.pauses, 1);
		resume();
		resume();
		expect_end(OK);
		/* A source that has ended meanwhile is not asked for more. */
		assert_int_equal(source.resumes, at_ms < strlen(TEXT) ? 1 : 0);
	}
}

static void pause_and_resume_inside_on_data_changes_nothing(void **state)
{
	(void)state;
	start(PAUSE_AND_RESUME, 7);
	expect_end(OK);
}

static void cancelled_inside_each_on_data(void **state)
{
	(void)state;
	for (size_t at = 1; at <= strlen(TEXT); at++) {
		start(CANCEL, at);
		expect_end(ERR_CONFLICT);
		assert_int_equal(got_len, at);
		assert_int_equal(source.cancels, 1);
	}
}

static void cancelled_while_paused_or_running_at_each_turn(void **state)
{
	(void)state;
	for (int paused = 0; paused <= 1; paused++) {
		for (size_t turns = 0; turns < strlen(TEXT); turns++) {
			start(paused ? PAUSE : NOTHING, turns / 2);
			for (size_t i = 0; i < turns; i++)
				assert_true(fake_reactor_turn(&fake) || paused);
			act(CANCEL);
			resume(); /* of no use any more */
			stream_op_pause(&stream);
			may_have_data = false;
			expect_end(ERR_CONFLICT);
		}
	}
}

static void a_provider_that_goes_on_after_a_cancel_reaches_nobody(void **state)
{
	(void)state;
	start(NOTHING, 0);
	source.is_stubborn = true;
	fake_reactor_advance(&fake, 5);
	stream_op_pause(&stream);
	act(CANCEL);
	stream_op_resume(&stream);
	assert_int_equal(source.resumes, 0);
	expect_end(ERR_CONFLICT);
	assert_int_equal(source.at, strlen(TEXT));
	assert_int_equal(got_len, 5);
}

static void cancelled_when_all_came_but_it_is_paused(void **state)
{
	(void)state;
	start(PAUSE, strlen(TEXT));
	fake_reactor_advance(&fake, 2000);
	assert_null(source.stream); /* it has finished */
	op_cancel(&stream.op, ERR_CONFLICT);
	expect_end(ERR_CONFLICT);
	assert_int_equal(source.cancels, 0);
}

static void paused_before_the_start(void **state)
{
	(void)state;
	for (int cancels = 0; cancels <= 1; cancels++) {
		start(NOTHING, 0);
		op_cancel(&stream.op, ERR_CANCELED);
		fake_reactor_run_until_idle(&fake);
		dones = 0;
		source = (struct source){ .at = 0 };
		stream_op_prepare(&stream, &fake.base, 0, on_data, on_done);
		act(PAUSE);
		if (cancels)
			act(CANCEL);
		begin();
		fake_reactor_advance(&fake, 2000);
		assert_int_equal(got_len, 0);
		assert_int_equal(dones, cancels);
		if (!cancels)
			resume();
		expect_end(cancels ? ERR_CONFLICT : OK);
	}
}

static void push_too_late(void *arg)
{
	(void)arg;
	op_finish(&stream.op, OK);
	(void)!stream_op_push(&stream, "x", 1);
}

static void no_data_after_the_finish(void **state)
{
	(void)state;
	start(NOTHING, 0);
	assert_true(dies(push_too_late, NULL));
	assert_true(stream_op_push(&stream, NULL, 0)); /* nothing: no callback */
	expect_end(OK);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives_in_order),
		cmocka_unit_test(paused_inside_each_on_data),
		cmocka_unit_test(paused_at_each_millisecond_from_outside),
		cmocka_unit_test(pause_and_resume_inside_on_data_changes_nothing),
		cmocka_unit_test(cancelled_inside_each_on_data),
		cmocka_unit_test(cancelled_while_paused_or_running_at_each_turn),
		cmocka_unit_test(a_provider_that_goes_on_after_a_cancel_reaches_nobody),
		cmocka_unit_test(cancelled_when_all_came_but_it_is_paused),
		cmocka_unit_test(paused_before_the_start),
		cmocka_unit_test(no_data_after_the_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
