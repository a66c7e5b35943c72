#include "base/completion.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	[FINISH_STOP] = "stop",
	[FINISH_LENGTH] = "length",
	[FINISH_FILTER] = "content_filter",
};

const char *finish_reason_name(enum finish_reason reason)
{
	return (size_t)reason < sizeof(names) / sizeof(names[0]) ? names[reason] : NULL;
}

enum finish_reason finish_reason_from_name(const char *name)
{
	if (name == NULL)
		return FINISH_NONE;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return (enum finish_reason)i;
	return FINISH_OTHER;
}

long long usage_count(long long said)
{
	if (said < 0)
		return 0;
	return said < USAGE_TOKENS_MAX ? said : USAGE_TOKENS_MAX;
}

void usage_add(struct usage *usage, const struct usage *more)
{
	usage->prompt_tokens += more->prompt_tokens;
	usage->completion_tokens += more->completion_tokens;
	usage->reasoning_tokens += more->reasoning_tokens;
	usage->cached_tokens += more->cached_tokens;
}

void sampling_init(struct sampling *sampling)
{
	*sampling = (struct sampling){ .temperature = NAN,
				       .top_p = NAN,
				       .frequency_penalty = NAN,
				       .presence_penalty = NAN };
}
