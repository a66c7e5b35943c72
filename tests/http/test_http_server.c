/* Requests and whole answers, over real sockets: what is taken, what is answered, what ends. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "fakes/raw_client.h"

static const char get[] = "GET /v1/models?limit=2 HTTP/1.1\r\nHost: a\r\n\r\n";

/* Says what arrived: method path query body. */
static void echo(struct request *request)
{
	static const char *const headers[] = { "Content-Type: text/plain", "X-Extra:  two words",
					       "no header", NULL };
	struct buf body;

	buf_init(&body, 1 << 20);
	assert_int_equal(buf_printf(&body, "<%s|%s|%s|%zu|%.20s>", request->method, request->path,
				    request->query, request->body.len, buf_str(&request->body)),
			 OK);
	reply_send(request, 200, headers, &body);
	assert_true(reply_is_begun(request));
	assert_null(body.data);
}

static void whole_answers_on_one_connection(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = echo;
	raw_connect(&client, &served);
	raw_send(&client, get);
	raw_expect(&client, "<GET|/v1/models|limit=2|0|>");
	assert_true(raw_has(&client, "HTTP/1.1 200 OK\r\n"));
	assert_true(raw_has(&client, "Content-Length: 27\r\n"));
	assert_true(raw_has(&client, "X-Extra: two words\r\n"));
	assert_true(raw_has(&client, "X-Request-Id: "));
	assert_false(raw_has(&client, "no header"));
	raw_forget(&client);
	raw_send(&client, "POST /a%2Fb HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
	raw_expect(&client, "<POST|/a%2Fb||5|hello>");
	raw_send(&client, "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "<PROPFIND|/||0|>");
	raw_send(&client, "GET http://b:80/v1?x=?y HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "<GET|/v1|x=?y|0|>");
	raw_send(&client, "GET http://b?x=/y HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "<GET|/|x=/y|0|>");
	assert_int_equal(http_server_connections(served.server), 1);
	served_wait(&served, &served.closed, 5);
	raw_close(&client);
	served_end(&served);
}

/* Several in one packet: answered in their order, however late each answer is. */
static void pipelined_requests_keep_their_order(void **state)
{
	struct served served;
	struct raw_client client;
	struct buf body;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	raw_connect(&client, &served);
	raw_send(&client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
			  "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
	for (size_t i = 1; i <= 3; i++) {
		served_wait(&served, &served.requests, i);
		assert_int_equal(served.requests, i); /* one at a time */
		assert_int_equal(served.last->path[1], '0' + (int)i);
		buf_init(&body, 100);
		assert_int_equal(buf_printf(&body, "answer %zu.", i), OK);
		reply_send(served.last, 200, NULL, &body);
	}
	raw_expect(&client, "answer 3.");
	assert_true(strstr(client.got.data, "answer 1.") < strstr(client.got.data, "answer 2."));
	assert_true(strstr(client.got.data, "answer 2.") < strstr(client.got.data, "answer 3."));
	raw_close(&client);
	served_end(&served);
}

struct seen {
	char text[512];
};

static void see_header(void *context, const char *name, const char *value)
{
	struct seen *seen = context;
	size_t len = strlen(seen->text);

	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s=%s;", name, value);
}

static void headers_are_readable_while_the_request_is_held(void **state)
{
	struct served served;
	struct raw_client client;
	struct seen seen = { "" };

	(void)state;
	served_start(&served, &served_defaults, NULL);
	raw_connect(&client, &served);
	raw_send(&client, "GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-one: 2\r\nEmpty:\r\n\r\n");
	served_wait(&served, &served.requests, 1);
	served_turn(&served);
	assert_string_equal(request_header(served.last, "X-ONE"), "1");
	assert_null(request_header(served.last, "X-Two"));
	request_each_header(served.last, see_header, &seen);
	assert_string_equal(seen.text, "Host=a;X-One=1;x-one=2;Empty=;");
	assert_int_equal(strlen(served.last->id), 32);
	reply_send(served.last, 204, NULL, NULL);
	raw_expect(&client, "HTTP/1.1 204 No Content\r\n");
	raw_close(&client);
	served_end(&served);
}

static void body_comes_whole_however_it_is_sent(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n";
	struct served served;
	struct raw_client client;
	char *body = mem_alloc(300000);

	(void)state;
	memset(body, 'b', 300000);
	served_start(&served, &served_defaults, NULL);
	served.on_request = echo;
	raw_connect(&client, &served);
	raw_send(&client, head);
	raw_send_bytes(&client, body, 300000);
	raw_expect(&client, "|300000|bbbb");
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "3\r\nabc\r\n");
	raw_send(&client, "A;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n");
	raw_expect(&client, "|13|abc0123456789>");
	mem_free(body);
	raw_close(&client);
	served_end(&served);
}

/* The handler may take the body's memory, and the buffer is then empty. */
static void steal(struct request *request)
{
	char *body = buf_steal(&request->body);

	assert_string_equal(body, "mine");
	mem_free(body);
	reply_send(request, 200, NULL, &request->body);
}

static void body_may_be_stolen(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = steal;
	raw_connect(&client, &served);
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nmine");
	raw_expect(&client, "Content-Length: 0\r\n");
	raw_close(&client);
	served_end(&served);
}

static void answer_bare(struct request *request)
{
	static const char *const headers[] = { "X-Of: backend", NULL };
	int status = strcmp(request->path, "/304") == 0 ? 304 : 200;
	int64_t length_bytes = strcmp(request->path, "/unknown") == 0 ? -1 : 70000;

	reply_send_bare(request, status, headers, length_bytes);
}

static void a_bare_answer_says_what_the_body_would_have(void **state)
{
	static const struct {
		const char *first_line, *expected;
	} rows[] = {
		{ "HEAD /known", "Content-Length: 70000\r\n" },
		{ "HEAD /unknown", "Transfer-Encoding: chunked\r\n" },
		{ "HEAD /304", "Content-Length: 70000\r\n" },
		{ "GET /304", "Content-Length: 70000\r\n" },
	};
	struct served served;
	struct raw_client client;
	char text[128];

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = answer_bare;
	raw_connect(&client, &served); /* one connection: a body would be the next one's answer */
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: a\r\n\r\n",
			       rows[i].first_line);
		raw_send(&client, text);
		raw_expect(&client, "\r\n\r\n");
		assert_true(raw_has(&client, rows[i].expected));
		assert_true(raw_has(&client, "X-Of: backend\r\n"));
		assert_int_equal(strncmp(client.got.data, "HTTP/1.1 ", 9), 0);
		assert_string_equal(client.got.data + client.got.len - 4, "\r\n\r\n");
		raw_forget(&client);
	}
	raw_close(&client);
	served_end(&served);
}

static void slow_and_idle_connections_are_closed(void **state)
{
	static const char *const starts[] = {
		"",
		"GET / HTT",
		"GET / HTTP/1.1\r\nHost: a\r\nX-Sl",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nslow",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsl",
	};
	struct http_server_options options = served_defaults;
	struct served served;
	struct raw_client client;

	(void)state;
	options.header_ms = 60;
	options.idle_ms = 60;
	served_start(&served, &options, NULL);
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		raw_connect(&client, &served);
		raw_send(&client, starts[i]);
		raw_expect_end(&client);
		raw_close(&client);
	}
	assert_int_equal(served.requests, 0);
	served.on_request = echo;
	raw_connect(&client, &served);
	raw_send(&client, get);
	raw_expect(&client, "<GET|");
	raw_expect_end(&client); /* idle */
	raw_close(&client);
	served_end(&served);
}

/* A held request may be held much longer than headers may take. */
static void held_request_has_no_time_out(void **state)
{
	struct http_server_options options = served_defaults;
	struct served served;
	struct raw_client held;
	struct raw_client slow;
	struct buf body;

	(void)state;
	options.header_ms = options.idle_ms = options.stuck_ms = 40;
	served_start(&served, &options, NULL);
	raw_connect(&held, &served);
	raw_send(&held, get);
	served_wait(&served, &served.requests, 1);
	raw_connect(&slow, &served);
	for (int i = 0; i < 3; i++) {
		raw_expect_end(&slow);
		raw_close(&slow);
		raw_connect(&slow, &served);
	}
	buf_init(&body, 10);
	assert_int_equal(buf_append_str(&body, "late"), OK);
	reply_send(served.last, 200, NULL, &body);
	raw_expect(&held, "late");
	raw_close(&held);
	raw_close(&slow);
	served_end(&served);
}

static void http_1_0_and_close_end_the_connection(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = echo;
	raw_connect(&client, &served);
	raw_send(&client, "GET / HTTP/1.0\r\n\r\n");
	raw_expect(&client, "<GET|");
	raw_expect_end(&client);
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	raw_expect_end(&client);
	assert_true(raw_has(&client, "<GET|"));
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "\r\n\r\n");
	assert_false(raw_has(&client, "<HEAD"));
	raw_close(&client);
	served_end(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_answers_on_one_connection),
		cmocka_unit_test(pipelined_requests_keep_their_order),
		cmocka_unit_test(headers_are_readable_while_the_request_is_held),
		cmocka_unit_test(body_comes_whole_however_it_is_sent),
		cmocka_unit_test(body_may_be_stolen),
		cmocka_unit_test(a_bare_answer_says_what_the_body_would_have),
		cmocka_unit_test(slow_and_idle_connections_are_closed),
		cmocka_unit_test(held_request_has_no_time_out),
		cmocka_unit_test(http_1_0_and_close_end_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
