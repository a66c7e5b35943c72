/* Streams over real sockets: pause with bounded memory, cancel anywhere, resets, many at once. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "fakes/http_calls.h"

enum { CALLS = 200, STREAM_IDLE_MAX = 8, BIG_BYTES = 48 << 20 };

static void init(struct test_call *test, uint64_t total_ms)
{
	test_call_init(test, "/", total_ms);
	test->call.is_stream = true;
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Ten chunks; then, with the gate up, the end. */
static void serve_chunks(struct server_conn *conn)
{
	while (conn_read_request(conn)) {
		if (!conn_send(conn, STREAM_HEAD))
			return;
		for (int i = 0; i < 10; i++) {
			if (!conn_send(conn, "7\r\ndata: x\r\n"))
				return;
		}
		conn_wait_gate(conn, 1);
		if (!conn_send(conn, "0\r\n\r\n"))
			return;
	}
}

static void chunks_arrive_before_the_end_does(void **state)
{
	struct test_call test;

	(void)state;
	serve_with(serve_chunks, NULL);
	init(&test, 0);
	test_call_start(&test);
	while (test.got_bytes < 70)
		reactor_uv_turn(loop);
	assert_int_equal(test.dones, 0);
	assert_int_equal(http_client_open(client), 1);
	/* Nothing to do: the loop sleeps. */
	assert_in_range(turn_for(100), 1, 10);
	atomic_store(&server->gate, 1);
	test_call_wait(&test);
	assert_int_equal(test.result, OK);
	assert_int_equal(test.got_bytes, 70);
	test_call_release(&test);
}

static void serve_big(struct server_conn *conn)
{
	static const char block[65536] = "block";
	char head[100];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
		       BIG_BYTES);
	if (!conn_read_request(conn) || !conn_send(conn, head))
		return;
	for (size_t sent = 0; sent < BIG_BYTES; sent += sizeof(block)) {
		if (!conn_send_bytes(conn, block, sizeof(block)))
			return;
	}
}

static void a_paused_stream_stops_its_source_and_loses_nothing(void **state)
{
	size_t before;

	(void)state;
	for (int is_stream = 0; is_stream <= 1; is_stream++) {
		struct test_call test;

		serve_with(serve_big, NULL);
		init(&test, 0);
		test.call.is_stream = is_stream == 1;
		test.keeps_body = false;
		test.on_data_do = CALL_PAUSE;
		test.on_data_at_bytes = 1000;
		test_call_start(&test);
		while (!test.call.stream.is_paused)
			reactor_uv_turn(loop);
		before = test.got_bytes;
		(void)turn_for(150);
		assert_int_equal(test.got_bytes, before);
		/* The rest waits in the server, not in us. */
		assert_true(atomic_load(&server->sent_bytes) < BIG_BYTES / 2);
		/* Now and then again. */
		for (size_t at = 1 << 20; at < BIG_BYTES; at += 5 << 20) {
			test.on_data_do = at % 3 == 0 ? CALL_PAUSE_AND_RESUME : CALL_PAUSE;
			test.on_data_at_bytes = at;
			test_call_resume(&test);
			while (test.got_bytes < at)
				reactor_uv_turn(loop);
		}
		test_call_resume(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, OK);
		assert_int_equal(test.got_bytes, BIG_BYTES);
		test_call_release(&test);
	}
}

