/* fake_pool - the work pool of unit tests: work runs on the loop's own thread, on a later turn, in
 * the order in which it came, and only when the test lets it. */
#ifndef LONGHAND_FAKES_FAKE_POOL_H
#define LONGHAND_FAKES_FAKE_POOL_H
#include "async/work.h"

enum { FAKE_POOL_WORKS = 64 };

struct fake_pool {
	struct work_port port;
	struct reactor *reactor;
	struct deferred turn;
	struct work *waiting[FAKE_POOL_WORKS];
	size_t n_waiting;
	bool is_held; /* nothing runs; fake_pool_release() ends it */
	unsigned runs;
};

void fake_pool_init(struct fake_pool *pool, struct reactor *reactor);
void fake_pool_release(struct fake_pool *pool);
#endif
