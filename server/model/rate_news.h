/* rate_news - what an answer's headers say of the limits that its backend keeps.
 *
 *   x-ratelimit-remaining-requests, -tokens   how many more it takes
 *   x-ratelimit-reset-requests, -tokens       until when ("6m0s", "20ms", "1.5", a Unix time)
 *   Retry-After-Ms, Retry-After               of a 429 or 503: nothing until then */
#ifndef LONGHAND_MODEL_RATE_NEWS_H
#define LONGHAND_MODEL_RATE_NEWS_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct http_call;

struct rate_allowance {
	bool is_said;
	long left;
	uint64_t reset_ms; /* from now on */
};

struct rate_news {
	struct rate_allowance requests, tokens;
	uint64_t pause_ms; /* 0: none */
};

/* Of an answer whose head is there; `wall_ms` since 1970. What cannot be read was not said. */
void rate_news_read(const struct http_call *call, uint64_t wall_ms, struct rate_news *ret_news);
/* "1h2m3.5s", "250ms", "12" (seconds), or a time since 1970 in seconds or ms; 0: none of them. */
uint64_t rate_duration_ms(struct slice text, uint64_t wall_ms);
#endif
