/* The Redis store against the suite of all stores, on a real server, and what only it has: leases,
 * a server that is emptied, a tail that is lost, times to live, permissions, replicas. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/redis_server.h"
#include "fakes/resp_script.h"
#include "fakes/store_suite.h"
#include "fakes/store_world.h"

static struct redis_server server;
static struct store_world one, two;

static int start_server(void **state)
{
	(void)state;
	server = (struct redis_server){ .pid = 0 };
	one = two = (struct store_world){ .store = NULL };
	if (!redis_server_start(&server, NULL))
		return -1;
	store_world_open(&one, server.url);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	store_world_close(&two);
	store_world_close(&one);
	redis_server_stop(&server);
	return 0;
}

static void run_until(struct store_suite *suite, const bool *flag)
{
	(void)suite;
	while (!*flag)
		reactor_uv_turn(one.loop);
}

static void keeps_the_contract(void **state)
{
	struct store_suite suite = { .store = one.port,
				     .reactor = one.reactor,
				     .run_until = run_until,
				     .retention_ms = TEST_TIMES.retention_ms,
				     .park_ms = TEST_TIMES.park_ms };

	(void)state;
	store_world_settle(&one);
	store_suite_run(&suite);
}

/* ---- leases ---- */

/* Frozen, as by SIGSTOP, or killed: nobody turns it. */
static void who_has_no_lease_leaves_orphans(void **state)
{
	char found[128];

	(void)state;
	store_world_open(&two, server.url);
	two.other = &one;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	store_world_settle(&two);
	assert_string_equal(world_find(&two, NULL, found), "");
	two.other = NULL;
	while (world_find(&two, NULL, found)[0] == '\0')
		;
	assert_string_equal(found, "job ");
	assert_int_equal(world_append(&two, "job", AT(2, 0), "mine\n", STORE_RUNNING),
			 STORE_LANDED);
	assert_string_equal(world_find(&two, NULL, found), "");
	/* It comes back: it may write nothing, and takes nobody for dead at once. */
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_CONFLICT);
	assert_string_equal(world_read(&two, "job"), "a\nmine\n");
}

static void a_lease_is_given_back_at_the_end(void **state)
{
	char found[128];

	(void)state;
	store_world_open(&two, server.url);
	two.other = &one;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	store_world_settle(&two);
	two.other = NULL;
	store_world_close(&one);
	assert_string_equal(world_find(&two, NULL, found), "job "); /* at once */
}

/* While the server was frozen leases ran out; nobody may take that for a death. */
static void a_frozen_server_makes_no_orphans(void **state)
{
	char found[128];
	uint64_t doubt;

	(void)state;
	store_world_open(&two, server.url);
	two.other = &one;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	store_world_settle(&two);
	doubt = one.port->doubt(one.port);
	redis_server_freeze(&server);
	store_worlds_turn_for(&one, &two, 3 * TEST_LEASE_MS);
	redis_server_thaw(&server);
	/* Both come back in their own time; until they have settled, none is an orphan, and then
	 * everybody has a lease again. */
	while (!store_redis_is_settled(two.store) || !store_redis_is_settled(one.store)) {
		if (two.port->is_up(two.port))
			assert_string_equal(world_find(&two, NULL, found), "");
		store_worlds_turn_for(&one, &two, 5);
	}
	assert_string_equal(world_find(&two, NULL, found), "");
	assert_true(one.port->doubt(one.port) != doubt);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
}

/* ---- what was lost ---- */

static void only_its_writer_fills_an_emptied_server(void **state)
{
	struct store_write *write;

	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
	write = &one.write; /* it keeps what it knows of the log, as a job's log does */
	assert_true(write->generation != 0);
	free(REDIS_ASK(&server, "FLUSHALL"));
	assert_int_equal(world_append(&one, "job", AT(1, 3), "c\n", STORE_RUNNING), STORE_LOST);
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
	assert_int_equal(world_append(&one, "job", AT(1, 3), "c\n", STORE_RUNNING), STORE_LANDED);
	assert_string_equal(world_read(&one, "job"), "a\nb\nc\n");
	/* Somebody who never wrote to it knows nothing of a loss. */
	free(REDIS_ASK(&server, "FLUSHALL"));
	write->generation = 0;
	assert_int_equal(world_append(&one, "job", AT(1, 4), "d\n", STORE_RUNNING), STORE_CONFLICT);
}

