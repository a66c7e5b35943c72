/* The connection to Redis with a real server: passwords, users, databases, restarts, freezes. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fakes/redis_calls.h"
#include "fakes/redis_server.h"

static struct redis_world world;
static struct redis_server server;

static int open_world(void **state)
{
	(void)state;
	redis_world_open(&world);
	server = (struct redis_server){ .pid = 0 };
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	redis_world_close(&world);
	redis_server_stop(&server);
	return 0;
}

static void start_server(const char *const *args)
{
	if (!redis_server_start(&server, args))
		fail_msg("redis-server does not start: is it installed?");
}

static void connect_as(const char *credentials, unsigned db)
{
	char url[128];

	(void)snprintf(url, sizeof(url), "redis://%s127.0.0.1:%u/%u", credentials, server.port, db);
	redis_world_connect(&world, url, &patient_redis);
}

static void commands_and_databases(void **state)
{
	struct redis_ask ask;
	char *seen;

	(void)state;
	start_server(NULL);
	connect_as("", 5);
	redis_world_wait_up(&world);
	redis_ask_init(&ask, &world, 0);
	redis_ask_add(&ask, "SET key value");
	redis_ask_add(&ask, "GET key");
	redis_ask_add(&ask, "STRLEN key");
	redis_ask_add(&ask, "XADD key 1-1 a b");
	redis_ask_start(&ask, &world);
	redis_ask_wait(&ask, &world);
	assert_int_equal(ask.n_replies, 4);
	assert_string_equal(ask.texts[0], "OK");
	assert_string_equal(ask.texts[1], "value");
	assert_string_equal(ask.texts[2], "5");
	assert_int_equal(ask.kinds[3], REDIS_KIND_ERROR);
	assert_int_equal(strncmp(ask.texts[3], "WRONGTYPE", 9), 0);
	seen = REDIS_ASK(&server, "INFO", "keyspace");
	assert_non_null(strstr(seen, "db5:keys=1"));
	free(seen);
}

static const char *const with_password[] = { "--requirepass", "right", NULL };

static void passwords(void **state)
{
	(void)state;
	start_server(with_password);
	connect_as("", 0);
	redis_world_wait_failures(&world, 2);
	assert_non_null(strstr(redis_conn_failure(world.conn), "NOAUTH"));
	redis_conn_free(world.conn);
	connect_as(":wrong@", 0);
	redis_world_wait_failures(&world, 2);
	assert_non_null(strstr(redis_conn_failure(world.conn), "WRONGPASS"));
	redis_conn_free(world.conn);
	connect_as(":right@", 3);
	redis_world_wait_up(&world);
}

static void users(void **state)
{
	struct redis_ask ask;

	(void)state;
	start_server(NULL);
	free(REDIS_ASK(&server, "ACL", "SETUSER", "app", "on", ">p@ss", "~app:*", "+get", "+ping"));
	connect_as("app:p%40ss@", 0);
	redis_world_wait_up(&world);
	redis_ask_run(&ask, &world, "GET app:key");
	assert_int_equal(ask.kinds[0], REDIS_KIND_NIL);
	redis_ask_run(&ask, &world, "GET other");
	assert_int_equal(strncmp(ask.texts[0], "NOPERM", 6), 0);
	assert_true(redis_conn_is_up(world.conn));
}

static void a_restarted_server_is_found_again(void **state)
{
	struct redis_ask ask;

	(void)state;
	start_server(NULL);
	connect_as("", 0);
	for (unsigned round = 1; round <= 3; round++) {
		redis_world_wait_up(&world);
		assert_int_equal(redis_conn_connection(world.conn), round);
		redis_ask_init(&ask, &world, 0);
		redis_ask_add(&ask, "BLPOP nothing 0");
		redis_ask_start(&ask, &world);
		redis_world_turn_for(&world, 20);
		redis_server_stop(&server);
		redis_ask_wait(&ask, &world);
		assert_int_equal(ask.result, ERR_BROKEN);
		assert_true(ask.is_sent);
		redis_ask_run(&ask, &world, "GET a");
		assert_int_equal(ask.result, ERR_REFUSED);
		start_server(NULL);
	}
	redis_world_wait_up(&world);
	redis_ask_run(&ask, &world, "GET a");
	assert_int_equal(ask.kinds[0], REDIS_KIND_NIL);
}

/* The kernel still accepts for a stopped process: only silence tells. */
static void a_frozen_server_is_found_again(void **state)
{
	struct redis_conn_options options = patient_redis;
	struct redis_ask ask;

	(void)state;
	options.silence_ms = options.connect_ms = 300;
	start_server(NULL);
	redis_world_connect(&world, server.url, &options);
	redis_world_wait_up(&world);
	redis_server_freeze(&server);
	redis_ask_run(&ask, &world, "INCR n");
	assert_int_equal(ask.result, ERR_BROKEN);
	assert_true(ask.is_sent);
	redis_world_wait_failures(&world, 3);
	redis_server_thaw(&server);
	redis_world_wait_up(&world);
	redis_ask_run(&ask, &world, "GET n");
	assert_string_equal(ask.texts[0], "1"); /* it had arrived: nobody could know */
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(commands_and_databases),
		WITH_WORLD(passwords),
		WITH_WORLD(users),
		WITH_WORLD(a_restarted_server_is_found_again),
		WITH_WORLD(a_frozen_server_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
