/* Calls over real sockets against servers whose every byte is chosen: requests
 * as they are sent, kept connections, what cannot be. */
#include "base/mem.h"
#include "check.h"
#include "fakes/http_calls.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void init(struct test_call *test, const char *path)
{
	test_call_init(test, path, 20000);
}

/* Says what it was sent. */
static void serve_echo(struct server_conn *conn)
{
	while (conn_read_request(conn)) {
		size_t head_len = strlen(conn->head);
		char *echo = malloc(head_len + conn->body_len);
		bool is_head = strncmp(conn->head, "HEAD ", 5) == 0;
		bool ok;

		if (echo == NULL)
			return;
		memcpy(echo, conn->head, head_len);
		memcpy(echo + head_len, conn->body, conn->body_len);
		ok = is_head ? conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
			     : conn_answer(conn, "200 OK", echo, head_len + conn->body_len);
		free(echo);
		if (!ok)
			return;
	}
}

static void set_body(struct test_call *test, const char *const parts[HTTP_BODY_PARTS_MAX])
{
	for (size_t i = 0; i < HTTP_BODY_PARTS_MAX; i++)
		test->call.body[i] =
			(struct slice){ parts[i], parts[i] == NULL ? 0 : strlen(parts[i]) };
}

static void see_body_is_taken(struct test_call *test)
{
	assert_true(test->call.is_body_taken);
	memset(test->call.body, 0xAA, sizeof(test->call.body));
}

