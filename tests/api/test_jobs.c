/* Jobs looked at, while they run, when they have ended, and when only the store knows them; models,
 * health, and which methods there are. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/long_service.h"

static const char unknown[] = "/v1/longhand/jobs/0123456789abcdef0123456789abcdef";

static const char *path_of(const char *what)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "/v1/longhand/jobs/%s%s", job_id, what);
	return path;
}

static json_t *job_state(void)
{
	get(path_of(""));
	return json_answer("\"error\":");
}

static void expect_status(const char *status)
{
	json_t *job = job_state();

	assert_string_equal(string_at(job, "status"), status);
	assert_string_equal(string_at(job, "id"), job_id);
	assert_string_equal(string_at(job, "object"), "longhand.job");
	assert_string_equal(string_at(job, "model"), "longhand");
	assert_int_equal(json_integer_value(json_object_get(job, "target_words")), 600);
	assert_true(json_integer_value(json_object_get(job, "created")) > 1500000000);
	json_decref(job);
}

static void write_a_text(void)
{
	json_t *answer;

	ask("");
	answer = json_answer("\"report\"");
	note_job();
	json_decref(answer);
}

static void expect_whole_text(void)
{
	json_t *job = job_state();
	json_int_t bytes = json_integer_value(json_object_get(job, "bytes"));
	char length[64];

	assert_string_equal(string_at(job, "status"), "done");
	assert_true(json_is_object(json_object_get(job, "plan")));
	assert_true(json_is_object(json_object_get(job, "report")));
	assert_true(json_is_null(json_object_get(job, "error")));
	assert_true(bytes > 2000);
	json_decref(job);
	get(path_of("/text"));
	(void)snprintf(length, sizeof(length), "Content-Length: %lld\r\n", (long long)bytes);
	raw_expect(&world.client, length);
	assert_true(raw_has(&world.client, "text/plain; charset=utf-8"));
}

static void a_finished_job_is_shown_from_memory(void **state)
{
	(void)state;
	write_a_text();
	expect_whole_text();
	assert_int_equal(world.store.reads, 0);
}

static void a_job_of_long_ago_is_read_from_the_store(void **state)
{
	(void)state;
	registry_options.keep_ms = 0;
	write_a_text();
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	expect_whole_text();
	assert_true(world.store.reads > 0);
	send_line("POST", path_of("/cancel")); /* nothing to stop: it is shown */
	raw_expect(&world.client, "\"status\":\"done\"");
	world.store.reads_failing = 1;
	get(path_of(""));
	raw_expect(&world.client, "internal_error");
	assert_true(raw_has(&world.client, "HTTP/1.1 500 "));
}

static void a_client_may_leave_while_the_store_is_asked(void **state)
{
	struct raw_client client;
	char text[256];

	(void)state;
	registry_options.keep_ms = 0;
	write_a_text();
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	world.store.delay_ms = 20;
	raw_connect(&client, &world.served);
	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path_of(""));
	raw_send(&client, text);
	while (world.store.live == 0)
		served_turn(&world.served);
	raw_reset(&client);
	while (world.store.live > 0 || http_server_requests(world.served.server) > 0)
		served_turn(&world.served);
}

static void a_running_job_can_be_stopped_and_keeps_its_text(void **state)
{
	(void)state;
	world.model.piece_ms = 1;
	world.model.every = ERR_UNKNOWN; /* the third call hangs */
	world.model.n_fates = 2;
	ask(",\"stream\":true,\"longhand\":{\"keep\":true}");
	raw_expect(&world.client, "\"content\":\"The");
	note_job();
	raw_close(&world.client);
	raw_connect(&world.client, &world.served);
	while (world.model.calls < 3)
		served_turn(&world.served);
	expect_status("writing");
	get(path_of("/text"));
	raw_expect(&world.client, "\r\n\r\nThe ");
	send_line("POST", path_of("/cancel"));
	raw_expect(&world.client, "\"object\":\"longhand.job\"");
	while (registry_running(world.api.registry) > 0)
		served_turn(&world.served);
	expect_status("cancelled");
	get(path_of("/text"));
	raw_expect(&world.client, "\r\n\r\nThe ");
}

static void expect_gone(void)
{
	static const char *const whats[] = { "", "/text", "/chat", "/events" };

	for (size_t i = 0; i < COUNT_OF(whats); i++) {
		get(path_of(whats[i]));
		raw_expect(&world.client, "job_not_found");
	}
	send_line("DELETE", path_of(""));
	raw_expect(&world.client, "job_not_found");
	assert_int_equal(store_memory_logs(world.store.memory), 0);
}

