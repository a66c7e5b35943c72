/* A client's request passed through to a backend whose every byte is chosen here. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/http_calls.h"
#include "model/forward.h"

enum { BIG_BYTES = 8 << 20 };

static struct backend_options options;
static struct backend backend;
static char url[64];

static struct forward_call call;
static struct buf got;
static size_t got_bytes;
static unsigned heads;
static unsigned dones;
static enum err result;
static enum call_action on_head_do;
static enum call_action on_data_do; /* once, then nothing */

static void act(enum call_action action)
{
	if (action == CALL_CANCEL)
		op_cancel(&call.stream.op, ERR_CANCELED);
	else if (action == CALL_PAUSE || action == CALL_PAUSE_AND_RESUME)
		stream_op_pause(&call.stream);
	if (action == CALL_PAUSE_AND_RESUME)
		stream_op_resume(&call.stream);
}

static void on_head(struct forward_call *forward)
{
	struct slice head = forward_head(forward);

	assert_int_equal(heads++, 0);
	assert_true(forward->status >= 200);
	assert_true(head.len > 0);
	act(on_head_do);
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	enum call_action action = on_data_do;

	assert_int_equal(heads, 1);
	assert_int_equal(dones, 0);
	assert_false(stream->is_paused);
	assert_int_equal(stream->op.canceled, OK);
	got_bytes += len;
	if (got_bytes <= 4096)
		assert_int_equal(buf_append(&got, data, len), OK);
	on_data_do = CALL_NOTHING;
	act(action);
}

static void on_done(struct op *op)
{
	result = op->result;
	dones++;
}

static const char got_bytes_room[8192]; /* for `got` to grow no more */

static int open_all(void **state)
{
	buf_init(&got, 1 << 20);
	assert_int_equal(buf_append(&got, got_bytes_room, sizeof(got_bytes_room)), OK);
	on_head_do = on_data_do = CALL_NOTHING;
	return open_client(state);
}

static int close_all(void **state)
{
	backend_release(&backend);
	buf_release(&got);
	return close_client(state);
}

static void open_backend(raw_serve_fn serve, const char *answer)
{
	serve_with(serve, (void *)(uintptr_t)answer);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/", server->port);
	options = (struct backend_options){ .name = "b",
					    .url = url,
					    .dialect = dialect_find("openai"),
					    .connect_ms = 5000,
					    .first_byte_ms = 5000,
					    .idle_ms = 5000,
					    .breaker_failures = 2,
					    .breaker_open_ms = 60000 };
	backend_release(&backend);
	assert_int_equal(backend_init(&backend, reactor, client, &options), OK);
}

static void start(const char *const *headers)
{
	buf_clear(&got);
	got_bytes = 0;
	heads = dones = 0;
	call = (struct forward_call){ .method = "POST",
				      .path_and_query = "/chat/completions?a=b",
				      .headers = headers,
				      .body = { { "{\"a\":", 5 }, { "1", 1 }, { "}", 1 } },
				      .is_stream = true,
				      .on_head = on_head };
	stream_op_prepare(&call.stream, reactor, 0, on_data, on_done);
	forward_start(&backend, &call);
	assert_int_equal(dones + heads, 0);
}

static void wait_done(void)
{
	while (dones == 0)
		reactor_uv_turn(loop);
	assert_int_equal(dones, 1);
	assert_int_equal(http_client_open(client), 0);
}

static void serve_text(struct server_conn *conn)
{
	if (conn_read_request(conn))
		(void)conn_send(conn, conn->server->user);
}