static const struct {
	const char *method;
	const char *parts[HTTP_BODY_PARTS_MAX];
	const char *headers[5];
	const char *expected; /* the whole request, behind the Host and agent lines */
	const char *start;
} request_rows[] = {
	{ "GET", { 0 }, { 0 }, "\r\n", "GET /a/../b%2F?x=1 HTTP/1.1\r\n" },
	{ "POST",
	  { "{\"a\":", "1", "}" },
	  { "Content-Type: application/json", NULL },
	  "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	  "POST /a/../b%2F?x=1 HTTP/1.1\r\n" },
	{ "POST",
	  { "all in one" },
	  { "X-Empty:", "Expect: 100-continue", NULL },
	  "X-Empty:\r\nContent-Length: 10\r\n\r\nall in one",
	  "POST " },
	{ "POST",
	  { 0 },
	  { "Content-Length: 5", "Transfer-Encoding: chunked", NULL },
	  "Content-Length: 0\r\n\r\n",
	  "POST " },
	{ "PUT",
	  { NULL, "x" },
	  { "Accept: text/*", NULL },
	  "Accept: text/*\r\nContent-Length: 1\r\n\r\nx",
	  "PUT " },
	{ "PATCH", { 0 }, { 0 }, "Content-Length: 0\r\n\r\n", "PATCH " },
	{ "DELETE",
	  { 0 },
	  { "Authorization: Bearer k", NULL },
	  "Authorization: Bearer k\r\n\r\n",
	  "DELETE " },
	{ "OPTIONS", { 0 }, { 0 }, "\r\n", "OPTIONS " },
};

static void requests_say_what_the_caller_said(void **state)
{
	struct test_call test;

	(void)state;
	serve_with(serve_echo, NULL);
	for (size_t i = 0; i < COUNT_OF(request_rows); i++) {
		char *rest;

		init(&test, "/a/../b%2F?x=1");
		test.call.method = request_rows[i].method;
		test.call.headers = request_rows[i].headers;
		test.on_head = see_body_is_taken;
		set_body(&test, request_rows[i].parts);
		test_call_start(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, OK);
		assert_int_equal(test.status, 200);
		assert_int_equal(strncmp(test.got.data, request_rows[i].start,
					 strlen(request_rows[i].start)),
				 0);
		rest = strstr(test.got.data, "User-Agent: longhand-test\r\n");
		assert_non_null(rest);
		assert_string_equal(rest + strlen("User-Agent: longhand-test\r\n"),
				    request_rows[i].expected);
		test_call_release(&test);
	}
	/* One after the other on one connection, whatever the method before was. */
	assert_int_equal(atomic_load(&server->accepted), 1);
	init(&test, "/");
	test.call.method = "HEAD";
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(test.result, OK);
	assert_int_equal(test.got_bytes, 0);
	assert_string_equal(test.head, "Content-Length: 77\r\n");
	test_call_release(&test);
}

/* Larger than what is gathered, so that it is read part by part; over 1 MB,
 * where libcurl would have waited for a "100 Continue". */
static void large_bodies_go_in_parts_at_once(void **state)
{
	enum { PART = 700 * 1000 };
	static char parts[HTTP_BODY_PARTS_MAX][PART];
	struct test_call test;
	char *body;

	(void)state;
	serve_with(serve_echo, NULL);
	init(&test, "/");
	test.call.method = "POST";
	test.on_head = see_body_is_taken;
	for (size_t i = 0; i < HTTP_BODY_PARTS_MAX; i++) {
		for (size_t at = 0; at < PART; at++)
			parts[i][at] = (char)('a' + (at * (i + 3)) % 26);
		test.call.body[i] = (struct slice){ parts[i], PART };
	}
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(test.result, OK);
	body = strstr(test.got.data, "\r\n\r\n") + 4;
	assert_null(strstr(test.got.data, "Expect"));
	assert_int_equal(test.got.data + test.got.len - body, 3 * PART);
	for (size_t i = 0; i < HTTP_BODY_PARTS_MAX; i++)
		assert_memory_equal(body + i * PART, parts[i], PART);
	test_call_release(&test);
}

/* Answers as often as a connection's number says, then closes it without a
 * word, or with a reset once the next request is there. */
static void serve_short_lived(struct server_conn *conn)
{
	bool resets = *(const bool *)conn->server->user;

	if (!conn_read_request(conn) || !conn_answer(conn, "200 OK", conn->body, conn->body_len))
		return;
	if (resets && conn_read_request(conn))
		conn_reset(conn);
	atomic_fetch_add(&conn->server->seen, 1);
}

static void a_kept_connection_that_died_is_replaced_silently(void **state)
{
	static char large[200 * 1000];

	(void)state;
	memset(large, 'x', sizeof(large));
	for (int variant = 0; variant < 4; variant++) {
		bool resets = variant % 2 == 1;
		size_t len = variant < 2 ? 10 : sizeof(large);

		serve_with(serve_short_lived, &resets);
		for (unsigned n = 1; n <= 3; n++) {
			struct test_call test;

			init(&test, "/");
			test.call.method = "POST";
			test.call.body[0] = (struct slice){ large, len - 3 };
			test.call.body[2] = (struct slice){ "end", 3 };
			test_call_start(&test);
			test_call_wait(&test);
			assert_int_equal(test.result, OK);
			assert_int_equal(test.got.len, len);
			assert_memory_equal(test.got.data + len - 3, "end", 3);
			test_call_release(&test);
			while (!resets && atomic_load(&server->seen) < n)
				(void)turn_for(1);
		}
		assert_int_equal(atomic_load(&server->accepted), 3);
	}
}

static void serve_two_then_close(struct server_conn *conn)
{
	for (int n = 0; n < 2; n++)
		if (!conn_read_request(conn) || !conn_answer(conn, "200 OK", "x", 1))
			return;
	conn_wait_gate(conn, 1);
}

/* Its socket stays watched between the calls; its end, when no call is there, is nobody's and must
 * not keep the loop busy. */
static void an_idle_connection_is_watched_quietly(void **state)
{
	(void)state;
	serve_with(serve_two_then_close, NULL);
	for (unsigned n = 1; n <= 3; n++) {
		struct test_call test;

		init(&test, "/");
		test_call_start(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, OK);
		test_call_release(&test);
		if (n == 2)
			atomic_store(&server->gate, 1);
		while (n == 2 && atomic_load(&server->open) > 0)
			(void)turn_for(1);
		assert_in_range(turn_for(50), 1, 20);
		assert_int_equal(atomic_load(&server->accepted), n < 3 ? 1 : 2);
	}
}

static void serve_one_and_then_only_resets(struct server_conn *conn)
{
	if (!conn_read_request(conn))
		return;
	if (conn->number == 0 && conn_answer(conn, "200 OK", "x", 1) && !conn_read_request(conn))
		return;
	conn_reset(conn);
}

static void a_new_connection_that_dies_is_an_error(void **state)
{
	struct test_call test;

	(void)state;
	serve_with(serve_one_and_then_only_resets, NULL);
	for (int n = 0; n < 2; n++) {
		init(&test, "/");
		test_call_start(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, n == 0 ? OK : ERR_BROKEN);
		test_call_release(&test);
	}
	assert_true(test.call.is_sent);
	assert_int_equal(atomic_load(&server->requests), 3);
}

static void nobody_there(void **state)
{
	struct test_call test;

	(void)state;
	serve_with(serve_echo, NULL);
	init(&test, "/");
	raw_server_stop(server);
	server = NULL;
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(test.result, ERR_REFUSED);
	assert_false(test.call.is_sent);
	assert_true(test.call.connected_ms == 0);
	assert_non_null(test.failure);
	test_call_release(&test);
}

/* The backend has gone between two calls: its kept connection is dead, and no
 * new one comes. */
static void nobody_there_any_more(void **state)
{
	(void)state;
	serve_with(serve_echo, NULL);
	for (int n = 0; n < 2; n++) {
		struct test_call test;

		init(&test, "/");
		if (n == 1) {
			raw_server_stop(server);
			server = NULL;
		}
		test_call_start(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, n == 0 ? OK : ERR_REFUSED);
		test_call_release(&test);
	}
}

static void requests_that_cannot_be(void **state)
{
	static const struct {
		const char *url;
		const char *headers[2];
	} rows[] = {
		{ "file:///etc/passwd", { 0 } },
		{ "http://", { 0 } },
		{ "http://127.0.0.1:99999/", { 0 } },
		{ "http://127.0.0.1/", { "X: a\r\nInjected: b", NULL } },
		{ "http://127.0.0.1/", { "no colon", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct test_call test;

		init(&test, "/");
		test.call.url = rows[i].url;
		test.call.headers = rows[i].headers;
		test_call_start(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, ERR_INVALID);
		assert_false(test.call.is_sent);
		test_call_release(&test);
	}
}

static void a_proxy_in_the_environment_is_not_used(void **state)
{
	struct test_call test;

	(void)state;
	serve_with(serve_echo, NULL);
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	init(&test, "/");
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(test.result, OK);
	test_call_release(&test);
}

static void every_failing_allocation_is_an_end(void **state)
{
	struct test_call test;
	size_t oks = 0;

	(void)state;
	serve_with(serve_echo, NULL);
	for (size_t nth = 1; oks < 3; nth++) {
		init(&test, "/");
		test.call.method = "POST";
		test.call.is_stream = nth % 2 == 0;
		test.call.body[0] = (struct slice){ "body", 4 };
		test.keeps_body = false;
		mem_fail_at(nth);
		test_call_start(&test);
		test_call_wait(&test);
		mem_fail_at(0);
		assert_true(test.result == OK || test.result == ERR_NO_MEMORY);
		oks = test.result == OK ? oks + 1 : 0;
		assert_true(nth > 3 || oks == 0);
		test_call_release(&test);
	}
	assert_int_equal(http_client_open(client), 0);
}

static void a_client_that_cannot_be_made(void **state)
{
	static const struct http_client_options many = { .stream_shards = 1000000 };
	static const struct http_client_options few = { .stream_shards = 0 };
	struct http_client *other = NULL;

	(void)state;
	assert_int_equal(http_client_new(loop, &many, &other), ERR_TOO_LARGE);
	mem_fail_at(1);
	assert_int_equal(http_client_new(loop, &few, &other), ERR_NO_MEMORY);
	mem_fail_at(0);
	assert_null(other);
	http_client_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_CLIENT(requests_say_what_the_caller_said),
		WITH_CLIENT(large_bodies_go_in_parts_at_once),
		WITH_CLIENT(a_kept_connection_that_died_is_replaced_silently),
		WITH_CLIENT(an_idle_connection_is_watched_quietly),
		WITH_CLIENT(a_new_connection_that_dies_is_an_error),
		WITH_CLIENT(nobody_there),
		WITH_CLIENT(nobody_there_any_more),
		WITH_CLIENT(requests_that_cannot_be),
		WITH_CLIENT(a_proxy_in_the_environment_is_not_used),
		WITH_CLIENT(every_failing_allocation_is_an_end),
		WITH_CLIENT(a_client_that_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
