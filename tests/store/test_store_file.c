/* The file store against the suite of all stores, on threads and on the fake loop; and what is
 * there after a new start. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fakes/file_world.h"
#include "fakes/store_suite.h"
#include "loop/work_pool.h"

static struct file_world world;

static int open_world(void **state)
{
	(void)state;
	file_world_init(&world);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	file_world_release(&world);
	return 0;
}

/* ---- the suite ---- */

static void run_until(struct store_suite *suite, const bool *flag)
{
	(void)suite;
	file_world_turn(&world, flag);
}

static void advance(struct store_suite *suite, uint64_t ms)
{
	(void)suite;
	fake_reactor_advance(&world.loop, ms);
}

static void keeps_the_contract(void **state)
{
	struct store_suite suite = { .store = world.port,
				     .reactor = &world.loop.base,
				     .run_until = run_until,
				     .advance = advance,
				     .retention_ms = WORLD_RETENTION_MS,
				     .park_ms = WORLD_PARK_MS };

	(void)state;
	store_suite_run(&suite);
	fake_reactor_advance(&world.loop, STORE_UNENDED_MS + 1);
	assert_int_equal(store_file_logs(world.store), 0);
	assert_int_equal(world.troubles, 0);
}

static struct reactor_uv *real_loop;

static void run_really_until(struct store_suite *suite, const bool *flag)
{
	(void)suite;
	while (!*flag)
		reactor_uv_turn(real_loop);
}

static void keeps_the_contract_on_threads_and_a_real_disk(void **state)
{
	char dir[] = "/tmp/longhand-store-XXXXXX";
	struct work_pool *pool;
	struct store_file *store;
	struct store_file_options options = { .times = { 60000, 60000 } };
	struct store_suite suite = { .run_until = run_really_until };
	struct buf message;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(reactor_uv_new(&real_loop), OK);
	assert_int_equal(work_pool_new(real_loop, &pool), OK);
	suite.reactor = reactor_uv_base(real_loop);
	options.dir = dir;
	options.pool = work_pool_port(pool);
	buf_init(&message, 1024);
	assert_int_equal(store_file_new(suite.reactor, &options, &message, &store), OK);
	buf_release(&message);
	suite.store = store_file_port(store);
	store_suite_run(&suite);
	store_file_stop(store);
	while (!store_file_is_idle(store))
		reactor_uv_turn(real_loop);
	work_pool_free(pool);
	store_file_free(store);
	reactor_uv_free(real_loop);
	file_world_remove(dir);
}

/* ---- after a new start ---- */

static void start_again(void)
{
	file_world_close(&world);
	file_world_open(&world);
}

static void expect_text(const char *job, const char *expected)
{
	enum err err;
	const char *text = file_world_text(&world, job, &err);

	assert_int_equal(err, OK);
	assert_string_equal(text, expected);
}

static void expect_gone(const char *job)
{
	enum err err;

	(void)file_world_text(&world, job, &err);
	assert_int_equal(err, ERR_NOT_FOUND);
}

static void all_is_there_after_a_new_start(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "one", 1, 1, "a\n"), OK);
	fake_reactor_advance(&world.loop, 5);
	assert_int_equal(file_world_write(&world, "two", 1, 1, "A\nB\n"), OK);
	assert_int_equal(file_world_write(&world, "one", 1, 2, "b\nc\n"), OK);
	assert_int_equal(file_world_unlabel(&world, "one", "fresh:1"), OK);
	assert_int_equal(file_world_write(&world, "one", 2, 0, "mine\n"), OK);
	start_again();
	assert_int_equal(store_file_found(world.store).logs, 2);
	assert_int_equal(store_file_found(world.store).repaired, 0);
	expect_text("one", "a\nb\nc\nmine\n");
	expect_text("two", "A\nB\n");
	assert_string_equal(file_world_find(&world, "owner:ann"), "two one ");
	assert_string_equal(file_world_find(&world, "fresh:1"), "two ");
	assert_int_equal(file_world_write(&world, "one", 1, 4, "old\n"), ERR_CONFLICT);
	assert_int_equal(file_world_write(&world, "one", 2, 1, "d\n"), OK);
	assert_int_equal(file_world_write(&world, "one", 1, 1, "a\n"), ERR_EXISTS);
	expect_text("one", "a\nb\nc\nmine\nd\n");
	/* What the label's record says, an entry's behind it says too. */
	start_again();
	assert_string_equal(file_world_find(&world, "fresh:1"), "two ");
}