static void answers_come_back_as_they_are(void **state)
{
	static const struct {
		const char *answer;
		enum err result;
		int status;
		const char *got;
		unsigned failures;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", OK, 200, "ok", 0 },
		{ "HTTP/1.1 200 OK\r\nA: b\r\n\r\nuntil the end", OK, 200, "until the end", 0 },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", OK,
		  404, "no", 0 },
		{ "HTTP/1.1 204 None\r\nA: b\r\n\r\n", OK, 204, "", 0 },
		{ "HTTP/1.1 429 Slow\r\nContent-Length: 1\r\n\r\nx", OK, 429, "x", 0 },
		{ "HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx", OK, 500, "x", 1 },
		{ "HTTP/1.1 302 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", OK, 302, "",
		  0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", ERR_BROKEN, 200, "short",
		  1 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ERR_BROKEN,
		  200, "abc", 1 },
		{ "", ERR_BROKEN, 0, "", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		open_backend(serve_text, rows[i].answer);
		start(NULL);
		wait_done();
		assert_int_equal(result, rows[i].result);
		assert_int_equal(call.status, rows[i].status);
		assert_string_equal(buf_str(&got), rows[i].got);
		assert_int_equal(heads, rows[i].status > 0);
		assert_true(call.is_sent);
		assert_int_equal(backend.breaker.failures, rows[i].failures);
		if (result != OK)
			assert_non_null(strstr(call.message, "backend b: "));
	}
}

static char seen_head[2048];
static char seen_body[256];

static void serve_and_note(struct server_conn *conn)
{
	if (!conn_read_request(conn))
		return;
	(void)snprintf(seen_head, sizeof(seen_head), "%s", conn->head);
	(void)snprintf(seen_body, sizeof(seen_body), "%.*s", (int)conn->body_len, conn->body);
	(void)conn_answer(conn, "200 OK", "ok", 2);
}

static void the_clients_key_goes_on_unless_the_backend_has_its_own(void **state)
{
	static const char *const headers[] = { "Authorization: Bearer client", "X-A: 1", NULL };

	(void)state;
	for (int has_key = 0; has_key <= 1; has_key++) {
		open_backend(serve_and_note, NULL);
		backend_release(&backend);
		options.key = has_key ? "ours" : NULL;
		assert_int_equal(backend_init(&backend, reactor, client, &options), OK);
		start(headers);
		wait_done();
		assert_int_equal(result, OK);
		assert_non_null(strstr(seen_head, "POST /v1/chat/completions?a=b HTTP/1.1\r\n"));
		assert_non_null(strstr(seen_head, "X-A: 1\r\n"));
		assert_non_null(strstr(seen_head, has_key ? "Authorization: Bearer ours\r\n"
							  : "Authorization: Bearer client\r\n"));
		assert_null(strstr(seen_head, has_key ? "client" : "ours"));
		assert_string_equal(seen_body, "{\"a\":1}");
	}
}

