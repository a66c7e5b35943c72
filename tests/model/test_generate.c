/* One call of the long path against a backend whose every byte is chosen here. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "fakes/http_calls.h"
#include "model/generate.h"

#define HEAD(status, type) \
	"HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n"
#define EVENTS HEAD("200 OK", "text/event-stream") "\r\n"
#define TEXT(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define END(reason) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

static struct backend_options options;
static struct backend backend;
static char url[64];
static struct buf text;
static struct buf thoughts;
static unsigned dones;
static enum err result;

static struct generate_call call;
static enum { GO_ON, CANCEL_IN_TEXT, CANCEL_IN_REASONING } on_piece;

static void on_done(struct op *op)
{
	assert_ptr_equal(op, &call.op);
	result = op->result;
	dones++;
}

static void on_text(struct generate_call *generate, const char *piece, size_t len)
{
	assert_int_equal(generate->op.canceled, OK);
	assert_int_equal(buf_append(&text, piece, len), OK);
	if (on_piece == CANCEL_IN_TEXT)
		op_cancel(&generate->op, ERR_CANCELED);
}

static void on_reasoning(struct generate_call *generate, const char *piece, size_t len)
{
	assert_int_equal(generate->op.canceled, OK);
	assert_int_equal(buf_append(&thoughts, piece, len), OK);
	if (on_piece == CANCEL_IN_REASONING)
		op_cancel(&generate->op, ERR_CANCELED);
}

static int open_all(void **state)
{
	metrics_reset();
	buf_init(&text, 1 << 20);
	buf_init(&thoughts, 1 << 20);
	on_piece = GO_ON;
	return open_client(state);
}

static int close_all(void **state)
{
	backend_release(&backend);
	buf_release(&text);
	buf_release(&thoughts);
	assert_int_equal(metric_get(METRIC_BREAKERS_OPEN), 0);
	return close_client(state);
}

static void open_backend(raw_serve_fn serve, const char *answer)
{
	serve_with(serve, (void *)(uintptr_t)answer);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", server->port);
	options = (struct backend_options){ .name = "b",
					    .url = url,
					    .key = "secret",
					    .dialect = dialect_find("llamacpp"),
					    .connect_ms = 5000,
					    .first_byte_ms = 5000,
					    .idle_ms = 5000,
					    .breaker_failures = 3,
					    .breaker_open_ms = 60000 };
	backend_release(&backend);
	assert_int_equal(backend_init(&backend, reactor, client, &options), OK);
}

static json_t *messages;

static void start(uint64_t deadline_ms)
{
	buf_clear(&text);
	buf_clear(&thoughts);
	dones = 0;
	call = (struct generate_call){ .target = { .backend = "b", .model = "m" },
				       .messages = messages,
				       .request_id = "r1",
				       .on_text = on_text,
				       .on_reasoning = on_reasoning };
	sampling_init(&call.sampling);
	op_prepare(&call.op, reactor, deadline_ms, on_done);
	generate_start(&backend, &call);
	assert_int_equal(dones, 0);
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

static const struct {
	const char *answer;
	enum err result;
	enum finish_reason finish;
	const char *text;
	const char *says; /* in the message; NULL: whatever */
} answers[] = {
	{ EVENTS TEXT("a") TEXT("b") END("stop") DONE, OK, FINISH_STOP, "ab", NULL },
	{ EVENTS TEXT("a") END("length"), OK, FINISH_LENGTH, "a", NULL },
	{ EVENTS TEXT("a") END("content_filter") DONE, OK, FINISH_FILTER, "a", NULL },
	{ EVENTS TEXT("a") END("tool_calls") DONE, OK, FINISH_OTHER, "a", NULL },
	{ EVENTS TEXT("a") DONE, OK, FINISH_NONE, "a", NULL },
	{ EVENTS TEXT("a"), ERR_BROKEN, FINISH_NONE, "a", "without a finish reason" },
	{ EVENTS, ERR_BROKEN, FINISH_NONE, "", "without a finish reason" },
	/* the last blank line is missing */
	{ EVENTS TEXT("a") "data: [DONE]", OK, FINISH_NONE, "a", NULL },
	{ EVENTS ": hello\n\nevent: x\nid: 1\nretry: 5\n\n" TEXT("a") ": hb\n\n" END("stop"), OK,
	  FINISH_STOP, "a", NULL },
	{ EVENTS "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
		 "data: {\"choices\":[{\"delta\":{\"content\":null},\"finish_reason\":null}],"
		 "\"error\":null,\"usage\":null}\n\n"
		 "data: {\"choices\":[]}\n\ndata: {}\n\n" TEXT("a") END("stop"),
	  OK, FINISH_STOP, "a", NULL },
	{ EVENTS TEXT("a") "data: {\"error\":{\"message\":\"out of GPUs\",\"code\":500}}\n\n",
	  ERR_UPSTREAM, FINISH_NONE, "a", "out of GPUs" },
	{ EVENTS "data: {\"error\":\"plain words\"}\n\n" TEXT("never"), ERR_UPSTREAM, FINISH_NONE,
	  "", "plain words" },
	{ EVENTS "data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n", ERR_BUSY,
	  FINISH_NONE, "", "slow down" },
	{ EVENTS "data: {\"error\":{}}\n\n", ERR_UPSTREAM, FINISH_NONE, "", "error in its stream" },
	{ EVENTS "data: nonsense\n\n", ERR_UPSTREAM, FINISH_NONE, "", "not JSON" },
	{ EVENTS "data: [1]\n\n", ERR_UPSTREAM, FINISH_NONE, "", "not JSON" },
	{ HEAD("200 OK", "text/html") "\r\n<html>busy</html>", ERR_UPSTREAM, FINISH_NONE, "",
	  "text/html" },
	{ HEAD("200 OK", "application/json") "\r\n{\"choices\":[]}", ERR_UPSTREAM, FINISH_NONE, "",
	  "application/json" },
	{ HEAD("429 Slow", "application/json") "Retry-After: 2\r\n\r\n"
					       "{\"error\":{\"message\":\"later\"}}",
	  ERR_BUSY, FINISH_NONE, "", "answered 429: later" },
	{ HEAD("503 Busy", "text/plain") "retry-after-ms: 2000\r\nRetry-After: 9\r\n\r\nno",
	  ERR_BUSY, FINISH_NONE, "", "answered 503" },
	{ HEAD("400 Bad", "application/json") "\r\n{\"detail\":\"too long\"}", ERR_REJECTED,
	  FINISH_NONE, "", "answered 400: too long" },
	{ HEAD("500 Oops", "text/plain") "\r\n", ERR_UPSTREAM, FINISH_NONE, "", "answered 500" },
	{ HEAD("204 Empty", "text/plain") "\r\n", ERR_UPSTREAM, FINISH_NONE, "", "answered 204" },
	{ "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 5000\r\n\r\n" TEXT(
		  "a"),
	  ERR_BROKEN, FINISH_NONE, "a", "backend b: " },
	/* broken when nothing but the mark of the end is missing */
	{ "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 5000\r\n\r\n" TEXT(
		  "a") END("stop"),
	  OK, FINISH_STOP, "a", NULL },
	{ "", ERR_BROKEN, FINISH_NONE, "", "backend b: " },
};

