/* Requests that are not taken, over real sockets: who is told why, and that the connection ends. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/raw_client.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/* Says what arrived: method, path, query, body. */
static void echo(struct request *request)
{
	struct buf body;

	buf_init(&body, 1 << 20);
	assert_int_equal(buf_printf(&body, "<%s|%s|%s|%zu|%.20s>", request->method, request->path,
				    request->query, request->body.len, buf_str(&request->body)),
			 OK);
	reply_send(request, 200, NULL, &body);
}

static void continue_comes_before_the_body_and_refusal_instead_of_it(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = echo;
	raw_connect(&client, &served);
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
			  "Expect: 100-continue\r\n\r\n");
	raw_expect(&client, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(served.requests, 0);
	raw_send(&client, "ok");
	raw_expect(&client, "|2|ok>");
	raw_forget(&client);
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n"
			  "Expect: 100-continue\r\n\r\n");
	raw_expect(&client, "refused 0");
	assert_true(raw_has(&client, "HTTP/1.1 413 "));
	assert_false(raw_has(&client, "100 Continue"));
	raw_expect_end(&client);
	assert_int_equal(served.refused[HTTP_REFUSAL_TOO_LARGE], 1);
	assert_int_equal(served.requests, 1);
	raw_close(&client);
	served_end(&served);
}

/* Who asks before sending a body is told at once; who sends it can read why; who has none keeps
 * the connection. */
static void what_is_not_wanted_is_refused_at_its_headers(void **state)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nall here",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = echo;
	served.is_nothing_wanted = true;
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		raw_connect(&client, &served);
		raw_send(&client, heads[i]);
		raw_expect(&client, "refused 3");
		assert_int_equal(raw_count(&client, "HTTP/1.1 401 "), 1);
		assert_false(raw_has(&client, "100 Continue"));
		assert_true(raw_has(&client, "Connection: close\r\n"));
		raw_expect_end(&client);
		assert_int_equal(client.error, 0);
		assert_int_equal(served.refused[HTTP_REFUSAL_UNWANTED], i + 1);
		raw_close(&client);
	}
	assert_int_equal(served.requests, 0);
	raw_connect(&client, &served);
	for (size_t i = 0; i < 2; i++) {
		raw_send(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
		served_wait(&served, &served.requests, i + 1);
		raw_expect(&client, "|0|>");
		raw_forget(&client);
	}
	raw_close(&client);
	served_end(&served);
}

/* A client that is still sending must be able to read why it was refused: no reset may overtake
 * the answer. */
static void refusal_reaches_a_client_that_is_still_sending(void **state)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7a1200\r\n",
	};
	struct served served;
	struct raw_client client;
	char *body = mem_alloc(8000000);

	(void)state;
	memset(body, 'b', 8000000);
	served_start(&served, &served_defaults, NULL);
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		raw_connect(&client, &served);
		raw_send(&client, heads[i]);
		raw_send_bytes(&client, body, 8000000);
		assert_int_equal(client.error, 0);
		raw_expect(&client, "refused 0");
		assert_int_equal(raw_count(&client, "HTTP/1.1 413 "), 1);
		assert_true(raw_has(&client, "Connection: close\r\n"));
		raw_expect_end(&client);
		assert_int_equal(client.error, 0);
		assert_int_equal(served.refused[HTTP_REFUSAL_TOO_LARGE], i + 1);
		raw_close(&client);
	}
	assert_int_equal(served.requests, 0);
	mem_free(body);
	served_end(&served);
}

