/* The deadlines of a call: connection, first byte, silence, the whole. */
#include "check.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fakes/http_calls.h"

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Silent, or says a little and then nothing, or never stops. */
static void serve_slowly(struct server_conn *conn)
{
	if (!conn_read_request(conn) || strstr(conn->head, "/silent") != NULL) {
		conn_wait_close(conn);
		return;
	}
	if (!conn_send(conn, STREAM_HEAD "1\r\nx\r\n") || strstr(conn->head, "/stall") != NULL) {
		conn_wait_close(conn);
		return;
	}
	for (unsigned beat = 0; conn_send(conn, "1\r\nx\r\n"); beat++)
		conn_wait_gate(conn, beat); /* the test's timer is the clock */
}

struct beat {
	struct timer timer;
};

static void on_beat(struct timer *timer)
{
	atomic_fetch_add(&server->gate, 1);
	reactor->timer_start(reactor, timer, 20, on_beat);
}

static void each_deadline_ends_what_it_is_for(void **state)
{
	static const struct {
		const char *path;
		uint64_t first_byte_ms;
		uint64_t idle_ms;
		uint64_t total_ms;
		unsigned heads;
		const char *failure;
	} rows[] = {
		{ "/silent", 60, 50000, 50000, 0, "no answer in time" },
		{ "/silent", 50000, 10, 90, 0, "the whole answer was not there in time" },
		{ "/stall", 50000, 120, 50000, 1, "the answer stalled" },
		/* The server's thread may be kept from the processor for a while. */
		{ "/trickle", 10000, 1500, 2500, 1, "the whole answer was not there in time" },
	};
	struct test_call tests[COUNT_OF(rows)];
	struct beat beat = { .timer = { .fire = NULL } };

	(void)state;
	serve_with(serve_slowly, NULL);
	reactor->timer_start(reactor, &beat.timer, 20, on_beat);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		test_call_init(&tests[i], rows[i].path, rows[i].total_ms);
		tests[i].call.is_stream = true;
		tests[i].call.connect_ms = 20000;
		tests[i].call.first_byte_ms = rows[i].first_byte_ms;
		tests[i].call.idle_ms = rows[i].idle_ms;
		test_call_start(&tests[i]);
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		test_call_wait(&tests[i]);
		assert_int_equal(tests[i].result, ERR_TIMEOUT);
		assert_int_equal(tests[i].heads, rows[i].heads);
		assert_string_equal(tests[i].failure, rows[i].failure);
		test_call_release(&tests[i]);
	}
	reactor->timer_stop(reactor, &beat.timer);
}

/* While nobody reads, the backend's silence is not its fault. */
static void a_pause_is_not_idle_time(void **state)
{
	struct test_call paused;
	struct test_call stalled;

	(void)state;
	serve_with(serve_slowly, NULL);
	test_call_init(&paused, "/stall", 0);
	test_call_init(&stalled, "/stall", 0);
	paused.call.is_stream = stalled.call.is_stream = true;
	paused.call.idle_ms = 60;
	stalled.call.idle_ms = 200;
	paused.on_data_do = CALL_PAUSE;
	test_call_start(&paused);
	while (paused.got_bytes == 0)
		reactor_uv_turn(loop);
	test_call_start(&stalled);
	test_call_wait(&stalled);
	assert_int_equal(stalled.result, ERR_TIMEOUT);
	assert_int_equal(paused.dones, 0);
	assert_int_equal(http_client_open(client), 1); /* not ended and held, but still open */
	test_call_resume(&paused);
	test_call_wait(&paused);
	assert_int_equal(paused.result, ERR_TIMEOUT);
	assert_string_equal(paused.failure, "the answer stalled");
	test_call_release(&paused);
	test_call_release(&stalled);
}

/* A listener whose queue is full: connections hang. */
static void a_connection_that_never_comes(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fillers[4];
	struct test_call test;

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	for (size_t i = 0; i < COUNT_OF(fillers); i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, len);
	}
	test_call_init(&test, "/", 0);
	(void)snprintf(test.url, sizeof(test.url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
	test.call.connect_ms = 50;
	test.call.first_byte_ms = 60000;
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(test.result, ERR_TIMEOUT);
	assert_string_equal(test.failure, "no connection in time");
	assert_false(test.call.is_sent);
	test_call_release(&test);
	for (size_t i = 0; i < COUNT_OF(fillers); i++)
		close(fillers[i]);
	close(listener);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_CLIENT(each_deadline_ends_what_it_is_for),
		WITH_CLIENT(a_pause_is_not_idle_time),
		WITH_CLIENT(a_connection_that_never_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