static void answers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		open_backend(serve_text, answers[i].answer);
		start(0);
		wait_done();
		if (result != answers[i].result)
			print_error("row %zu: %s\n", i, call.message);
		assert_int_equal(result, answers[i].result);
		assert_int_equal(call.finish, answers[i].finish);
		assert_string_equal(buf_str(&text), answers[i].text);
		if (answers[i].says != NULL)
			assert_non_null(strstr(call.message, answers[i].says));
		assert_int_equal(call.retry_after_ms,
				 strstr(answers[i].answer, "etry-") != NULL ? 2000 : 0);
		assert_true((call.first_text_ms > 0) == (answers[i].text[0] != '\0'));
	}
}

/* What a backend says may be long, and in any language. */
static void a_long_message_is_cut_between_characters(void **state)
{
	static char answer[4096];
	size_t used;

	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		used = (size_t)snprintf(answer, sizeof(answer),
					HEAD("400 Bad", "application/json") "\r\n{\"error\":\"%.*s",
					shift, "xyz");
		for (int i = 0; i < 400; i++)
			used += (size_t)snprintf(answer + used, sizeof(answer) - used, "长");
		(void)snprintf(answer + used, sizeof(answer) - used, "\"}");
		open_backend(serve_text, answer);
		start(0);
		wait_done();
		assert_int_equal(result, ERR_REJECTED);
		assert_in_range(strlen(call.message), MODEL_MESSAGE_BYTES_MAX - 4,
				MODEL_MESSAGE_BYTES_MAX - 1);
		assert_int_equal(text_whole(call.message, strlen(call.message)),
				 strlen(call.message));
	}
}

