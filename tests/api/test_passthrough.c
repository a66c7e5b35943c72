/* Requests that are the backend's: real sockets on both sides, every byte of the backend chosen
 * here. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/router.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/raw_client.h"
#include "fakes/raw_server.h"
#include "loop/http_client.h"
#include "loop/work_pool.h"
#include "model/backend_set.h"

enum { BIG_BYTES = 16 << 20, INLINE_BYTES = 4096 };

static const struct http_client_options client_options = { .stream_shards = 2 };
static const struct model_alias aliases[] = { { "alias", "real \"name\"" } };
static const struct api_options api_options = {
	.plan_from_words = 1000,
	.inline_json_bytes = INLINE_BYTES,
};

static struct {
	struct served served;
	struct raw_server *backend;
	struct http_client *http;
	struct work_pool *pool;
	struct backend_set *backends;
	struct backend_options options;
	struct api api;
	struct raw_client client;
	char url[64];
	size_t is_stopped;
} world;

/* What the backend was sent last. */
static char seen_head[4096];
static char seen_body[1 << 16];

static bool see_request(struct server_conn *conn)
{
	if (!conn_read_request(conn))
		return false;
	(void)snprintf(seen_head, sizeof(seen_head), "%s", conn->head);
	(void)snprintf(seen_body, sizeof(seen_body), "%.*s", (int)conn->body_len, conn->body);
	atomic_fetch_add(&conn->server->seen, 1);
	return true;
}

static void serve_text(struct server_conn *conn)
{
	if (see_request(conn))
		(void)conn_send(conn, conn->server->user);
}

static void serve_ok(struct server_conn *conn)
{
	while (see_request(conn))
		if (!conn_answer(conn, "200 OK", "{}", 2))
			return;
}

static int open_world(void **state)
{
	struct http_handler handler = router_handler(&world.api);
	struct reactor *reactor;

	(void)state;
	memset(&world, 0, sizeof(world));
	metrics_reset();
	served_start_with(&world.served, &served_defaults, &handler);
	reactor = reactor_uv_base(world.served.reactor);
	assert_int_equal(http_client_new(world.served.reactor, &client_options, &world.http), OK);
	assert_int_equal(work_pool_new(world.served.reactor, &world.pool), OK);
	world.options = (struct backend_options){ .name = "b",
						  .url = world.url,
						  .dialect = dialect_find("openai"),
						  .aliases = aliases,
						  .n_aliases = COUNT_OF(aliases),
						  .connect_ms = 5000,
						  .first_byte_ms = 5000,
						  .idle_ms = 5000 };
	assert_int_equal(backend_set_new(reactor, world.http, &world.options, 1, &world.backends),
			 OK);
	world.api = (struct api){ .reactor = reactor,
				  .model = backend_set_model(world.backends),
				  .pool = work_pool_port(world.pool),
				  .options = &api_options };
	raw_connect(&world.client, &world.served);
	return 0;
}

static void on_stopped(void *context)
{
	(void)context;
	world.is_stopped = 1;
}

static int close_world(void **state)
{
	struct reactor *reactor = reactor_uv_base(world.served.reactor);

	(void)state;
	raw_close(&world.client);
	http_server_stop(world.served.server, on_stopped, NULL);
	served_wait(&world.served, &world.is_stopped, 1);
	for (int i = 0; i < 10 || work_pool_live(world.pool) > 0; i++)
		served_turn(&world.served); /* what was cancelled reports */
	http_server_free(world.served.server);
	backend_set_free(world.backends);
	http_client_free(world.http);
	work_pool_free(world.pool);
	reactor->timer_stop(reactor, &world.served.tick);
	reactor_uv_free(world.served.reactor);
	raw_server_stop(world.backend);
	assert_int_equal(metric_get(METRIC_STREAMS_OPEN), 0);
	assert_int_equal(metric_get(METRIC_UPSTREAM_OPEN), 0);
	assert_int_equal(metric_get(METRIC_CONNECTIONS_OPEN), 0);
	return 0;
}

static void serve_with(raw_serve_fn serve, const char *answer)
{
	raw_server_stop(world.backend);
	world.backend = raw_server_start(serve, (void *)(uintptr_t)answer);
	assert_non_null(world.backend);
	(void)snprintf(world.url, sizeof(world.url), "http://127.0.0.1:%u/v1", world.backend->port);
}

