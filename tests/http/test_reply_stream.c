/* Streamed answers over real sockets: order, pauses, slow readers, ends and cuts. */
#include "check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/raw_client.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char get_1_0[] = "GET / HTTP/1.0\r\n\r\n";
static const char *const headers[] = { "Content-Type: text/event-stream", NULL };

static void write_text(struct request *request, const char *text)
{
	reply_stream_write(request, text, strlen(text));
}

static void start_stream(struct request *request)
{
	reply_stream_start(request, 200, headers);
}

static void open_stream(struct raw_client *client, struct served *served, const char *request)
{
	size_t requests = served->requests;

	raw_connect(client, served);
	raw_send(client, request);
	served_wait(served, &served->requests, requests + 1);
}

static void headers_leave_first_and_pauses_do_no_harm(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	open_stream(&client, &served, get);
	served_turn(&served);
	reply_stream_start(served.last, 200, headers);
	raw_expect(&client, "\r\n\r\n");
	assert_true(raw_has(&client, "Transfer-Encoding: chunked\r\n"));
	assert_true(raw_has(&client, "X-Request-Id: "));
	for (int i = 0; i < 3; i++) {
		raw_forget(&client);
		write_text(served.last, "data: x\n\n");
		raw_expect(&client, "9\r\ndata: x\n\n\r\n");
		for (int turn = 0; turn < 5; turn++)
			served_turn(&served);
		assert_string_equal(client.got.data, "9\r\ndata: x\n\n\r\n");
	}
	reply_stream_end(served.last);
	raw_expect(&client, "\r\n0\r\n\r\n");
	served_wait(&served, &served.closed, 1);
	assert_int_equal(served.gone, 0);
	/* The connection serves on. */
	served.on_request = start_stream;
	raw_forget(&client);
	raw_send(&client, get);
	raw_expect(&client, "200 OK");
	reply_stream_end(served.last);
	raw_expect(&client, "\r\n\r\n0\r\n\r\n");
	raw_close(&client);
	served_end(&served);
}

/* Answers at once, from inside on_request. */
static void stream_at_once(struct request *request)
{
	start_stream(request);
	write_text(request, "one ");
	write_text(request, "chunk");
	reply_stream_end(request);
	write_text(request, "never"); /* after the end */
}

static void writes_of_one_turn_are_one_chunk(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = stream_at_once;
	open_stream(&client, &served, get);
	raw_expect(&client, "9\r\none chunk\r\n0\r\n\r\n");
	assert_false(raw_has(&client, "never"));
	raw_close(&client);
	served_end(&served);
}

static void stream_nothing(struct request *request)
{
	reply_stream_start(request, 204, NULL);
	reply_stream_end(request);
}

static void streams_that_may_have_no_body_have_none(void **state)
{
	static const struct {
		request_fn on_request;
		const char *request;
		const char *status;
	} rows[] = {
		{ stream_at_once, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK" },
		{ stream_nothing, get, "204 No Content" },
		{ stream_nothing, get_1_0, "204 No Content" },
	};
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		served.on_request = rows[i].on_request;
		open_stream(&client, &served, rows[i].request);
		raw_expect(&client, "\r\n\r\n");
		assert_true(raw_has(&client, rows[i].status));
		served_wait(&served, &served.closed, i + 1);
		raw_read(&client, SIZE_MAX);
		assert_memory_equal(client.got.data + client.got.len - 4, "\r\n\r\n", 4);
		assert_false(raw_has(&client, "one chunk"));
		raw_close(&client);
	}
	served_end(&served);
}

static void http_1_0_gets_plain_bytes_until_the_end(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = start_stream;
	open_stream(&client, &served, get_1_0);
	raw_expect(&client, "\r\n\r\n");
	assert_false(raw_has(&client, "chunked"));
	write_text(served.last, "first ");
	raw_expect(&client, "first ");
	write_text(served.last, "second");
	reply_stream_end(served.last);
	raw_expect_end(&client);
	assert_int_equal(client.error, 0);
	assert_true(raw_has(&client, "\r\n\r\nfirst second"));
	raw_close(&client);
	served_end(&served);
}

/* The client must be able to tell a cut answer from a whole one. */
static void abort_is_seen_by_the_client(void **state)
{
	static const struct {
		const char *request;
		int error;
	} rows[] = { { get, 0 }, { get_1_0, ECONNRESET } };
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = start_stream;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		open_stream(&client, &served, rows[i].request);
		write_text(served.last, "half of it");
		raw_expect(&client, "half of it");
		reply_stream_abort(served.last);
		raw_expect_end(&client);
		assert_false(raw_has(&client, "\r\n0\r\n\r\n"));
		assert_int_equal(client.error, rows[i].error);
		raw_close(&client);
		served_wait(&served, &served.closed, i + 1);
	}
	assert_int_equal(served.gone, 0); /* it was us */
	served_end(&served);
}

/* What was queued before the cut still goes out. */
static void abort_comes_after_what_is_queued(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = start_stream;
	open_stream(&client, &served, get);
	write_text(served.last, "last words");
	reply_stream_abort(served.last);
	raw_expect_end(&client);
	assert_true(raw_has(&client, "last words\r\n"));
	assert_false(raw_has(&client, "\r\n0\r\n\r\n"));
	raw_close(&client);
	served_end(&served);
}

