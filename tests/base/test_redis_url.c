/* URLs of Redis: what is taken apart, what is refused and why. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "base/redis_url.h"

static const struct {
	const char *text;
	const char *user, *password, *host, *port;
	unsigned db;
	const char *shown;
} good_rows[] = {
	{ "redis://localhost", NULL, NULL, "localhost", "6379", 0, "localhost:6379/0" },
	{ "redis://10.0.0.1:7000/", NULL, NULL, "10.0.0.1", "7000", 0, "10.0.0.1:7000/0" },
	{ "redis://:secret@h:1/15", NULL, "secret", "h", "1", 15, "h:1/15" },
	{ "redis://app:a%40b%2fc%3A%25@h", "app", "a@b/c:%", "h", "6379", 0, "h:6379/0" },
	{ "redis://:p@ss/w@[::1]:6380/2", NULL, "p@ss/w", "::1", "6380", 2, "[::1]:6380/2" },
	{ "redis://[fe80::1]", NULL, NULL, "fe80::1", "6379", 0, "[fe80::1]:6379/0" },
};

static void urls_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good_rows); i++) {
		struct redis_url url;
		const char *fault = NULL;

		assert_int_equal(redis_url_parse(good_rows[i].text, &url, &fault), OK);
		assert_string_equal(url.host, good_rows[i].host);
		assert_string_equal(url.port, good_rows[i].port);
		assert_int_equal(url.db, good_rows[i].db);
		assert_string_equal(url.shown, good_rows[i].shown);
		assert_int_equal(url.user == NULL, good_rows[i].user == NULL);
		assert_int_equal(url.password == NULL, good_rows[i].password == NULL);
		if (url.user != NULL)
			assert_string_equal(url.user, good_rows[i].user);
		if (url.password != NULL)
			assert_string_equal(url.password, good_rows[i].password);
		redis_url_release(&url);
	}
}

static const struct {
	const char *text;
	const char *fault; /* a part of it */
} bad_rows[] = {
	{ "rediss://h", "stunnel" },
	{ "rediss://h", "hiredis" },
	{ "http://h", "redis://" },
	{ "", "redis://" },
	{ "redis://", "host" },
	{ "redis://:6379", "host" },
	{ "redis://::1", "IPv6" },
	{ "redis://[::1", "IPv6" },
	{ "redis://[::1]x", "IPv6" },
	{ "redis://h:", "port" },
	{ "redis://h:0", "port" },
	{ "redis://h:65536", "port" },
	{ "redis://h:06379", "port" },
	{ "redis://h:1x", "port" },
	{ "redis://h/x", "database" },
	{ "redis://h/01", "database" },
	{ "redis://h/1/2", "database" },
	{ "redis://h/99999999999", "database" },
	{ "redis://user@h", "colon" },
	{ "redis://user:@h", "empty" },
	{ "redis://:a%4@h", "hexadecimal" },
	{ "redis://:a%00b@h", "hexadecimal" },
};

static void what_is_refused_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_rows); i++) {
		struct redis_url url;
		const char *fault = NULL;

		assert_int_equal(redis_url_parse(bad_rows[i].text, &url, &fault), ERR_INVALID);
		assert_non_null(fault);
		if (strstr(fault, bad_rows[i].fault) == NULL)
			fail_msg("%s: %s", bad_rows[i].text, fault);
		assert_null(url.host);
		assert_null(url.password);
	}
}

static void memory_may_run_out_in_a_url(void **state)
{
	struct redis_url url;
	const char *fault;
	unsigned fails = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t n = 1; err != OK; n++) {
		mem_fail_at(n);
		err = redis_url_parse("redis://u:p@h:1/2", &url, &fault);
		mem_fail_at(0);
		if (err != OK) {
			assert_int_equal(err, ERR_NO_MEMORY);
			fails++;
		}
	}
	redis_url_release(&url);
	assert_int_equal(fails, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(memory_may_run_out_in_a_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
