/* Two backends that have one model: who is asked, who takes over, and who must not. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/http_calls.h"
#include "model/backend_set.h"

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define TEXT(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define END "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
#define SHORT(status) "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
#define WAIT(status) "HTTP/1.1 " status "\r\nRetry-After: 7\r\nConnection: close\r\n" \
		     "Content-Length: 2\r\n\r\nno"
#define GOOD STREAM TEXT("fine") END
/* What a backend does: one of these, or the bytes that it answers. */
static const char refuses[] = "refuses", listed_only[] = "listed", hangs[] = "hangs";

enum { BACKENDS = 2 };
static const struct limiter_options one_at_once = { .in_flight_max = 1 };
static const char *const both_refuse[BACKENDS] = { refuses, refuses };

static struct world {
	struct raw_server *servers[BACKENDS];
	struct backend_options options[BACKENDS];
	char urls[BACKENDS][64];
	struct backend_set *set;
	struct model *model;
	char bodies[BACKENDS][512]; /* of the last chat completion */
} world;

static const struct model_alias aliases[] = { { "both", "theirs" } };

/* ---- the backends ---- */

static void serve(struct server_conn *conn)
{
	static const char models[] = "{\"data\":[{\"id\":\"both\"}]}";
	const char *does = conn->server->user;
	size_t i = conn->server == world.servers[1];

	if (!conn_read_request(conn))
		return;
	if (strstr(conn->head, "/models") != NULL) {
		(void)conn_answer(conn, "200 OK", models, sizeof(models) - 1);
		return;
	}
	atomic_fetch_add(&conn->server->seen, 1);
	(void)snprintf(world.bodies[i], sizeof(world.bodies[i]), "%.*s", (int)conn->body_len,
		       conn->body);
	if (does == hangs)
		conn_wait_close(conn);
	else
		(void)conn_send(conn, does == listed_only ? GOOD : does);
}

static void open_backends(const char *const does[BACKENDS], const struct limiter_options *limits)
{
	backend_set_free(world.set);
	world.set = NULL;
	for (size_t i = 0; i < BACKENDS; i++) {
		unsigned port;

		raw_server_stop(world.servers[i]);
		world.servers[i] = NULL;
		world.servers[i] = raw_server_start(serve, (void *)(uintptr_t)does[i]);
		assert_non_null(world.servers[i]);
		port = world.servers[i]->port;
		if (does[i] == refuses) { /* the port is free again */
			raw_server_stop(world.servers[i]);
			world.servers[i] = NULL;
		}
		(void)snprintf(world.urls[i], sizeof(world.urls[i]), "http://127.0.0.1:%u/v1",
			       port);
		world.options[i] = (struct backend_options){
			.name = i == 0 ? "a" : "b",
			.url = world.urls[i],
			.key = "k",
			.dialect = dialect_find("vllm"),
			.connect_ms = 5000,
			.first_byte_ms = 5000,
			.idle_ms = 5000,
			.breaker_failures = 2,
			.breaker_open_ms = 60000,
		};
		if (limits != NULL)
			world.options[i].limits = *limits;
		if (i == 1 && does[i] != listed_only) {
			world.options[i].aliases = aliases;
			world.options[i].n_aliases = COUNT_OF(aliases);
		}
		if (i == 0)
			world.options[i].model = "both";
	}
	assert_int_equal(backend_set_new(reactor, client, world.options, BACKENDS, &world.set), OK);
	world.model = backend_set_model(world.set);
}

static unsigned seen(size_t i)
{
	return world.servers[i] != NULL ? atomic_load(&world.servers[i]->seen) : 0;
}

static int open_all(void **state)
{
	metrics_reset();
	memset(&world, 0, sizeof(world));
	return open_client(state);
}

static int close_all(void **state)
{
	backend_set_free(world.set);
	for (size_t i = 0; i < BACKENDS; i++)
		raw_server_stop(world.servers[i]);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_PASSTHROUGH), 0);
	assert_int_equal(metric_get(METRIC_UPSTREAM_OPEN), 0);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_JOB), 0);
	return close_client(state);
}

static const struct model_target target = { .backend = "a", .model = "both", .id = "both" };

/* ---- passing through ---- */

struct pass {
	struct forward_call call;
	char got[512];
	size_t len;
	unsigned heads, dones;
	enum err result;
};

static void on_head(struct forward_call *call)
{
	struct pass *pass = container_of(call, struct pass, call);

	assert_true(world.model->forward_head(world.model, call).len > 0);
	pass->heads++;
}

