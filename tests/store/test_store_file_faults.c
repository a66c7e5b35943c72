/* Disks that fail, fill up or hang, and memory that runs out: nothing acknowledged is lost, nothing
 * comes twice, and it goes on when it can. */
#include "check.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/file_world.h"

static struct file_world world;

static int open_world(void **state)
{
	(void)state;
	metrics_reset();
	file_world_init(&world);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	faulty_files_fail(&world.files, 0, 0, 0);
	file_world_release(&world);
	return 0;
}

static void expect_text(const char *job, const char *expected)
{
	enum err err;
	const char *text = file_world_text(&world, job, &err);

	assert_int_equal(err, OK);
	assert_string_equal(text, expected);
}

/* As a log's writer does it: what nobody knows is looked for, and written again if need be. */
static void write_until_it_lands(const char *job, uint64_t seq, const char *data)
{
	enum err err;

	for (unsigned tries = 0; tries < 100; tries++) {
		if (file_world_write(&world, job, 1, seq, data) == OK)
			return;
		assert_int_equal(file_world_outcome(), STORE_UNKNOWN);
		if (strstr(file_world_text(&world, job, &err), data) != NULL)
			return;
	}
	fail_msg("it never landed");
}

/* Any call fails, once or some times in a row. True: as many as that are not made. */
static bool survives(unsigned nth, unsigned times, int error)
{
	faulty_files_fail(&world.files, nth, times, error);
	write_until_it_lands("one", 1, "a\n");
	write_until_it_lands("one", 2, "b\nc\n");
	write_until_it_lands("one", 4, "d\n");
	(void)file_world_unlabel(&world, "one", "fresh:1");
	write_until_it_lands("one", 5, "e\n");
	faulty_files_fail(&world.files, 0, 0, 0);
	expect_text("one", "a\nb\nc\nd\ne\n");
	file_world_close(&world);
	file_world_open(&world);
	expect_text("one", "a\nb\nc\nd\ne\n");
	assert_string_equal(file_world_find(&world, "owner:ann"), "one ");
	assert_int_equal(file_world_erase(&world, "one"), OK);
	return world.files.calls < nth;
}

static void any_call_may_fail(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EMFILE };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(errors); i++) {
		world.files.has_no_sync_all = i >= COUNT_OF(errors);
		for (unsigned times = 1; times <= 4; times++)
			for (unsigned nth = 1; nth < 30; nth++)
				(void)survives(nth, times, errors[i % COUNT_OF(errors)]);
	}
	assert_true(world.troubles > 0);
	assert_true(metric_get(METRIC_STORE_ERRORS) > 0);
	assert_int_equal(survives(60, 1, EIO), true);
}

static void a_full_disk_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "job", 1, 1, "a\n"), OK);
	assert_int_equal(metric_get(METRIC_STORE_UP), 1);
	world.files.room_bytes = 50; /* not even a header */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(file_world_write(&world, "job", 1, 2, "b\n"), ERR_UNKNOWN);
		assert_int_equal(file_world_outcome(), STORE_UNKNOWN);
		assert_int_equal(file_world_write(&world, "new", 1, 1, "n\n"), ERR_UNKNOWN);
		expect_text("job", "a\n");
	}
	assert_int_equal(world.troubles, 1);
	assert_int_equal(world.last_trouble, ENOSPC);
	assert_int_equal(metric_get(METRIC_STORE_UP), 0);
	assert_false(world.port->is_up(world.port));
	fake_reactor_advance(&world.loop, 5000); /* it tries by itself, in vain */
	assert_int_equal(world.troubles, 1);
	assert_int_equal(world.recoveries, 0);
	/* What is there can be erased, which makes room. */
	assert_int_equal(file_world_write(&world, "job", 1, 2, "b\n"), ERR_UNKNOWN);
	world.files.room_bytes = UINT64_MAX;
	fake_reactor_advance(&world.loop, 2000); /* nobody writes, and still it is noticed */
	assert_int_equal(world.recoveries, 1);
	assert_true(world.port->is_up(world.port));
	assert_int_equal(file_world_write(&world, "job", 1, 2, "b\n"), OK);
	assert_int_equal(file_world_write(&world, "new", 1, 1, "n\n"), OK);
	file_world_close(&world);
	file_world_open(&world);
	expect_text("job", "a\nb\n");
	expect_text("new", "n\n");
}