enum { LINE_BYTES = 1000, LINES = 20000 };

/* Writes numbered lines as far as the stream takes them. */
static size_t fill(struct request *request, size_t line)
{
	char text[LINE_BYTES + 1];

	for (; line < LINES && !reply_stream_is_full(request); line++) {
		(void)snprintf(text, sizeof(text), "%-*zu", LINE_BYTES - 1, line);
		text[LINE_BYTES - 1] = '\n';
		reply_stream_write(request, text, LINE_BYTES);
	}
	return line;
}

/* The data of a chunked body, in place. */
static size_t unchunk(char *data)
{
	char *to = data;
	char *from = strstr(data, "\r\n\r\n") + 4;
	size_t len;

	while ((len = strtoul(from, &from, 16)) > 0) {
		memmove(to, from + 2, len);
		to += len;
		from += 2 + len + 2;
	}
	return (size_t)(to - data);
}

static void slow_reader_holds_the_writer_and_loses_nothing(void **state)
{
	struct http_server_options options = served_defaults;
	struct served served;
	struct raw_client client;
	struct request *request;
	size_t line = 0;
	size_t drained = 0;
	size_t len;

	(void)state;
	options.stream_high_bytes = 64 << 10;
	options.stream_low_bytes = 16 << 10;
	served_start(&served, &options, NULL);
	served.on_request = start_stream;
	open_stream(&client, &served, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	request = served.last;
	while (line < LINES) {
		line = fill(request, line);
		assert_true(reply_stream_unsent(request) <=
			    options.stream_high_bytes + LINE_BYTES);
		while (line < LINES && served.drained == drained) {
			raw_read(&client, 100000);
			served_turn(&served);
		}
		drained = served.drained;
	}
	assert_true(drained > 20);
	reply_stream_end(request);
	raw_expect_end(&client);
	len = unchunk(client.got.data);
	assert_int_equal(len, (size_t)LINES * LINE_BYTES);
	for (size_t i = 0; i < LINES; i++)
		assert_int_equal(strtoul(client.got.data + i * LINE_BYTES, NULL, 10), i);
	raw_close(&client);
	served_end(&served);
}

static void stuck_client_counts_as_gone(void **state)
{
	static const struct {
		const char *address;
		const char *request;
	} rows[] = {
		{ NULL, get }, { NULL, get_1_0 }, { "unix:build/test_reply_stream.sock", get },
	};
	struct http_server_options options = served_defaults;
	struct served served;
	struct raw_client stuck;
	struct raw_client quiet;

	(void)state;
	options.stuck_ms = 80;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		served_start(&served, &options, rows[i].address);
		served.on_request = start_stream;
		open_stream(&quiet, &served, get); /* nothing to send is not stuck */
		open_stream(&stuck, &served, rows[i].request);
		while (served.closed == 0) {
			if (served.last != NULL)
				(void)fill(served.last, 0);
			served_turn(&served);
		}
		assert_int_equal(served.gone, 1);
		raw_expect(&quiet, "200 OK");
		assert_false(quiet.is_ended);
		raw_close(&stuck);
		raw_close(&quiet);
		served_end(&served);
	}
}

static void large_whole(struct request *request)
{
	struct buf body;
	char *data = mem_alloc(32 << 20);

	memset(data, 'w', 32 << 20);
	buf_init(&body, 64 << 20);
	assert_int_equal(buf_append(&body, data, 32 << 20), OK);
	mem_free(data);
	reply_send(request, 200, NULL, &body);
}

/* The same for a whole answer; while one that reads slowly gets it all. */
static void stuck_client_of_a_whole_answer(void **state)
{
	struct http_server_options options = served_defaults;
	struct served served;
	struct raw_client stuck;
	struct raw_client slow;

	(void)state;
	options.stuck_ms = 200;
	served_start(&served, &options, NULL);
	served.on_request = large_whole;
	open_stream(&stuck, &served, get);
	open_stream(&slow, &served, get);
	while (slow.got.len < (32 << 20)) {
		raw_read(&slow, 256 << 10);
		served_turn(&served);
		assert_false(slow.is_ended);
	}
	served_wait(&served, &served.closed, 2);
	assert_int_equal(served.gone, 1);
	raw_close(&slow);
	raw_close(&stuck);
	served_end(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_leave_first_and_pauses_do_no_harm),
		cmocka_unit_test(writes_of_one_turn_are_one_chunk),
		cmocka_unit_test(streams_that_may_have_no_body_have_none),
		cmocka_unit_test(http_1_0_gets_plain_bytes_until_the_end),
		cmocka_unit_test(abort_is_seen_by_the_client),
		cmocka_unit_test(abort_comes_after_what_is_queued),
		cmocka_unit_test(slow_reader_holds_the_writer_and_loses_nothing),
		cmocka_unit_test(stuck_client_counts_as_gone),
		cmocka_unit_test(stuck_client_of_a_whole_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
