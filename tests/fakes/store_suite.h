/* store_suite - what every store must show, written once. A test of a store gives the suite its
 * store and a way to make the world turn, and runs store_suite(). cmocka asserts inside. */
#ifndef LONGHAND_TESTS_STORE_SUITE_H
#define LONGHAND_TESTS_STORE_SUITE_H
#include "store/store.h"

struct store_suite {
	struct store *store;
	struct reactor *reactor;
	/* Runs the loop until *flag. */
	void (*run_until)(struct store_suite *suite, const bool *flag);
	/* Lets time pass; NULL where it cannot be made to. */
	void (*advance)(struct store_suite *suite, uint64_t ms);
	uint64_t retention_ms, park_ms; /* the store's; where time can be advanced */
};

void store_suite_run(struct store_suite *suite);
#endif
