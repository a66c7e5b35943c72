/* Calls over a connection to Redis that are given up at every moment, are too many, or find no
 * memory; the server's every byte is chosen. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/redis_calls.h"
#include "fakes/resp_script.h"

static struct redis_world world;
static struct raw_server *server;

static int open_world(void **state)
{
	(void)state;
	redis_world_open(&world);
	server = NULL;
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	redis_world_close(&world);
	raw_server_stop(server);
	return 0;
}

static void connect_with(raw_serve_fn serve, const char *prefix,
			 const struct redis_conn_options *options)
{
	char url[64];

	server = raw_server_start(serve, NULL);
	assert_non_null(server);
	(void)snprintf(url, sizeof(url), "redis://%s127.0.0.1:%u/3", prefix, server->port);
	redis_world_connect(&world, url, options);
}

/* Answers each command with itself as a status, what WAIT names only after the gate. */
static void serve_echo(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES];
	char answer[RESP_TEXT_BYTES + 8];

	if (!resp_greet(conn))
		return;
	while (resp_read(conn, text)) {
		if (strncmp(text, "WAIT", 4) == 0) {
			atomic_fetch_add(&conn->server->seen, 1);
			conn_wait_gate(conn, 1);
		}
		(void)snprintf(answer, sizeof(answer), "+%s\r\n", text);
		if (!conn_send(conn, answer))
			return;
	}
}

/* ---- giving up ---- */

static void late_answers_meet_their_records(void **state)
{
	struct redis_ask kept;
	struct redis_ask *gone = mem_alloc(sizeof(*gone));

	(void)state;
	assert_non_null(gone);
	connect_with(serve_echo, "", &patient_redis);
	redis_world_wait_up(&world);
	redis_ask_init(gone, &world, 0);
	redis_ask_add(gone, "WAIT a");
	redis_ask_add(gone, "GET a");
	redis_ask_start(gone, &world);
	redis_ask_init(&kept, &world, 0);
	redis_ask_add(&kept, "GET b");
	redis_ask_start(&kept, &world);
	while (atomic_load(&server->seen) == 0)
		redis_world_turn_for(&world, 1);
	op_cancel(&gone->call.op, ERR_CANCELED);
	redis_ask_wait(gone, &world);
	assert_int_equal(gone->result, ERR_CANCELED);
	assert_true(gone->is_sent);
	memset(gone, 0xAA, sizeof(*gone));
	mem_free(gone);
	atomic_store(&server->gate, 1);
	redis_ask_wait(&kept, &world);
	assert_string_equal(kept.texts[0], "GET b");
}

/* A turn more each time, so that it hits the call unsent, sent, answered and over. */
static void calls_may_be_cancelled_at_every_moment(void **state)
{
	bool was_unsent = false, was_sent = false, was_done = false;

	(void)state;
	connect_with(serve_echo, "", &patient_redis);
	redis_world_wait_up(&world);
	for (unsigned turns = 0; !was_done; turns++) {
		struct redis_ask ask, after;

		redis_ask_init(&ask, &world, 0);
		redis_ask_add(&ask, "GET a");
		redis_ask_add(&ask, "GET b");
		redis_ask_start(&ask, &world);
		for (unsigned i = 0; i < turns && ask.dones == 0; i++)
			reactor_uv_turn(world.loop);
		op_cancel(&ask.call.op, ERR_CANCELED);
		redis_ask_wait(&ask, &world);
		was_done = was_done || ask.result == OK;
		was_sent = was_sent || (ask.result == ERR_CANCELED && ask.is_sent);
		was_unsent = was_unsent || (ask.result == ERR_CANCELED && !ask.is_sent);
		redis_ask_run(&after, &world, "GET after");
		assert_string_equal(after.texts[0], "GET after");
		assert_int_equal(redis_conn_awaited(world.conn), 0);
	}
	assert_true(was_unsent);
	assert_true(was_sent);
	/* Before it has begun, too. */
	{
		struct redis_ask ask;

		redis_ask_init(&ask, &world, 0);
		redis_ask_add(&ask, "GET a");
		op_cancel(&ask.call.op, ERR_CANCELED);
		redis_ask_start(&ask, &world);
		redis_ask_wait(&ask, &world);
		assert_int_equal(ask.result, ERR_CANCELED);
	}
}

/* ---- bounds ---- */

static void serve_deaf(struct server_conn *conn)
{
	(void)resp_greet(conn);
	conn_wait_gate(conn, 1);
	conn_wait_close(conn);
}