static void on_data(struct stream_op *stream, const char *data, size_t len)
{
	struct pass *pass = container_of(stream, struct pass, call.stream);

	assert_true(pass->len + len < sizeof(pass->got));
	memcpy(pass->got + pass->len, data, len);
	pass->len += len;
}

static void on_passed(struct op *op)
{
	struct pass *pass = container_of(op, struct pass, call.stream.op);

	pass->dones++;
	pass->result = op->result;
}

static void pass_start(struct pass *pass, uint64_t wait_max_ms)
{
	*pass = (struct pass){ .call = { .target = target,
					 .said_model = "both",
					 .method = "POST",
					 .path_and_query = "/chat/completions",
					 .body = { { "{\"model\":", 9 },
						   { "\"both\"", 6 },
						   { ",\"x\":1}", 7 } },
					 .is_stream = true,
					 .wait_max_ms = wait_max_ms,
					 .tokens = 10,
					 .on_head = on_head } };
	stream_op_prepare(&pass->call.stream, reactor, 0, on_data, on_passed);
	world.model->forward(world.model, &pass->call);
	assert_int_equal(pass->dones + pass->heads, 0);
}

static void pass_wait(struct pass *pass)
{
	while (pass->dones == 0)
		reactor_uv_turn(loop);
	assert_int_equal(pass->dones, 1);
}

static const struct {
	const char *does[BACKENDS];
	enum err result;
	int status;
	unsigned seen[BACKENDS];
} passes[] = {
	{ { GOOD, GOOD }, OK, 200, { 1, 0 } },
	{ { refuses, GOOD }, OK, 200, { 0, 1 } },
	{ { refuses, listed_only }, OK, 200, { 0, 1 } }, /* asked which models it has */
	{ { WAIT("429 Slow"), GOOD }, OK, 200, { 1, 1 } },
	{ { WAIT("503 Full"), GOOD }, OK, 200, { 1, 1 } },
	{ { SHORT("429 Slow"), SHORT("404 No") }, OK, 404, { 1, 1 } },
	{ { SHORT("429 Slow"), WAIT("429 Slow") }, OK, 429, { 1, 1 } },
	{ { WAIT("429 Slow"), refuses }, ERR_BUSY, 0, { 1, 0 } },
	{ { refuses, refuses }, ERR_REFUSED, 0, { 0, 0 } },
	/* it may have worked on these */
	{ { SHORT("500 Oops"), GOOD }, OK, 500, { 1, 0 } },
	{ { SHORT("502 Oops"), GOOD }, OK, 502, { 1, 0 } },
	{ { SHORT("400 Bad"), GOOD }, OK, 400, { 1, 0 } },
	{ { "", GOOD }, ERR_BROKEN, 0, { 1, 0 } },
	{ { STREAM TEXT("half"), GOOD }, OK, 200, { 1, 0 } }, /* its end is the client's to judge */
};

static void what_passes_goes_elsewhere_only_when_nothing_was_done(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(passes); i++) {
		struct pass pass;

		open_backends(passes[i].does, NULL);
		pass_start(&pass, 0);
		pass_wait(&pass);
		assert_int_equal(pass.result, passes[i].result);
		assert_int_equal(pass.call.status, passes[i].status);
		assert_int_equal(pass.heads, passes[i].status > 0);
		if (pass.result == ERR_BUSY)
			assert_int_equal(pass.call.retry_after_ms, 7000);
		assert_int_equal(seen(0), passes[i].seen[0]);
		assert_int_equal(seen(1), passes[i].seen[1]);
		if (seen(0) > 0)
			assert_string_equal(world.bodies[0], "{\"model\":\"both\",\"x\":1}");
		if (seen(1) > 0)
			assert_string_equal(world.bodies[1],
					    passes[i].does[1] == listed_only
						    ? "{\"model\":\"both\",\"x\":1}"
						    : "{\"model\":\"theirs\",\"x\":1}");
	}
}

static void without_an_id_no_other_backend_is_asked(void **state)
{
	static const char *const does[] = { refuses, GOOD };
	struct pass pass;

	(void)state;
	open_backends(does, NULL);
	pass_start(&pass, 0);
	pass_wait(&pass);
	assert_int_equal(pass.result, OK);
	pass = (struct pass){ .call = { .method = "GET", .path_and_query = "/files" } };
	stream_op_prepare(&pass.call.stream, reactor, 0, on_data, on_passed);
	world.model->forward(world.model, &pass.call);
	pass_wait(&pass);
	assert_int_equal(pass.result, ERR_REFUSED);
	assert_int_equal(seen(1), 1);
}

