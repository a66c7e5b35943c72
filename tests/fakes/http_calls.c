#include "fakes/http_calls.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "base/mem.h"

struct reactor_uv *loop;
struct reactor *reactor;
struct http_client *client;
struct raw_server *server;

static unsigned done_count;

int open_client(void **state)
{
	static const struct http_client_options options = {
		.stream_shards = TEST_SHARDS,
		.header_bytes_max = TEST_HEADER_BYTES_MAX,
		.user_agent = "longhand-test",
	};

	(void)state;
	if (reactor_uv_new(&loop) != OK || http_client_new(loop, &options, &client) != OK)
		return -1;
	reactor = reactor_uv_base(loop);
	server = NULL;
	return 0;
}

int close_client(void **state)
{
	(void)state;
	assert_int_equal(http_client_open(client), 0);
	http_client_free(client);
	raw_server_stop(server);
	reactor_uv_free(loop);
	return 0;
}

void serve_with(raw_serve_fn serve, void *user)
{
	raw_server_stop(server);
	server = raw_server_start(serve, user);
	assert_non_null(server);
}

static void stop_waiting(struct timer *timer)
{
	(void)timer;
}

unsigned turn_for(uint64_t ms)
{
	struct timer end = { .fire = NULL };
	unsigned turns = 0;

	reactor->timer_start(reactor, &end, ms, stop_waiting);
	while (end.fire != NULL) {
		reactor_uv_turn(loop);
		turns++;
	}
	return turns;
}

static struct test_call *test_of(struct http_call *call)
{
	return container_of(call, struct test_call, call);
}

void test_call_do(struct test_call *test, enum call_action action)
{
	bool was_inside = test->is_inside;

	test->is_inside = true;
	switch (action) {
	case CALL_NOTHING:
		break;
	case CALL_PAUSE:
		stream_op_pause(&test->call.stream);
		break;
	case CALL_CANCEL:
		op_cancel(&test->call.stream.op, ERR_CANCELED);
		break;
	case CALL_PAUSE_AND_RESUME:
		stream_op_pause(&test->call.stream);
		stream_op_resume(&test->call.stream);
		break;
	}
	test->is_inside = was_inside;
}

static void on_head(struct http_call *call)
{
	struct test_call *test = test_of(call);

	assert_false(test->is_inside);
	assert_int_equal(test->heads, 0);
	assert_int_equal(test->dones, 0);
	assert_in_range(call->status, 200, 599);
	assert_true(call->connected_ms > 0);
	assert_true(call->first_byte_at_ms >= call->connected_ms);
	assert_true(call->is_sent);
	test->heads++;
	test_call_do(test, test->on_head_do);
	if (test->on_head != NULL)
		test->on_head(test);
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct test_call *test = container_of(stream, struct test_call, call.stream);

	assert_false(test->is_inside);
	assert_int_equal(test->heads, 1);
	assert_int_equal(test->dones, 0);
	assert_false(stream->is_paused);
	assert_int_equal(stream->op.canceled, OK);
	test->got_bytes += len;
	if (test->keeps_body)
		assert_int_equal(buf_append(&test->got, data, len), OK);
	if (test->got_bytes >= test->on_data_at_bytes) {
		enum call_action action = test->on_data_do;

		test->on_data_do = CALL_NOTHING;
		test_call_do(test, action);
	}
	if (test->on_data != NULL)
		test->on_data(test);
}

static void on_done(struct op *op)
{
	struct test_call *test = container_of(op, struct test_call, call.stream.op);

	assert_false(test->is_inside);
	assert_int_equal(test->dones, 0);
	assert_null(test->call.handle);
	test->dones++;
	test->done_order = ++done_count;
	test->result = op->result;
	test->status = test->call.status;
	test->failure = test->call.failure;
	free(test->head);
	test->head = strdup(buf_str(&test->call.head));
	if (test->on_done != NULL)
		test->on_done(test);
}

void test_call_init(struct test_call *test, const char *path, uint64_t total_ms)
{
	*test = (struct test_call){ .keeps_body = true };
	(void)snprintf(test->url, sizeof(test->url), "http://127.0.0.1:%u%s",
		       server == NULL ? 1u : server->port, path);
	buf_init(&test->got, 1 << 22);
	http_call_prepare(&test->call, reactor, total_ms, on_data, on_done);
	test->call.method = "GET";
	test->call.url = test->url;
	test->call.on_head = on_head;
}

void test_call_start(struct test_call *test)
{
	test->is_inside = true;
	http_client_start(client, &test->call);
	test->is_inside = false;
}

void test_call_resume(struct test_call *test)
{
	test->is_inside = true;
	stream_op_resume(&test->call.stream);
	test->is_inside = false;
}

void test_call_wait(struct test_call *test)
{
	while (test->dones == 0)
		reactor_uv_turn(loop);
}

void test_call_release(struct test_call *test)
{
	buf_release(&test->got);
	free(test->head);
	test->head = NULL;
}
