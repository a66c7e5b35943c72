/* Jobs that go from process to process: read from afar, handed over at every tick, taken away,
 * erased, parked at a stop and gone on with after it. Two registries on one store are two
 * processes. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "fakes/job_world.h"

static struct registry *other;
static unsigned idles;

static void on_idle(void *context)
{
	(void)context;
	idles++;
}

static void begin(enum store_reach reach)
{
	job_world_begin();
	job_world.store.port.reach = reach;
	job_world.options.scan_ms = 200;
	job_world.options.handover_grace_ms = 5000;
	registry_free(job_world.registry);
	job_world.registry = job_world_other(); /* one that looks for orphans, if that is so */
	other = job_world_other();
	idles = 0;
}

static void stop(struct registry *registry)
{
	unsigned before = idles;

	registry_stop(registry, on_idle, NULL);
	for (unsigned ms = 0; ms < 10000 && idles == before; ms += 10)
		fake_reactor_advance(&job_world.loop, 10);
	assert_int_equal(idles, before + 1);
}

static void end(void)
{
	registry_detach(job_world.job, &job_world.reader);
	stop(other);
	stop(job_world.registry);
	registry_free(other);
	job_world_end();
}

/* Started here, and read from the start by a cursor of `registry`. */
static void start_and_follow(uint64_t grace_ms, struct registry *registry)
{
	assert_int_equal(job_world_start(grace_ms), OK);
	reader_detach(&job_world.reader);
	job_world.ends = 0;
	fake_reactor_advance(&job_world.loop, 20); /* until it is created */
	job_world_follow(registry);
}

static void expect_whole_text(void)
{
	assert_int_equal(job_world.last, EVENT_DONE);
	assert_in_range(job_world_words(), TARGET_WORDS - 15, TARGET_WORDS + 15);
	job_world_check_replay();
}

static void a_job_is_followed_from_afar(void **state)
{
	(void)state;
	begin(STORE_SHARED);
	start_and_follow(UINT64_MAX, other);
	job_world_follow_to_end(1);
	expect_whole_text();
	assert_int_equal(job_world.place.epoch, 1);
	end();
}

/* The store does not answer for a while: the reader gets nothing twice, and nothing is left out. */
static void a_store_that_fails_for_a_while_is_waited_for(void **state)
{
	(void)state;
	begin(STORE_SHARED);
	start_and_follow(UINT64_MAX, other);
	fake_reactor_advance(&job_world.loop, 300);
	job_world.store.reads_failing = 8;
	job_world_follow_to_end(1);
	assert_int_equal(job_world.store.reads_failing, 0);
	expect_whole_text();
	end();
}

static void a_store_that_fails_for_good_ends_the_reader(void **state)
{
	(void)state;
	begin(STORE_SHARED);
	start_and_follow(UINT64_MAX, other);
	job_world.store.reads_failing = 1000000;
	fake_reactor_advance(&job_world.loop, 60000);
	assert_int_equal(job_world.cursor_error, ERR_TIMEOUT);
	job_world.store.reads_failing = 0;
	end();
}

/* Down, and known to be: nobody gives up. */
static void a_store_that_is_down_is_waited_for_for_ever(void **state)
{
	(void)state;
	begin(STORE_SHARED);
	start_and_follow(UINT64_MAX, other);
	job_world.store.is_down = true;
	job_world.store.reads_failing = 300;
	fake_reactor_advance(&job_world.loop, 100000);
	assert_int_equal(job_world.cursor_error, OK);
	job_world.store.reads_failing = 0;
	job_world.store.is_down = false;
	job_world_follow_to_end(1);
	expect_whole_text();
	end();
}

/* SIGTERM at any tick: the other process goes on, and the reader, who stayed, has it all. */
static void a_job_handed_over_at_every_tick_is_written_whole(void **state)
{
	unsigned takeovers = 0;
	bool is_over = false;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 31) {
		begin(STORE_SHARED);
		job_world.model.fates[1] = ERR_BROKEN;
		job_world.model.n_fates = 2;
		start_and_follow(at_ms % 2 == 0 ? 5 : UINT64_MAX, job_world.registry);
		fake_reactor_advance(&job_world.loop, at_ms);
		is_over = registry_running(job_world.registry) == 0;
		registry_hand_over(job_world.registry);
		job_world_follow_to_end(1);
		expect_whole_text();
		assert_int_equal(registry_running(job_world.registry), 0);
		takeovers += job_world.place.epoch == 2;
		end();
	}
	assert_true(is_over);
	assert_true(takeovers > 10);
}

/* Nobody comes for what was handed over; and then it is stopped for good. */
static void who_reads_when_the_process_ends_is_told_that_the_text_is_kept(void **state)
{
	static const enum store_reach reaches[] = { STORE_DURABLE, STORE_SHARED };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(reaches); i++) {
		size_t text_len;

		begin(reaches[i]);
		stop(other);
		start_and_follow(5, job_world.registry);
		fake_reactor_advance(&job_world.loop, 300);
		registry_hand_over(job_world.registry);
		fake_reactor_advance(&job_world.loop, 100);
		assert_int_equal(registry_running(job_world.registry), reaches[i] == STORE_DURABLE);
		assert_int_equal(job_world.cursor_error, OK);
		stop(job_world.registry);
		assert_int_equal(job_world.cursor_error, ERR_CANCELED);
		text_len = job_world.text_len;
		assert_true(text_len > 0);
		/* Started again, it is read on. */
		registry_free(job_world.registry);
		job_world.registry = job_world_other();
		job_world_follow(job_world.registry);
		job_world_follow_to_end(1);
		assert_true(job_world.text_len > text_len);
		expect_whole_text();
		stop(job_world.registry);
		registry_free(other);
		job_world_end();
	}
}

