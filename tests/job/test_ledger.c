/* What owners have running and have had written today. */
#include "check.h"
#include "base/mem.h"
#include "job/ledger.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static struct ledger ledger;
static const struct ledger_limits limits = { .jobs_max = 2, .words_per_day = 1000 };
static const struct ledger_limits none;

static int open_ledger(void **state)
{
	(void)state;
	ledger_init(&ledger);
	return 0;
}

static int close_ledger(void **state)
{
	(void)state;
	ledger_release(&ledger);
	return 0;
}

static struct account *start(const char *owner, uint64_t words, uint64_t wall_ms)
{
	struct account *account = NULL;
	enum err err = ledger_open(&ledger, owner, words, wall_ms, &account);

	assert_int_equal(err, OK);
	return account;
}

static enum ledger_verdict may(const char *owner, uint64_t words, uint64_t wall_ms)
{
	return ledger_ask(&ledger, &limits, owner, words, wall_ms);
}

static void a_promise_counts_until_it_is_kept(void **state)
{
	struct account *account = start("a", 700, 5);

	(void)state;
	assert_int_equal(may("a", 300, 5), LEDGER_OK);
	assert_int_equal(may("a", 301, 5), LEDGER_WORDS);
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", 5), 300);
	ledger_close(account, 700, 100, 6);
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", 6), 900);
	account = start("a", 900, 6);
	ledger_close(account, 900, 1200, 7); /* texts are not of exactly their length */
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", 7), 0);
	assert_int_equal(may("a", 0, 7), LEDGER_OK);
}

static void so_many_jobs_at_once(void **state)
{
	struct account *one = start("a", 0, 5);
	struct account *other = start("a", 0, 5);

	(void)state;
	assert_ptr_equal(one, other);
	assert_int_equal(may("a", 1, 5), LEDGER_JOBS);
	assert_int_equal(may("b", 1, 5), LEDGER_OK);
	ledger_close(one, 0, 0, 5);
	assert_int_equal(may("a", 1, 5), LEDGER_OK);
	ledger_close(other, 0, 0, 5);
}

static void each_day_begins_anew(void **state)
{
	struct account *account = start("a", 400, DAY_MS - 1);
	struct account *over_night;

	(void)state;
	ledger_close(account, 400, 400, DAY_MS - 1);
	over_night = start("a", 500, DAY_MS - 1);
	assert_int_equal(may("a", 101, DAY_MS - 1), LEDGER_WORDS);
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", DAY_MS), 500);
	ledger_close(over_night, 500, 500, DAY_MS + 1);
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", DAY_MS + 1), 500);
	(void)start("b", 1, 2 * (uint64_t)DAY_MS); /* old accounts go */
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", 2 * (uint64_t)DAY_MS), 1000);
}

static void without_limits_nothing_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		(void)start("a", UINT32_MAX, 5);
	assert_int_equal(ledger_ask(&ledger, &none, "a", UINT32_MAX, 5), LEDGER_OK);
	assert_true(ledger_words_left(&ledger, &none, "a", 5) == UINT64_MAX);
}

static void memory_may_run_out(void **state)
{
	struct account *account;

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		enum err err;

		mem_fail_at(n);
		err = ledger_open(&ledger, "a", 1, 5, &account);
		mem_fail_at(0);
		assert_int_equal(err, ERR_NO_MEMORY);
	}
	assert_int_equal(ledger_words_left(&ledger, &limits, "a", 5), 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ledger, close_ledger)
	const struct CMUnitTest tests[] = {
		TEST(a_promise_counts_until_it_is_kept),
		TEST(so_many_jobs_at_once),
		TEST(each_day_begins_anew),
		TEST(without_limits_nothing_is_refused),
		TEST(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
