/* Long answers that fail, early and late, for every reason; clients that leave at any moment,
 * servers that stop. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/long_service.h"

static void an_early_failure_has_its_own_status(void **state)
{
	static const struct {
		enum err fate;
		int status; /* the backend's */
		const char *line;
		const char *code;
		const char *type;
	} rows[] = {
		{ ERR_REJECTED, 422, "HTTP/1.1 422 ", "backend_rejected", "invalid_request_error" },
		{ ERR_REJECTED, 401, "HTTP/1.1 502 ", "backend_rejected", "server_error" },
		{ ERR_REFUSED, 0, "HTTP/1.1 502 ", "backend_unavailable", "server_error" },
		{ ERR_BUSY, 0, "HTTP/1.1 503 ", "backend_busy", "server_error" },
		{ ERR_TIMEOUT, 0, "HTTP/1.1 504 ", "backend_timeout", "server_error" },
		{ ERR_NO_MEMORY, 0, "HTTP/1.1 500 ", "internal_error", "server_error" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
		json_t *answer;
		const json_t *error;

		world.model.every = rows[i / 2].fate;
		world.model.status = rows[i / 2].status;
		raw_forget(&world.client);
		ask(i % 2 == 0 ? ",\"stream\":true" : "");
		answer = json_answer("\"code\":");
		error = json_object_get(answer, "error");
		assert_true(raw_has(&world.client, rows[i / 2].line));
		assert_string_equal(string_at(error, "code"), rows[i / 2].code);
		assert_string_equal(string_at(error, "type"), rows[i / 2].type);
		note_job();
		assert_non_null(strstr(string_at(error, "message"), job_id));
		json_decref(answer);
	}
}

static void a_late_failure_is_an_error_event_without_done(void **state)
{
	char *at;

	(void)state;
	world.model.n_fates = 2; /* the plan and the first section */
	world.model.every = ERR_REJECTED;
	ask(",\"stream\":true");
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	assert_true(raw_has(&world.client, "HTTP/1.1 200 "));
	note_job();
	at = strstr(unchunked(), "data: {\"error\":");
	assert_non_null(at);
	assert_non_null(strstr(at, "backend_rejected"));
	assert_non_null(strstr(at, job_id));
	assert_null(strstr(at, "[DONE]"));
	assert_string_equal(strstr(at, "\n\n"), "\n\n");
}

static void a_log_that_fails_ends_the_view(void **state)
{
	(void)state;
	for (int is_stream = 0; is_stream <= 1; is_stream++) {
		raw_forget(&world.client);
		world.store.next_fate = 0;
		world.store.n_fates = 2;
		world.store.fates[1] = FATE_FAIL;
		ask(is_stream ? ",\"stream\":true" : "");
		raw_expect(&world.client, "internal_error");
		assert_true(raw_has(&world.client, "HTTP/1.1 500 "));
	}
}

/* Wherever memory fails in a job, its client hears of an end. */
static void without_memory_every_answer_still_ends(void **state)
{
	static const char room[64 << 10];
	size_t failures = mem_failures();
	size_t wrong = 0;

	(void)state;
	for (size_t nth = 1; nth < 3000; nth += nth < 400 ? 1 : 37) {
		struct raw_client client;

		raw_connect(&client, &world.served);
		/* What the client reads with is not to fail. */
		assert_int_equal(buf_append(&client.got, room, sizeof(room)), OK);
		raw_forget(&client);
		mem_fail_at(nth);
		ask_by(&client, nth % 2 == 0 ? ",\"stream\":true,\"n\":1" : "");
		while (!client.is_ended && !raw_has(&client, "[DONE]") &&
		       !raw_has(&client, "\"error\"") && !raw_has(&client, "\"report\"")) {
			served_turn(&world.served);
			raw_read(&client, 1 << 20);
		}
		mem_fail_at(0);
		wrong += raw_has(&client, "\"error\"") || client.is_ended;
		raw_close(&client);
	}
	assert_true(mem_failures() > failures + 300);
	assert_true(wrong > 100);
}

/* ---- clients that leave, and servers that stop ---- */

static void a_client_may_leave_at_any_moment(void **state)
{
	(void)state;
	world.model.first_ms = world.model.piece_ms = 1;
	for (int turns = 0; turns < 200; turns += 7) {
		struct raw_client client;

		raw_connect(&client, &world.served);
		ask_by(&client, turns % 2 == 0 ? ",\"stream\":true" : "");
		for (int i = 0; i < turns; i++)
			served_turn(&world.served);
		if (turns % 3 == 0)
			raw_reset(&client);
		else
			raw_close(&client);
	}
	while (registry_running(world.api.registry) > 0 ||
	       http_server_requests(world.served.server) > 0)
		served_turn(&world.served);
	assert_int_equal(metric_get(METRIC_STREAMS_OPEN), 0);
	assert_int_equal(metric_get(METRIC_UPSTREAM_OPEN), 0);
}

static void too_many_jobs_are_told_to_come_back(void **state)
{
	struct raw_client clients[4];

	(void)state;
	world.model.every = ERR_UNKNOWN;
	for (size_t i = 0; i < COUNT_OF(clients); i++) {
		raw_connect(&clients[i], &world.served);
		ask_by(&clients[i], "");
	}
	while (registry_running(world.api.registry) < COUNT_OF(clients))
		served_turn(&world.served);
	ask("");
	raw_expect(&world.client, "too_many_jobs");
	assert_true(raw_has(&world.client, "HTTP/1.1 429 "));
	assert_true(raw_has(&world.client, "Retry-After: 10\r\n"));
	for (size_t i = 0; i < COUNT_OF(clients); i++)
		raw_close(&clients[i]);
}

static void a_server_that_stops_says_so_to_old_and_new(void **state)
{
	(void)state;
	world.model.every = ERR_UNKNOWN;
	ask(",\"stream\":true");
	while (registry_running(world.api.registry) == 0)
		served_turn(&world.served);
	registry_stop(world.api.registry, on_world_idle, NULL);
	raw_expect(&world.client, "shutting_down");
	assert_true(raw_has(&world.client, "HTTP/1.1 503 "));
	raw_forget(&world.client);
	ask(",\"stream\":true");
	raw_expect(&world.client, "shutting_down");
	assert_true(raw_has(&world.client, "HTTP/1.1 503 "));
	served_wait(&world.served, &world.idle, 1);
	world.idle = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(an_early_failure_has_its_own_status),
		WITH_WORLD(a_late_failure_is_an_error_event_without_done),
		WITH_WORLD(a_log_that_fails_ends_the_view),
		WITH_WORLD(without_memory_every_answer_still_ends),
		WITH_WORLD(a_client_may_leave_at_any_moment),
		WITH_WORLD(too_many_jobs_are_told_to_come_back),
		WITH_WORLD(a_server_that_stops_says_so_to_old_and_new),
	};

	mem_init();
	return cmocka_run_group_tests_name("chat_ends", tests, NULL, NULL);
}
