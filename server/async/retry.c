#include "async/retry.h"

static void on_attempt_done(struct op *attempt);

static void try_once(struct retry *retry)
{
	retry->tries++;
	retry->retry_after_ms = 0;
	retry->is_final = false;
	op_prepare(&retry->attempt, retry->op.reactor, retry->policy->try_ms, on_attempt_done);
	retry->start(retry, &retry->attempt);
}

static void on_backoff_over(struct timer *timer)
{
	try_once(container_of(timer, struct retry, backoff));
}

static uint64_t wait_ms(const struct retry *retry)
{
	const struct retry_policy *policy = retry->policy;
	struct reactor *reactor = retry->op.reactor;
	uint64_t backoff_ms = retry_backoff_ms(policy, retry->tries, reactor->random(reactor));
	uint64_t asked_ms = retry->retry_after_ms;

	if (asked_ms > policy->retry_after_cap_ms)
		asked_ms = policy->retry_after_cap_ms;
	return asked_ms > backoff_ms ? asked_ms : backoff_ms;
}

static void on_attempt_done(struct op *attempt)
{
	struct retry *retry = container_of(attempt, struct retry, attempt);
	struct reactor *reactor = retry->op.reactor;
	bool is_over = retry->op.canceled != OK || retry->is_final ||
		       !retry_is_transient(attempt->result) ||
		       retry->tries >= retry->policy->max_tries;

	if (is_over)
		op_finish(&retry->op, attempt->result);
	else
		reactor->timer_start(reactor, &retry->backoff, wait_ms(retry), on_backoff_over);
}

static void retry_cancel(struct op *op)
{
	struct retry *retry = container_of(op, struct retry, op);

	if (op_is_live(&retry->attempt)) {
		op_cancel(&retry->attempt, op->canceled); /* on_attempt_done will finish us */
		return;
	}
	op->reactor->timer_stop(op->reactor, &retry->backoff);
	op_finish(op, op->canceled);
}

void retry_start(struct retry *retry, const struct retry_policy *policy, attempt_fn start)
{
	retry->policy = policy;
	retry->start = start;
	retry->tries = 0;
	retry->backoff = (struct timer){ .fire = NULL };
	if (op_begin(&retry->op, retry_cancel))
		try_once(retry);
}

bool retry_is_transient(enum err err)
{
	return err == ERR_UPSTREAM || err == ERR_BUSY || err == ERR_TIMEOUT ||
	       err == ERR_REFUSED || err == ERR_BROKEN;
}

uint64_t retry_backoff_ms(const struct retry_policy *policy, unsigned tries, uint64_t random)
{
	uint64_t full_ms = policy->base_ms;
	uint64_t half_ms;
	double jitter = (double)(random >> 11) * 0x1p-53; /* [0, 1) */

	for (unsigned i = 1; i < tries && full_ms < policy->cap_ms; i++)
		full_ms = full_ms <= UINT64_MAX / 2 ? full_ms * 2 : UINT64_MAX;
	if (full_ms > policy->cap_ms)
		full_ms = policy->cap_ms;
	half_ms = full_ms / 2;
	return full_ms - half_ms + (uint64_t)((double)half_ms * jitter);
}