/* Neither the piece nor the attempt to cut it off: the next write cuts it, or the next start. */
static void a_torn_piece_is_cut_before_the_next_write(void **state)
{
	(void)state;
	for (unsigned is_restart = 0; is_restart < 2; is_restart++) {
		const char *job = is_restart ? "later" : "now";

		assert_int_equal(file_world_write(&world, job, 1, 1, "a\n"), OK);
		faulty_files_fail(&world.files, 2, 2, EIO); /* open, WRITE, TRUNCATE, close */
		assert_int_equal(file_world_write(&world, job, 1, 2, "a long piece, torn\n"),
				 ERR_UNKNOWN);
		faulty_files_fail(&world.files, 0, 0, 0);
		if (is_restart) {
			file_world_close(&world);
			file_world_open(&world);
			assert_int_equal(store_file_found(world.store).repaired, 1);
		}
		assert_int_equal(file_world_write(&world, job, 1, 2, "b\n"), OK);
		file_world_close(&world);
		file_world_open(&world);
		assert_int_equal(store_file_found(world.store).repaired, 0);
		expect_text(job, "a\nb\n");
	}
}

static void what_cannot_be_removed_stays_and_says_so(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "job", 1, 1, "a\n"), OK);
	faulty_files_fail(&world.files, 1, 1, EIO);
	assert_int_equal(file_world_erase(&world, "job"), ERR_IO);
	expect_text("job", "a\n");
	assert_int_equal(file_world_end(&world, "job", 2, STORE_ENDED), OK);
	faulty_files_fail(&world.files, 1, 1, EIO);
	fake_reactor_advance(&world.loop, WORLD_RETENTION_MS + 1);
	assert_int_equal(store_file_logs(world.store), 1);
	fake_reactor_advance(&world.loop, 61000); /* tried again by itself */
	assert_int_equal(store_file_logs(world.store), 0);
	assert_int_equal(access(file_world_path(&world, "job"), F_OK), -1);
}

static void a_file_that_somebody_took_is_lost(void **state)
{
	enum err err;

	(void)state;
	for (unsigned is_short = 0; is_short < 2; is_short++) {
		assert_int_equal(file_world_write(&world, "job", 1, 1, "a\n"), OK);
		if (is_short)
			assert_int_equal(truncate(file_world_path(&world, "job"), 20), 0);
		else
			assert_int_equal(unlink(file_world_path(&world, "job")), 0);
		assert_int_equal(file_world_write(&world, "job", 1, 2, "b\n"), ERR_NOT_FOUND);
		assert_int_equal(file_world_outcome(), STORE_LOST);
		assert_int_equal(world.troubles, 0);
		(void)file_world_text(&world, "job", &err);
		assert_int_equal(err, ERR_NOT_FOUND);
		assert_int_equal(file_world_write(&world, "job", 1, 1, "a\nb\n"), OK);
		expect_text("job", "a\nb\n");
		assert_int_equal(file_world_erase(&world, "job"), OK);
	}
}

/* ---- many at once, and a disk that hangs ---- */

struct pending {
	struct store_write write;
	char job[16];
	unsigned dones;
};

static void on_done(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);

	container_of(write, struct pending, write)->dones++;
}

static void begin(struct pending *pending, uint64_t deadline_ms, uint64_t seq)
{
	op_prepare(&pending->write.op, &world.loop.base, deadline_ms, on_done);
	pending->write.job = pending->job;
	pending->write.first = (struct store_place){ 1, seq };
	pending->write.n_events = 1;
	pending->write.data = (struct slice){ "x\n", 2 };
	if (seq == 1)
		world.port->create(world.port, &pending->write);
	else
		world.port->append(world.port, &pending->write);
}