static void all_breakers_open_is_said_at_once(void **state)
{
	struct pass pass;

	(void)state;
	open_backends(both_refuse, NULL);
	for (int i = 0; i < 3; i++) {
		pass_start(&pass, 0);
		pass_wait(&pass);
	}
	assert_int_equal(pass.result, ERR_BUSY);
	assert_in_range(pass.call.retry_after_ms, 50000, 60000);
	assert_non_null(strstr(pass.call.message, "left alone"));
}

static void a_limit_that_leaves_no_room_in_time_is_said(void **state)
{
	static const char *const does[] = { hangs, refuses };
	struct pass first, second, third;

	(void)state;
	open_backends(does, &one_at_once);
	pass_start(&first, 20);
	pass_start(&second, 20);
	pass_start(&third, 0);
	pass_wait(&second); /* b refused, and a has no room */
	assert_int_equal(second.result, ERR_REFUSED);
	pass_start(&second, 20);
	op_cancel(&third.call.stream.op, ERR_CANCELED);
	pass_wait(&third);
	assert_int_equal(third.result, ERR_CANCELED);
	pass_wait(&second);
	assert_true(second.result == ERR_REFUSED || second.result == ERR_LIMIT);
	pass_start(&second, 20);
	pass_wait(&second); /* b is left alone by now */
	assert_int_equal(second.result, ERR_LIMIT);
	assert_true(second.call.retry_after_ms >= 1000);
	assert_int_equal(seen(0), 1);
	op_cancel(&first.call.stream.op, ERR_CANCELED);
	pass_wait(&first);
}

/* ---- long texts ---- */

struct writer {
	struct generate_call call;
	char got[512];
	unsigned dones;
	enum err result;
};

static json_t *messages;

static void on_text(struct generate_call *call, const char *text, size_t len)
{
	struct writer *writer = container_of(call, struct writer, call);
	size_t had = strlen(writer->got);

	(void)snprintf(writer->got + had, sizeof(writer->got) - had, "%.*s", (int)len, text);
}

static void on_written(struct op *op)
{
	struct writer *writer = container_of(op, struct writer, call.op);

	writer->dones++;
	writer->result = op->result;
}

static void write_start(struct writer *writer, bool is_patient, const char *avoid)
{
	*writer = (struct writer){ .call = { .target = target,
					     .messages = messages,
					     .request_id = "r",
					     .is_patient = is_patient,
					     .avoid = avoid,
					     .max_tokens = 100,
					     .on_text = on_text } };
	sampling_init(&writer->call.sampling);
	op_prepare(&writer->call.op, reactor, 0, on_written);
	world.model->generate(world.model, &writer->call);
	assert_int_equal(writer->dones, 0);
}

static void write_wait(struct writer *writer)
{
	while (writer->dones == 0)
		reactor_uv_turn(loop);
	assert_int_equal(writer->dones, 1);
	assert_null(writer->call.wait.what);
}

static const struct {
	const char *does[BACKENDS];
	enum err result;
	const char *got;
	unsigned seen[BACKENDS];
} writes[] = {
	{ { GOOD, GOOD }, OK, "fine", { 1, 0 } },
	{ { refuses, GOOD }, OK, "fine", { 0, 1 } },
	{ { refuses, listed_only }, OK, "fine", { 0, 1 } },
	{ { WAIT("429 Slow"), GOOD }, OK, "fine", { 1, 1 } },
	{ { SHORT("500 Oops"), GOOD }, OK, "fine", { 1, 1 } },
	{ { "", GOOD }, OK, "fine", { 1, 1 } },
	{ { STREAM, GOOD }, OK, "fine", { 1, 1 } },
	{ { STREAM TEXT("half"), GOOD }, ERR_BROKEN, "half", { 1, 0 } }, /* text was delivered */
	{ { SHORT("400 Bad"), GOOD }, ERR_REJECTED, "", { 1, 0 } },
	{ { SHORT("500 Oops"), refuses }, ERR_REFUSED, "", { 1, 0 } },
	{ { WAIT("429 Slow"), WAIT("503 Full") }, ERR_BUSY, "", { 1, 1 } },
};

static void long_texts_go_elsewhere_until_text_has_come(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(writes); i++) {
		struct writer writer;

		open_backends(writes[i].does, NULL);
		write_start(&writer, false, NULL);
		write_wait(&writer);
		assert_int_equal(writer.result, writes[i].result);
		assert_string_equal(writer.got, writes[i].got);
		assert_int_equal(seen(0), writes[i].seen[0]);
		assert_int_equal(seen(1), writes[i].seen[1]);
		if (seen(1) > 0 && writes[i].does[1] != listed_only)
			assert_non_null(strstr(world.bodies[1], "\"model\":\"theirs\""));
		assert_false(writer.call.is_left_alone);
	}
}

