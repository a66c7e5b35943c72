/* Who may ask, and whose what is written is: keys, a front end's users, other people's jobs. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "fakes/long_service.h"

static struct auth_key keys[2];
static char owner[OWNER_BYTES];
static struct auth_options asked;
static struct api_fault fault;
static bool is_let_in;
static char *line;

static int make_keys(void **state)
{
	(void)state;
	keys[0].name = "alice";
	key_hash_of("key-of-alice", 12, &keys[0].hash);
	keys[1].name = "bob";
	key_hash_of("key-of-bob", 10, &keys[1].hash);
	return 0;
}

static void check_request(struct request *request)
{
	is_let_in = auth_owner(&asked, request, owner, &fault);
	line = auth_line_to_pass(&asked, request);
	reply_send(request, 200, NULL, NULL);
}

/* ---- one request ---- */

static const struct {
	const char *headers;
	size_t n_keys;
	const char *user_header;
	const char *owner; /* NULL: refused */
	enum api_error error;
} rows[] = {
	{ "", 0, NULL, "", 0 },
	{ "Authorization: Bearer whatever\r\n", 0, NULL, "", 0 },
	{ "X-User: eve\r\n", 0, NULL, "", 0 },
	{ "X-User: eve\r\n", 0, "X-User", "/eve", 0 },
	{ "", 0, "X-User", "", 0 },
	{ "Authorization: Bearer key-of-alice\r\n", 2, NULL, "alice", 0 },
	{ "authorization: bearer  key-of-bob \r\n", 2, NULL, "bob", 0 },
	{ "Authorization: Bearer key-of-bob\r\nX-User: eve\r\n", 2, NULL, "bob", 0 },
	{ "Authorization: Bearer key-of-bob\r\nx-user: eve\r\n", 2, "X-User", "bob/eve", 0 },
	{ "Authorization: Bearer key-of-bob\r\nX-User: a/b c\r\n", 2, "X-User", "bob/a/b c", 0 },
	{ "Authorization: Bearer key-of-bob\r\nX-User:\r\n", 2, "X-User", "bob", 0 },
	{ "", 2, NULL, NULL, API_ERROR_INVALID_API_KEY },
	{ "X-User: eve\r\n", 2, "X-User", NULL, API_ERROR_INVALID_API_KEY },
	{ "Authorization: key-of-alice\r\n", 2, NULL, NULL, API_ERROR_INVALID_API_KEY },
	{ "Authorization: Basic key-of-alice\r\n", 2, NULL, NULL, API_ERROR_INVALID_API_KEY },
	{ "Authorization: Bearer \r\n", 2, NULL, NULL, API_ERROR_INVALID_API_KEY },
	{ "Authorization: Bearer key-of-alic\r\n", 2, NULL, NULL, API_ERROR_INVALID_API_KEY },
	{ "Authorization: Bearer key-of-alice key-of-bob\r\n", 2, NULL, NULL,
	  API_ERROR_INVALID_API_KEY },
	{ "X-Api-Key: key-of-alice\r\n", 2, NULL, NULL, API_ERROR_INVALID_API_KEY },
	{ "Authorization: Bearer key-of-bob\r\nX-User: a\r\nX-User: b\r\n", 2, "X-User", NULL,
	  API_ERROR_INVALID_VALUE },
	{ "Authorization: Bearer key-of-bob\r\nX-User: \xff\r\n", 2, "X-User", NULL,
	  API_ERROR_INVALID_VALUE },
};

static void ask_with(struct served *served, const char *headers)
{
	struct raw_client client;

	raw_connect(&client, served);
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n");
	raw_send(&client, headers);
	raw_send(&client, "\r\n");
	raw_expect(&client, "\r\n\r\n");
	raw_close(&client);
}

static void a_request_has_an_owner_or_is_refused(void **state)
{
	struct served served;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = check_request;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		asked = (struct auth_options){ keys, rows[i].n_keys, rows[i].user_header };
		ask_with(&served, rows[i].headers);
		if (is_let_in != (rows[i].owner != NULL))
			fail_msg("row %zu: %s", i, rows[i].headers);
		if (is_let_in)
			assert_string_equal(owner, rows[i].owner);
		else
			assert_int_equal(fault.error, rows[i].error);
		assert_null(strstr(fault.message, "key-of"));
		mem_free(line);
	}
	served_end(&served);
}

static void a_user_name_has_a_bound(void **state)
{
	struct served served;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = check_request;
	asked = (struct auth_options){ NULL, 0, "X-User" };
	for (int more = 0; more <= 1; more++) {
		char headers[USER_BYTES_MAX + 32];

		(void)snprintf(headers, sizeof(headers), "X-User: %0*d\r\n", USER_BYTES_MAX + more,
			       1);
		ask_with(&served, headers);
		assert_int_equal(is_let_in, !more);
		mem_free(line);
	}
	assert_int_equal(strlen(owner), 1 + USER_BYTES_MAX);
	served_end(&served);
}

static void a_key_of_ours_is_never_passed_on(void **state)
{
	struct served served;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = check_request;
	asked = (struct auth_options){ keys, 0, NULL };
	ask_with(&served, "Authorization: Bearer theirs\r\n");
	assert_string_equal(line, "Authorization: Bearer theirs");
	mem_free(line);
	asked.n_keys = 2;
	ask_with(&served, "Authorization: Bearer key-of-bob\r\n");
	assert_null(line);
	served_end(&served);
}

