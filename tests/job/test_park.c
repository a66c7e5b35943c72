/* Jobs that nobody reads, and jobs that are erased: parked at every tick, gone on with, ended in
 * every way; erased at every tick, with nothing left. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "fakes/job_world.h"

static struct erasure erasure;
static unsigned erasures;

static void on_erased(struct op *op)
{
	assert_int_equal(op->result, OK);
	erasures++;
}

/* Erased at every tick: no end is seen, no log is left, whatever was on its way to the store. */
static void an_erased_job_leaves_nothing_at_every_tick(void **state)
{
	static const enum fate fates[] = { FATE_LAND, FATE_LOST_ACK, FATE_LOST, FATE_HANG };
	bool is_over = false;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 7) {
		job_world_begin();
		job_world.model.fates[1] = ERR_BROKEN;
		job_world.model.n_fates = 2;
		job_world.store.delay_ms = 5;
		job_world.store.fates[at_ms / 7 % 3] = fates[at_ms / 7 % COUNT_OF(fates)];
		job_world.store.n_fates = 3;
		assert_int_equal(job_world_start(UINT64_MAX), OK);
		fake_reactor_advance(&job_world.loop, at_ms);
		is_over = registry_running(job_world.registry) == 0;
		erasures = 0;
		op_prepare(&erasure.op, &job_world.loop.base, 0, on_erased);
		registry_erase(job_world.registry, job_world_id, &erasure);
		assert_null(registry_find(job_world.registry, job_world_id));
		assert_int_equal(erasures, 0);
		fake_reactor_advance(&job_world.loop, 2000);
		assert_int_equal(erasures, 1);
		assert_int_equal(job_world.ends, is_over);
		assert_int_equal(job_world.job->log.error, ERR_NOT_FOUND);
		assert_int_equal(store_memory_logs(job_world.store.memory), 0);
		registry_detach(job_world.job, &job_world.reader);
		job_world_end();
	}
	assert_true(is_over);
}

static bool is_idle;

static void on_idle(void *context)
{
	(void)context;
	is_idle = true;
}

/* The job has left; only its log is left, and says so. */
static void expect_parked(void)
{
	assert_int_equal(registry_running(job_world.registry), 0);
	assert_null(registry_find(job_world.registry, job_world_id));
	assert_int_equal(job_world.model.live, 0);
	assert_int_equal(store_memory_logs(job_world.store.memory), 1);
}

static void park(void)
{
	assert_int_equal(job_world_start(5), OK);
	fake_reactor_advance(&job_world.loop, 300);
	registry_detach(job_world.job, &job_world.reader);
	fake_reactor_advance(&job_world.loop, 200);
	expect_parked();
}

static void nobody_reading_parks_after_the_grace(void **state)
{
	(void)state;
	job_world_begin();
	assert_int_equal(job_world_start(5000), OK);
	job_world.model.piece_ms = 5000;
	fake_reactor_advance(&job_world.loop, 100);
	registry_detach(job_world.job, &job_world.reader);
	fake_reactor_advance(&job_world.loop, 4900);
	assert_int_equal(registry_running(job_world.registry), 1);
	fake_reactor_advance(&job_world.loop, 1200);
	expect_parked();
	job_world_end();
}

/* The reader leaves at any tick and comes back when the job is parked, or about to be: every byte
 * comes, once, and the length is met as if nobody had ever left. */
static void a_job_parked_at_every_tick_goes_on(void **state)
{
	bool is_over = false;
	unsigned parks = 0;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 23) {
		job_world_begin();
		job_world.model.fates[1] = ERR_BROKEN; /* a backoff is among the ticks */
		job_world.model.n_fates = 2;
		job_world.model.break_after = 2;
		job_world.store.delay_ms = 3;
		assert_int_equal(job_world_start(5), OK);
		fake_reactor_advance(&job_world.loop, at_ms);
		is_over = registry_running(job_world.registry) == 0;
		registry_detach(job_world.job, &job_world.reader);
		fake_reactor_advance(&job_world.loop, 5 + at_ms % 7 * 2);
		if (at_ms % 2 == 0)
			fake_reactor_advance(&job_world.loop, 10000);
		parks += registry_find(job_world.registry, job_world_id) == NULL;
		job_world.ends = 0;
		job_world_follow(job_world.registry);
		job_world_follow_to_end(1);
		assert_int_equal(job_world.last, EVENT_DONE);
		assert_in_range(job_world_words(), TARGET_WORDS - 15, TARGET_WORDS + 15);
		job_world_run();
		job_world_check_replay();
		job_world_end();
	}
	assert_true(is_over);
	assert_true(parks > 10);
}

static struct taking taking;
static enum err taken;
static unsigned takings;

static void on_taken(struct op *op)
{
	taken = op->result;
	takings++;
}

static enum err take(bool is_to_end)
{
	takings = 0;
	taking = (struct taking){ .id = job_world_id, .is_to_end = is_to_end };
	op_prepare(&taking.op, &job_world.loop.base, 0, on_taken);
	registry_take(job_world.registry, &taking);
	assert_int_equal(takings, 0);
	fake_reactor_advance(&job_world.loop, 50);
	assert_int_equal(takings, 1);
	return taken;
}

static void a_parked_job_is_cancelled_and_keeps_its_text(void **state)
{
	(void)state;
	job_world_begin();
	park();
	assert_int_equal(take(true), OK);
	job_world_follow(job_world.registry);
	job_world_follow_to_end(1);
	assert_int_equal(job_world.last, EVENT_DONE);
	assert_true(job_world.text_len > 0);
	job_world_run();
	job_world_check_replay();
	job_world_end();
}

