/* Jobs out of their logs: another process goes on where one was killed, parked or handed over. */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/fake_model.h"
#include "fakes/job_world.h"
#include "fakes/sim_store.h"

static const struct job_options options = {
	.log = { .flush_ms = 20,
		 .flush_bytes = 512,
		 .store_ms = 200,
		 .again_ms = 20,
		 .again_max_ms = 200,
		 .pending_bytes_max = 1 << 20 },
	.retry = { .max_tries = 3,
		   .base_ms = 100,
		   .cap_ms = 400,
		   .retry_after_cap_ms = 1000,
		   .try_ms = 10000 },
};

static const char *const labels[] = { "owner:a1", "same:b2", "fresh:b2", NULL };

/* Two processes on one loop and one store, each with its connection. */
static struct fake_reactor loop;
static struct sim_server server;
static struct sim_client clients[2];
static struct fake_model model;
static struct prompt_set *prompts;
static struct job_ports ports[2];

struct run {
	struct job *job;
	bool is_done;
	enum err result;
	unsigned parks;
};

static void pass(uint64_t ms)
{
	for (; ms > 0; ms--) {
		fake_reactor_advance(&server.net, 1);
		fake_reactor_advance(&loop, 1);
	}
}

static void begin(void)
{
	fake_reactor_init(&loop);
	sim_server_init(&server, 3);
	fake_model_init(&model, &loop.base);
	model.piece_ms = 40;
	assert_int_equal(prompt_set_load(NULL, &prompts, NULL), OK);
	for (size_t i = 0; i < COUNT_OF(clients); i++) {
		sim_client_init(&clients[i], &server, &loop.base);
		ports[i] = (struct job_ports){ &loop.base, &model.port, &clients[i].port, prompts };
	}
}

static void end(void)
{
	pass(5);
	assert_int_equal(model.live, 0);
	for (size_t i = 0; i < COUNT_OF(clients); i++)
		sim_client_release(&clients[i]);
	sim_server_release(&server);
	prompt_set_free(prompts);
	assert_true(fake_reactor_is_idle(&loop));
}

static void on_done(struct op *op)
{
	struct job *job = container_of(op, struct job, op);
	struct run *run = job->user;

	run->is_done = true;
	run->result = op->result;
}

static void on_parked(struct job *job)
{
	struct run *run = job->user;

	assert_true(event_log_is_settled(&job->log));
	run->parks++;
	job_leave(job);
}

static void launch(struct run *run)
{
	run->job->user = run;
	run->job->on_parked = on_parked;
	op_prepare(&run->job->op, &loop.base, 0, on_done);
	job_start(run->job);
	assert_false(run->is_done);
}

static void start_first(struct run *run)
{
	json_t *response = json_pack("{s:s}", "store", "yes");
	struct job_request request = { .id = job_world_id,
				       .model_id = "longhand",
				       .target = { .backend = "default", .model = "fake" },
				       .owner = "ann",
				       .authorization = "Authorization: Bearer secret",
				       .response = response,
				       .grace = JOB_GRACE_ANSWER,
				       .labels = labels };

	*run = (struct run){ .parks = 0 };
	job_world_fill_spec(&request.spec);
	assert_int_equal(job_new(&ports[0], &options, &request, &run->job), OK);
	json_decref(response);
	launch(run);
}

static void on_claimed(struct op *op)
{
	*(bool *)op->provider = true;
}

static enum err claim_now(struct claim *claim, enum claim_when when)
{
	struct claim_options wanted = { .reactor = &loop.base,
					.store = &clients[1].port,
					.id = job_world_id,
					.when = when,
					.store_ms = 200,
					.again_ms = 20 };
	bool is_done = false;

	claim_init(claim, &wanted);
	op_prepare(&claim->op, &loop.base, 0, on_claimed);
	claim->op.provider = &is_done;
	claim_start(claim);
	for (int ms = 0; ms < 2000 && !is_done; ms++)
		pass(1);
	assert_true(is_done);
	return claim->op.result;
}

static enum err restore(struct run *run, enum claim_when when)
{
	struct claim claim;
	enum err err = claim_now(&claim, when);

	*run = (struct run){ .parks = 0 };
	if (err == OK)
		err = job_restore(&ports[1], &options, &claim, &run->job);
	claim_release(&claim);
	return err;
}

static void run_to_end(struct run *run)
{
	for (int ms = 0; ms < 60000 && !run->is_done; ms++)
		pass(1);
	assert_true(run->is_done);
}

/* kill -9: nothing more of it reaches anybody. */
static void kill_first(struct run *run)
{
	job_give_up(run->job);
	run_to_end(run);
	job_free(run->job);
}

/* Written for so long, and then killed. */
static void begin_killed(uint64_t at_ms)
{
	struct run first;

	begin();
	start_first(&first);
	pass(at_ms);
	kill_first(&first);
	pass(5);
}

/* ---- what is in the store ---- */

struct reading {
	struct state state;
	unsigned n[EVENT_KIND_COUNT];
};