/* ---- the whole service ---- */

static void ask_as(const char *key, const char *method, const char *path, const char *body)
{
	char text[2048];

	raw_forget(&world.client);
	(void)snprintf(text, sizeof(text),
		       "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: "
		       "%zu\r\n\r\n%s",
		       method, path, key, strlen(body), body);
	raw_send(&world.client, text);
}

static void write_as(const char *key)
{
	ask_as(key, "POST", "/v1/chat/completions",
	       "{\"model\":\"longhand\",\"messages\":[{\"role\":\"user\",\"content\":"
	       "\"Write a 600-word story about a lighthouse.\"}]}");
}

static const char *path_of(const char *what)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "/v1/longhand/jobs/%s%s", job_id, what);
	return path;
}

static void expect_whose(const char *key, const char *says)
{
	static const struct {
		const char *method;
		const char *what;
	} urls[] = { { "GET", "" }, { "GET", "/text" }, { "POST", "/cancel" } };

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		ask_as(key, urls[i].method, path_of(urls[i].what), "");
		raw_expect(&world.client, says);
	}
}

static void a_job_is_its_owners_in_memory_and_in_the_store(void **state)
{
	(void)state;
	options.auth = (struct auth_options){ keys, 2, NULL };
	for (int is_stored = 0; is_stored <= 1; is_stored++) {
		registry_options.keep_ms = is_stored ? 0 : LONG_MS;
		write_as("key-of-alice");
		raw_expect(&world.client, "\"report\"");
		note_job();
		while (is_stored && metric_get(METRIC_JOBS_KEPT) > 1)
			served_turn(&world.served);
		expect_whose("key-of-alice", "HTTP/1.1 200 ");
		expect_whose("key-of-bob", "job_not_found");
		expect_whose("key-of-eve", "WWW-Authenticate: Bearer\r\n");
	}
	assert_true(world.store.reads > 0);
}

static void a_list_has_what_is_mine(void **state)
{
	json_t *list;

	(void)state;
	options.auth = (struct auth_options){ keys, 2, NULL };
	registry_options.keep_ms = 0;
	for (int i = 0; i < 2; i++) {
		write_as("key-of-alice");
		raw_expect(&world.client, "\"report\"");
		note_job();
	}
	ask_as("key-of-bob", "GET", "/v1/longhand/jobs", "");
	raw_expect(&world.client, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
	while (metric_get(METRIC_JOBS_KEPT) > 0)
		served_turn(&world.served);
	ask_as("key-of-alice", "GET", "/v1/longhand/jobs", "");
	list = json_answer("\"has_more\":false");
	assert_int_equal(json_array_size(json_object_get(list, "data")), 2);
	assert_string_equal(string_at(json_array_get(json_object_get(list, "data"), 0), "id"),
			    job_id);
	assert_string_equal(string_at(json_array_get(json_object_get(list, "data"), 1), "status"),
			    "done");
	json_decref(list);
}

static void owners_have_limits_of_their_own(void **state)
{
	(void)state;
	options.auth = (struct auth_options){ keys, 2, NULL };
	registry_options.owner.words_per_day = 1000;
	write_as("key-of-alice");
	raw_expect(&world.client, "\"report\"");
	write_as("key-of-alice");
	raw_expect(&world.client, "words_per_day_reached");
	assert_true(raw_has(&world.client, "HTTP/1.1 429 "));
	assert_true(raw_has(&world.client, "asked for 600"));
	write_as("key-of-bob");
	raw_expect(&world.client, "\"report\"");
	registry_options.owner = (struct ledger_limits){ .jobs_max = 1 };
	world.model.every = ERR_UNKNOWN; /* it hangs */
	ask_as("key-of-bob", "POST", "/v1/chat/completions",
	       "{\"model\":\"longhand\",\"stream\":true,\"longhand\":{\"keep\":true},\"messages\":"
	       "[{\"role\":\"user\",\"content\":\"Write a 600-word story.\"}]}");
	while (registry_running(world.api.registry) == 0)
		served_turn(&world.served);
	raw_close(&world.client);
	raw_connect(&world.client, &world.served);
	write_as("key-of-bob");
	raw_expect(&world.client, "max_jobs_per_owner");
	assert_true(raw_has(&world.client, "too_many_jobs"));
	assert_true(raw_has(&world.client, "Retry-After: 10\r\n"));
}

static void health_needs_no_key(void **state)
{
	static const char *const paths[] = { "/healthz", "/readyz", "/metrics" };

	(void)state;
	options.auth = (struct auth_options){ keys, 2, NULL };
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		get(paths[i]);
		raw_expect(&world.client, "HTTP/1.1 200 ");
	}
	get("/v1");
	raw_expect(&world.client, "invalid_api_key");
	get("/v1/anything/of/the/backend");
	raw_expect(&world.client, "invalid_api_key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_an_owner_or_is_refused),
		cmocka_unit_test(a_user_name_has_a_bound),
		cmocka_unit_test(a_key_of_ours_is_never_passed_on),
		cmocka_unit_test_setup_teardown(a_job_is_its_owners_in_memory_and_in_the_store,
						open_world, close_world),
		cmocka_unit_test_setup_teardown(a_list_has_what_is_mine, open_world, close_world),
		cmocka_unit_test_setup_teardown(owners_have_limits_of_their_own, open_world,
						close_world),
		cmocka_unit_test_setup_teardown(health_needs_no_key, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
