/* Jobs on fake ports and virtual time: every port failing at every step, a cancel at every tick:
 * exactly one end, the log whole, nothing left. */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/fake_model.h"
#include "fakes/fake_store.h"
#include "job/event_codec.h"
#include "job/registry.h"
#include "job/replay.h"

enum { TARGET_WORDS = 600, KEEP_MS = 10000, TICK_END_MS = 60000 };

static const char id[] = "0123456789abcdef0123456789abcdef";

static const struct registry_options options = {
	.running_max = 4,
	.keep_ms = KEEP_MS,
	.job = { .log = { .flush_ms = 50,
			  .flush_bytes = 512,
			  .store_ms = 1000,
			  .again_ms = 100,
			  .pending_bytes_max = 1 << 20 },
		 .retry = { .max_tries = 4,
			    .base_ms = 500,
			    .cap_ms = 4000,
			    .retry_after_cap_ms = 20000,
			    .try_ms = 30000 } },
};

struct world {
	struct fake_reactor loop;
	struct fake_model model;
	struct fake_store store;
	struct prompt_set *prompts;
	struct job_ports ports;
	struct registry *registry;
	struct job *job;
	struct reader reader;
	char text[1 << 16];
	size_t text_len;
	unsigned ends, events;
	enum event_kind last;
	const char *code; /* of a failed end */
};

static struct world world;

static void on_events(struct reader *reader)
{
	const struct event *event;

	while ((event = reader_next(reader)) != NULL) {
		assert_int_equal(event->seq, ++world.events);
		world.last = event->kind;
		world.ends += event_is_end(event->kind);
		if (event->kind == EVENT_FAILED)
			world.code = json_string_value(json_object_get(event->data, "code"));
		if (event->kind != EVENT_TEXT)
			continue;
		assert_int_equal(event->at_byte, world.text_len);
		assert_true(world.text_len + event->text_len < sizeof(world.text));
		memcpy(world.text + world.text_len, event->text, event->text_len);
		world.text_len += event->text_len;
	}
}

static void begin(void)
{
	struct buf message;

	world = (struct world){ .ends = 0 };
	fake_reactor_init(&world.loop);
	fake_model_init(&world.model, &world.loop.base);
	fake_store_init(&world.store, &world.loop.base);
	buf_init(&message, 1000);
	assert_int_equal(prompt_set_load(NULL, &world.prompts, &message), OK);
	buf_release(&message);
	world.ports = (struct job_ports){ &world.loop.base, &world.model.port, &world.store.port,
					  world.prompts };
	assert_int_equal(registry_new(&world.ports, &options, &world.registry), OK);
}

static void fill_spec(struct spec *spec)
{
	static const char request[] = "Write a 600-word story about a lighthouse.";

	spec_init(spec);
	demand_read(request, sizeof(request) - 1, &spec->demand);
	mem_free(spec->request);
	spec->request = mem_strdup(request);
	json_decref(spec->history);
	spec->history = json_array();
	spec->target_words = TARGET_WORDS;
	spec->traits.has_schema = true;
	spec->traits.call_words_max = 200;
	sampling_init(&spec->sampling);
}

static enum err start(uint64_t reader_grace_ms)
{
	struct job_request request = { .id = id,
				       .model_id = "longhand",
				       .target = { "default", "fake", 0 },
				       .owner = "" };
	enum err err;

	fill_spec(&request.spec);
	err = registry_start(world.registry, &request, reader_grace_ms, &world.job);
	spec_release(&request.spec);
	if (err == OK)
		registry_attach(world.job, &world.reader, on_events);
	return err;
}

/* The log in the store is what the reader saw, and replays to the same text. */
static bool is_replayed;

static void on_replayed(struct op *op)
{
	(void)op;
	is_replayed = true;
}

static void check_replay(void)
{
	struct replay replay = { .store = NULL };

	is_replayed = false;
	op_prepare(&replay.op, &world.loop.base, 0, on_replayed);
	replay_start(&replay, store_memory_port(world.store.memory), id, 1000);
	while (!is_replayed)
		assert_true(fake_reactor_turn(&world.loop));
	assert_int_equal(replay.op.result, OK);
	assert_int_equal(replay.state.text.len, world.text_len);
	assert_memory_equal(buf_str(&replay.state.text), world.text, world.text_len);
	assert_int_equal(replay.state.phase, STATE_ENDED);
	replay_release(&replay);
}

static void end(void)
{
	reader_detach(&world.reader);
	assert_int_equal(world.model.live, 0);
	assert_int_equal(registry_running(world.registry), 0);
	registry_free(world.registry);
	prompt_set_free(world.prompts);
	fake_reactor_settle(&world.loop);
	fake_store_release(&world.store);
	assert_true(fake_reactor_is_idle(&world.loop));
}

