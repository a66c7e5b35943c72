/* completion - the terms of a chat completion that every layer uses. */
#ifndef LONGHAND_BASE_COMPLETION_H
#define LONGHAND_BASE_COMPLETION_H
#include <stdbool.h>

enum finish_reason {
	FINISH_NONE, /* it did not end by itself */
	FINISH_STOP,
	FINISH_LENGTH,
	FINISH_FILTER, /* content_filter */
	FINISH_OTHER
};

/* More tokens than any call has; what a backend or a log says beyond it is that. */
#define USAGE_TOKENS_MAX 1000000000000LL

struct usage {
	long long prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens;
};

struct sampling { /* NAN: not said */
	double temperature, top_p, frequency_penalty, presence_penalty;
	bool has_seed;
	long long seed;
};

/* "stop", "length", "content_filter"; NULL for none and other. */
const char *finish_reason_name(enum finish_reason reason);
enum finish_reason finish_reason_from_name(const char *name); /* NULL ok: FINISH_NONE */
/* What somebody said, as a number of tokens or words: at least 0, at most USAGE_TOKENS_MAX, so that
 * sums of any that will ever be made hold. */
long long usage_count(long long said);
void usage_add(struct usage *usage, const struct usage *more);
/* All NAN, no seed. */
void sampling_init(struct sampling *sampling);
#endif