/* ---- a stream in every two pieces ---- */

#define WHOLE(nl)                                                                                  \
	"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}" nl nl        \
	": hb" nl nl                                                                               \
	"data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}" nl nl                   \
	"data: {\"choices\":[{\"delta\":{\"reasoning\":\"m\"}}]}" nl nl                            \
	"data: {\"choices\":[{\"delta\":{\"content\":\"caf\xc3\xa9 \"}}]}" nl nl                   \
	"data: {\"choices\":[{\"delta\":" nl "data: {\"content\":\"\\u957f\"}}]}" nl nl            \
	"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}" nl nl                  \
	"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,"            \
	"\"completion_tokens_details\":{\"reasoning_tokens\":2},"                                  \
	"\"prompt_tokens_details\":{\"cached_tokens\":3}}}" nl nl "data: [DONE]" nl nl

static const char *const wholes[] = { WHOLE("\n"), WHOLE("\r\n"), WHOLE("\r") };
static _Atomic size_t cut; /* 0: every byte alone */
static _Atomic size_t whole;

#define CHUNKED                                                                    \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: " \
	"chunked\r\n\r\n"

/* One HTTP chunk is one call of on_data. */
static void add_piece(char *out, size_t size, const char *data, size_t len)
{
	size_t used = strlen(out);

	if (len > 0)
		(void)snprintf(out + used, size - used, "%zx\r\n%.*s\r\n", len, (int)len, data);
}

/* Sent at once: the network adds no cuts and no waits of its own. */
static bool send_pieces(struct server_conn *conn, const char *stream, size_t first, size_t step)
{
	char out[16384] = CHUNKED;
	size_t len = strlen(stream);
	size_t used;

	add_piece(out, sizeof(out), stream, first);
	for (size_t at = first; at < len; at += step)
		add_piece(out, sizeof(out), stream + at, at + step < len ? step : len - at);
	used = strlen(out);
	(void)snprintf(out + used, sizeof(out) - used, "0\r\n\r\n");
	return conn_send(conn, out);
}

static void serve_pieces(struct server_conn *conn)
{
	while (conn_read_request(conn))
		if (!send_pieces(conn, wholes[whole], cut, cut > 0 ? SIZE_MAX / 2 : 1))
			return;
}

static void a_stream_may_be_cut_anywhere(void **state)
{
	(void)state;
	open_backend(serve_pieces, NULL);
	for (whole = 0; whole < COUNT_OF(wholes); whole++) {
		for (cut = 0; cut < strlen(wholes[whole]); cut++) {
			start(0);
			wait_done();
			assert_int_equal(result, OK);
			assert_int_equal(call.finish, FINISH_LENGTH);
			assert_string_equal(buf_str(&text), "caf\xc3\xa9 \xe9\x95\xbf");
			assert_string_equal(buf_str(&thoughts), "hmm");
			assert_int_equal(call.usage.prompt_tokens, 7);
			assert_int_equal(call.usage.completion_tokens, 5);
			assert_int_equal(call.usage.reasoning_tokens, 2);
			assert_int_equal(call.usage.cached_tokens, 3);
		}
	}
}

/* ---- what is sent ---- */

static char seen_head[2048];
static char seen_body[2048];

static void serve_and_note(struct server_conn *conn)
{
	if (!conn_read_request(conn))
		return;
	(void)snprintf(seen_head, sizeof(seen_head), "%s", conn->head);
	(void)snprintf(seen_body, sizeof(seen_body), "%.*s", (int)conn->body_len, conn->body);
	(void)conn_send(conn, EVENTS TEXT("a") END("stop"));
}