static void what_a_dead_process_left_running_is_an_orphan(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "running", 1, 1, "a\n"), OK);
	assert_int_equal(file_world_write(&world, "parked", 1, 1, "a\n"), OK);
	assert_int_equal(file_world_end(&world, "parked", 2, STORE_PARKED), OK);
	assert_int_equal(file_world_write(&world, "ended", 1, 1, "a\n"), OK);
	assert_int_equal(file_world_end(&world, "ended", 2, STORE_ENDED), OK);
	assert_string_equal(file_world_find(&world, NULL), "");
	start_again();
	assert_int_equal(store_file_found(world.store).orphans, 1);
	assert_string_equal(file_world_find(&world, NULL), "running ");
	assert_int_equal(file_world_write(&world, "running", 2, 0, "mine\n"), OK);
	assert_string_equal(file_world_find(&world, NULL), "");
}

/* The process may be away meanwhile. */
static void time_goes_on_between_two_starts(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "ended", 1, 1, "a\n"), OK);
	assert_int_equal(file_world_end(&world, "ended", 2, STORE_ENDED), OK);
	assert_int_equal(file_world_write(&world, "parked", 1, 1, "a\n"), OK);
	assert_int_equal(file_world_end(&world, "parked", 2, STORE_PARKED), OK);
	file_world_close(&world);
	fake_reactor_advance(&world.loop, WORLD_RETENTION_MS - 10);
	file_world_open(&world);
	expect_text("ended", "a\nend\n");
	fake_reactor_advance(&world.loop, 11);
	expect_gone("ended");
	assert_int_equal(access(file_world_path(&world, "ended"), F_OK), -1);
	file_world_close(&world);
	fake_reactor_advance(&world.loop, WORLD_PARK_MS);
	file_world_open(&world);
	fake_reactor_settle(&world.loop);
	expect_gone("parked");
	assert_int_equal(store_file_logs(world.store), 0);
}

/* Only entries count. */
static void hiding_a_label_does_not_prolong_a_log(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "ended", 1, 1, "a\n"), OK);
	assert_int_equal(file_world_end(&world, "ended", 2, STORE_ENDED), OK);
	fake_reactor_advance(&world.loop, WORLD_RETENTION_MS / 2);
	assert_int_equal(file_world_unlabel(&world, "ended", "fresh:1"), OK);
	fake_reactor_advance(&world.loop, WORLD_RETENTION_MS / 2 + 1);
	expect_gone("ended");
}

static void erased_logs_are_gone_from_the_disk(void **state)
{
	(void)state;
	assert_int_equal(file_world_write(&world, "secret", 1, 1, "a\n"), OK);
	assert_int_equal(access(file_world_path(&world, "secret"), F_OK), 0);
	assert_int_equal(file_world_erase(&world, "secret"), OK);
	assert_int_equal(access(file_world_path(&world, "secret"), F_OK), -1);
	start_again();
	expect_gone("secret");
}

static void one_process_has_a_directory(void **state)
{
	struct store_file_options options = { .dir = world.dir, .pool = &world.pool.port };
	struct store_file *second = NULL;
	char pid[32];
	struct buf message;

	(void)state;
	buf_init(&message, 1024);
	assert_int_equal(store_file_new(&world.loop.base, &options, &message, &second), ERR_BUSY);
	assert_null(second);
	(void)snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
	assert_non_null(strstr(buf_str(&message), pid));
	buf_release(&message);
	start_again(); /* the lock goes with its holder */
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 0777;
}

