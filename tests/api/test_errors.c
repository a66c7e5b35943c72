/* What clients are told when something is wrong: the shape, the closed table, the headers. */
#include "check.h"
#include <string.h>
#include "api/errors.h"
#include "base/json.h"
#include "base/mem.h"
#include "fakes/raw_client.h"

static json_t *rendered(const struct api_fault *fault)
{
	json_t *json = NULL;
	struct buf out;

	buf_init(&out, 16 << 10);
	assert_int_equal(api_fault_render(fault, &out), OK);
	assert_int_equal(json_parse((struct slice){ out.data, out.len }, &json, NULL), OK);
	buf_release(&out);
	return json;
}

static void every_error_has_the_four_members_and_its_own_code(void **state)
{
	(void)state;
	for (int i = 0; i < API_ERROR_COUNT; i++) {
		enum api_error error = (enum api_error)i;
		struct api_fault fault;
		json_t *json;
		json_t *body;

		api_fault_set(&fault, error, i % 2 == 0 ? NULL : "messages", "because \"%d\"\n", i);
		json = rendered(&fault);
		body = json_object_get(json, "error");
		assert_int_equal(json_object_size(body), 4);
		assert_non_null(
			strstr(json_string_value(json_object_get(body, "message")), "because \""));
		assert_string_equal(json_string_value(json_object_get(body, "type")),
				    api_error_type(error));
		assert_string_equal(json_string_value(json_object_get(body, "code")),
				    api_error_code(error));
		if (i % 2 == 0)
			assert_true(json_is_null(json_object_get(body, "param")));
		else
			assert_string_equal(json_string_value(json_object_get(body, "param")),
					    "messages");
		assert_int_equal(api_error_from_code(api_error_code(error)), error);
		assert_in_range(api_error_status(error), 400, 504);
		assert_int_not_equal(api_error_status(error), 409); /* clients send it again */
		json_decref(json);
	}
	assert_int_equal(api_error_from_code("no_such_code"), API_ERROR_INTERNAL);
	assert_int_equal(api_error_from_code(NULL), API_ERROR_INTERNAL);
}

static void a_backends_4xx_has_the_type_of_a_wrong_request(void **state)
{
	struct api_fault fault;
	json_t *json;

	(void)state;
	api_fault_set(&fault, API_ERROR_BACKEND_REJECTED, NULL, "no");
	fault.status = 422;
	json = rendered(&fault);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "error"), "type")),
		"invalid_request_error");
	json_decref(json);
}

static void what_is_too_long_is_cut_and_stays_json(void **state)
{
	char param[API_PARAM_BYTES * 2];
	char message[API_MESSAGE_BYTES * 2];
	struct api_fault fault;
	json_t *json;

	(void)state;
	memset(param, 'p', sizeof(param));
	param[sizeof(param) - 1] = '\0';
	for (size_t i = 0; i + 2 < sizeof(message); i += 2)
		memcpy(message + i, "\xc3\xa9", 3);
	api_fault_set(&fault, API_ERROR_INVALID_VALUE, param, "x%s", message);
	json = rendered(&fault);
	assert_int_equal(
		json_string_length(json_object_get(json_object_get(json, "error"), "param")),
		API_PARAM_BYTES - 1);
	json_decref(json);
}

static void refuse(struct request *request)
{
	struct api_fault fault;

	if (strcmp(request->path, "/method") == 0) {
		api_refuse_method(request, "GET, HEAD");
		return;
	}
	api_fault_set(&fault, API_ERROR_TOO_MANY_JOBS, NULL, "later");
	fault.retry_after_ms = strcmp(request->path, "/soon") == 0 ? 1200 : 900000;
	fault.is_retry_vain = strcmp(request->path, "/vain") == 0;
	fault.job = "0123456789abcdef0123456789abcdef";
	api_fault_send(request, &fault);
}

static void headers_say_when_which_method_and_which_job(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = refuse;
	raw_connect(&client, &served);
	raw_send(&client, "GET /soon HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "too_many_jobs");
	assert_true(raw_has(&client, "HTTP/1.1 429 "));
	assert_true(raw_has(&client, "Retry-After: 2\r\n"));
	assert_true(raw_has(&client, "X-Longhand-Job: 0123456789abcdef0123456789abcdef\r\n"));
	assert_true(raw_has(&client, "Content-Type: application/json\r\n"));
	assert_false(raw_has(&client, "Allow:"));
	raw_forget(&client);
	/* Clients ignore what is longer than a minute, and come at once. */
	raw_send(&client, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "Retry-After: 59\r\n");
	assert_false(raw_has(&client, "x-should-retry"));
	raw_forget(&client);
	/* Where coming is vain they are told so, and people the truth. */
	raw_send(&client, "GET /vain HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_expect(&client, "x-should-retry: false\r\n");
	raw_expect(&client, "Retry-After: 900\r\n");
	raw_forget(&client);
	raw_send(&client, "PUT /method HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	raw_expect(&client, "method_not_allowed");
	assert_true(raw_has(&client, "HTTP/1.1 405 "));
	assert_true(raw_has(&client, "Allow: GET, HEAD\r\n"));
	assert_false(raw_has(&client, "X-Longhand-Job"));
	raw_close(&client);
	served_end(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_the_four_members_and_its_own_code),
		cmocka_unit_test(a_backends_4xx_has_the_type_of_a_wrong_request),
		cmocka_unit_test(what_is_too_long_is_cut_and_stays_json),
		cmocka_unit_test(headers_say_when_which_method_and_which_job),
	};

	mem_init();
	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