static void ask_by(struct raw_client *client, const char *body)
{
	char head[256];

	(void)snprintf(head, sizeof(head),
		       "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: "
		       "%zu\r\n\r\n",
		       strlen(body));
	raw_send(client, head);
	raw_send(client, body);
}

#define CHAT "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void answers_keep_status_headers_and_body(void **state)
{
	static const struct {
		const char *answer;
		const char *has[3]; /* in what the client gets */
		const char *has_not;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: application/json\r\n"
		  "X-A: 1\r\n\r\n{ }\n",
		  { "HTTP/1.1 200 ", "X-A: 1\r\n", "\r\n\r\n{ }\n" },
		  "chunked" },
		{ "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno",
		  { "HTTP/1.1 404 ", "Content-Length: 2\r\n", "\r\n\r\nno" },
		  "error" },
		{ "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
		  { "HTTP/1.1 429 ", "Retry-After: 7\r\n", "Content-Length: 0\r\n" },
		  "error" },
		{ "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nbad",
		  { "HTTP/1.1 500 ", "bad", "X-Request-Id: " },
		  "error" },
		{ "HTTP/1.1 200 OK\r\nContent-Type: TEXT/event-stream\r\n\r\ndata: 1\n\n",
		  { "HTTP/1.1 200 ", "data: 1\n\n", "\r\n0\r\n\r\n" },
		  "error" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		serve_with(serve_text, rows[i].answer);
		raw_forget(&world.client);
		ask_by(&world.client, CHAT);
		for (size_t j = 0; j < COUNT_OF(rows[i].has); j++)
			raw_expect(&world.client, rows[i].has[j]);
		assert_false(raw_has(&world.client, rows[i].has_not));
	}
}

static void the_body_goes_on_byte_by_byte_but_for_what_is_ours(void **state)
{
#define REST "\"messages\" : [{\"role\":\"user\",\"content\":\"h\\u00e9\"}] , \"x\": 1e999"
	static const struct {
		const char *body;
		const char *seen;
	} rows[] = {
		{ "{ \"model\":\"m\", " REST "}", "{ \"model\":\"m\", " REST "}" },
		{ "{\"model\" : \"alias\"," REST "}",
		  "{\"model\" : \"real \\\"name\\\"\"," REST "}" },
		{ "{\"model\":\"\\u0061lias\"," REST "}",
		  "{\"model\":\"real \\\"name\\\"\"," REST "}" },
		{ "{\"model\":\"m\",\"longhand\":{\"mode\":\"off\"}," REST "}",
		  "{\"model\":\"m\"," REST "}" },
		{ "{" REST ",\"model\":\"m\" , \"longhand\" : null }",
		  "{" REST ",\"model\":\"m\"  }" },
		{ "{\"longhand\":null,\"model\":\"alias\"," REST "}",
		  "{\"model\":\"real \\\"name\\\"\"," REST "}" },
		{ "{\"model\":\"alias\"," REST ",\"\\u006conghand\":{}}",
		  "{\"model\":\"real \\\"name\\\"\"," REST "}" },
	};

	(void)state;
	serve_with(serve_ok, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		raw_forget(&world.client);
		ask_by(&world.client, rows[i].body);
		raw_expect(&world.client, "\r\n\r\n{}");
		assert_string_equal(seen_body, rows[i].seen);
		assert_non_null(strstr(seen_head, "Content-Type: application/json\r\n"));
	}
}

