/* Readers that come back: the content from any byte on, live, from memory and out of the store; the
 * log as events. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/long_service.h"

static const char *path_of(const char *what)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "/v1/longhand/jobs/%s%s", job_id, what);
	return path;
}

static const char *chat_from(size_t offset)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "/chat?offset=%zu", offset);
	return path_of(what);
}

/* The content of the chunks of a whole stream; the caller releases it. */
static void read_content(struct buf *ret_content, size_t *ret_reports)
{
	char *at;

	buf_init(ret_content, 1 << 20);
	*ret_reports = 0;
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	at = unchunked();
	while (strncmp(at, "data: {", 7) == 0) {
		char *end = strstr(at, "\n\n");
		json_t *chunk = json_loadb(at + 6, (size_t)(end - at - 6), 0, NULL);
		const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);

		assert_non_null(chunk);
		assert_int_equal(
			buf_append_str(ret_content,
				       string_at(json_object_get(choice, "delta"), "content")),
			OK);
		*ret_reports +=
			json_object_get(json_object_get(chunk, "longhand"), "report") != NULL;
		json_decref(chunk);
		at = end + 2;
	}
	assert_string_equal(at, "data: [DONE]\n\n");
}

static void note_text(struct buf *ret_text)
{
	buf_init(ret_text, 1 << 20);
	get(path_of("/text"));
	raw_expect(&world.client, ".\n");
	assert_int_equal(buf_append_str(ret_text, strstr(world.client.got.data, "\r\n\r\n") + 4),
			 OK);
}

static void write_a_text(void)
{
	ask("");
	raw_expect(&world.client, "\"report\"");
	note_job();
}

static void expect_every_rest(size_t step)
{
	struct buf text;
	size_t resumes = 0;

	note_text(&text);
	assert_true(text.len > 2000);
	for (size_t offset = 0; offset < text.len + step; offset += step, resumes++) {
		size_t from = offset < text.len ? offset : text.len;
		struct buf rest;
		size_t reports;

		get(chat_from(from));
		read_content(&rest, &reports);
		assert_string_equal(buf_str(&rest), text.data + from);
		assert_int_equal(reports, 1);
		buf_release(&rest);
	}
	assert_true(resumes > 50);
	buf_release(&text);
}

static void a_finished_job_is_read_on_from_any_byte(void **state)
{
	(void)state;
	write_a_text();
	expect_every_rest(43);
	assert_int_equal(world.store.reads, 0);
}

static void so_is_one_that_only_the_store_knows(void **state)
{
	(void)state;
	registry_options.keep_ms = 0;
	write_a_text();
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	expect_every_rest(61);
	assert_true(world.store.reads > 50); /* once for each */
}

/* The plan is shown to who has nothing yet, progress to everybody. */
static void only_who_begins_is_shown_the_plan(void **state)
{
	(void)state;
	write_a_text();
	get(chat_from(0));
	raw_expect(&world.client, "[DONE]");
	assert_true(raw_has(&world.client, "reasoning_content"));
	assert_true(raw_has(&world.client, "X-Longhand-Job: "));
	get(chat_from(1));
	raw_expect(&world.client, "[DONE]");
	assert_false(raw_has(&world.client, "reasoning_content"));
	assert_true(raw_has(&world.client, "\"role\":\"assistant\""));
	assert_true(raw_has(&world.client, "eta_s"));
}

/* A reader joins a job that is being written, and gets the rest as it comes. */
static void a_running_job_is_read_live(void **state)
{
	struct raw_client second;
	char text[256];

	(void)state;
	world.model.piece_ms = 1;
	world.model.every = ERR_UNKNOWN; /* the third call hangs */
	world.model.n_fates = 2;
	options.heartbeat_ms = 20;
	ask(",\"stream\":true");
	raw_expect(&world.client, "\"content\":\"The");
	note_job();
	raw_connect(&second, &world.served);
	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", chat_from(4));
	raw_send(&second, text);
	raw_expect(&second, "\"content\":\"");
	assert_false(raw_has(&second, "[DONE]"));
	raw_expect(&second, ": hb\n\n");
	(void)snprintf(text, sizeof(text),
		       "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		       path_of("/cancel"));
	{
		struct raw_client third;

		raw_connect(&third, &world.served);
		raw_send(&third, text);
		raw_expect(&third, "\"object\":\"longhand.job\"");
		raw_close(&third);
	}
	raw_expect(&second, "[DONE]");
	raw_close(&second);
}

static void an_offset_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *what;
		const char *status;
		const char *code;
	} rows[] = {
		{ "/chat?offset=", "400", "invalid_value" },
		{ "/chat?offset=-1", "400", "invalid_value" },
		{ "/chat?offset=1x", "400", "invalid_value" },
		{ "/chat?offset=0x10", "400", "invalid_value" },
		{ "/chat?offset=9999999999999999999999", "400", "invalid_value" },
		{ "/chat?a=1&offset=+1", "400", "invalid_value" },
		{ "/chat?offset=1000000", "416", "offset_beyond_end" },
		{ "/chat?a=1&offset=1000000&b", "416", "offset_beyond_end" },
	};

	(void)state;
	for (int is_stored = 0; is_stored <= 1; is_stored++) {
		registry_options.keep_ms = is_stored ? 0 : LONG_MS;
		raw_forget(&world.client);
		write_a_text();
		while (is_stored && metric_get(METRIC_JOBS_KEPT) > 1)
			served_turn(&world.served);
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			char status[32];

			get(path_of(rows[i].what));
			(void)snprintf(status, sizeof(status), "HTTP/1.1 %s ", rows[i].status);
			raw_expect(&world.client, "\"code\":");
			assert_true(raw_has(&world.client, status));
			assert_true(raw_has(&world.client, rows[i].code));
		}
	}
	send_line("HEAD", path_of("/chat"));
	raw_expect(&world.client, "HTTP/1.1 405 ");
	send_line("POST", path_of("/events"));
	raw_expect(&world.client, "Allow: GET\r\n");
}