static void the_request_is_what_the_dialect_says(void **state)
{
	(void)state;
	open_backend(serve_and_note, NULL);
	start(0);
	wait_done();
	assert_int_equal(result, OK);
	assert_non_null(strstr(seen_head, "POST /v1/chat/completions HTTP/1.1\r\n"));
	assert_non_null(strstr(seen_head, "Authorization: Bearer secret\r\n"));
	assert_non_null(strstr(seen_head, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(seen_head, "X-Request-Id: r1\r\n"));
	assert_non_null(strstr(seen_body, "\"stream\":true"));
	assert_non_null(strstr(seen_body, "\"model\":\"m\""));
}

/* ---- cancel, deadline, breaker ---- */

static void serve_and_hang(struct server_conn *conn)
{
	if (conn_read_request(conn) &&
	    conn_send(conn, EVENTS
		      "data: {\"choices\":[{\"delta\":{\"reasoning\":\"r\",\"content\":\"a\"}}]}"
		      "\n\n" TEXT("b")))
		conn_wait_close(conn);
}

static void no_piece_comes_after_a_cancel(void **state)
{
	static const char *const texts[] = { [CANCEL_IN_TEXT] = "a", [CANCEL_IN_REASONING] = "" };

	(void)state;
	open_backend(serve_and_hang, NULL);
	for (on_piece = CANCEL_IN_TEXT; on_piece <= CANCEL_IN_REASONING; on_piece++) {
		start(0);
		wait_done();
		assert_int_equal(result, ERR_CANCELED);
		assert_string_equal(buf_str(&text), texts[on_piece]);
		assert_string_equal(buf_str(&thoughts), "r");
	}
}

static void a_call_may_be_cancelled_at_once_and_a_deadline_ends_it(void **state)
{
	(void)state;
	open_backend(serve_and_hang, NULL);
	start(0);
	op_cancel(&call.op, ERR_CANCELED);
	wait_done();
	assert_int_equal(result, ERR_CANCELED);
	start(200);
	wait_done();
	assert_int_equal(result, ERR_TIMEOUT);
	assert_string_equal(buf_str(&text), "ab");
	assert_int_equal(backend.breaker.failures, 1); /* the cancel was no failure */
}

static void a_backend_that_keeps_failing_is_left_alone(void **state)
{
	unsigned before;

	(void)state;
	open_backend(serve_text, HEAD("500 Oops", "text/plain") "\r\n");
	for (int i = 0; i < 3; i++) {
		start(0);
		wait_done();
		assert_int_equal(result, ERR_UPSTREAM);
	}
	assert_int_equal(metric_get(METRIC_BREAKERS_OPEN), 1);
	before = atomic_load(&server->accepted);
	start(0);
	wait_done();
	assert_int_equal(result, ERR_BUSY);
	assert_int_equal(call.status, 0);
	assert_in_range(call.retry_after_ms, 1, 60000);
	assert_non_null(strstr(call.message, "left alone"));
	assert_int_equal(atomic_load(&server->accepted), before);
}

#define KEPT TEXT("a") END("stop")

/* On one connection, so that the only thing that differs is the allocation that fails. */
static void serve_texts(struct server_conn *conn)
{
	while (conn_read_request(conn))
		if (!send_pieces(conn, KEPT, 0, SIZE_MAX / 2))
			return;
}

static void a_lack_of_memory_ends_the_call_as_such(void **state)
{
	size_t before = SIZE_MAX;
	size_t failed = 0;

	(void)state;
	open_backend(serve_texts, NULL);
	assert_int_equal(buf_append(&text, KEPT, sizeof(KEPT)), OK); /* it grows no more */
	for (size_t nth = 1; before != mem_failures(); nth++) {
		before = mem_failures();
		mem_fail_at(nth);
		start(0);
		wait_done();
		mem_fail_at(0);
		/* What it could do without (a handle to be kept, a header's copy) is no failure. */
		assert_true(result == ERR_NO_MEMORY || result == OK);
		if (result == OK)
			assert_string_equal(buf_str(&text), "a");
		failed += result == ERR_NO_MEMORY;
	}
	assert_int_equal(result, OK);
	assert_true(failed > 10);
}

int main(void)
{
#define WITH_BACKEND(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
	const struct CMUnitTest tests[] = {
		WITH_BACKEND(answers_are_judged),
		WITH_BACKEND(a_long_message_is_cut_between_characters),
		WITH_BACKEND(a_stream_may_be_cut_anywhere),
		WITH_BACKEND(the_request_is_what_the_dialect_says),
		WITH_BACKEND(no_piece_comes_after_a_cancel),
		WITH_BACKEND(a_call_may_be_cancelled_at_once_and_a_deadline_ends_it),
		WITH_BACKEND(a_backend_that_keeps_failing_is_left_alone),
		WITH_BACKEND(a_lack_of_memory_ends_the_call_as_such),
	};
	int failed;

	mem_init();
	messages = json_pack("[{s:s,s:s}]", "role", "user", "content", "hi");
	failed = cmocka_run_group_tests_name("generate", tests, NULL, NULL);
	json_decref(messages);
	return failed;
}