static void run_to_the_end(void)
{
	for (uint64_t ms = 0; ms < 600000 && registry_running(world.registry) > 0; ms += 50)
		fake_reactor_advance(&world.loop, 50);
	assert_int_equal(registry_running(world.registry), 0);
}

static long words(void)
{
	return words_count(WORDS_NATURAL, world.text, world.text_len);
}

/* ---- stories ---- */

static void a_job_writes_what_was_asked(void **state)
{
	(void)state;
	begin();
	assert_int_equal(start(UINT64_MAX), OK);
	run_to_the_end();
	assert_int_equal(world.last, EVENT_DONE);
	assert_int_equal(world.ends, 1);
	assert_in_range(words(), TARGET_WORDS - 12, TARGET_WORDS + 12);
	assert_int_equal(world.model.live_max, 1);
	assert_true(world.model.learned_habit > 0.5 && world.model.learned_habit < 2.0);
	assert_true(world.model.learned_tokens_per_word > 0.5);
	check_replay();
	end();
}

static void passing_failures_do_not_show(void **state)
{
	static const enum err fates[] = { ERR_REFUSED, ERR_BROKEN,  ERR_UPSTREAM,
					  ERR_BUSY,    ERR_TIMEOUT, ERR_UNKNOWN };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fates); i++) {
		for (unsigned after = 0; after < 6; after++) {
			begin();
			world.model.break_after = after;
			for (size_t call = 1; call < 40; call += 2) {
				world.model.fates[call] = fates[i];
				world.model.n_fates = call + 1;
			}
			assert_int_equal(start(UINT64_MAX), OK);
			run_to_the_end();
			assert_int_equal(world.last, EVENT_DONE);
			assert_in_range(words(), TARGET_WORDS - 15, TARGET_WORDS + 15);
			check_replay();
			end();
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
			begin();
			world.model.n_fates = down_from;
			world.model.every = rows[i].fate;
			assert_int_equal(start(UINT64_MAX), OK);
			run_to_the_end();
			assert_int_equal(world.last, EVENT_FAILED);
			assert_int_equal(world.ends, 1);
			assert_string_equal(world.code, rows[i].code);
			check_replay();
			end();
		}
	}
}

static void retry_after_is_kept_and_capped(void **state)
{
	(void)state;
	begin();
	world.model.fates[0] = ERR_BUSY;
	world.model.n_fates = 1;
	world.model.retry_after_ms = 15000;
	assert_int_equal(start(UINT64_MAX), OK);
	fake_reactor_advance(&world.loop, 14900);
	assert_int_equal(world.model.calls, 1);
	fake_reactor_advance(&world.loop, 300);
	assert_true(world.model.calls > 1);
	run_to_the_end();
	assert_int_equal(world.last, EVENT_DONE);
	end();
}

static void a_refused_schema_is_left_out(void **state)
{
	(void)state;
	begin();
	world.model.fates[0] = ERR_REJECTED;
	world.model.n_fates = 1;
	assert_int_equal(start(UINT64_MAX), OK);
	run_to_the_end();
	assert_int_equal(world.last, EVENT_DONE);
	assert_true(world.job->is_schema_refused);
	end();
}

/* The user's cancel: `cancelled`, then `done` with what is there. */
static void a_cancel_at_every_tick_ends_once(void **state)
{
	bool is_over = false;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 9) {
		begin();
		world.model.fates[1] = ERR_BROKEN; /* so that a backoff is among the ticks */
		world.model.n_fates = 2;
		world.model.break_after = 2;
		assert_int_equal(start(UINT64_MAX), OK);
		fake_reactor_advance(&world.loop, at_ms);
		is_over = registry_running(world.registry) == 0;
		if (!is_over)
			job_cancel(world.job);
		run_to_the_end();
		assert_int_equal(world.ends, 1);
		assert_int_equal(world.last, EVENT_DONE);
		check_replay();
		end();
	}
	assert_true(is_over);
}

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
		begin();
		world.model.fates[1] = ERR_BROKEN;
		world.model.n_fates = 2;
		world.store.delay_ms = 5;
		world.store.fates[at_ms / 7 % 3] = fates[at_ms / 7 % COUNT_OF(fates)];
		world.store.n_fates = 3;
		assert_int_equal(start(UINT64_MAX), OK);
		fake_reactor_advance(&world.loop, at_ms);
		is_over = registry_running(world.registry) == 0;
		erasures = 0;
		op_prepare(&erasure.op, &world.loop.base, 0, on_erased);
		registry_erase(world.registry, id, &erasure);
		assert_null(registry_find(world.registry, id));
		assert_int_equal(erasures, 0);
		fake_reactor_advance(&world.loop, 2000);
		assert_int_equal(erasures, 1);
		assert_int_equal(world.ends, is_over);
		assert_int_equal(world.job->log.error, ERR_NOT_FOUND);
		assert_int_equal(store_memory_logs(world.store.memory), 0);
		registry_detach(world.job, &world.reader);
		end();
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
		begin();
		world.model.fates[1] = ERR_BROKEN;
		world.model.n_fates = 2;
		assert_int_equal(start(UINT64_MAX), OK);
		fake_reactor_advance(&world.loop, at_ms);
		is_idle = false;
		registry_stop(world.registry, on_idle, NULL);
		fake_reactor_advance(&world.loop, 100);
		assert_true(is_idle);
		assert_int_equal(world.ends, 1);
		check_replay();
		end();
	}
}