/* ---- events ---- */

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void the_log_is_read_as_events(void **state)
{
	size_t all[2];

	(void)state;
	for (int is_stored = 0; is_stored <= 1; is_stored++) {
		registry_options.keep_ms = is_stored ? 0 : LONG_MS;
		raw_forget(&world.client);
		write_a_text();
		while (is_stored && metric_get(METRIC_JOBS_KEPT) > 1)
			served_turn(&world.served);
		get(path_of("/events"));
		raw_expect(&world.client, "\r\n0\r\n\r\n");
		assert_true(raw_has(&world.client, "id: 1-1\ndata: {\"v\":1,\"id\":\"1-1\","
						   "\"kind\":\"created\""));
		assert_true(raw_has(&world.client, "\"kind\":\"done\""));
		all[is_stored] = count_of(unchunked(), "data: {\"v\":1,");
		assert_true(all[is_stored] > 10);
	}
	assert_int_equal(all[0], all[1]);
	/* Who comes back with the id of the last event it has gets those behind it. */
	raw_forget(&world.client);
	{
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "GET %s HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 1-5\r\n\r\n",
			       path_of("/events"));
		raw_send(&world.client, text);
	}
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	assert_int_equal(count_of(unchunked(), "data: {\"v\":1,"), all[1] - 5);
}

static void events_of_a_silent_job_have_heartbeats(void **state)
{
	(void)state;
	world.model.every = ERR_UNKNOWN;
	options.heartbeat_ms = 5;
	ask(",\"stream\":true,\"longhand\":{\"keep\":true}");
	raw_expect(&world.client, ": hb\n\n");
	note_job();
	raw_close(&world.client);
	raw_connect(&world.client, &world.served);
	get(path_of("/events"));
	raw_expect(&world.client, "\"kind\":\"created\"");
	raw_expect(&world.client, ": hb\n\n\r\n6\r\n: hb\n\n");
}

static void a_store_that_fails_for_a_while_only_delays_the_stream(void **state)
{
	(void)state;
	registry_options.keep_ms = 0;
	write_a_text();
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	world.store.delay_ms = 30;
	get(path_of("/events"));
	raw_expect(&world.client, "HTTP/1.1 200 "); /* looked up: now it is read */
	world.store.reads_failing = 3;
	raw_expect(&world.client, "\"kind\":\"done\"");
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	assert_int_equal(world.store.reads_failing, 0);
}

static void a_store_that_fails_for_good_ends_the_stream(void **state)
{
	(void)state;
	registry_options.keep_ms = 0;
	write_a_text();
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	registry_options.job.log.store_ms = 40;
	world.store.delay_ms = 30;
	get(path_of("/events"));
	raw_expect(&world.client, "HTTP/1.1 200 "); /* looked up: now it is read */
	world.store.reads_failing = 1000000;
	raw_expect(&world.client, "internal_error");
	raw_expect(&world.client, "\r\n0\r\n\r\n");
}

static void a_reader_may_leave_while_the_store_is_read(void **state)
{
	struct raw_client client;
	char text[256];

	(void)state;
	registry_options.keep_ms = 0;
	write_a_text();
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	world.store.delay_ms = 30;
	raw_connect(&client, &world.served);
	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
		       path_of("/events"));
	raw_send(&client, text);
	raw_expect(&client, "HTTP/1.1 200 ");
	assert_int_equal(world.store.live, 1);
	raw_reset(&client);
	while (world.store.live > 0 || http_server_requests(world.served.server) > 0)
		served_turn(&world.served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_finished_job_is_read_on_from_any_byte),
		WITH_WORLD(so_is_one_that_only_the_store_knows),
		WITH_WORLD(only_who_begins_is_shown_the_plan),
		WITH_WORLD(a_running_job_is_read_live),
		WITH_WORLD(an_offset_that_is_none_is_refused),
		WITH_WORLD(the_log_is_read_as_events),
		WITH_WORLD(events_of_a_silent_job_have_heartbeats),
		WITH_WORLD(a_store_that_fails_for_a_while_only_delays_the_stream),
		WITH_WORLD(a_store_that_fails_for_good_ends_the_stream),
		WITH_WORLD(a_reader_may_leave_while_the_store_is_read),
	};

	mem_init();
	return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
