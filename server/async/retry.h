/* retry - one operation made of several attempts, with backoff between them. Retry IS an op.
 *
 * Waits min(cap_ms, base_ms * 2^(tries-1)) * (0.5 + jitter/2) between attempts, or what the
 * attempt left in `retry_after_ms` if that is longer (at most retry_after_cap_ms). An attempt
 * says in `is_final` that another try is of no use, e.g. because part of its answer was used:
 * "only while nothing was sent" is the attempt's own knowledge. */
#ifndef LONGHAND_ASYNC_RETRY_H
#define LONGHAND_ASYNC_RETRY_H
#include "async/op.h"

struct retry_policy {
	unsigned max_tries;
	uint64_t base_ms;
	uint64_t cap_ms;
	uint64_t retry_after_cap_ms;
	uint64_t try_ms; /* deadline of one attempt, 0: none */
};

struct retry;
typedef void (*attempt_fn)(struct retry *retry, struct op *attempt);

struct retry {
	struct op op;	   /* what the caller waits for */
	struct op attempt; /* the try in flight */
	struct timer backoff;
	const struct retry_policy *policy; /* borrowed until done() */
	attempt_fn start;
	unsigned tries;
	/* Set by the attempt's provider before it finishes; cleared before each attempt. */
	uint64_t retry_after_ms;
	bool is_final;
};

/* `retry->op` must be prepared. */
void retry_start(struct retry *retry, const struct retry_policy *policy, attempt_fn start);
/* ERR_UPSTREAM, ERR_BUSY, ERR_TIMEOUT, ERR_REFUSED, ERR_BROKEN. */
bool retry_is_transient(enum err err);
/* The wait after `tries` failed attempts, without Retry-After; `random` gives the jitter. */
uint64_t retry_backoff_ms(const struct retry_policy *policy, unsigned tries, uint64_t random);
#endif
