/* URLs of Redis: what is taken apart, what is refused and why; and replies as values. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "loop/redis_reply.h"
#include "loop/redis_url.h"

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

/* ---- replies ---- */

static const char nested[] = "*5\r\n$3\r\na\0b\r\n:-7\r\n$-1\r\n*2\r\n+OK\r\n-ERR no\r\n*0\r\n";

static void check_nested(const struct redis_reply *reply)
{
	assert_true(redis_reply_is_array(reply, 5));
	assert_int_equal(reply->elements[0]->kind, REDIS_KIND_TEXT);
	assert_int_equal(reply->elements[0]->text.len, 3);
	assert_memory_equal(reply->elements[0]->text.data, "a\0b", 4);
	assert_int_equal(reply->elements[1]->integer, -7);
	assert_int_equal(reply->elements[2]->kind, REDIS_KIND_NIL);
	assert_true(redis_reply_is_array(reply->elements[3], 2));
	assert_true(redis_reply_is_status(reply->elements[3]->elements[0], "OK"));
	assert_true(redis_reply_is_error(reply->elements[3]->elements[1], "ERR "));
	assert_false(redis_reply_is_error(reply->elements[3]->elements[0], "OK"));
	assert_true(redis_reply_is_array(reply->elements[4], 0));
}

/* In one piece and in two, cut at every byte. */
static void replies_come_whole_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < sizeof(nested) - 1; cut++) {
		struct redis_reader *reader;
		struct redis_reply *reply;

		assert_int_equal(redis_reader_new(1000, &reader), OK);
		assert_int_equal(redis_reader_feed(reader, nested, cut), OK);
		assert_int_equal(redis_reader_next(reader, &reply), OK);
		assert_null(reply);
		assert_int_equal(redis_reader_feed(reader, nested + cut, sizeof(nested) - 1 - cut),
				 OK);
		assert_int_equal(redis_reader_next(reader, &reply), OK);
		check_nested(reply);
		redis_reply_free(reply);
		assert_int_equal(redis_reader_next(reader, &reply), OK);
		assert_null(reply);
		redis_reader_free(reader);
	}
}

static void memory_may_run_out_in_a_reply(void **state)
{
	unsigned fails = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t n = 1; err != OK; n++) {
		struct redis_reader *reader = NULL;
		struct redis_reply *reply = NULL;

		mem_fail_at(n);
		err = redis_reader_new(1000, &reader);
		if (err == OK)
			err = redis_reader_feed(reader, nested, sizeof(nested) - 1);
		if (err == OK)
			err = redis_reader_next(reader, &reply);
		mem_fail_at(0);
		assert_int_equal(err == OK, reply != NULL);
		fails += err == ERR_NO_MEMORY;
		redis_reply_free(reply);
		redis_reader_free(reader);
	}
	assert_int_equal(fails, 9); /* the reader, and each value */
}

static void what_is_no_reply_is_refused(void **state)
{
	struct redis_reader *reader;
	struct redis_reply *reply;
	static char much[2000];

	(void)state;
	assert_int_equal(redis_reader_new(1000, &reader), OK);
	assert_int_equal(redis_reader_feed(reader, "HTTP/1.1 400\r\n", 14), OK);
	assert_int_equal(redis_reader_next(reader, &reply), ERR_INVALID);
	redis_reader_free(reader);
	assert_int_equal(redis_reader_new(1000, &reader), OK);
	assert_int_equal(redis_reader_feed(reader, "$5000\r\n", 7), OK);
	assert_int_equal(redis_reader_feed(reader, much, sizeof(much)), OK);
	assert_int_equal(redis_reader_next(reader, &reply), OK);
	assert_null(reply);
	assert_int_equal(redis_reader_feed(reader, much, 1), ERR_TOO_LARGE);
	redis_reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(memory_may_run_out_in_a_url),
		cmocka_unit_test(replies_come_whole_however_they_are_cut),
		cmocka_unit_test(memory_may_run_out_in_a_reply),
		cmocka_unit_test(what_is_no_reply_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