static void other_paths_and_methods_go_to_the_backend(void **state)
{
	static const struct {
		const char *request;
		const char *line; /* the backend's; NULL: it is not asked */
		const char *answer;
	} rows[] = {
		{ "PUT /v1/files/a%2Fb?x=1&y HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
		  "PUT /v1/files/a%2Fb?x=1&y HTTP/1.1\r\n", "200" },
		{ "DELETE /v1/chat/completions/id HTTP/1.1\r\nHost: a\r\n\r\n",
		  "DELETE /v1/chat/completions/id HTTP/1.1\r\n", "200" },
		{ "GET /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n",
		  "GET /v1/chat/completions HTTP/1.1\r\n", "200" },
		{ "GET /v1/.hidden/a..b/... HTTP/1.1\r\nHost: a\r\n\r\n",
		  "GET /v1/.hidden/a..b/... HTTP/1.1\r\n", "200" },
		{ "GET /v1/../secret HTTP/1.1\r\nHost: a\r\n\r\n", NULL, "404" },
		{ "GET /v1/a/%2E./.%2e/secret HTTP/1.1\r\nHost: a\r\n\r\n", NULL, "404" },
		{ "GET /v1/a/. HTTP/1.1\r\nHost: a\r\n\r\n", NULL, "404" },
		{ "GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n", NULL, "404" },
		{ "GET /v1/longhand/what HTTP/1.1\r\nHost: a\r\n\r\n", NULL, "404" },
		{ "PUT /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", NULL, "405" },
	};

	(void)state;
	serve_with(serve_ok, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned before = atomic_load(&world.backend->seen);
		char status[32];

		raw_forget(&world.client);
		raw_send(&world.client, rows[i].request);
		raw_expect(&world.client, "\r\n\r\n{");
		(void)snprintf(status, sizeof(status), "HTTP/1.1 %s ", rows[i].answer);
		assert_true(raw_has(&world.client, status));
		assert_int_equal(atomic_load(&world.backend->seen) - before, rows[i].line != NULL);
		if (rows[i].line != NULL)
			assert_non_null(strstr(seen_head, rows[i].line));
	}
}

/* ---- streams ---- */

#define EVENTS                                                                                     \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

