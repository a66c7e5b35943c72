/* breaker - keeps calls from a backend that fails, and lets one through now and then to see.
 *
 *   closed --failures in a row--> open --open_ms--> half open --success--> closed
 *                                   ^------------------failure---'
 *
 * Pure: the caller brings the time. */
#ifndef LONGHAND_MODEL_BREAKER_H
#define LONGHAND_MODEL_BREAKER_H
#include <stdbool.h>
#include <stdint.h>

struct breaker {
	unsigned failures_max; /* in a row; 0: never opens */
	uint64_t open_ms;
	unsigned failures;
	uint64_t opened_at_ms;
	bool is_open;
	bool is_probing; /* the one trial of the half open state is under way */
};

/* May a call go out now? A yes in the half open state takes the one trial: the caller then owes
 * breaker_report() or breaker_forget(). */
bool breaker_allows(struct breaker *breaker, uint64_t now_ms);
void breaker_report(struct breaker *breaker, bool is_success, uint64_t now_ms);
/* The call ended without telling anything of the backend (the client left). */
void breaker_forget(struct breaker *breaker);
/* Until the next trial; 0: now. */
uint64_t breaker_wait_ms(const struct breaker *breaker, uint64_t now_ms);
#endif