static void what_comes_together_is_synced_together(void **state)
{
	enum { MANY = 150 };
	static struct pending all[MANY];

	(void)state;
	memset(all, 0, sizeof(all));
	for (uint64_t seq = 1; seq <= 3; seq++) {
		unsigned runs = world.pool.runs;

		world.files.syncs = 0;
		for (unsigned i = 0; i < MANY; i++) {
			(void)snprintf(all[i].job, sizeof(all[i].job), "job%u", i);
			begin(&all[i], 0, seq);
		}
		fake_reactor_settle(&world.loop);
		for (unsigned i = 0; i < MANY; i++) {
			assert_int_equal(all[i].dones, seq);
			assert_int_equal(all[i].write.outcome, STORE_LANDED);
		}
		assert_int_equal(world.pool.runs, runs + 1);
		assert_int_equal(world.files.syncs, 1);
	}
	assert_int_equal(world.files.open_peak, 1);
}

/* Old kernels, and where the whole takes long. */
static void files_can_be_synced_one_by_one(void **state)
{
	enum { MANY = 150 };
	static struct pending all[MANY];

	(void)state;
	memset(all, 0, sizeof(all));
	world.files.has_no_sync_all = true;
	for (uint64_t seq = 1; seq <= 2; seq++) {
		world.files.syncs = 0;
		for (unsigned i = 0; i < MANY; i++) {
			(void)snprintf(all[i].job, sizeof(all[i].job), "job%u", i);
			begin(&all[i], 0, seq);
		}
		fake_reactor_settle(&world.loop);
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(all[i].write.outcome, STORE_LANDED);
		assert_int_equal(world.files.syncs, MANY + (seq == 1)); /* the directory's once */
	}
	assert_int_equal(world.files.open_peak, 64);
	expect_text("job149", "x\nx\n");
}

struct look {
	struct store_read read;
	unsigned dones;
};

static void on_looked(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);

	container_of(read, struct look, read)->dones++;
}

static void look_for(struct look *look, uint64_t deadline_ms)
{
	*look = (struct look){ .read = { .job = "job", .bytes_max = SIZE_MAX } };
	buf_init(&look->read.entries, 1024);
	op_prepare(&look->read.op, &world.loop.base, deadline_ms, on_looked);
	world.port->read(world.port, &look->read);
}

/* Whoever looks for what it gave up waits until that is decided, or meets a deadline as well. */
static void a_disk_that_hangs_meets_the_deadline(void **state)
{
	struct pending one = { .job = "job" };
	struct look in_vain, found;

	(void)state;
	assert_int_equal(file_world_write(&world, "job", 1, 1, "a\n"), OK);
	world.pool.is_held = true;
	begin(&one, 200, 2);
	fake_reactor_advance(&world.loop, 201);
	assert_int_equal(one.dones, 1);
	assert_int_equal(one.write.op.result, ERR_TIMEOUT);
	assert_int_equal(one.write.outcome, STORE_UNKNOWN);
	look_for(&in_vain, 200);
	look_for(&found, 0);
	fake_reactor_advance(&world.loop, 300);
	assert_int_equal(in_vain.dones, 1);
	assert_int_equal(in_vain.read.op.result, ERR_TIMEOUT);
	assert_int_equal(found.dones, 0);
	fake_pool_release(&world.pool);
	fake_reactor_settle(&world.loop);
	assert_int_equal(found.dones, 1);
	assert_int_equal(found.read.op.result, OK);
	assert_string_equal(buf_str(&found.read.entries), "a\nx\n");
	assert_int_equal(found.read.last.seq, 2);
	buf_release(&in_vain.read.entries);
	buf_release(&found.read.entries);
}

