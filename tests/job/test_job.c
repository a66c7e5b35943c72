/* Jobs on fake ports and virtual time: every port failing at every step, a cancel at every tick:
 * exactly one end, the log whole, nothing left. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "fakes/job_world.h"

/* ---- stories ---- */

static void a_job_writes_what_was_asked(void **state)
{
	(void)state;
	job_world_begin();
	assert_int_equal(job_world_start(UINT64_MAX), OK);
	job_world_run();
	assert_int_equal(job_world.last, EVENT_DONE);
	assert_int_equal(job_world.ends, 1);
	assert_in_range(job_world_words(), TARGET_WORDS - 12, TARGET_WORDS + 12);
	assert_int_equal(job_world.model.live_max, 1);
	assert_true(job_world.model.learned_habit > 0.5 && job_world.model.learned_habit < 2.0);
	assert_true(job_world.model.learned_tokens_per_word > 0.5);
	job_world_check_replay();
	job_world_end();
}

static void passing_failures_do_not_show(void **state)
{
	static const enum err fates[] = { ERR_REFUSED, ERR_BROKEN,  ERR_UPSTREAM,
					  ERR_BUSY,    ERR_TIMEOUT, ERR_UNKNOWN };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fates); i++) {
		for (unsigned after = 0; after < 6; after++) {
			job_world_begin();
			job_world.model.break_after = after;
			for (size_t call = 1; call < 40; call += 2) {
				job_world.model.fates[call] = fates[i];
				job_world.model.n_fates = call + 1;
			}
			assert_int_equal(job_world_start(UINT64_MAX), OK);
			job_world_run();
			assert_int_equal(job_world.last, EVENT_DONE);
			assert_in_range(job_world_words(), TARGET_WORDS - 15, TARGET_WORDS + 15);
			job_world_check_replay();
			job_world_end();
		}
	}
}

static void a_backend_that_stays_down_ends_the_job(void **state)
{
	static const struct {
		enum err fate;
		const char *code;
	} rows[] = {
		{ ERR_REFUSED, "backend_unavailable" }, { ERR_BROKEN, "backend_unavailable" },
		{ ERR_UPSTREAM, "backend_failed" },	{ ERR_BUSY, "backend_busy" },
		{ ERR_TIMEOUT, "backend_timeout" },	{ ERR_UNKNOWN, "backend_timeout" },
		{ ERR_REJECTED, "backend_rejected" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t down_from = 0; down_from < 4; down_from++) {
			job_world_begin();
			job_world.model.n_fates = down_from;
			job_world.model.every = rows[i].fate;
			assert_int_equal(job_world_start(UINT64_MAX), OK);
			job_world_run();
			assert_int_equal(job_world.last, EVENT_FAILED);
			assert_int_equal(job_world.ends, 1);
			assert_string_equal(job_world.code, rows[i].code);
			job_world_check_replay();
			job_world_end();
		}
	}
}

static void retry_after_is_kept_and_capped(void **state)
{
	(void)state;
	job_world_begin();
	job_world.model.fates[0] = ERR_BUSY;
	job_world.model.n_fates = 1;
	job_world.model.retry_after_ms = 15000;
	assert_int_equal(job_world_start(UINT64_MAX), OK);
	fake_reactor_advance(&job_world.loop, 14900);
	assert_int_equal(job_world.model.calls, 1);
	fake_reactor_advance(&job_world.loop, 300);
	assert_true(job_world.model.calls > 1);
	job_world_run();
	assert_int_equal(job_world.last, EVENT_DONE);
	job_world_end();
}

static void a_refused_schema_is_left_out(void **state)
{
	(void)state;
	job_world_begin();
	job_world.model.fates[0] = ERR_REJECTED;
	job_world.model.n_fates = 1;
	assert_int_equal(job_world_start(UINT64_MAX), OK);
	job_world_run();
	assert_int_equal(job_world.last, EVENT_DONE);
	assert_true(job_world.job->is_schema_refused);
	job_world_end();
}

/* The user's cancel: `cancelled`, then `done` with what is there. */
static void a_cancel_at_every_tick_ends_once(void **state)
{
	bool is_over = false;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 9) {
		job_world_begin();
		job_world.model.fates[1] = ERR_BROKEN; /* so that a backoff is among the ticks */
		job_world.model.n_fates = 2;
		job_world.model.break_after = 2;
		assert_int_equal(job_world_start(UINT64_MAX), OK);
		fake_reactor_advance(&job_world.loop, at_ms);
		is_over = registry_running(job_world.registry) == 0;
		if (!is_over)
			job_cancel(job_world.job);
		job_world_run();
		assert_int_equal(job_world.ends, 1);
		assert_int_equal(job_world.last, EVENT_DONE);
		job_world_check_replay();
		job_world_end();
	}
	assert_true(is_over);
}