static void a_job_is_erased_wherever_it_is(void **state)
{
	(void)state;
	for (int is_stored = 0; is_stored <= 1; is_stored++) {
		registry_options.keep_ms = is_stored ? 0 : LONG_MS;
		raw_forget(&world.client);
		write_a_text();
		while (is_stored && metric_get(METRIC_JOBS_KEPT) > 0)
			served_turn(&world.served);
		send_line("DELETE", path_of(""));
		raw_expect(&world.client, "\"deleted\":true");
		expect_gone();
		while (metric_get(METRIC_JOBS_KEPT) > 0)
			served_turn(&world.served);
	}
}

static void a_running_job_is_stopped_and_erased(void **state)
{
	struct raw_client reader;

	(void)state;
	world.model.piece_ms = 1;
	world.model.every = ERR_UNKNOWN; /* the third call hangs */
	world.model.n_fates = 2;
	raw_connect(&reader, &world.served);
	ask_by(&reader, ",\"stream\":true");
	raw_expect(&reader, "\"content\":\"The");
	raw_forget(&world.client);
	(void)snprintf(job_id, sizeof(job_id), "%s",
		       strstr(reader.got.data, "X-Longhand-Job: ") + 16);
	send_line("DELETE", path_of(""));
	raw_expect(&world.client, "\"deleted\":true");
	raw_expect(&reader, "job_erased");
	raw_expect(&reader, "\r\n0\r\n\r\n");
	assert_false(raw_has(&reader, "[DONE]"));
	assert_int_equal(world.model.live, 0);
	expect_gone();
	raw_close(&reader);
}

static void a_failed_job_says_why(void **state)
{
	json_t *job;

	(void)state;
	world.model.every = ERR_REFUSED;
	ask("");
	raw_expect(&world.client, "backend_unavailable");
	note_job();
	job = job_state();
	assert_string_equal(string_at(job, "status"), "failed");
	assert_string_equal(string_at(json_object_get(job, "error"), "code"),
			    "backend_unavailable");
	json_decref(job);
}

static void what_is_not_there_is_said_so(void **state)
{
	static const struct {
		const char *method;
		const char *path;
		const char *line;
		const char *has;
	} rows[] = {
		{ "GET", unknown, "404", "job_not_found" },
		{ "POST", "/v1/longhand/jobs/0123456789abcdef0123456789abcdef/cancel", "404",
		  "job_not_found" },
		{ "GET", "/v1/longhand/jobs/short", "404", "job_not_found" },
		{ "GET", "/v1/longhand/jobs/0123456789ABCDEF0123456789ABCDEF", "404",
		  "job_not_found" },
		{ "GET", "/v1/longhand/jobs/0123456789abcdef0123456789abcdef/what", "404",
		  "job_not_found" },
		{ "GET", "/v1/longhand/jobs/0123456789abcdef0123456789abcdef/cancel", "405",
		  "Allow: POST\r\n" },
		{ "POST", unknown, "405", "Allow: GET, HEAD, DELETE\r\n" },
		{ "PUT", unknown, "405", "Allow: GET, HEAD, POST, DELETE\r\n" },
		{ "DELETE", unknown, "404", "job_not_found" },
		{ "DELETE", "/v1/longhand/jobs/0123456789abcdef0123456789abcdef/text", "405",
		  "Allow: GET, HEAD\r\n" },
		{ "GET", "/v1/longhand/jobs/", "404", "not_found" },
		{ "GET", "/", "404", "not_found" },
		{ "POST", "/metrics", "405", "Allow: GET, HEAD\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char status[32];

		send_line(rows[i].method, rows[i].path);
		(void)snprintf(status, sizeof(status), "HTTP/1.1 %s ", rows[i].line);
		raw_expect(&world.client, "\"code\":");
		assert_true(raw_has(&world.client, status));
		assert_true(raw_has(&world.client, rows[i].has));
	}
}

/* ---- models ---- */

static const struct model_info *listed;
static size_t n_listed;
static enum err describe_result;

static void on_cancel(struct op *op)
{
	op_finish(op, op->canceled);
}

static void describe(struct model *model, struct describe_call *call)
{
	(void)model;
	call->models = listed;
	call->n_models = n_listed;
	call->backends_failed = 0;
	if (op_begin(&call->op, on_cancel))
		op_finish(&call->op, describe_result);
}

static void models_are_the_backends_and_ours(void **state)
{
	static const struct api_preset presets[] = { { .id = "longhand-fiction", .mode = "auto" } };
	json_t *raw = json_pack("{s:s,s:s,s:i}", "id", "theirs", "object", "model", "created", 7);
	const struct model_info infos[] = {
		{ .id = "org/a b", .backend = "default", .model = "theirs", .raw = raw },
		{ .id = "configured", .backend = "default", .model = "configured" },
	};
	static const struct {
		const char *path;
		const char *line;
		const char *has;
	} rows[] = {
		{ "/v1/models", "200", "\"id\":\"longhand-fiction\"" },
		{ "/v1/models", "200", "{\"id\":\"org/a b\",\"object\":\"model\",\"created\":7}" },
		{ "/v1/models", "200", "\"id\":\"longhand\"" },
		{ "/v1/models/org%2Fa%20b", "200", "\"created\":7" },
		{ "/v1/models/configured", "200", "\"object\":\"model\"" },
		{ "/v1/models/longhand", "200", "\"owned_by\":\"longhand\"" },
		{ "/v1/models/theirs", "404", "model_not_found" },
		{ "/v1/models/%00", "404", "model_not_found" },
		{ "/v1/models/%zz", "404", "model_not_found" },
	};

	(void)state;
	options.presets = presets;
	options.n_presets = COUNT_OF(presets);
	world.model.port.describe = describe;
	listed = infos;
	n_listed = COUNT_OF(infos);
	describe_result = OK;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char status[32];

		get(rows[i].path);
		(void)snprintf(status, sizeof(status), "HTTP/1.1 %s ", rows[i].line);
		raw_expect(&world.client, rows[i].has);
		assert_true(raw_has(&world.client, status));
	}
	describe_result = ERR_NO_MEMORY;
	for (int one = 0; one <= 1; one++) {
		get(one ? "/v1/models/configured" : "/v1/models");
		raw_expect(&world.client, "internal_error");
	}
	listed = NULL;
	n_listed = 0;
	json_decref(raw);
}

