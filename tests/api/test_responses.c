/* Responses over a real HTTP server: a job of a fake model as a response, created, followed,
 * fetched again, cancelled and erased. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/response_calls.h"

static void expect_replays(const char *bytes)
{
	const char *rest = strstr(bytes, "event: response.output_text.delta");
	char query[64];
	char *again;

	get(response_path("?stream=true"));
	again = response_bytes();
	assert_string_equal(again, bytes);
	mem_free(again);
	/* created, in_progress, six of the plan, and two: the first delta is the tenth. */
	(void)snprintf(query, sizeof(query), "?stream=true&starting_after=%d", 9);
	get(response_path(query));
	again = response_bytes();
	assert_string_equal(again, rest);
	mem_free(again);
}

static void a_stream_is_replayed_byte_for_byte(void **state)
{
	char *bytes = response_write(",\"stream\":true");

	(void)state;
	assert_non_null(strstr(bytes, "event: response.completed\n"));
	assert_non_null(strstr(bytes, "event: response.reasoning_summary_text.delta\n"));
	expect_replays(bytes);
	response_expect_status("completed");
	mem_free(bytes);
}

static void the_store_replays_it_too(void **state)
{
	char *bytes;

	(void)state;
	registry_options.keep_ms = 0;
	bytes = response_write(",\"stream\":true");
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	expect_replays(bytes);
	response_expect_status("completed");
	mem_free(bytes);
}

static void a_whole_answer_is_the_object_that_is_fetched(void **state)
{
	json_t *answer, *fetched;

	(void)state;
	response_create(
		",\"metadata\":{\"k\":\"v\"},\"instructions\":\"Be kind.\",\"max_output_tokens\":"
		"9000");
	answer = response_answer();
	response_note();
	assert_string_equal(string_at(answer, "status"), "completed");
	assert_string_equal(string_at(answer, "instructions"), "Be kind.");
	assert_int_equal(json_integer_value(json_object_get(answer, "max_output_tokens")), 9000);
	assert_int_equal(json_array_size(json_object_get(answer, "output")), 2);
	get(response_path(""));
	fetched = response_answer();
	assert_true(json_equal(answer, fetched));
	json_decref(answer);
	json_decref(fetched);
}

static void a_background_one_is_answered_at_once(void **state)
{
	json_t *object;

	(void)state;
	world.model.every = ERR_UNKNOWN; /* hangs for ever */
	response_create(",\"background\":true");
	object = response_answer();
	response_note();
	assert_string_equal(string_at(object, "status"), "in_progress");
	assert_true(json_is_true(json_object_get(object, "background")));
	json_decref(object);
	response_expect_status("in_progress");
	assert_int_equal(metric_get(METRIC_JOBS_RUNNING), 1);
	for (int times = 0; times < 3; times++) {
		send_line("POST", response_path("/cancel"));
		object = response_answer();
		assert_string_equal(string_at(object, "status"), "cancelled");
		assert_string_equal(string_at(object, "id"), response_id);
		json_decref(object);
	}
	response_expect_status("cancelled");
}

static void background_needs_a_store(void **state)
{
	json_t *answer;

	(void)state;
	response_create(",\"background\":true,\"store\":false");
	raw_expect(&world.client, "HTTP/1.1 400 ");
	answer = response_answer();
	assert_string_equal(string_at(json_object_get(answer, "error"), "param"), "background");
	json_decref(answer);
	assert_int_equal(metric_get(METRIC_JOBS_KEPT), 0);
}

/* ---- parking ---- */

static void a_reader_that_fetches_lets_it_go_on(void **state)
{
	struct raw_client client;

	(void)state;
	world.model.fates[0] = OK;
	world.model.n_fates = 2;
	world.model.fates[1] = ERR_UNKNOWN; /* hangs in the first section */
	raw_connect(&client, &world.served);
	response_post_by(&client, "/v1/responses",
			 "{\"model\":\"longhand\",\"input\":\"" RESPONSE_STORY
			 "\",\"stream\":true}");
	raw_expect(&client, "response.reasoning_summary_text.delta");
	(void)snprintf(response_id, sizeof(response_id), "%.37s", strstr(client.got.data, "resp_"));
	raw_close(&client);
	while (metric_get(METRIC_JOBS_PARKED) == 0)
		served_turn(&world.served);
	get(response_path("?stream=true"));
	raw_expect(&world.client, "event: response.completed\n");
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	assert_int_equal(metric_get(METRIC_JOBS_PARKED), 1);
	assert_int_equal(metric_get(METRIC_JOBS_TAKEN), 1);
}

/* ---- what is not stored ---- */

static void expect_nothing_left(void)
{
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	get(response_path(""));
	response_expect_http("HTTP/1.1 404 ");
	(void)snprintf(response_id, sizeof(response_id), "%s", unknown_response);
}