static bool is_idle;

static void on_idle(void *context)
{
	(void)context;
	assert_false(is_idle);
	is_idle = true;
}

/* The server's stop: `failed`, and the registry says when it is idle. */
static void a_stop_at_every_tick_ends_once(void **state)
{
	(void)state;
	for (uint64_t at_ms = 0; at_ms < 1500; at_ms += 3) {
		job_world_begin();
		job_world.model.fates[1] = ERR_BROKEN;
		job_world.model.n_fates = 2;
		assert_int_equal(job_world_start(UINT64_MAX), OK);
		fake_reactor_advance(&job_world.loop, at_ms);
		is_idle = false;
		registry_stop(job_world.registry, on_idle, NULL);
		fake_reactor_advance(&job_world.loop, 100);
		assert_true(is_idle);
		assert_int_equal(job_world.ends, 1);
		job_world_check_replay();
		job_world_end();
	}
}

/* Whatever the store does to each of the first writes, text is never lost or doubled. */
static void every_write_may_go_wrong(void **state)
{
	static const enum fate fates[] = { FATE_LOST_ACK, FATE_LOST, FATE_HANG };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fates); i++) {
		for (size_t write = 0; write < 12; write++) {
			job_world_begin();
			job_world.store.fates[write] = fates[i];
			job_world.store.n_fates = write + 1;
			assert_int_equal(job_world_start(UINT64_MAX), OK);
			job_world_run();
			assert_int_equal(job_world.last, EVENT_DONE);
			job_world_check_replay();
			job_world_end();
		}
	}
}

/* A job whose log was taken over stops: no end event of its own, no call left. */
static void a_conflict_at_every_write_stops_the_job(void **state)
{
	(void)state;
	for (size_t write = 0; write < 12; write++) {
		job_world_begin();
		job_world.store.fates[write] = FATE_CONFLICT;
		job_world.store.n_fates = write + 1;
		assert_int_equal(job_world_start(UINT64_MAX), OK);
		job_world_run();
		assert_int_equal(job_world.job->log.error, ERR_CONFLICT);
		assert_int_equal(job_world.ends, 0);
		job_world_end();
	}
}

static void more_jobs_than_allowed_are_refused(void **state)
{
	(void)state;
	job_world_begin();
	for (size_t i = 0; i < job_world_options.running_max; i++) {
		char other[JOB_ID_BYTES];
		struct job_request request = { .id = other,
					       .model_id = "longhand",
					       .target = { .backend = "default", .model = "fake" },
					       .owner = "" };
		struct job *job;

		memset(other, 'a' + (int)i, sizeof(other) - 1);
		other[sizeof(other) - 1] = '\0';
		job_world_fill_spec(&request.spec);
		assert_int_equal(registry_start(job_world.registry, &request, &job),
				 OK);
	}
	assert_int_equal(job_world_start(UINT64_MAX), ERR_LIMIT);
	job_world_run();
	job_world_end();
}

/* Every allocation of a whole job fails in its turn: an end, or none for lack of memory; no leak,
 * no crash, nothing left running. */
static void every_allocation_may_fail(void **state)
{
	size_t first;
	size_t total;

	(void)state;
	job_world_begin();
	first = mem_count();
	assert_int_equal(job_world_start(UINT64_MAX), OK);
	job_world_run();
	total = mem_count() - first;
	job_world_end();
	for (size_t nth = 1; nth < total; nth += 1 + nth / 40) {
		job_world_begin();
		mem_fail_at(nth);
		if (job_world_start(UINT64_MAX) == OK)
			job_world_run();
		mem_fail_at(0);
		assert_true(job_world.ends <= 1);
		job_world_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_writes_what_was_asked),
		cmocka_unit_test(passing_failures_do_not_show),
		cmocka_unit_test(a_backend_that_stays_down_ends_the_job),
		cmocka_unit_test(retry_after_is_kept_and_capped),
		cmocka_unit_test(a_refused_schema_is_left_out),
		cmocka_unit_test(a_cancel_at_every_tick_ends_once),
		cmocka_unit_test(a_stop_at_every_tick_ends_once),
		cmocka_unit_test(every_write_may_go_wrong),
		cmocka_unit_test(a_conflict_at_every_write_stops_the_job),
		cmocka_unit_test(more_jobs_than_allowed_are_refused),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