static bool no_default(struct model *model, const char *backend, struct model_target *ret_target)
{
	(void)model;
	(void)backend;
	*ret_target = (struct model_target){ .backend = "default" };
	return false;
}

static void without_a_default_model_the_choices_are_named(void **state)
{
	json_t *raw = json_pack("{s:s}", "id", "a");
	const struct model_info infos[] = {
		{ .id = "a", .backend = "default", .model = "a", .raw = raw },
		{ .id = "b", .backend = "default", .model = "b", .raw = raw },
		{ .id = "c", .backend = "other", .model = "c", .raw = raw },
	};

	(void)state;
	world.model.port.describe = describe;
	world.model.port.resolve_default = no_default;
	listed = infos;
	n_listed = 3;
	describe_result = OK;
	ask("");
	raw_expect(&world.client, "model_required");
	assert_true(raw_has(&world.client, "HTTP/1.1 400 "));
	assert_true(raw_has(&world.client, "a, b, c"));
	/* The default backend is silent; that another has models does not help. */
	listed = infos + 2;
	n_listed = 1;
	raw_forget(&world.client);
	ask("");
	raw_expect(&world.client, "backend_unavailable");
	assert_true(raw_has(&world.client, "HTTP/1.1 502 "));
	describe_result = ERR_NO_MEMORY;
	raw_forget(&world.client);
	ask("");
	raw_expect(&world.client, "internal_error");
	json_decref(raw);
}

static void health_says_what_it_is(void **state)
{
	(void)state;
	get("/healthz");
	raw_expect(&world.client, "\r\n\r\nok\n");
	get("/readyz");
	raw_expect(&world.client, "\r\n\r\nready\n");
	world.api.is_draining = true;
	get("/readyz");
	raw_expect(&world.client, "draining\n");
	assert_true(raw_has(&world.client, "HTTP/1.1 503 "));
	get("/metrics");
	raw_expect(&world.client, "longhand_connections_open 1\n");
	raw_forget(&world.client);
	raw_send(&world.client, "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&world.client, "Content-Length: 3\r\n");
	assert_false(raw_has(&world.client, "ok"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_finished_job_is_shown_from_memory),
		WITH_WORLD(a_job_of_long_ago_is_read_from_the_store),
		WITH_WORLD(a_client_may_leave_while_the_store_is_asked),
		WITH_WORLD(a_running_job_can_be_stopped_and_keeps_its_text),
		WITH_WORLD(a_job_is_erased_wherever_it_is),
		WITH_WORLD(a_running_job_is_stopped_and_erased),
		WITH_WORLD(a_failed_job_says_why),
		WITH_WORLD(what_is_not_there_is_said_so),
		WITH_WORLD(models_are_the_backends_and_ours),
		WITH_WORLD(without_a_default_model_the_choices_are_named),
		WITH_WORLD(health_says_what_it_is),
	};

	mem_init();
	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
