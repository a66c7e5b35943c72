/* Replies of Redis as values, however their bytes come. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "loop/redis_reply.h"

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
		cmocka_unit_test(replies_come_whole_however_they_are_cut),
		cmocka_unit_test(memory_may_run_out_in_a_reply),
		cmocka_unit_test(what_is_no_reply_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
