/* The breaker's life as a story in virtual time. */
#include "check.h"
#include "model/breaker.h"

static void opens_tries_and_closes(void **state)
{
	struct breaker breaker = { .failures_max = 3, .open_ms = 1000 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(breaker_allows(&breaker, 10));
		breaker_report(&breaker, false, 10);
	}
	assert_false(breaker_allows(&breaker, 1009));
	assert_int_equal(breaker_wait_ms(&breaker, 1009), 1);
	assert_true(breaker_allows(&breaker, 1010)); /* the one trial */
	assert_false(breaker_allows(&breaker, 1010));
	breaker_report(&breaker, false, 1010);
	assert_false(breaker_allows(&breaker, 2009));
	assert_true(breaker_allows(&breaker, 2010));
	breaker_forget(&breaker); /* told nothing: the next may try */
	assert_true(breaker_allows(&breaker, 2010));
	breaker_report(&breaker, true, 2011);
	assert_true(breaker_allows(&breaker, 2011));
	assert_true(breaker_allows(&breaker, 2011));
}

static void successes_between_keep_it_closed(void **state)
{
	struct breaker breaker = { .failures_max = 2, .open_ms = 1000 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		breaker_report(&breaker, i % 2 == 0, 5);
		assert_true(breaker_allows(&breaker, 5));
	}
}

static void zero_never_opens(void **state)
{
	struct breaker breaker = { .failures_max = 0, .open_ms = 1000 };

	(void)state;
	for (int i = 0; i < 100; i++)
		breaker_report(&breaker, false, 5);
	assert_true(breaker_allows(&breaker, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_tries_and_closes),
		cmocka_unit_test(successes_between_keep_it_closed),
		cmocka_unit_test(zero_never_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
