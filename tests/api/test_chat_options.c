/* The options of the body and of headers: what is taken, what wins, what is refused by name. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "api/chat_options.h"
#include "base/json.h"
#include "base/mem.h"
#include "fakes/raw_client.h"

/* What the next request's options are to be read with; the result. */
static struct {
	const char *longhand; /* NULL: none */
	struct chat_options options;
	struct api_fault fault;
	bool is_read;
} reading;

static void read_options(struct request *request)
{
	json_t *longhand = NULL;

	if (reading.longhand != NULL)
		longhand = json_loads(reading.longhand, 0, NULL);
	assert_true(reading.longhand == NULL || longhand != NULL);
	chat_options_init(&reading.options);
	reading.is_read =
		chat_options_read(request, longhand, &reading.options, &reading.fault);
	json_decref(longhand);
	reply_send(request, 200, NULL, NULL);
}

static struct served served;
static struct raw_client browser;

static int open_browser(void **state)
{
	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = read_options;
	raw_connect(&browser, &served);
	return 0;
}

static int close_browser(void **state)
{
	(void)state;
	raw_close(&browser);
	served_end(&served);
	return 0;
}

/* The caller releases reading.options. */
static void ask(const char *headers, const char *longhand)
{
	char text[2048];

	reading.longhand = longhand;
	(void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
	raw_forget(&browser);
	raw_send(&browser, text);
	raw_expect(&browser, "\r\n\r\n");
}

static void nothing_said_gives_the_defaults(void **state)
{
	static const char nulls[] = "{\"mode\":null,\"target_words\":null,\"plan\":null,"
				    "\"plan_from\":null,\"plan_only\":null,\"delivery\":null,"
				    "\"headings\":null,\"count\":null,\"show_plan\":null,"
				    "\"keep\":null}";
	static const struct {
		const char *headers;
		const char *longhand;
	} rows[] = { { "", NULL },
		     { "", "{}" },
		     { "", nulls },
		     { "X-Longhand-Mode:\r\nX-Longhand-Keep: \r\nX-Other: 1\r\n", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		ask(rows[i].headers, rows[i].longhand);
		assert_true(reading.is_read);
		assert_int_equal(reading.options.mode, CHAT_MODE_AUTO);
		assert_false(reading.options.is_mode_said || reading.options.is_plan_only ||
			     reading.options.keep || reading.options.is_headings_said ||
			     reading.options.is_count_said);
		assert_true(reading.options.is_plan_shown);
		assert_int_equal(reading.options.target_words, 0);
		assert_int_equal(reading.options.plan.n_sections, 0);
		chat_options_release(&reading.options);
	}
}

static void the_body_says_everything(void **state)
{
	(void)state;
	ask("", "{\"mode\":\"serial\",\"target_words\":5000.0,\"plan\":[{\"title\":\"A\","
		"\"words\":10},{\"point\":\"b\"}],\"plan_only\":true,\"delivery\":\"live\","
		"\"headings\":\"markdown\",\"count\":\"benchmark\",\"show_plan\":\"none\","
		"\"keep\":true}");
	assert_true(reading.is_read);
	assert_int_equal(reading.options.mode, CHAT_MODE_SERIAL);
	assert_int_equal(reading.options.target_words, 5000);
	assert_int_equal(reading.options.plan.n_sections, 2);
	assert_true(reading.options.is_plan_only && reading.options.keep);
	assert_false(reading.options.is_plan_shown);
	assert_int_equal(reading.options.headings, HEADINGS_MARKDOWN);
	assert_int_equal(reading.options.count, WORDS_BENCHMARK);
	chat_options_release(&reading.options);
}

static void headers_say_it_too_and_the_body_wins(void **state)
{
	(void)state;
	ask("x-longhand-mode: single\r\nX-Longhand-Target-Words: 700\r\n"
	    "X-LONGHAND-KEEP: true\r\nX-Longhand-Headings: none\r\n"
	    "X-Longhand-Show-Plan: none\r\n",
	    "{\"mode\":\"serial\",\"target_words\":null,\"keep\":false}");
	assert_true(reading.is_read);
	assert_int_equal(reading.options.mode, CHAT_MODE_SERIAL);
	assert_int_equal(reading.options.target_words, 700);
	assert_false(reading.options.keep);
	assert_int_equal(reading.options.headings, HEADINGS_NONE);
	assert_false(reading.options.is_plan_shown);
	chat_options_release(&reading.options);
}

static const struct {
	const char *headers;
	const char *longhand;
	enum api_error error;
	const char *param;
	const char *says;
} refusals[] = {
	{ "", "{\"words\":5}", API_ERROR_UNKNOWN_OPTION, "longhand.words", "target_words" },
	{ "", "{\"mode\":\"fast\"}", API_ERROR_INVALID_VALUE, "longhand.mode",
	  "\"serial\"" },
	{ "", "{\"mode\":1}", API_ERROR_INVALID_VALUE, "longhand.mode", "one of" },
	{ "", "{\"mode\":\"parallel\"}", API_ERROR_NOT_AVAILABLE, "longhand.mode",
	  "\"serial\"" },
	{ "", "{\"plan_from\":\"x\"}", API_ERROR_NOT_AVAILABLE, "longhand.plan_from",
	  "plan" },
	{ "", "{\"delivery\":\"reviewed\"}", API_ERROR_NOT_AVAILABLE, "longhand.delivery",
	  "\"live\"" },
	{ "", "{\"target_words\":19}", API_ERROR_INVALID_VALUE, "longhand.target_words",
	  "20" },
	{ "", "{\"target_words\":1000001}", API_ERROR_INVALID_VALUE,
	  "longhand.target_words", "1000000" },
	{ "", "{\"target_words\":1e300}", API_ERROR_INVALID_VALUE, "longhand.target_words",
	  "1000000" },
	{ "", "{\"target_words\":-1e300}", API_ERROR_INVALID_VALUE, "longhand.target_words",
	  "20" },
	{ "", "{\"target_words\":20.5}", API_ERROR_INVALID_VALUE, "longhand.target_words",
	  "whole" },
	{ "", "{\"target_words\":\"500\"}", API_ERROR_INVALID_VALUE,
	  "longhand.target_words", "whole" },
	{ "", "{\"keep\":\"true\"}", API_ERROR_INVALID_VALUE, "longhand.keep",
	  "true or false" },
	{ "", "{\"show_plan\":true}", API_ERROR_INVALID_VALUE, "longhand.show_plan",
	  "\"reasoning\"" },
	{ "", "{\"plan\":[]}", API_ERROR_INVALID_VALUE, "longhand.plan", "1 to 400" },
	{ "", "{\"plan\":\"x\"}", API_ERROR_INVALID_VALUE, "longhand.plan", "array" },
	{ "", "{\"plan\":[{\"title\":\"a\"},{\"title\":1}]}", API_ERROR_INVALID_VALUE,
	  "longhand.plan[1].title", "longhand.plan[1].title must be" },
	{ "X-Longhand-Target-Words: 0x400\r\n", NULL, API_ERROR_INVALID_VALUE,
	  "X-Longhand-Target-Words", "whole" },
	{ "X-Longhand-Target-Words: nan\r\n", NULL, API_ERROR_INVALID_VALUE,
	  "X-Longhand-Target-Words", "whole" },
	{ "X-Longhand-Target-Words: 99999999999999999999\r\n", NULL,
	  API_ERROR_INVALID_VALUE, "X-Longhand-Target-Words", "1000000" },
	{ "X-Longhand-Keep: 1\r\n", NULL, API_ERROR_INVALID_VALUE, "X-Longhand-Keep",
	  "true or false" },
	{ "X-Longhand-Mode: Serial\r\n", NULL, API_ERROR_INVALID_VALUE, "X-Longhand-Mode",
	  "one of" },
	{ "X-Longhand-Plan-From: x\r\n", NULL, API_ERROR_NOT_AVAILABLE,
	  "X-Longhand-Plan-From", "plan" },
	{ "X-Longhand-Target-Word: 500\r\n", NULL, API_ERROR_UNKNOWN_OPTION,
	  "X-Longhand-Target-Word", "X-Longhand-Target-Word" },
	{ "X-Longhand-Plan: []\r\n", "{}", API_ERROR_UNKNOWN_OPTION, "X-Longhand-Plan",
	  "header" },
};

static void what_is_not_in_the_table_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		ask(refusals[i].headers, refusals[i].longhand);
		if (reading.is_read || strstr(reading.fault.message, refusals[i].says) == NULL)
			print_error("row %zu: %s\n", i,
				    reading.is_read ? "read" : reading.fault.message);
		assert_false(reading.is_read);
		assert_int_equal(reading.fault.error, refusals[i].error);
		assert_string_equal(reading.fault.param, refusals[i].param);
		assert_non_null(strstr(reading.fault.message, refusals[i].says));
		chat_options_release(&reading.options);
	}
}

int main(void)
{
#define WITH_BROWSER(test) cmocka_unit_test_setup_teardown(test, open_browser, close_browser)
	const struct CMUnitTest tests[] = {
		WITH_BROWSER(nothing_said_gives_the_defaults),
		WITH_BROWSER(the_body_says_everything),
		WITH_BROWSER(headers_say_it_too_and_the_body_wins),
		WITH_BROWSER(what_is_not_in_the_table_is_refused),
	};

	mem_init();
	return cmocka_run_group_tests_name("chat_options", tests, NULL, NULL);
}
