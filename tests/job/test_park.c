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
	assert_int_equal(registry_running(job_world.registry), 0);
	assert_int_equal(job_world.model.live, 0);
	assert_string_equal(state_status(&job_world.job->state), "parked");
	assert_true(registry_find(job_world.registry, job_world_id) == job_world.job);
	fake_reactor_advance(&job_world.loop, PARK_MS);
	assert_true(job_world.job->state.is_cancelled);
	assert_string_equal(state_status(&job_world.job->state), "cancelled");
	fake_reactor_advance(&job_world.loop, KEEP_MS + 1);
	assert_null(registry_find(job_world.registry, job_world_id));
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
		size_t next;

		job_world_begin();
		job_world.model.fates[1] = ERR_BROKEN; /* a backoff is among the ticks */
		job_world.model.n_fates = 2;
		job_world.model.break_after = 2;
		job_world.store.delay_ms = 3;
		assert_int_equal(job_world_start(5), OK);
		fake_reactor_advance(&job_world.loop, at_ms);
		is_over = registry_running(job_world.registry) == 0;
		next = job_world.reader.next;
		registry_detach(job_world.job, &job_world.reader);
		fake_reactor_advance(&job_world.loop, 5 + at_ms % 3 * 2);
		if (at_ms % 2 == 0)
			fake_reactor_advance(&job_world.loop, PARK_MS / 2);
		parks += job_world.job->is_parked;
		assert_int_equal(registry_resume(job_world.job), OK);
		registry_attach(job_world.job, &job_world.reader, job_world_on_events);
		job_world.reader.next = next;
		job_world_on_events(&job_world.reader);
		job_world_run();
		assert_int_equal(job_world.ends, 1);
		assert_int_equal(job_world.last, EVENT_DONE);
		assert_false(job_world.job->state.is_cancelled);
		assert_in_range(job_world_words(), TARGET_WORDS - 15, TARGET_WORDS + 15);
		job_world_check_replay();
		job_world_end();
	}
	assert_true(is_over);
	assert_true(parks > 10);
}

enum after_park { CANCEL_IT, STOP_ALL, ERASE_IT, AFTER_PARK_COUNT };

static void a_parked_job_ends_once_in_every_way(void **state)
{
	(void)state;
	for (int how = 0; how < AFTER_PARK_COUNT; how++) {
		job_world_begin();
		assert_int_equal(job_world_start(5), OK);
		fake_reactor_advance(&job_world.loop, 300);
		registry_detach(job_world.job, &job_world.reader);
		fake_reactor_advance(&job_world.loop, 100);
		assert_true(job_world.job->is_parked);
		/* It only looks. */
		reader_attach(&job_world.reader, &job_world.job->log, job_world_on_events);
		job_world.events = job_world.ends = 0;
		job_world.text_len = 0;
		job_world_on_events(&job_world.reader);
		assert_int_equal(job_world.last, EVENT_PARKED);
		is_idle = false;
		erasures = 0;
		op_prepare(&erasure.op, &job_world.loop.base, 0, on_erased);
		if (how == CANCEL_IT)
			job_cancel(job_world.job);
		else if (how == STOP_ALL)
			registry_stop(job_world.registry, on_idle, NULL);
		else
			registry_erase(job_world.registry, job_world_id, &erasure);
		fake_reactor_advance(&job_world.loop, 100);
		assert_int_equal(job_world.ends, how != ERASE_IT);
		assert_int_equal(erasures, how == ERASE_IT);
		assert_int_equal(is_idle, how == STOP_ALL);
		if (how != ERASE_IT) {
			assert_int_equal(job_world.last,
					 how == CANCEL_IT ? EVENT_DONE : EVENT_FAILED);
			job_world_check_replay();
		}
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
				       .owner = "" };
	struct job *job = NULL;

	memset(other, name, sizeof(other) - 1);
	other[sizeof(other) - 1] = '\0';
	job_world_fill_spec(&request.spec);
	(void)!registry_start(job_world.registry, &request, UINT64_MAX, &job);
	return job;
}

/* Parked jobs leave their places to others, and need one again to go on. */
static void a_parked_job_does_not_count_as_running(void **state)
{
	(void)state;
	job_world_begin();
	assert_int_equal(job_world_start(5), OK);
	registry_detach(job_world.job, &job_world.reader);
	fake_reactor_advance(&job_world.loop, 300);
	assert_true(job_world.job->is_parked);
	for (size_t i = 0; i < job_world_options.running_max; i++)
		assert_non_null(start_another((char)('a' + i)));
	assert_null(start_another('f'));
	assert_int_equal(registry_resume(job_world.job), ERR_LIMIT);
	assert_true(job_world.job->is_parked);
	job_world_run();
	assert_int_equal(registry_resume(job_world.job), OK);
	job_world_run(); /* nobody attached: it parks again */
	assert_true(job_world.job->is_parked);
	job_cancel(job_world.job);
	fake_reactor_advance(&job_world.loop, 100);
	job_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_erased_job_leaves_nothing_at_every_tick),
		cmocka_unit_test(nobody_reading_parks_after_the_grace),
		cmocka_unit_test(a_job_parked_at_every_tick_goes_on),
		cmocka_unit_test(a_parked_job_ends_once_in_every_way),
		cmocka_unit_test(a_parked_job_does_not_count_as_running),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