static void the_queue_is_bounded(void **state)
{
	static char much[400 * 1000];
	static struct redis_ask asks[64];
	struct slice args[2] = { { "SET", 3 }, { much, sizeof(much) } };
	unsigned refused = 0;

	(void)state;
	connect_with(serve_deaf, "", &patient_redis);
	redis_world_wait_up(&world);
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		redis_ask_init(&asks[i], &world, 0);
		redis_call_add(&asks[i].call, args, 2);
		redis_ask_start(&asks[i], &world);
		redis_world_turn_for(&world, 1);
		assert_true(redis_conn_queued_bytes(world.conn) <= patient_redis.queue_bytes_max);
		if (asks[i].dones > 0) {
			assert_int_equal(asks[i].result, ERR_TOO_LARGE);
			assert_false(asks[i].is_sent);
			refused++;
		}
	}
	assert_true(refused > 0);
	atomic_store(&server->gate, 1);
	raw_server_stop(server);
	server = NULL;
	for (size_t i = 0; i < COUNT_OF(asks); i++)
		redis_ask_wait(&asks[i], &world);
	assert_int_equal(asks[0].result, ERR_BROKEN);
	assert_int_equal(redis_conn_queued_bytes(world.conn), 0);
}

static void calls_have_a_bound_of_commands(void **state)
{
	struct redis_ask ask;

	(void)state;
	connect_with(serve_echo, "", &patient_redis);
	redis_world_wait_up(&world);
	redis_ask_init(&ask, &world, 0);
	for (unsigned i = 0; i < REDIS_CALL_COMMANDS_MAX + 1; i++)
		redis_ask_add(&ask, "GET a");
	redis_ask_start(&ask, &world);
	redis_ask_wait(&ask, &world);
	assert_int_equal(ask.result, ERR_TOO_LARGE);
	redis_ask_init(&ask, &world, 0);
	redis_ask_start(&ask, &world);
	redis_ask_wait(&ask, &world);
	assert_int_equal(ask.result, ERR_INVALID);
}

/* ---- memory ---- */

/* Every allocation from the first connection to the answer fails once; it comes up all the same,
 * and the call says that it failed or was answered. */
static void memory_may_run_out_anywhere(void **state)
{
	unsigned failed_calls = 0, failed_connections = 0;
	bool was_whole = false;

	(void)state;
	connect_with(serve_echo, "", &patient_redis);
	redis_world_wait_up(&world);
	for (size_t n = 1; !was_whole; n++) {
		size_t failures = mem_failures();
		char url[64];
		struct redis_ask ask;

		redis_conn_free(world.conn);
		world.changes = 0;
		(void)snprintf(url, sizeof(url), "redis://:p@127.0.0.1:%u/1", server->port);
		redis_world_connect(&world, url, &patient_redis);
		mem_fail_at(n);
		redis_world_wait_up(&world);
		redis_ask_run(&ask, &world, "GET a");
		mem_fail_at(0);
		was_whole = mem_failures() == failures;
		failed_connections += world.changes > 1;
		failed_calls += ask.result != OK;
		if (was_whole)
			assert_int_equal(ask.result, OK);
		redis_world_wait_up(&world);
		redis_ask_run(&ask, &world, "GET b");
		assert_string_equal(ask.texts[0], "GET b");
	}
	assert_true(failed_connections >= 8);
	assert_true(failed_calls >= 3);
}

/* In the midst of a look-up, a connection, a greeting. */
static void it_may_be_freed_at_every_moment(void **state)
{
	bool is_up = false;

	(void)state;
	server = raw_server_start(serve_echo, NULL);
	for (unsigned turns = 0; !is_up; turns++) {
		char url[64];

		(void)snprintf(url, sizeof(url), "redis://localhost:%u", server->port);
		redis_world_connect(&world, url, &patient_redis);
		for (unsigned i = 0; i < turns; i++)
			reactor_uv_turn(world.loop);
		is_up = redis_conn_is_up(world.conn);
		redis_conn_free(world.conn);
		world.conn = NULL;
	}
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(late_answers_meet_their_records),
		WITH_WORLD(calls_may_be_cancelled_at_every_moment),
		WITH_WORLD(the_queue_is_bounded),
		WITH_WORLD(calls_have_a_bound_of_commands),
		WITH_WORLD(memory_may_run_out_anywhere),
		WITH_WORLD(it_may_be_freed_at_every_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