/* At each moment of its way: before it is taken, on the thread, when it has landed. */
static void a_cancel_ends_it_once(void **state)
{
	unsigned landed = 0;

	(void)state;
	for (unsigned turns = 0; turns < 8; turns++) {
		struct pending one = { .dones = 0 };
		struct look look;

		(void)snprintf(one.job, sizeof(one.job), "job");
		begin(&one, 0, 1);
		look_for(&look, 0);
		for (unsigned i = 0; i < turns; i++)
			(void)fake_reactor_turn(&world.loop);
		op_cancel(&one.write.op, ERR_CANCELED);
		op_cancel(&look.read.op, ERR_CANCELED);
		fake_reactor_settle(&world.loop);
		assert_int_equal(one.dones, 1);
		assert_int_equal(look.dones, 1);
		assert_true(one.write.op.result == OK || one.write.outcome != STORE_LANDED ||
			    one.write.op.result == ERR_CANCELED);
		landed += store_file_logs(world.store) == 1;
		buf_release(&look.read.entries);
		(void)file_world_erase(&world, "job");
	}
	assert_in_range(landed, 1, 7);
}

/* ---- memory ---- */

/* Each step is OK, or says what is missing and can be done again. */
static void try_with_failing_memory(size_t nth)
{
	enum err err;

	mem_fail_at(nth);
	err = file_world_write(&world, "job", 1, 1, "a\n");
	assert_true(err == OK || err == ERR_NO_MEMORY);
	mem_fail_at(err == OK ? nth : 0);
	if (err != OK)
		assert_int_equal(file_world_write(&world, "job", 1, 1, "a\n"), OK);
	err = file_world_write(&world, "job", 1, 2, "b\n");
	assert_true(err == OK || err == ERR_NO_MEMORY);
	mem_fail_at(err == OK ? nth : 0);
	if (err != OK)
		assert_int_equal(file_world_write(&world, "job", 1, 2, "b\n"), OK);
	(void)file_world_text(&world, "job", &err);
	assert_true(err == OK || err == ERR_NO_MEMORY);
	mem_fail_at(nth);
	err = file_world_unlabel(&world, "job", "fresh:1");
	assert_true(err == OK || err == ERR_NO_MEMORY);
	mem_fail_at(0);
	expect_text("job", "a\nb\n");
	mem_fail_at(nth);
	err = file_world_erase(&world, "job");
	mem_fail_at(0);
	if (err != OK)
		assert_int_equal(file_world_erase(&world, "job"), OK);
	assert_int_equal(store_file_logs(world.store), 0);
}

static void missing_memory_is_said(void **state)
{
	(void)state;
	for (size_t nth = 1; nth <= 12; nth++)
		try_with_failing_memory(nth);
}

static void a_start_without_memory_leaves_all_as_it_is(void **state)
{
	struct store_file_options options = { .dir = world.dir, .pool = &world.pool.port };
	struct store_file *store = NULL;
	enum err err = ERR_NO_MEMORY;
	struct buf message;
	unsigned refused = 0;

	(void)state;
	assert_int_equal(file_world_write(&world, "job", 1, 1, "a\n"), OK);
	file_world_close(&world);
	buf_init(&message, 1024);
	for (size_t nth = 1; err != OK; nth++) {
		buf_clear(&message);
		mem_fail_at(nth);
		err = store_file_new(&world.loop.base, &options, &message, &store);
		mem_fail_at(0);
		refused += err != OK;
	}
	store_file_free(store);
	buf_release(&message);
	assert_true(refused >= 4);
	file_world_open(&world);
	expect_text("job", "a\n");
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(any_call_may_fail),
		IN_WORLD(a_full_disk_is_waited_for),
		IN_WORLD(a_torn_piece_is_cut_before_the_next_write),
		IN_WORLD(what_cannot_be_removed_stays_and_says_so),
		IN_WORLD(a_file_that_somebody_took_is_lost),
		IN_WORLD(what_comes_together_is_synced_together),
		IN_WORLD(files_can_be_synced_one_by_one),
		IN_WORLD(a_disk_that_hangs_meets_the_deadline),
		IN_WORLD(a_cancel_ends_it_once),
		IN_WORLD(missing_memory_is_said),
		IN_WORLD(a_start_without_memory_leaves_all_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