/* Half a text, each time: whoever asks again says where not. */
static void who_failed_before_is_asked_last(void **state)
{
	static const char *const does[] = { STREAM TEXT("half"), GOOD };
	struct writer writer, other;

	(void)state;
	open_backends(does, &one_at_once);
	write_start(&writer, false, NULL);
	write_wait(&writer);
	assert_int_equal(writer.result, ERR_BROKEN);
	assert_string_equal(writer.call.backend, "a");
	write_start(&writer, false, "a");
	write_start(&other, false, "a"); /* b has no room */
	write_wait(&writer);
	write_wait(&other);
	assert_int_equal(writer.result, OK);
	assert_string_equal(writer.call.backend, "b");
	assert_string_equal(other.call.backend, "a");
}

static void a_call_with_nothing_to_lose_does_not_wait_for_breakers(void **state)
{
	struct writer writer;

	(void)state;
	open_backends(both_refuse, NULL);
	for (int i = 0; i < 3; i++) {
		write_start(&writer, false, NULL);
		write_wait(&writer);
	}
	assert_int_equal(writer.result, ERR_BUSY);
	assert_true(writer.call.is_left_alone);
	write_start(&writer, true, NULL);
	(void)turn_for(20);
	assert_int_equal(writer.dones, 0);
	assert_string_equal(writer.call.wait.what, "backend_breaker");
	assert_true(writer.call.wait.since_ms > 0);
	assert_int_equal(metric_get(METRIC_CALLS_WAITING_JOB), 1);
	op_cancel(&writer.call.op, ERR_CANCELED);
	write_wait(&writer);
	assert_int_equal(writer.result, ERR_CANCELED);
}

static void who_waits_for_a_limit_says_so_and_goes_when_there_is_room(void **state)
{
	static const char *const does[] = { hangs, refuses };
	struct writer first, second;

	(void)state;
	open_backends(does, &one_at_once);
	world.options[1].aliases = NULL; /* a has it alone */
	world.options[1].n_aliases = 0;
	write_start(&first, false, NULL);
	write_start(&second, false, NULL);
	assert_string_equal(second.call.wait.what, "backend_limit");
	while (seen(0) < 1)
		(void)turn_for(1);
	op_cancel(&first.call.op, ERR_CANCELED);
	write_wait(&first);
	while (seen(0) < 2)
		(void)turn_for(1);
	assert_null(second.call.wait.what);
	op_cancel(&second.call.op, ERR_CANCELED);
	write_wait(&second);
}

static void a_lack_of_memory_ends_each_call_once(void **state)
{
	static const char *const does[] = { WAIT("429 Slow"), GOOD };
	static const struct limiter_options limits = { .tokens_per_minute = 1000000 };
	struct writer writer;
	struct pass pass;

	(void)state;
	for (int is_pass = 0; is_pass <= 1; is_pass++) {
		size_t before = SIZE_MAX, failed = 0;

		for (size_t nth = 1; before != mem_failures(); nth++) {
			open_backends(does, &limits);
			before = mem_failures();
			mem_fail_at(nth);
			if (is_pass) {
				pass_start(&pass, 0);
				pass_wait(&pass);
			} else {
				write_start(&writer, false, NULL);
				write_wait(&writer);
			}
			mem_fail_at(0);
			failed += (is_pass ? pass.result : writer.result) != OK;
		}
		assert_int_equal(is_pass ? pass.result : writer.result, OK);
		assert_true(failed >= 2);
	}
}

int main(void)
{
#define WITH_BACKENDS(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
	const struct CMUnitTest tests[] = {
		WITH_BACKENDS(what_passes_goes_elsewhere_only_when_nothing_was_done),
		WITH_BACKENDS(without_an_id_no_other_backend_is_asked),
		WITH_BACKENDS(all_breakers_open_is_said_at_once),
		WITH_BACKENDS(a_limit_that_leaves_no_room_in_time_is_said),
		WITH_BACKENDS(long_texts_go_elsewhere_until_text_has_come),
		WITH_BACKENDS(who_failed_before_is_asked_last),
		WITH_BACKENDS(a_call_with_nothing_to_lose_does_not_wait_for_breakers),
		WITH_BACKENDS(who_waits_for_a_limit_says_so_and_goes_when_there_is_room),
		WITH_BACKENDS(a_lack_of_memory_ends_each_call_once),
	};
	int failed;

	mem_init();
	messages = json_pack("[{s:s,s:s}]", "role", "user", "content", "Write.");
	failed = cmocka_run_group_tests_name("failover", tests, NULL, NULL);
	json_decref(messages);
	return failed;
}