static void read_log(struct reading *reading)
{
	char *text = sim_server_text(&server, job_world_id);
	struct entries entries;
	struct event event;
	enum err err;

	assert_non_null(text);
	*reading = (struct reading){ .n = { 0 } };
	state_init(&reading->state);
	entries_init(&entries);
	entries_feed(&entries, (struct slice){ text, strlen(text) });
	while ((err = entries_next(&entries, &event)) == OK) {
		assert_int_equal(state_apply(&reading->state, &event), OK);
		reading->n[event.kind]++;
		event_release(&event);
	}
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_null(strstr(text, "secret"));
	free(text);
}

static enum store_state store_state(void)
{
	struct sim_log *log = sim_server_log(&server, job_world_id);

	return log->entries[log->n_entries - 1].state;
}

static void check_end(const struct buf *before)
{
	struct reading reading;

	read_log(&reading);
	assert_string_equal(state_status(&reading.state), "done");
	assert_true(reading.state.text.len >= before->len);
	assert_memory_equal(buf_str(&reading.state.text), buf_str(before), before->len);
	assert_in_range(reading.state.words, TARGET_WORDS - 15, TARGET_WORDS + 15);
	assert_int_equal(reading.n[EVENT_PLANNED], 1);
	assert_int_equal(reading.n[EVENT_SECTION_STARTED], reading.state.plan.n_sections);
	assert_int_equal(reading.n[EVENT_SECTION_DONE], reading.state.plan.n_sections);
	assert_int_equal(reading.n[EVENT_DONE], 1);
	assert_int_equal(store_state(), STORE_ENDED);
	state_release(&reading.state);
}

static bool has_log(void)
{
	struct sim_log *log = sim_server_log(&server, job_world_id);

	return log != NULL && log->n_entries > 0;
}

/* Killed at any tick: what has landed stays, the rest is written, the length is met. */
static void a_job_killed_at_every_tick_is_written_on(void **state)
{
	bool is_over = false;
	unsigned taken = 0;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 37) {
		struct reading before;
		struct run first, second;
		unsigned calls;

		begin();
		start_first(&first);
		pass(at_ms);
		is_over = first.is_done;
		kill_first(&first);
		pass(5);
		if (!has_log() || is_over) {
			end();
			continue;
		}
		calls = model.calls;
		assert_int_equal(restore(&second, CLAIM_ANY), OK);
		read_log(&before);
		launch(&second);
		run_to_end(&second);
		assert_int_equal(second.result, OK);
		check_end(&before.state.text);
		/* Sections that were done are not asked for again. */
		assert_true(model.calls - calls <= 2 * (unsigned)(TARGET_WORDS / 100) + 2);
		taken++;
		state_release(&before.state);
		job_free(second.job);
		end();
	}
	assert_true(is_over && taken > 20);
}

static void check_equal(const struct state *one, const struct state *two)
{
	assert_int_equal(one->phase, two->phase);
	assert_int_equal(one->section, two->section);
	assert_int_equal(one->words, two->words);
	assert_int_equal(one->calls, two->calls);
	assert_int_equal(one->usage.completion_tokens, two->usage.completion_tokens);
	assert_int_equal(one->last_ms, two->last_ms);
	assert_true(one->habit == two->habit);
	assert_int_equal(one->text.len, two->text.len);
	assert_memory_equal(buf_str(&one->text), buf_str(&two->text), one->text.len);
}

/* The same log, the same state, and everything that the request said but its key. */
static void a_restored_job_knows_what_the_first_knew(void **state)
{
	struct reading reading;
	struct run second;
	const json_t *data;

	(void)state;
	begin_killed(900);
	assert_int_equal(restore(&second, CLAIM_ANY), OK);
	read_log(&reading);
	check_equal(&second.job->state, &reading.state);
	assert_string_equal(second.job->id, job_world_id);
	assert_string_equal(second.job->owner, "ann");
	assert_string_equal(second.job->model_id, "longhand");
	assert_string_equal(second.job->backend, "default");
	assert_string_equal(second.job->backend_model, "fake");
	assert_int_equal(second.job->grace, JOB_GRACE_ANSWER);
	for (size_t i = 0; labels[i] != NULL; i++)
		assert_string_equal(second.job->labels[i], labels[i]);
	assert_null(second.job->authorization);
	data = second.job->log.events[0].data;
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(data, "response"), "store")),
		"yes");
	assert_int_equal(sim_server_log(&server, job_world_id)->n_labels, 3);
	state_release(&reading.state);
	job_free(second.job);
	end();
}