static void what_is_not_stored_is_gone_with_its_answer(void **state)
{
	static const char *const members[] = { ",\"store\":false",
					       ",\"store\":false,\"stream\":true" };

	(void)state;
	world.api.without_responses[0] = "default";
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		raw_forget(&world.client);
		response_create(members[i]);
		raw_expect(&world.client, "\"store\":false");
		raw_expect(&world.client, "\"report\"");
		response_note();
		if (i == 1)
			raw_expect(&world.client, "\r\n0\r\n\r\n");
		else
			json_decref(response_answer());
		expect_nothing_left();
	}
}

static void what_is_not_stored_ends_with_its_reader(void **state)
{
	struct raw_client client;

	(void)state;
	world.api.without_responses[0] = "default";
	world.model.every = ERR_UNKNOWN;
	options.first_status_ms = 1;
	raw_connect(&client, &world.served);
	response_post_by(&client, "/v1/responses",
			 "{\"model\":\"longhand\",\"input\":\"" RESPONSE_STORY
			 "\",\"stream\":true,\"store\":false}");
	raw_expect(&client, "resp_");
	(void)snprintf(response_id, sizeof(response_id), "%.37s", strstr(client.got.data, "resp_"));
	get(response_path("")); /* nobody else has it, while it runs neither */
	response_expect_http("HTTP/1.1 404 ");
	raw_close(&client);
	expect_nothing_left();
}

static void an_erased_one_is_gone(void **state)
{
	json_t *answer;

	(void)state;
	world.api.without_responses[0] = "default";
	mem_free(response_write(",\"stream\":true"));
	send_line("DELETE", response_path(""));
	answer = response_answer();
	assert_string_equal(string_at(answer, "id"), response_id);
	assert_string_equal(string_at(answer, "object"), "response");
	assert_true(json_is_true(json_object_get(answer, "deleted")));
	json_decref(answer);
	get(response_path(""));
	response_expect_http("HTTP/1.1 404 ");
	send_line("DELETE", response_path(""));
	response_expect_http("HTTP/1.1 404 ");
}

/* ---- input items ---- */

static void expect_items(const char *query, const char *ids, bool has_more)
{
	char path[128];
	char seen[256] = "";
	json_t *list;
	size_t index;
	json_t *item;

	(void)snprintf(path, sizeof(path), "/input_items%s", query);
	get(response_path(path));
	list = response_answer();
	assert_string_equal(string_at(list, "object"), "list");
	json_array_foreach(json_object_get(list, "data"), index, item)
	{
		const char *id = string_at(item, "id");
		size_t used = strlen(seen);

		(void)snprintf(seen + used, sizeof(seen) - used, "%s", strrchr(id, '_') + 1);
		assert_string_equal(string_at(item, "type"), "message");
		assert_true(json_is_array(json_object_get(item, "content")));
	}
	assert_string_equal(seen, ids);
	assert_int_equal(json_is_true(json_object_get(list, "has_more")), has_more);
	json_decref(list);
}

static void input_items_come_in_pages(void **state)
{
	static const char *const wrong[] = { "?limit=0", "?limit=101", "?limit=x", "?order=up",
					     "?after=msg_7" };
	char query[128];

	(void)state;
	response_post(
		"/v1/responses",
		"{\"model\":\"longhand\",\"input\":[{\"role\":\"user\",\"content\":\"A\"},{\"role"
		"\":"
		"\"assistant\",\"content\":\"B\"},{\"type\":\"message\",\"role\":\"user\",\"conte"
		"nt\":"
		"[{\"type\":\"input_text\",\"text\":\"" RESPONSE_STORY "\"}]}]}");
	json_decref(response_answer());
	response_note();
	expect_items("", "210", false);
	expect_items("?order=asc", "012", false);
	expect_items("?order=asc&limit=2", "01", true);
	expect_items("?limit=1", "2", true);
	(void)snprintf(query, sizeof(query), "?after=msg_%s_1", job_id);
	expect_items(query, "0", false);
	(void)snprintf(query, sizeof(query), "?order=asc&after=msg_%s_2", job_id);
	expect_items(query, "", false);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/input_items%s", wrong[i]);
		get(response_path(path));
		response_expect_http("HTTP/1.1 400 ");
	}
	get(response_path("?stream=true&starting_after=-1"));
	response_expect_http("HTTP/1.1 400 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_stream_is_replayed_byte_for_byte),
		WITH_WORLD(the_store_replays_it_too),
		WITH_WORLD(a_whole_answer_is_the_object_that_is_fetched),
		WITH_WORLD(a_background_one_is_answered_at_once),
		WITH_WORLD(background_needs_a_store),
		WITH_WORLD(a_reader_that_fetches_lets_it_go_on),
		WITH_WORLD(what_is_not_stored_is_gone_with_its_answer),
		WITH_WORLD(what_is_not_stored_ends_with_its_reader),
		WITH_WORLD(an_erased_one_is_gone),
		WITH_WORLD(input_items_come_in_pages),
	};

	mem_init();
	return cmocka_run_group_tests_name("responses", tests, NULL, NULL);
}