static void serve_by_the_gate(struct server_conn *conn)
{
	if (!see_request(conn) || !conn_send(conn, EVENTS "9\r\ndata: 1\n\n\r\n"))
		return;
	conn_wait_gate(conn, 1);
	(void)conn_send(conn, "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
	conn_wait_close(conn);
}

static void events_come_as_they_come(void **state)
{
	(void)state;
	serve_with(serve_by_the_gate, NULL);
	ask_by(&world.client, CHAT);
	raw_expect(&world.client, "data: 1\n\n");
	assert_int_equal(metric_get(METRIC_STREAMS_OPEN), 1);
	assert_false(raw_has(&world.client, "data: 2"));
	atomic_store(&world.backend->gate, 1);
	raw_expect(&world.client, "data: 2\n\n\r\n0\r\n\r\n");
}

static void a_client_that_leaves_closes_the_backends_connection(void **state)
{
	(void)state;
	serve_with(serve_by_the_gate, NULL);
	for (unsigned i = 1; i <= 4; i++) {
		struct raw_client client;

		raw_connect(&client, &world.served);
		ask_by(&client, CHAT);
		while (atomic_load(&world.backend->seen) < i)
			served_turn(&world.served);
		if (i % 2 == 0)
			raw_expect(&client, "data: 1");
		raw_close(&client);
		/* No gate is raised: only the close ends it. */
		atomic_store(&world.backend->gate, 0);
		while (metric_get(METRIC_UPSTREAM_OPEN) > 0)
			served_turn(&world.served);
		assert_int_equal(http_client_open(world.http), 0);
	}
}

static void serve_big(struct server_conn *conn)
{
	static const char block[65536] = "block";

	if (!see_request(conn) || !conn_send(conn, "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n"))
		return;
	for (size_t sent = 0; sent < BIG_BYTES; sent += sizeof(block))
		if (!conn_send_bytes(conn, block, sizeof(block)))
			return;
}

static void a_slow_client_slows_the_backend(void **state)
{
	size_t before = 0;
	size_t now = 1;

	(void)state;
	serve_with(serve_big, NULL);
	ask_by(&world.client, CHAT);
	raw_expect(&world.client, "\r\n\r\n");
	/* Until nothing moves any more. */
	while (now != before) {
		size_t end = world.served.ticks + 50;

		before = now;
		served_wait(&world.served, &world.served.ticks, end);
		now = atomic_load(&world.backend->sent_bytes);
	}
	assert_true(now < BIG_BYTES);
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	assert_true(world.client.got.len > BIG_BYTES);
}

/* ---- failures ---- */

static void failures_are_told_by_what_is_still_possible(void **state)
{
	static const struct {
		const char *answer;
		const char *has[2];
		bool is_cut;
	} rows[] = {
		{ "", { "HTTP/1.1 502 ", "backend_unavailable" }, false },
		{ "nonsense\r\n\r\n", { "HTTP/1.1 502 ", "backend_" }, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
		  { "HTTP/1.1 502 ", "backend_unavailable" },
		  false },
		{ EVENTS, { "data: {\"error\":", "\r\n0\r\n\r\n" }, false },
		{ EVENTS "9\r\ndata: 1\n\n\r\n", { "data: 1\n\n", "data: {\"error\":" }, false },
		{ EVENTS "7\r\ndata: 1\r\n", { "HTTP/1.1 200 ", "data: 1" }, true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\nab",
		  { "HTTP/1.1 200 ", "ab" },
		  true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct raw_client client;

		serve_with(serve_text, rows[i].answer);
		raw_connect(&client, &world.served);
		ask_by(&client, CHAT);
		for (size_t j = 0; j < COUNT_OF(rows[i].has); j++)
			raw_expect(&client, rows[i].has[j]);
		if (rows[i].is_cut) {
			raw_expect_end(&client);
			assert_false(raw_has(&client, "error"));
			assert_false(raw_has(&client, "\r\n0\r\n\r\n"));
		}
		assert_false(raw_has(&client, "[DONE]"));
		raw_close(&client);
	}
}

static void a_backend_that_is_not_there_is_a_502(void **state)
{
	(void)state;
	serve_with(serve_ok, NULL);
	raw_server_stop(world.backend);
	world.backend = NULL;
	ask_by(&world.client, CHAT);
	raw_expect(&world.client, "backend_unavailable");
	assert_true(raw_has(&world.client, "HTTP/1.1 502 "));
}

/* ---- large bodies, read on a thread ---- */

static void large_requests_are_read_on_a_thread(void **state)
{
	static char body[1 << 16];
	size_t used = (size_t)snprintf(body, sizeof(body), "%s",
				       "{\"model\":\"alias\",\"messages\":[{\"role\":\"user\","
				       "\"content\":\"");

	(void)state;
	memset(body + used, 'x', INLINE_BYTES * 4);
	(void)snprintf(body + used + INLINE_BYTES * 4, 100, "\"}]}");
	serve_with(serve_ok, NULL);
	ask_by(&world.client, body);
	raw_expect(&world.client, "\r\n\r\n{}");
	assert_int_equal(strlen(seen_body), strlen(body) - strlen("alias") +
						    strlen("real \\\"name\\\""));
	/* The client may leave meanwhile. */
	for (int turns = 0; turns < 8; turns++) {
		struct raw_client client;

		raw_connect(&client, &world.served);
		ask_by(&client, body);
		for (int i = 0; i < turns; i++)
			served_turn(&world.served);
		raw_reset(&client);
	}
	while (http_server_requests(world.served.server) > 0 ||
	       http_server_connections(world.served.server) > 1)
		served_turn(&world.served);
	body[used + 1] = '\n';
	raw_forget(&world.client);
	ask_by(&world.client, body);
	raw_expect(&world.client, "invalid_json");
}

static void without_memory_every_answer_still_ends(void **state)
{
	size_t before = SIZE_MAX;
	size_t failed = 0;

	(void)state;
	serve_with(serve_ok, NULL);
	for (size_t nth = 1; before != mem_failures(); nth++) {
		struct raw_client client;

		before = mem_failures();
		raw_connect(&client, &world.served);
		assert_int_equal(buf_append(&client.got, "", 1), OK);
		raw_forget(&client);
		mem_fail_at(nth);
		ask_by(&client, "{\"longhand\":{\"mode\":\"off\"}," REST ",\"model\":\"alias\"}");
		while (!client.is_ended && !raw_has(&client, "\r\n\r\n{")) {
			served_turn(&world.served);
			raw_read(&client, 1000);
		}
		mem_fail_at(0);
		failed += !raw_has(&client, "\r\n\r\n{}");
		raw_close(&client);
	}
	assert_true(failed > 20);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(answers_keep_status_headers_and_body),
		WITH_WORLD(the_body_goes_on_byte_by_byte_but_for_what_is_ours),
		WITH_WORLD(other_paths_and_methods_go_to_the_backend),
		WITH_WORLD(events_come_as_they_come),
		WITH_WORLD(a_client_that_leaves_closes_the_backends_connection),
		WITH_WORLD(a_slow_client_slows_the_backend),
		WITH_WORLD(failures_are_told_by_what_is_still_possible),
		WITH_WORLD(a_backend_that_is_not_there_is_a_502),
		WITH_WORLD(large_requests_are_read_on_a_thread),
		WITH_WORLD(without_memory_every_answer_still_ends),
	};

	mem_init();
	return cmocka_run_group_tests_name("passthrough", tests, NULL, NULL);
}