static void serve_big(struct server_conn *conn)
{
	static const char block[65536] = "block";

	if (!conn_read_request(conn) || !conn_send(conn, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"))
		return;
	for (size_t sent = 0; sent < BIG_BYTES; sent += sizeof(block))
		if (!conn_send_bytes(conn, block, sizeof(block)))
			return;
}

static void a_pause_stops_the_source_and_loses_nothing(void **state)
{
	static const enum call_action actions[] = { CALL_PAUSE, CALL_PAUSE_AND_RESUME };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		for (int is_on_head = 0; is_on_head <= 1; is_on_head++) {
			size_t before;

			open_backend(serve_big, NULL);
			on_head_do = is_on_head ? actions[i] : CALL_NOTHING;
			on_data_do = is_on_head ? CALL_NOTHING : actions[i];
			start(NULL);
			while (heads == 0 || (!is_on_head && got_bytes == 0))
				reactor_uv_turn(loop);
			before = got_bytes;
			if (actions[i] == CALL_PAUSE) {
				(void)turn_for(50);
				assert_int_equal(got_bytes, before);
				assert_int_equal(dones, 0);
				stream_op_resume(&call.stream);
			}
			wait_done();
			assert_int_equal(result, OK);
			assert_int_equal(got_bytes, BIG_BYTES);
		}
	}
}

static void the_end_of_a_paused_answer_waits(void **state)
{
	(void)state;
	for (int cancels = 0; cancels <= 1; cancels++) {
		open_backend(serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		on_data_do = CALL_PAUSE;
		start(NULL);
		while (got_bytes == 0)
			reactor_uv_turn(loop);
		(void)turn_for(50); /* the source has ended meanwhile */
		assert_int_equal(dones, 0);
		if (cancels)
			op_cancel(&call.stream.op, ERR_CANCELED);
		else
			stream_op_resume(&call.stream);
		assert_int_equal(dones, 0);
		wait_done();
		assert_int_equal(result, cancels ? ERR_CANCELED : OK);
		assert_int_equal(got_bytes, 2);
	}
}

static void a_cancel_closes_the_backends_connection(void **state)
{
	(void)state;
	for (int where = 0; where <= 3; where++) {
		open_backend(serve_big, NULL);
		on_head_do = where == 2 ? CALL_CANCEL : CALL_NOTHING;
		on_data_do = where == 3 ? CALL_CANCEL : CALL_NOTHING;
		start(NULL);
		if (where == 1)
			reactor_uv_turn(loop);
		if (where <= 1)
			op_cancel(&call.stream.op, ERR_CANCELED);
		wait_done();
		assert_int_equal(result, ERR_CANCELED);
		assert_int_equal(backend.breaker.failures, 0);
		while (atomic_load(&server->open) > 0)
			(void)turn_for(1);
	}
}

static void cancelled_before_the_start_nothing_is_sent(void **state)
{
	(void)state;
	open_backend(serve_big, NULL);
	call = (struct forward_call){ .method = "GET", .path_and_query = "/", .on_head = on_head };
	heads = dones = 0;
	stream_op_prepare(&call.stream, reactor, 0, on_data, on_done);
	op_cancel(&call.stream.op, ERR_NO_MEMORY);
	forward_start(&backend, &call);
	wait_done();
	assert_int_equal(result, ERR_NO_MEMORY);
	assert_false(call.is_sent);
	assert_int_equal(atomic_load(&server->accepted), 0);
}

static void an_open_breaker_says_when_to_come_back(void **state)
{
	(void)state;
	open_backend(serve_text, "");
	for (int i = 0; i < 2; i++) {
		start(NULL);
		wait_done();
		assert_int_equal(result, ERR_BROKEN);
	}
	start(NULL);
	wait_done();
	assert_int_equal(result, ERR_BUSY);
	assert_int_equal(call.status, 0);
	assert_false(call.is_sent);
	assert_in_range(call.retry_after_ms, 1, 60000);
}

static void serve_always(struct server_conn *conn)
{
	while (conn_read_request(conn))
		if (!conn_answer(conn, "200 OK", "ok", 2))
			return;
}

static void a_lack_of_memory_ends_the_call_as_such(void **state)
{
	size_t before = SIZE_MAX;
	size_t failed = 0;

	(void)state;
	open_backend(serve_always, NULL);
	for (size_t nth = 1; before != mem_failures(); nth++) {
		before = mem_failures();
		mem_fail_at(nth);
		start(NULL);
		wait_done();
		mem_fail_at(0);
		assert_true(result == OK || result == ERR_NO_MEMORY);
		failed += result != OK;
	}
	assert_int_equal(result, OK);
	assert_true(failed >= 2);
}

int main(void)
{
#define WITH_BACKEND(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
	const struct CMUnitTest tests[] = {
		WITH_BACKEND(answers_come_back_as_they_are),
		WITH_BACKEND(the_clients_key_goes_on_unless_the_backend_has_its_own),
		WITH_BACKEND(a_pause_stops_the_source_and_loses_nothing),
		WITH_BACKEND(the_end_of_a_paused_answer_waits),
		WITH_BACKEND(a_cancel_closes_the_backends_connection),
		WITH_BACKEND(cancelled_before_the_start_nothing_is_sent),
		WITH_BACKEND(an_open_breaker_says_when_to_come_back),
		WITH_BACKEND(a_lack_of_memory_ends_the_call_as_such),
	};

	mem_init();
	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