/* Parked, or handed over, at any tick; then gone on with by the other process. */
static void a_parked_job_is_written_on_elsewhere(void **state)
{
	bool is_over = false;
	unsigned parks = 0;

	(void)state;
	for (uint64_t at_ms = 0; !is_over && at_ms < TICK_END_MS; at_ms += 41) {
		bool is_offer = at_ms % 2 == 0;
		struct reading before;
		struct run first, second;

		begin();
		start_first(&first);
		pass(at_ms);
		is_over = first.is_done;
		if (is_offer)
			job_offer(first.job);
		else
			job_park(first.job);
		run_to_end(&first);
		assert_int_equal(first.result, OK);
		job_free(first.job);
		parks += first.parks;
		if (first.parks > 0) {
			assert_int_equal(store_state(), is_offer ? STORE_OFFERED : STORE_PARKED);
			assert_int_equal(restore(&second, CLAIM_PARKED), OK);
			read_log(&before);
			launch(&second);
			run_to_end(&second);
			check_end(&before.state.text);
			assert_int_equal(before.n[EVENT_PARKED], 1);
			state_release(&before.state);
			job_free(second.job);
		}
		end();
	}
	assert_true(is_over && parks > 20);
}

static void a_restored_job_may_be_cancelled_or_parked_at_once(void **state)
{
	(void)state;
	for (int is_cancel = 0; is_cancel < 2; is_cancel++) {
		struct reading reading;
		struct run second;
		unsigned calls;

		begin_killed(900);
		calls = model.calls;
		assert_int_equal(restore(&second, CLAIM_ANY), OK);
		if (is_cancel)
			job_cancel(second.job);
		else
			job_park(second.job);
		launch(&second);
		run_to_end(&second);
		assert_int_equal(second.result, OK);
		assert_int_equal(second.parks, !is_cancel);
		assert_int_equal(model.calls, calls);
		read_log(&reading);
		assert_string_equal(state_status(&reading.state),
				    is_cancel ? "cancelled" : "parked");
		assert_int_equal(store_state(), is_cancel ? STORE_ENDED : STORE_PARKED);
		state_release(&reading.state);
		job_free(second.job);
		end();
	}
}

static void on_nothing(struct reader *reader)
{
	(void)reader;
}

/* A backend that wants the client's key, which went with the first process. */
static void a_missing_key_parks_or_fails(void **state)
{
	enum { NOBODY_READS, SOMEBODY_READS, SOMEBODY_BRINGS_ONE, WAYS };

	(void)state;
	for (int way = 0; way < WAYS; way++) {
		struct reader reader = { .log = NULL };
		struct reading reading;
		struct run second;

		begin_killed(900);
		assert_int_equal(restore(&second, CLAIM_ANY), OK);
		if (way == SOMEBODY_BRINGS_ONE)
			assert_int_equal(job_authorize(second.job, "Authorization: other"), OK);
		else
			model.every = ERR_REJECTED;
		model.status = 401;
		if (way == SOMEBODY_READS)
			reader_attach(&reader, &second.job->log, on_nothing);
		launch(&second);
		run_to_end(&second);
		read_log(&reading);
		assert_string_equal(state_status(&reading.state), way == NOBODY_READS	  ? "parked"
								  : way == SOMEBODY_READS ? "failed"
											  : "done");
		state_release(&reading.state);
		job_free(second.job);
		end();
	}
}

/* The first process was only frozen: its log conflicts, its call is closed, it writes nothing. */
static void the_first_writer_stops_when_it_is_taken_over(void **state)
{
	struct reading reading;
	struct run first, second;

	(void)state;
	begin();
	start_first(&first);
	pass(900);
	assert_int_equal(restore(&second, CLAIM_ANY), OK);
	launch(&second);
	run_to_end(&first);
	assert_int_equal(first.result, ERR_CONFLICT);
	run_to_end(&second);
	read_log(&reading);
	assert_int_equal(reading.n[EVENT_DONE], 1);
	assert_string_equal(state_status(&reading.state), "done");
	state_release(&reading.state);
	job_free(first.job);
	job_free(second.job);
	end();
}

/* Memory runs out once, while the job is restored or runs: it is not there, or it ends. */
static void every_allocation_may_fail(void **state)
{
	unsigned failed = 0, ran = 0;

	(void)state;
	for (size_t nth = 1; nth < 800; nth += nth < 400 ? 1 : 7) {
		struct run second = { .parks = 0 };
		struct claim claim;
		enum err err;

		begin_killed(700);
		assert_int_equal(claim_now(&claim, CLAIM_ANY), OK);
		mem_fail_at(nth);
		err = job_restore(&ports[1], &options, &claim, &second.job);
		failed += err == ERR_NO_MEMORY;
		if (err == OK) {
			launch(&second);
			run_to_end(&second);
			job_free(second.job);
			ran++;
		}
		mem_fail_at(0);
		end();
	}
	assert_true(failed > 10 && ran > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_killed_at_every_tick_is_written_on),
		cmocka_unit_test(a_restored_job_knows_what_the_first_knew),
		cmocka_unit_test(a_parked_job_is_written_on_elsewhere),
		cmocka_unit_test(a_restored_job_may_be_cancelled_or_parked_at_once),
		cmocka_unit_test(a_missing_key_parks_or_fails),
		cmocka_unit_test(the_first_writer_stops_when_it_is_taken_over),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
