/* The connection to Redis against a server whose every byte is chosen: coming up, breaking,
 * falling silent. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

static void calls_are_answered_in_order(void **state)
{
	enum { CALLS = 200 };
	static struct redis_ask asks[CALLS];
	char words[32];

	(void)state;
	connect_with(serve_echo, "", &patient_redis);
	redis_world_wait_up(&world);
	assert_int_equal(world.changes, 1);
	assert_int_equal(redis_conn_connection(world.conn), 1);
	for (unsigned i = 0; i < CALLS; i++) {
		redis_ask_init(&asks[i], &world, 0);
		for (unsigned j = 0; j <= i % 3; j++) {
			(void)snprintf(words, sizeof(words), "GET %u %u", i, j);
			redis_ask_add(&asks[i], words);
		}
		redis_ask_start(&asks[i], &world);
	}
	for (unsigned i = 0; i < CALLS; i++) {
		redis_ask_wait(&asks[i], &world);
		assert_int_equal(asks[i].result, OK);
		assert_int_equal(asks[i].n_replies, i % 3 + 1);
		assert_true(asks[i].is_sent);
		for (unsigned j = 0; j <= i % 3; j++) {
			(void)snprintf(words, sizeof(words), "GET %u %u", i, j);
			assert_string_equal(asks[i].texts[j], words);
		}
	}
	assert_int_equal(redis_conn_awaited(world.conn), 0);
	assert_int_equal(redis_conn_queued_bytes(world.conn), 0);
}

/* ---- one write a turn ---- */

static void serve_one_read(struct server_conn *conn)
{
	char bytes[4096];
	ssize_t got;

	if (!resp_greet(conn))
		return;
	got = recv(conn->fd, bytes, sizeof(bytes), 0);
	atomic_store(&conn->server->seen, (unsigned)(got > 0 ? got : 0));
	(void)conn_send(conn, "+A\r\n+B\r\n+C\r\n");
	conn_wait_close(conn);
}

static void calls_of_one_turn_leave_in_one_write(void **state)
{
	static struct redis_ask asks[3];

	(void)state;
	connect_with(serve_one_read, "", &patient_redis);
	redis_world_wait_up(&world);
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		redis_ask_init(&asks[i], &world, 0);
		redis_ask_add(&asks[i], "GET key");
		redis_ask_start(&asks[i], &world);
	}
	for (size_t i = 0; i < COUNT_OF(asks); i++)
		redis_ask_wait(&asks[i], &world);
	assert_string_equal(asks[2].texts[0], "C");
	/* All three were there at the first read: a packet of their own each would be fewer. */
	assert_int_equal(atomic_load(&server->seen),
			 3 * strlen("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"));
}

/* ---- the greeting ---- */

static char seen_greeting[4][RESP_TEXT_BYTES];

static void serve_greeting(struct server_conn *conn)
{
	unsigned n = 0;

	while (n < COUNT_OF(seen_greeting) && resp_read(conn, seen_greeting[n]))
		if (!conn_send(conn,
			       strcmp(seen_greeting[n++], "PING") == 0 ? "+PONG\r\n" : "+OK\r\n"))
			return;
}

static void it_says_who_it_is_before_anything_else(void **state)
{
	(void)state;
	memset(seen_greeting, 0, sizeof(seen_greeting));
	connect_with(serve_greeting, "app:s%20cret@", &patient_redis);
	redis_world_wait_up(&world);
	assert_string_equal(seen_greeting[0], "AUTH app s cret");
	assert_string_equal(seen_greeting[1], "SELECT 3");
	assert_string_equal(seen_greeting[2], "PING");
	assert_null(strstr(redis_conn_shown(world.conn), "cret"));
}

/* Each connection is refused in another way; the last one is good. */
static const char *const refusals[] = {
	"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
	"+OK\r\n-ERR DB index is out of range\r\n",
	"+OK\r\n+OK\r\n-LOADING Redis is loading the dataset in memory\r\n",
	"+OK\r\n+OK\r\n-NOAUTH Authentication required.\r\n",
	"HTTP/1.1 400 Bad Request\r\n\r\n",
	"",
};