static void a_job_to_keep_goes_on_by_itself(void **state)
{
	(void)state;
	begin(STORE_DURABLE);
	stop(other);
	assert_int_equal(job_world_start(UINT64_MAX), OK);
	fake_reactor_advance(&job_world.loop, 300);
	registry_detach(job_world.job, &job_world.reader);
	stop(job_world.registry);
	registry_free(job_world.registry);
	job_world.registry = job_world_other();
	fake_reactor_advance(&job_world.loop, 100);
	assert_int_equal(registry_running(job_world.registry), 1);
	job_world_run();
	job_world.ends = 0;
	job_world_follow(job_world.registry);
	job_world_follow_to_end(1);
	expect_whole_text();
	assert_int_equal(job_world.place.epoch, 2);
	stop(job_world.registry);
	registry_free(other);
	job_world_end();
}

/* One that nobody wants is only parked, which makes its state true. */
static void an_orphan_that_nobody_reads_is_parked(void **state)
{
	(void)state;
	begin(STORE_SHARED);
	job_world.options.handover_grace_ms = 0;
	start_and_follow(5, job_world.registry);
	fake_reactor_advance(&job_world.loop, 300);
	job_world_unfollow();
	registry_hand_over(job_world.registry);
	fake_reactor_advance(&job_world.loop, 3000);
	assert_int_equal(registry_running(other), 0);
	assert_int_equal(job_world.model.live, 0);
	job_world.ends = 0;
	job_world_follow(other);
	job_world_follow_to_end(1);
	assert_true(job_world.place.epoch >= 2);
	expect_whole_text();
	end();
}

static enum err taken;

static void on_taken(struct op *op)
{
	taken = op->result;
}

/* Cancelled elsewhere, at any tick: its writer stops at the conflict, its readers see the end. */
static void a_job_is_cancelled_from_afar_at_every_tick(void **state)
{
	unsigned cancelled = 0;

	(void)state;
	for (uint64_t at_ms = 0; at_ms < 800; at_ms += 37) {
		struct taking taking = { .id = job_world_id, .is_to_end = true };

		begin(STORE_SHARED);
		start_and_follow(UINT64_MAX, job_world.registry);
		fake_reactor_advance(&job_world.loop, at_ms);
		do {
			taken = ERR_UNKNOWN;
			op_prepare(&taking.op, &job_world.loop.base, 0, on_taken);
			registry_take(other, &taking);
			fake_reactor_advance(&job_world.loop, 50);
		} while (taken == ERR_CONFLICT);
		assert_int_equal(taken, OK);
		job_world_follow_to_end(1);
		assert_int_equal(job_world.last, EVENT_DONE);
		if (job_world.place.epoch == 2) {
			assert_null(registry_find(job_world.registry, job_world_id));
			cancelled++;
		}
		job_world_check_replay();
		end();
	}
	assert_true(cancelled > 10);
}

static struct erasure erasure;

static void on_erased(struct op *op)
{
	assert_int_equal(op->result, OK);
}

static void a_job_is_erased_from_afar(void **state)
{
	(void)state;
	for (int is_far = 0; is_far <= 1; is_far++) {
		begin(STORE_SHARED);
		start_and_follow(UINT64_MAX, is_far ? other : job_world.registry);
		fake_reactor_advance(&job_world.loop, 300);
		op_prepare(&erasure.op, &job_world.loop.base, 0, on_erased);
		registry_erase(other, job_world_id, &erasure);
		fake_reactor_advance(&job_world.loop, 10000);
		assert_int_equal(job_world.cursor_error, ERR_NOT_FOUND);
		assert_int_equal(job_world.ends, 0);
		assert_int_equal(registry_running(job_world.registry), 0);
		assert_int_equal(store_memory_logs(job_world.store.memory), 0);
		end();
	}
}

/* What a process stops for does not come to an end: it ends all the same. */
static void a_store_that_hangs_does_not_keep_a_process_from_ending(void **state)
{
	(void)state;
	begin(STORE_SHARED);
	start_and_follow(UINT64_MAX, job_world.registry);
	fake_reactor_advance(&job_world.loop, 300);
	job_world.store.every = FATE_HANG;
	job_world.store.reads_failing = 1000000;
	stop(job_world.registry);
	assert_int_equal(registry_running(job_world.registry), 0);
	assert_int_not_equal(job_world.cursor_error, OK);
	job_world.store.reads_failing = 0;
	job_world.store.every = FATE_LAND;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_followed_from_afar),
		cmocka_unit_test(a_store_that_fails_for_a_while_is_waited_for),
		cmocka_unit_test(a_store_that_fails_for_good_ends_the_reader),
		cmocka_unit_test(a_store_that_is_down_is_waited_for_for_ever),
		cmocka_unit_test(a_job_handed_over_at_every_tick_is_written_whole),
		cmocka_unit_test(who_reads_when_the_process_ends_is_told_that_the_text_is_kept),
		cmocka_unit_test(a_job_to_keep_goes_on_by_itself),
		cmocka_unit_test(an_orphan_that_nobody_reads_is_parked),
		cmocka_unit_test(a_job_is_cancelled_from_afar_at_every_tick),
		cmocka_unit_test(a_job_is_erased_from_afar),
		cmocka_unit_test(a_store_that_hangs_does_not_keep_a_process_from_ending),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