static void nobody_else_may_read(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(file_world_write(&world, "private", 1, 1, "a\n"), OK);
	assert_int_equal(mode_of(file_world_path(&world, "private")), 0600);
	(void)snprintf(path, sizeof(path), "%s/jobs", world.dir);
	assert_int_equal(mode_of(path), 0700);
	(void)snprintf(path, sizeof(path), "%s/lock", world.dir);
	assert_int_equal(mode_of(path), 0600);
}

static void ids_and_labels_cannot_leave_their_place(void **state)
{
	static const char *const jobs[] = {
		"../lock", "", "a/b", ".", "a\"b", "0123456789012345678901234567890123"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(jobs); i++) {
		assert_int_equal(file_world_write(&world, jobs[i], 1, 1, "a\n"), ERR_INVALID);
		assert_int_equal(file_world_write(&world, jobs[i], 1, 2, "a\n"), ERR_CONFLICT);
		assert_int_equal(file_world_erase(&world, jobs[i]), ERR_NOT_FOUND);
		expect_gone(jobs[i]);
	}
}

static bool has_read;

static void on_read(struct op *op)
{
	(void)op;
	has_read = true;
}

/* The one entry behind a place, or none. */
static void expect_read(uint64_t seq, const char *expected, uint64_t last_seq)
{
	struct store_read read = { .job = "long", .after = { 1, seq }, .bytes_max = 1 };

	buf_init(&read.entries, 4096);
	has_read = false;
	op_prepare(&read.op, &world.loop.base, 0, on_read);
	world.port->read(world.port, &read);
	file_world_turn(&world, &has_read);
	assert_int_equal(read.op.result, OK);
	assert_string_equal(buf_str(&read.entries), expected);
	assert_int_equal(read.last.seq, last_seq);
	buf_release(&read.entries);
}

static void a_follower_that_has_all_opens_no_file(void **state)
{
	unsigned opens;

	(void)state;
	assert_int_equal(file_world_write(&world, "long", 1, 1, "a\n"), OK);
	opens = world.files.opens;
	for (unsigned i = 0; i < 3; i++)
		expect_read(1, "", 1);
	assert_int_equal(world.files.opens, opens);
	assert_int_equal(file_world_write(&world, "long", 1, 2, "b\n"), OK);
	expect_read(1, "b\n", 2);
}

static void long_logs_are_read_from_any_place(void **state)
{
	char line[512];
	uint64_t seq;

	(void)state;
	memset(line, 'x', sizeof(line));
	for (seq = 1; seq <= 600; seq++) {
		(void)snprintf(line + 500, sizeof(line) - 500, " %u\n", (unsigned)seq);
		assert_int_equal(file_world_write(&world, "long", 1, seq, line), OK);
	}
	for (unsigned pass = 0; pass < 2; pass++) {
		for (seq = 599; seq > 0; seq -= 13) {
			(void)snprintf(line + 500, sizeof(line) - 500, " %u\n", (unsigned)seq + 1);
			expect_read(seq, line, seq + 1);
			if (seq < 13)
				break;
		}
		start_again();
	}
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(keeps_the_contract),
		cmocka_unit_test(keeps_the_contract_on_threads_and_a_real_disk),
		IN_WORLD(all_is_there_after_a_new_start),
		IN_WORLD(what_a_dead_process_left_running_is_an_orphan),
		IN_WORLD(time_goes_on_between_two_starts),
		IN_WORLD(hiding_a_label_does_not_prolong_a_log),
		IN_WORLD(a_follower_that_has_all_opens_no_file),
		IN_WORLD(erased_logs_are_gone_from_the_disk),
		IN_WORLD(one_process_has_a_directory),
		IN_WORLD(nobody_else_may_read),
		IN_WORLD(ids_and_labels_cannot_leave_their_place),
		IN_WORLD(long_logs_are_read_from_any_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