static void a_server_started_again_is_another_generation(void **state)
{
	uint64_t doubt = one.port->doubt(one.port);

	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	redis_server_stop(&server);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_UNKNOWN);
	assert_false(one.port->is_up(one.port));
	assert_true(redis_server_start(&server, NULL));
	store_world_wait_up(&one);
	assert_true(one.port->doubt(one.port) != doubt);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LOST);
}

static void what_was_erased_is_not_lost(void **state)
{
	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	free(REDIS_ASK(&server, "DEL", "longhand:log:job")); /* not by us, and not by emptying */
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_CONFLICT);
	assert_int_equal(world_create(&one, "gone", "a\n"), OK);
	free(REDIS_ASK(&server, "FLUSHALL"));
	store_world_open(&two, server.url);
	assert_int_equal(world_erase(&two, "gone"), ERR_NOT_FOUND);
	assert_int_equal(world_append(&one, "gone", AT(1, 2), "b\n", STORE_RUNNING),
			 STORE_CONFLICT);
	assert_int_equal(world_create(&one, "gone", "a\n"), ERR_CONFLICT);
}

/* Its writer was frozen while others finished the job and its retention passed. */
static void what_has_ended_is_not_lost(void **state)
{
	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	store_world_open(&two, server.url);
	assert_int_equal(world_append(&two, "job", AT(2, 0), "mine\n", STORE_RUNNING),
			 STORE_LANDED);
	assert_int_equal(world_append(&two, "job", AT(2, 1), "end\n", STORE_ENDED), STORE_LANDED);
	free(REDIS_ASK(&server, "DEL", "longhand:log:job"));
	free(REDIS_ASK(&server, "DEL", "longhand:generation"));
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_CONFLICT);
}

/* A failover that dropped the last entry: nothing may be written over the hole. */
static void no_entry_lands_behind_a_gap(void **state)
{
	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
	free(REDIS_ASK(&server, "XDEL", "longhand:log:job", "1-2"));
	free(REDIS_ASK(&server, "XSETID", "longhand:log:job", "1-1"));
	assert_int_equal(world_append(&one, "job", AT(1, 3), "c\n", STORE_RUNNING), STORE_UNKNOWN);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
	assert_int_equal(world_append(&one, "job", AT(1, 3), "c\n", STORE_RUNNING), STORE_LANDED);
	assert_string_equal(world_read(&one, "job"), "a\nb\nc\n");
}

/* ---- reading ---- */

static void long_logs_come_in_several_answers(void **state)
{
	enum { ENTRIES = 2500 };
	static char expected[ENTRIES * 8 + 1];
	char line[16];
	size_t len = 0;

	(void)state;
	assert_int_equal(world_create(&one, "job", "00001\n"), OK);
	for (unsigned i = 2; i <= ENTRIES; i++) {
		(void)snprintf(line, sizeof(line), "%05u\n", i);
		assert_int_equal(world_append(&one, "job", AT(1, i), line, STORE_RUNNING),
				 STORE_LANDED);
	}
	for (unsigned i = 1; i <= ENTRIES; i++)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%05u\n", i);
	assert_string_equal(world_read(&one, "job"), expected);
}

/* ---- scripts, memory, errors ---- */

static void forgotten_scripts_are_loaded_again(void **state)
{
	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	free(REDIS_ASK(&server, "SCRIPT", "FLUSH"));
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_UNKNOWN);
	store_world_wait_up(&one);
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
}

static void a_full_server_is_told_and_waited_for(void **state)
{
	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	free(REDIS_ASK(&server, "CONFIG", "SET", "maxmemory", "1"));
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_UNKNOWN);
	assert_non_null(strstr(store_world_news(&one, STORE_REDIS_REFUSES), "OOM"));
	free(REDIS_ASK(&server, "CONFIG", "SET", "maxmemory", "0"));
	assert_int_equal(world_append(&one, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_LANDED);
}