static void serve_refusals(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES];

	if (conn->number >= COUNT_OF(refusals)) {
		serve_echo(conn);
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		(void)resp_read(conn, text);
	(void)conn_send(conn, refusals[conn->number]);
	if (refusals[conn->number][0] != '\0')
		conn_wait_close(conn);
}

static const char *const refusal_failures[] = {
	"WRONGPASS", "DB index", "LOADING", "NOAUTH", "protocol", "closed",
};

static void refused_greetings_are_tried_again(void **state)
{
	struct redis_ask ask;

	(void)state;
	connect_with(serve_refusals, ":p@", &patient_redis);
	redis_ask_run(&ask, &world, "GET early");
	assert_int_equal(ask.result, ERR_REFUSED);
	assert_false(ask.is_sent);
	for (unsigned i = 0; i < COUNT_OF(refusal_failures); i++) {
		redis_world_wait_failures(&world, i + 1);
		if (strstr(redis_conn_failure(world.conn), refusal_failures[i]) == NULL)
			fail_msg("%s", redis_conn_failure(world.conn));
	}
	redis_world_wait_up(&world);
	assert_int_equal(redis_conn_connection(world.conn), 1);
	assert_int_equal(redis_conn_failures(world.conn), 0);
	assert_string_equal(redis_conn_failure(world.conn), "");
	assert_int_equal(world.changes, COUNT_OF(refusals) + 1);
}

static void nobody_listens(void **state)
{
	char url[64];

	(void)state;
	server = raw_server_start(serve_echo, NULL);
	(void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", server->port);
	raw_server_stop(server);
	server = NULL;
	redis_world_connect(&world, url, &patient_redis);
	redis_world_wait_failures(&world, 4);
	assert_non_null(strstr(redis_conn_failure(world.conn), "refused"));
}

static void names_that_nobody_knows(void **state)
{
	(void)state;
	redis_world_connect(&world, "redis://no-such-host.invalid", &patient_redis);
	redis_world_wait_failures(&world, 2);
	assert_non_null(strstr(redis_conn_failure(world.conn), "name"));
}

static void serve_silence(struct server_conn *conn)
{
	conn_wait_close(conn);
}

static void greetings_have_a_deadline(void **state)
{
	struct redis_conn_options options = patient_redis;

	(void)state;
	options.connect_ms = 20;
	connect_with(serve_silence, "", &options);
	redis_world_wait_failures(&world, 2);
	assert_non_null(strstr(redis_conn_failure(world.conn), "greeting"));
}

/* ---- breaking ---- */

static void serve_break(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES];

	if (!resp_greet(conn) || !resp_read(conn, text))
		return;
	if (conn->number == 0) {
		(void)conn_send(conn, "+whole\r\n$10\r\nhal");
		(void)resp_read(conn, text); /* it has been taken in */
		conn_reset(conn);
	} else {
		(void)conn_send(conn, "+again\r\n");
		conn_wait_close(conn);
	}
}

static void a_reset_inside_an_answer_ends_what_waits(void **state)
{
	static struct redis_ask asks[3];

	(void)state;
	connect_with(serve_break, "", &patient_redis);
	redis_world_wait_up(&world);
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		redis_ask_init(&asks[i], &world, 0);
		redis_ask_add(&asks[i], "GET key");
		redis_ask_start(&asks[i], &world);
	}
	for (size_t i = 0; i < COUNT_OF(asks); i++)
		redis_ask_wait(&asks[i], &world);
	assert_int_equal(asks[0].result, OK);
	assert_int_equal(asks[1].result, ERR_BROKEN);
	assert_int_equal(asks[2].result, ERR_BROKEN);
	assert_true(asks[2].is_sent);
	redis_world_wait_up(&world);
	assert_int_equal(redis_conn_connection(world.conn), 2);
	redis_ask_run(&asks[0], &world, "GET key");
	assert_string_equal(asks[0].texts[0], "again");
}

static void serve_readonly(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES];

	if (resp_greet(conn) && resp_read(conn, text))
		(void)conn_send(conn, conn->number == 0 ? "-READONLY You can't write\r\n"
							: "-ERR other\r\n");
	conn_wait_close(conn);
}

