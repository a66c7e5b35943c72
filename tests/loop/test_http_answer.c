/* Answers of every shape, and headers without end. */
#include "check.h"
#include <string.h>
#include "fakes/http_calls.h"

static void init(struct test_call *test, const char *path)
{
	test_call_init(test, path, 20000);
}

static void serve_text(struct server_conn *conn)
{
	while (conn_read_request(conn)) {
		if (!conn_send(conn, conn->server->user))
			return;
		if (strstr(conn->server->user, "close") != NULL)
			return;
	}
}

static void answers_of_every_shape(void **state)
{
	static const struct {
		const char *answer;
		enum err result;
		int status;
		const char *head;
		const char *body;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n\r\nhi", OK, 200,
		  "A: 1\r\nContent-Length: 2\r\n", "hi" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "2\r\nhi\r\n3\r\n you\r\n0\r\n"
		  "X-Trailer: t\r\n\r\n",
		  ERR_BROKEN, 200, "Transfer-Encoding: chunked\r\n", NULL },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "2\r\nhi\r\n4\r\n you\r\n0\r\n"
		  "X-Trailer: t\r\n\r\n",
		  OK, 200, "Transfer-Encoding: chunked\r\n", "hi you" },
		{ "HTTP/1.1 200\r\nConnection: close\r\n\r\nto the end", OK, 200,
		  "Connection: close\r\n", "to the end" },
		{ "HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", OK, 404,
		  "Content-Length: 4\r\n", "none" },
		{ "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", OK,
		  302, "Location: /elsewhere\r\nContent-Length: 0\r\n", "" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", OK, 204, "", "" },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b!",
		  OK, 200, "Content-Encoding: gzip\r\nContent-Length: 3\r\n", "\x1f\x8b!" },
		{ "HTTP/1.1 100 Continue\r\nX: no\r\n\r\n"
		  "HTTP/1.1 103 Early Hints\r\nLink: no\r\n\r\n"
		  "HTTP/1.1 503 Busy\r\nRetry-After:  7 \r\nContent-Length: 1\r\n\r\n-",
		  OK, 503, "Retry-After:  7 \r\nContent-Length: 1\r\n", "-" },
		{ "HTTP/1.1 200 OK\r\nX-Long: a\r\n \t b\r\nContent-Length: 0\r\n\r\n", OK, 200,
		  "X-Long: a b\r\nContent-Length: 0\r\n", "" },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nshort",
		  ERR_BROKEN, 200, "Connection: close\r\nContent-Length: 9\r\n", "short" },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\nX: y\r\n", ERR_BROKEN, 200, NULL, "" },
		{ "this is not HTTP, close", ERR_BROKEN, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct test_call test;

		serve_with(serve_text, (void *)(uintptr_t)rows[i].answer);
		init(&test, "/");
		test_call_start(&test);
		test_call_wait(&test);
		assert_int_equal(test.result, rows[i].result);
		assert_int_equal(test.status, rows[i].status);
		assert_true((test.result == OK) == (test.failure == NULL));
		if (rows[i].head != NULL)
			assert_string_equal(test.head, rows[i].head);
		if (rows[i].body != NULL)
			assert_string_equal(buf_str(&test.got), rows[i].body);
		test_call_release(&test);
	}
}

static void see_header(struct test_call *test)
{
	struct slice value = http_call_header(&test->call, "retry-after");

	assert_int_equal(value.len, 1);
	assert_memory_equal(value.data, "7", 1);
	assert_null(http_call_header(&test->call, "retry").data);
	assert_null(http_call_header(&test->call, "absent").data);
	assert_int_equal(http_call_header(&test->call, "X-EMPTY").len, 0);
	assert_non_null(http_call_header(&test->call, "X-EMPTY").data);
}

static void headers_are_found_by_name(void **state)
{
	static char answer[] = "HTTP/1.1 429 Wait\r\nX-Empty:\r\nRetry-After: 7\r\n"
			       "retry-after: 8\r\nContent-Length: 0\r\n\r\n";
	struct test_call test;

	(void)state;
	serve_with(serve_text, answer);
	init(&test, "/");
	test.on_head = see_header;
	test_call_start(&test);
	test_call_wait(&test);
	assert_int_equal(test.heads, 1);
	test_call_release(&test);
}

static void serve_endless_headers(struct server_conn *conn)
{
	static const char line[] = "X-Again: 0123456789012345678901234567890123456789\r\n";
	bool is_one_line = *(const bool *)conn->server->user;

	if (!conn_read_request(conn) || !conn_send(conn, "HTTP/1.1 200 OK\r\nX-Start: "))
		return;
	while (conn_send_bytes(conn, line, is_one_line ? 40 : sizeof(line) - 1))
		;
}

static void endless_headers_are_cut_off(void **state)
{
	(void)state;
	for (int is_stream = 0; is_stream <= 1; is_stream++) {
		for (int i = 0; i <= 1; i++) {
			bool is_one_line = i == 1;
			struct test_call test;

			serve_with(serve_endless_headers, &is_one_line);
			init(&test, "/");
			test.call.is_stream = is_stream == 1;
			test_call_start(&test);
			test_call_wait(&test);
			assert_int_equal(test.result, ERR_TOO_LARGE);
			assert_int_equal(test.heads, 0);
			assert_non_null(test.failure);
			test_call_release(&test);
			raw_server_stop(server); /* its thread has seen the close */
			server = NULL;
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_CLIENT(answers_of_every_shape),
		WITH_CLIENT(headers_are_found_by_name),
		WITH_CLIENT(endless_headers_are_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