static void memory_may_run_out_in_every_operation(void **state)
{
	bool was_whole = false;
	char found[128];

	(void)state;
	for (size_t n = 1; !was_whole; n++) {
		size_t failures = mem_failures();
		char id[16];

		(void)snprintf(id, sizeof(id), "m%zu", n);
		store_world_wait_up(&one);
		mem_fail_at(n);
		(void)world_create(&one, id, "a\n");
		(void)world_append(&one, id, AT(1, 2), "b\n", STORE_RUNNING);
		(void)world_try_read(&one, id);
		(void)world_try_find(&one, NULL, found);
		(void)world_unlabel(&one, id, "x");
		(void)world_erase(&one, id);
		mem_fail_at(0);
		was_whole = mem_failures() == failures;
	}
	store_world_wait_up(&one);
	assert_int_equal(world_create(&one, "after", "a\n"), OK);
	assert_string_equal(world_read(&one, "after"), "a\n");
}

static void operations_may_be_cancelled_at_every_moment(void **state)
{
	bool was_done = false;

	(void)state;
	assert_int_equal(world_create(&one, "job", "a\n"), OK);
	for (unsigned turns = 0; !was_done; turns++)
		was_done = world_read_cancelled(&one, "job", turns) == OK;
	assert_string_equal(world_read(&one, "job"), "a\n");
}

/* ---- servers that cannot be used ---- */

static const char old_info[] = "# Server\r\nredis_version:6.0.16\r\nrun_id:0123\r\n";

static void serve_old(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES], answer[256];

	if (!resp_greet(conn))
		return;
	while (resp_read(conn, text)) {
		(void)snprintf(answer, sizeof(answer), "$%zu\r\n%s\r\n", sizeof(old_info) - 1,
			       old_info);
		if (!conn_send(conn, strncmp(text, "INFO", 4) == 0 ? answer : "+OK\r\n"))
			return;
	}
}

static void an_old_server_is_not_used(void **state)
{
	struct raw_server *old = raw_server_start(serve_old, NULL);
	char url[64];

	(void)state;
	(void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", old->port);
	store_world_start(&two, url);
	store_worlds_turn_for(&one, &two, 3 * TEST_LEASE_MS); /* it looks again, and says it once */
	assert_string_equal(store_world_news(&two, STORE_REDIS_TOO_OLD), "6.0.16");
	assert_int_equal(two.told[STORE_REDIS_TOO_OLD], 1);
	assert_true(atomic_load(&old->requests) > 4);
	assert_false(two.port->is_up(two.port));
	assert_int_equal(world_append(&two, "job", AT(1, 2), "b\n", STORE_RUNNING), STORE_UNKNOWN);
	store_world_close(&two);
	raw_server_stop(old);
}

/* A key of another kind in the way: told, tried again, nothing else broken. */
static void foreign_keys_are_told(void **state)
{
	(void)state;
	free(REDIS_ASK(&server, "SET", "longhand:log:odd", "x"));
	assert_int_equal(world_try_read(&one, "odd"), ERR_UNKNOWN);
	assert_int_equal(world_append(&one, "odd", AT(1, 2), "b\n", STORE_RUNNING), STORE_UNKNOWN);
	assert_non_null(strstr(store_world_news(&one, STORE_REDIS_REFUSES), "WRONGTYPE"));
	free(REDIS_ASK(&server, "XADD", "longhand:log:alien", "1-1", "x", "y"));
	assert_int_equal(world_try_read(&one, "alien"), ERR_INVALID);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start_server, stop_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(keeps_the_contract),
		WITH_SERVER(who_has_no_lease_leaves_orphans),
		WITH_SERVER(a_lease_is_given_back_at_the_end),
		WITH_SERVER(a_frozen_server_makes_no_orphans),
		WITH_SERVER(only_its_writer_fills_an_emptied_server),
		WITH_SERVER(a_server_started_again_is_another_generation),
		WITH_SERVER(what_was_erased_is_not_lost),
		WITH_SERVER(what_has_ended_is_not_lost),
		WITH_SERVER(no_entry_lands_behind_a_gap),
		WITH_SERVER(long_logs_come_in_several_answers),
		WITH_SERVER(forgotten_scripts_are_loaded_again),
		WITH_SERVER(a_full_server_is_told_and_waited_for),
		WITH_SERVER(an_old_server_is_not_used),
		WITH_SERVER(foreign_keys_are_told),
		WITH_SERVER(memory_may_run_out_in_every_operation),
		WITH_SERVER(operations_may_be_cancelled_at_every_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
