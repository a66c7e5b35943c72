#include "model/breaker.h"

uint64_t breaker_wait_ms(const struct breaker *breaker, uint64_t now_ms)
{
	uint64_t until_ms = breaker->opened_at_ms + breaker->open_ms;

	return breaker->is_open && until_ms > now_ms ? until_ms - now_ms : 0;
}

bool breaker_allows(struct breaker *breaker, uint64_t now_ms)
{
	if (!breaker->is_open)
		return true;
	if (breaker->is_probing || breaker_wait_ms(breaker, now_ms) > 0)
		return false;
	breaker->is_probing = true;
	return true;
}

void breaker_report(struct breaker *breaker, bool is_success, uint64_t now_ms)
{
	breaker->is_probing = false;
	if (is_success) {
		breaker->failures = 0;
		breaker->is_open = false;
		return;
	}
	breaker->failures++;
	if (breaker->failures_max == 0 || breaker->failures < breaker->failures_max)
		return;
	breaker->is_open = true;
	breaker->opened_at_ms = now_ms;
}

void breaker_forget(struct breaker *breaker)
{
	breaker->is_probing = false;
}