static void serve_two_and_close(struct server_conn *conn)
{
	if (conn_read_request(conn))
		(void)conn_send(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab");
}

static void the_end_of_a_paused_stream_waits(void **state)
{
	(void)state;
	serve_with(serve_two_and_close, NULL);
	for (int cancels = 0; cancels <= 1; cancels++) {
		for (int on_head = 0; on_head <= 1; on_head++) {
			struct test_call test;

			init(&test, 0);
			if (on_head)
				test.on_head_do = CALL_PAUSE;
			else
				test.on_data_do = CALL_PAUSE;
			test_call_start(&test);
			while (!test.call.stream.is_paused)
				reactor_uv_turn(loop);
			(void)turn_for(30);
			assert_int_equal(test.dones, 0);
			assert_int_equal(test.got_bytes, on_head ? 0 : 2);
			if (cancels)
				test_call_do(&test, CALL_CANCEL);
			else
				test_call_resume(&test);
			test_call_wait(&test);
			assert_int_equal(test.result, cancels ? ERR_CANCELED : OK);
			assert_int_equal(test.got_bytes, on_head && cancels ? 0 : 2);
			test_call_release(&test);
		}
	}
}

/* Never ends by itself; counts the clients that left. */
static void serve_for_ever(struct server_conn *conn)
{
	if (!conn_read_request(conn) || !conn_send(conn, STREAM_HEAD))
		return;
	(void)conn_send(conn, "5\r\nhello\r\n");
	conn_wait_close(conn);
	atomic_fetch_add(&conn->server->seen, 1);
}

static void cancelled_in_on_head_in_on_data_and_after_each_turn(void **state)
{
	unsigned calls = 0;

	(void)state;
	serve_with(serve_for_ever, NULL);
	for (int is_stream = 0; is_stream <= 1; is_stream++) {
		for (unsigned turns = 0; turns < 12; turns++) {
			struct test_call test;

			init(&test, 0);
			test.call.is_stream = is_stream == 1;
			if (turns == 10)
				test.on_head_do = CALL_CANCEL;
			if (turns == 11)
				test.on_data_do = CALL_CANCEL;
			test_call_start(&test);
			for (unsigned i = 0; turns < 10 && i < turns && test.got_bytes == 0; i++)
				reactor_uv_turn(loop);
			if (turns < 10)
				test_call_do(&test, CALL_CANCEL);
			test_call_wait(&test);
			assert_int_equal(test.result, ERR_CANCELED);
			assert_int_equal(test.got_bytes, turns == 11 || test.got_bytes > 0 ? 5 : 0);
			assert_true(turns < 10 || test.heads == 1);
			calls++;
			test_call_release(&test);
		}
	}
	assert_int_equal(calls, 24);
	assert_int_equal(http_client_open(client), 0);
	/* Each connection was closed at once: no server thread waits. */
	while (atomic_load(&server->open) > 0)
		(void)turn_for(1);
	assert_in_range(atomic_load(&server->seen), 4, calls);
}

static void cancelled_before_the_start(void **state)
{
	struct test_call test;

	(void)state;
	serve_with(serve_for_ever, NULL);
	init(&test, 0);
	test_call_do(&test, CALL_CANCEL);
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(test.result, ERR_CANCELED);
	assert_int_equal(atomic_load(&server->accepted), 0);
	test_call_release(&test);
}

static struct test_call victim;
static struct test_call heir;

static void cancel_one_and_start_another(struct test_call *test)
{
	if (test->got_bytes > 5 || heir.url[0] != '\0')
		return;
	op_cancel(&victim.call.stream.op, ERR_CONFLICT);
	init(&heir, 0);
	heir.on_data_do = CALL_CANCEL;
	test_call_start(&heir);
}

/* Same shard or not: libcurl is on the stack. */
static void a_callback_may_cancel_and_start_others(void **state)
{
	(void)state;
	serve_with(serve_for_ever, NULL);
	for (unsigned skip = 0; skip < TEST_SHARDS; skip++) {
		struct test_call test;

		memset(&heir, 0, sizeof(heir));
		init(&victim, 0);
		test_call_start(&victim);
		while (victim.got_bytes == 0)
			reactor_uv_turn(loop);
		for (unsigned i = 0; i < skip; i++) {
			init(&test, 0);
			test.on_data_do = CALL_CANCEL;
			test_call_start(&test);
			test_call_wait(&test);
			test_call_release(&test);
		}
		init(&test, 0);
		test.on_data = cancel_one_and_start_another;
		test_call_start(&test);
		test_call_wait(&victim);
		assert_int_equal(victim.result, ERR_CONFLICT);
		while (heir.url[0] == '\0' || heir.dones == 0)
			reactor_uv_turn(loop);
		test_call_do(&test, CALL_CANCEL);
		test_call_wait(&test);
		test_call_release(&test);
		test_call_release(&victim);
		test_call_release(&heir);
	}
}

static void serve_and_reset(struct server_conn *conn)
{
	static const char *const before[] = {
		"",
		"HTTP/1.1 200 OK\r\nContent-",
		STREAM_HEAD "5\r\nhello\r\n",
		STREAM_HEAD "5\r\nhel",
	};

	if (!conn_read_request(conn) || !conn_send(conn, before[conn->number]))
		return;
	if (conn->number >= 2)
		conn_wait_gate(conn, conn->number); /* what was sent has arrived */
	conn_reset(conn);
}

static void resets_at_every_stage_are_broken(void **state)
{
	static const size_t expected_bytes[] = { 0, 0, 5, 3 };

	(void)state;
	serve_with(serve_and_reset, NULL);
	for (unsigned i = 0; i < COUNT_OF(expected_bytes); i++) {
		struct test_call test;

		init(&test, 0);
		test_call_start(&test);
		while (test.got_bytes < expected_bytes[i])
			reactor_uv_turn(loop);
		atomic_store(&server->gate, i);
		test_call_wait(&test);
		assert_int_equal(test.result, ERR_BROKEN);
		assert_int_equal(test.got_bytes, expected_bytes[i]);
		assert_true(test.call.is_sent);
		test_call_release(&test);
	}
	assert_int_equal(atomic_load(&server->accepted), COUNT_OF(expected_bytes));
}

static void many_at_once_and_few_connections_kept(void **state)
{
	static struct test_call tests[CALLS];

	(void)state;
	serve_with(serve_chunks, NULL);
	for (int is_stream = 0; is_stream <= 1; is_stream++) {
		atomic_store(&server->gate, 0);
		for (size_t i = 0; i < CALLS; i++) {
			init(&tests[i], 60000);
			tests[i].call.is_stream = is_stream == 1;
			tests[i].call.idle_ms = 60000;
			test_call_start(&tests[i]);
		}
		assert_int_equal(http_client_open(client), CALLS);
		for (size_t i = 0; i < CALLS; i++) {
			while (tests[i].got_bytes < 70)
				reactor_uv_turn(loop);
		}
		atomic_store(&server->gate, 1);
		for (size_t i = 0; i < CALLS; i++) {
			test_call_wait(&tests[i]);
			assert_int_equal(tests[i].result, OK);
			assert_string_equal(tests[i].got.data + 63, "data: x");
			test_call_release(&tests[i]);
		}
		if (is_stream == 0)
			assert_int_equal(atomic_load(&server->open), CALLS); /* all kept */
	}
	/* Streams keep a few per shard. */
	while (atomic_load(&server->open) > CALLS + TEST_SHARDS * STREAM_IDLE_MAX)
		(void)turn_for(1);
	assert_int_equal(atomic_load(&server->accepted), 2 * CALLS);
	for (size_t i = 0; i < 20; i++) {
		init(&tests[i], 0);
		tests[i].call.is_stream = i % 2 == 0;
		test_call_start(&tests[i]);
		test_call_wait(&tests[i]);
		assert_int_equal(tests[i].result, OK);
		test_call_release(&tests[i]);
	}
	assert_int_equal(atomic_load(&server->accepted), 2 * CALLS); /* no new one */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_CLIENT(chunks_arrive_before_the_end_does),
		WITH_CLIENT(a_paused_stream_stops_its_source_and_loses_nothing),
		WITH_CLIENT(the_end_of_a_paused_stream_waits),
		WITH_CLIENT(cancelled_in_on_head_in_on_data_and_after_each_turn),
		WITH_CLIENT(cancelled_before_the_start),
		WITH_CLIENT(a_callback_may_cancel_and_start_others),
		WITH_CLIENT(resets_at_every_stage_are_broken),
		WITH_CLIENT(many_at_once_and_few_connections_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