static void a_server_that_became_a_replica_is_left(void **state)
{
	struct redis_ask ask;

	(void)state;
	connect_with(serve_readonly, "", &patient_redis);
	redis_world_wait_up(&world);
	redis_ask_run(&ask, &world, "XADD key");
	assert_int_equal(ask.result, OK);
	assert_int_equal(ask.kinds[0], REDIS_KIND_ERROR);
	while (redis_conn_connection(world.conn) < 2)
		reactor_uv_turn(world.loop);
	redis_ask_run(&ask, &world, "XADD key");
	assert_string_equal(ask.texts[0], "ERR other");
	assert_true(redis_conn_is_up(world.conn));
}

static void serve_unasked(struct server_conn *conn)
{
	(void)resp_greet(conn);
	(void)conn_send(conn, "-ERR max number of clients reached\r\n");
	conn_wait_close(conn);
}

static void unasked_answers_end_the_connection(void **state)
{
	(void)state;
	connect_with(serve_unasked, "", &patient_redis);
	redis_world_wait_up(&world);
	redis_world_wait_down(&world);
	assert_non_null(strstr(redis_conn_failure(world.conn), "max number"));
}

/* ---- silence ---- */

/* The first connection goes silent after its greeting. */
static void serve_freeze(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES];

	if (conn->number > 0) {
		serve_echo(conn);
		return;
	}
	if (resp_greet(conn))
		while (resp_read(conn, text))
			atomic_fetch_add(&conn->server->seen, 1);
}

static void a_frozen_server_is_left_after_a_while(void **state)
{
	struct redis_conn_options options = patient_redis;
	struct redis_ask slow, late;

	(void)state;
	options.silence_ms = 1000;
	connect_with(serve_freeze, "", &options);
	redis_world_wait_up(&world);
	redis_ask_init(&late, &world, 10);
	redis_ask_add(&late, "GET a");
	redis_ask_start(&late, &world);
	redis_ask_init(&slow, &world, 0);
	redis_ask_add(&slow, "GET b");
	redis_ask_start(&slow, &world);
	redis_ask_wait(&late, &world);
	assert_int_equal(late.result, ERR_TIMEOUT);
	assert_true(late.is_sent);
	assert_true(redis_conn_is_up(world.conn)); /* one time-out breaks nothing else */
	assert_int_equal(slow.dones, 0);
	redis_ask_wait(&slow, &world);
	assert_int_equal(slow.result, ERR_BROKEN);
	assert_non_null(strstr(redis_conn_failure(world.conn), "answer"));
	redis_world_wait_up(&world);
	redis_ask_run(&slow, &world, "GET c");
	assert_string_equal(slow.texts[0], "GET c");
}

static void a_quiet_connection_is_asked_whether_it_lives(void **state)
{
	struct redis_conn_options options = patient_redis;

	(void)state;
	options.ping_ms = options.silence_ms = 50;
	connect_with(serve_freeze, "", &options);
	while (redis_conn_connection(world.conn) < 2)
		reactor_uv_turn(world.loop);
	assert_int_equal(atomic_load(&server->seen), 1); /* the PING */
	redis_world_turn_for(&world, 300);		 /* the next answers its PINGs, and stays */
	assert_int_equal(redis_conn_connection(world.conn), 2);
	assert_true(atomic_load(&server->requests) > 2 * 2 + 2);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(calls_are_answered_in_order),
		WITH_WORLD(calls_of_one_turn_leave_in_one_write),
		WITH_WORLD(it_says_who_it_is_before_anything_else),
		WITH_WORLD(refused_greetings_are_tried_again),
		WITH_WORLD(nobody_listens),
		WITH_WORLD(names_that_nobody_knows),
		WITH_WORLD(greetings_have_a_deadline),
		WITH_WORLD(a_reset_inside_an_answer_ends_what_waits),
		WITH_WORLD(a_server_that_became_a_replica_is_left),
		WITH_WORLD(unasked_answers_end_the_connection),
		WITH_WORLD(a_frozen_server_is_left_after_a_while),
		WITH_WORLD(a_quiet_connection_is_asked_whether_it_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