static void a_parked_job_is_erased(void **state)
{
	(void)state;
	job_world_begin();
	park();
	erasures = 0;
	op_prepare(&erasure.op, &job_world.loop.base, 0, on_erased);
	registry_erase(job_world.registry, job_world_id, &erasure);
	fake_reactor_advance(&job_world.loop, 100);
	assert_int_equal(erasures, 1);
	assert_int_equal(take(false), ERR_NOT_FOUND);
	assert_int_equal(store_memory_logs(job_world.store.memory), 0);
	job_world_end();
}

static void what_runs_when_all_stops_fails_and_parked_logs_do_not_care(void **state)
{
	(void)state;
	for (int is_parked = 0; is_parked <= 1; is_parked++) {
		job_world_begin();
		if (is_parked)
			park();
		else
			assert_int_equal(job_world_start(5), OK);
		is_idle = false;
		registry_stop(job_world.registry, on_idle, NULL);
		fake_reactor_advance(&job_world.loop, 100);
		assert_true(is_idle);
		assert_int_equal(job_world.last, is_parked ? job_world.last : EVENT_FAILED);
		assert_int_equal(take(false), is_parked ? ERR_CANCELED : OK);
		registry_detach(job_world.job, &job_world.reader);
		job_world_end();
	}
}

static struct job *start_another(char name)
{
	char other[JOB_ID_BYTES];
	struct job_request request = { .id = other,
				       .model_id = "longhand",
				       .target = { .backend = "default", .model = "fake" },
				       .owner = "",
				       .grace = JOB_GRACE_KEPT };
	struct job *job = NULL;

	memset(other, name, sizeof(other) - 1);
	other[sizeof(other) - 1] = '\0';
	job_world_fill_spec(&request.spec);
	(void)!registry_start(job_world.registry, &request, &job);
	return job;
}

/* Parked jobs leave their places to others, and need one again to go on: a reader waits for it. */
static void a_parked_job_does_not_count_as_running(void **state)
{
	(void)state;
	job_world_begin();
	park();
	for (size_t i = 0; i < job_world_options.running_max; i++)
		assert_non_null(start_another((char)('a' + i)));
	assert_null(start_another('f'));
	assert_int_equal(take(false), ERR_LIMIT);
	job_world_follow(job_world.registry);
	fake_reactor_advance(&job_world.loop, 300);
	assert_int_equal(job_world.last, EVENT_PARKED);
	job_world_follow_to_end(1);
	assert_int_equal(job_world.last, EVENT_DONE);
	job_world_run();
	job_world_end();
}

/* Taken up, and nobody reads it: it parks again. */
static void a_job_that_is_taken_for_nobody_parks_again(void **state)
{
	(void)state;
	job_world_begin();
	park();
	job_world.options.stream_grace_ms = 150;
	assert_int_equal(take(false), OK);
	assert_non_null(registry_find(job_world.registry, job_world_id));
	fake_reactor_advance(&job_world.loop, 200);
	expect_parked();
	job_world_end();
}

/* However often, and however many: one claim for all who ask at once. */
static void those_who_ask_at_once_share_a_claim(void **state)
{
	struct taking several[5];

	(void)state;
	job_world_begin();
	park();
	takings = 0;
	for (size_t i = 0; i < COUNT_OF(several); i++) {
		several[i] = (struct taking){ .id = job_world_id };
		op_prepare(&several[i].op, &job_world.loop.base, 0, on_taken);
		registry_take(job_world.registry, &several[i]);
	}
	op_cancel(&several[1].op, ERR_CANCELED);
	job_world.store.writes = 0;
	fake_reactor_advance(&job_world.loop, 10);
	assert_int_equal(takings, COUNT_OF(several));
	job_world.ends = 0;
	job_world_follow(job_world.registry);
	job_world_follow_to_end(1);
	assert_int_equal(job_world.place.epoch, 2);
	job_world_run();
	job_world_end();
}

/* Every allocation on the way back fails in its turn: the job is taken up in the end, or its log is
 * where it was. */
static void every_allocation_of_a_taking_may_fail(void **state)
{
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t n = 1; err != OK && n < 3000; n++) {
		job_world_begin();
		park();
		mem_fail_at(n);
		err = take(false);
		mem_fail_at(0);
		job_world.ends = 0;
		job_world_follow(job_world.registry);
		job_world_follow_to_end(1);
		job_world_run();
		fake_reactor_advance(&job_world.loop, 5000);
		job_world_end();
	}
	assert_int_equal(err, OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_erased_job_leaves_nothing_at_every_tick),
		cmocka_unit_test(nobody_reading_parks_after_the_grace),
		cmocka_unit_test(a_job_parked_at_every_tick_goes_on),
		cmocka_unit_test(a_parked_job_is_cancelled_and_keeps_its_text),
		cmocka_unit_test(a_parked_job_is_erased),
		cmocka_unit_test(what_runs_when_all_stops_fails_and_parked_logs_do_not_care),
		cmocka_unit_test(a_parked_job_does_not_count_as_running),
		cmocka_unit_test(a_job_that_is_taken_for_nobody_parks_again),
		cmocka_unit_test(those_who_ask_at_once_share_a_claim),
		cmocka_unit_test(every_allocation_of_a_taking_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