/* Whatever the store does to each of the first writes, text is never lost or doubled. */
static void every_write_may_go_wrong(void **state)
{
	static const enum fate fates[] = { FATE_LOST_ACK, FATE_LOST, FATE_HANG };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fates); i++) {
		for (size_t write = 0; write < 12; write++) {
			begin();
			world.store.fates[write] = fates[i];
			world.store.n_fates = write + 1;
			assert_int_equal(start(UINT64_MAX), OK);
			run_to_the_end();
			assert_int_equal(world.last, EVENT_DONE);
			check_replay();
			end();
		}
	}
}

/* A job whose log was taken over stops: no end event of its own, no call left. */
static void a_conflict_at_every_write_stops_the_job(void **state)
{
	(void)state;
	for (size_t write = 0; write < 12; write++) {
		begin();
		world.store.fates[write] = FATE_CONFLICT;
		world.store.n_fates = write + 1;
		assert_int_equal(start(UINT64_MAX), OK);
		run_to_the_end();
		assert_int_equal(world.job->log.error, ERR_CONFLICT);
		assert_int_equal(world.ends, 0);
		end();
	}
}

static void nobody_reading_cancels_after_the_grace(void **state)
{
	(void)state;
	begin();
	assert_int_equal(start(5000), OK);
	world.model.piece_ms = 5000;
	fake_reactor_advance(&world.loop, 100);
	registry_detach(world.job, &world.reader);
	fake_reactor_advance(&world.loop, 4900);
	assert_int_equal(registry_running(world.registry), 1);
	fake_reactor_advance(&world.loop, 1200);
	assert_int_equal(registry_running(world.registry), 0);
	assert_true(world.job->state.is_cancelled);
	fake_reactor_advance(&world.loop, KEEP_MS + 1);
	assert_null(registry_find(world.registry, id));
	end();
}

static void more_jobs_than_allowed_are_refused(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < options.running_max; i++) {
		char other[JOB_ID_BYTES];
		struct job_request request = { .id = other,
					       .model_id = "longhand",
					       .target = { "default", "fake", 0 },
					       .owner = "" };
		struct job *job;

		memset(other, 'a' + (int)i, sizeof(other) - 1);
		other[sizeof(other) - 1] = '\0';
		fill_spec(&request.spec);
		assert_int_equal(registry_start(world.registry, &request, UINT64_MAX, &job), OK);
	}
	assert_int_equal(start(UINT64_MAX), ERR_LIMIT);
	run_to_the_end();
	end();
}

/* Every allocation of a whole job fails in its turn: an end, or none for lack of memory; no leak,
 * no crash, nothing left running. */
static void every_allocation_may_fail(void **state)
{
	size_t first;
	size_t total;

	(void)state;
	begin();
	first = mem_count();
	assert_int_equal(start(UINT64_MAX), OK);
	run_to_the_end();
	total = mem_count() - first;
	end();
	for (size_t nth = 1; nth < total; nth += 1 + nth / 40) {
		begin();
		mem_fail_at(nth);
		if (start(UINT64_MAX) == OK)
			run_to_the_end();
		mem_fail_at(0);
		assert_true(world.ends <= 1);
		end();
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
		cmocka_unit_test(an_erased_job_leaves_nothing_at_every_tick),
		cmocka_unit_test(a_stop_at_every_tick_ends_once),
		cmocka_unit_test(every_write_may_go_wrong),
		cmocka_unit_test(a_conflict_at_every_write_stops_the_job),
		cmocka_unit_test(nobody_reading_cancels_after_the_grace),
		cmocka_unit_test(more_jobs_than_allowed_are_refused),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