/* What two readers of one connection may understand differently. */
static void smuggling_shapes_are_refused(void **state)
{
	static const char *const shapes[] = {
		"Content-Length: 4\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nContent-Length: 4",
		"Content-Length: 4\r\nContent-Length: 5",
		"Content-Length: 4\r\nContent-Length: 4",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"Transfer-Encoding: identity",
		"Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding: xchunked",
		"Transfer-Encoding : chunked",
		"Content-Length : 4",
		"Content-Length: +4",
		"Content-Length: 4, 4",
		"Content-Length: 0x4",
		"Content-Length: ",
		"Content-Length: 99999999999999999999999999",
	};
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = echo;
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		raw_connect(&client, &served);
		raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\n");
		raw_send(&client, shapes[i]);
		raw_send(&client, "\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
		raw_expect_end(&client);
		if (!raw_has(&client, "HTTP/1.1 400 ") && !raw_has(&client, "HTTP/1.1 413 "))
			fail_msg("%s: %s", shapes[i], buf_str(&client.got));
		raw_close(&client);
	}
	raw_connect(&client, &served);
	raw_send(&client, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	raw_expect(&client, " 400 ");
	raw_close(&client);
	assert_int_equal(served.requests, 0);
	assert_true(served.refused[HTTP_REFUSAL_LENGTH_AND_CODING] > 8);
	served_end(&served);
}

/* libmicrohttpd's own answers: not in our shape, but answers; and nothing reaches the handler. */
static void nonsense_is_answered_or_closed(void **state)
{
	struct served served;
	struct raw_client client;
	char *header = mem_alloc(100001);

	(void)state;
	memset(header, 'h', 100000);
	served_start(&served, &served_defaults, NULL);
	raw_connect(&client, &served);
	raw_send(&client, "GET / HTTP/1.1\r\nHost: a\r\nX-Large: ");
	raw_send(&client, header);
	raw_expect(&client, "HTTP/1.1 431 ");
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client, "GET /");
	raw_send(&client, header);
	raw_expect(&client, " 414 ");
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client, "GET / HTTP/1.1\r\n\r\n"); /* no Host */
	raw_expect(&client, "HTTP/1.1 400 ");
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client, "\x16\x03\x01\x02\n\n"); /* somebody speaks TLS */
	raw_expect_end(&client);
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client,
		 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
	raw_expect(&client, "HTTP/1.1 400 ");
	raw_close(&client);
	assert_int_equal(served.requests, 0);
	/* What proxies and cookies make of a header is taken. */
	served.on_request = echo;
	header[20000] = '\0';
	raw_connect(&client, &served);
	raw_send(&client, "GET / HTTP/1.1\r\nHost: a\r\nX-Large: ");
	raw_send(&client, header);
	raw_send(&client, "\r\n\r\n");
	raw_expect(&client, "<GET|/||0|>");
	raw_close(&client);
	mem_free(header);
	served_end(&served);
}

static void connections_above_the_limit_are_told(void **state)
{
	struct http_server_options options = served_defaults;
	struct served served;
	struct raw_client inside[2];
	struct raw_client above;
	struct raw_client spare[64];

	(void)state;
	options.connections_max = 2;
	served_start(&served, &options, NULL);
	served.on_request = echo;
	for (size_t i = 0; i < COUNT_OF(inside); i++) {
		raw_connect(&inside[i], &served);
		raw_send(&inside[i], get);
		raw_expect(&inside[i], "<GET|");
	}
	raw_connect(&above, &served);
	raw_send(&above, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
	raw_expect(&above, "refused 1");
	assert_true(raw_has(&above, "HTTP/1.1 429 "));
	raw_expect_end(&above);
	raw_close(&above);
	/* With all spare ones taken, the next one is just closed. */
	for (size_t i = 0; i < COUNT_OF(spare); i++)
		raw_connect(&spare[i], &served);
	raw_connect(&above, &served);
	raw_expect_end(&above);
	assert_int_equal(above.got.len, 0);
	raw_close(&above);
	/* Room again: who waits on a spare one is served. */
	raw_close(&inside[0]);
	while (http_server_connections(served.server) > 1 + COUNT_OF(spare))
		served_turn(&served);
	raw_send(&spare[0], get);
	raw_expect(&spare[0], "<GET|");
	raw_send(&spare[1], get);
	raw_expect(&spare[1], "refused 1");
	raw_close(&inside[1]);
	for (size_t i = 0; i < COUNT_OF(spare); i++)
		raw_close(&spare[i]);
	served_end(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(continue_comes_before_the_body_and_refusal_instead_of_it),
		cmocka_unit_test(what_is_not_wanted_is_refused_at_its_headers),
		cmocka_unit_test(refusal_reaches_a_client_that_is_still_sending),
		cmocka_unit_test(smuggling_shapes_are_refused),
		cmocka_unit_test(nonsense_is_answered_or_closed),
		cmocka_unit_test(connections_above_the_limit_are_told),
	};

	mem_init();
	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
