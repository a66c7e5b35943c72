#include "model/rate_news.h"
#include "model/backend.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 48, RESET_UNSAID_MS = 1000 };

/* Bare numbers above these are times since 1970: no limit lasts for thirty years. */
static const double unix_s_min = 1e9;
static const double unix_ms_min = 1e12;

static const struct {
	const char *name;
	double ms;
} units[] = { { "ms", 1 }, { "h", 3600e3 }, { "m", 60e3 }, { "s", 1e3 }, { "d", 86400e3 } };

static double unit_ms(const char **at)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*at, units[i].name, len) != 0)
			continue;
		*at += len;
		return units[i].ms;
	}
	return 0;
}

static uint64_t bare_ms(double number, uint64_t wall_ms)
{
	double since_ms = number >= unix_ms_min ? number : number * 1000;

	if (number < unix_s_min)
		return (uint64_t)since_ms;
	return since_ms > (double)wall_ms ? (uint64_t)since_ms - wall_ms : 1;
}

static bool is_number(const char *text)
{
	return (*text >= '0' && *text <= '9') || *text == '.';
}

uint64_t rate_duration_ms(struct slice text, uint64_t wall_ms)
{
	char copy[TEXT_BYTES_MAX];
	const char *at = copy;
	double sum_ms = 0;

	if (text.data == NULL || text.len == 0 || text.len >= sizeof(copy))
		return 0;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	while (is_number(at)) {
		char *end;
		double number = strtod(at, &end);
		double unit;

		if (end == at || !(number >= 0 && number < 1e15))
			return 0;
		if (*end == '\0')
			return at == copy ? bare_ms(number, wall_ms) : 0;
		at = end;
		unit = unit_ms(&at);
		if (unit <= 0)
			return 0;
		sum_ms += number * unit;
	}
	return *at == '\0' && sum_ms < 1e15 ? (uint64_t)(sum_ms + 0.5) : 0;
}

static bool read_count(struct slice text, long *ret_count)
{
	long count = 0;

	if (text.data == NULL || text.len == 0 || text.len > 12)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		count = count * 10 + (text.data[i] - '0');
	}
	*ret_count = count;
	return true;
}

static void read_allowance(const struct http_call *call, const char *const names[2],
			   uint64_t wall_ms, struct rate_allowance *allowance)
{
	allowance->is_said = read_count(http_call_header(call, names[0]), &allowance->left);
	if (!allowance->is_said)
		return;
	allowance->reset_ms = rate_duration_ms(http_call_header(call, names[1]), wall_ms);
	if (allowance->reset_ms == 0)
		allowance->reset_ms = RESET_UNSAID_MS;
}

void rate_news_read(const struct http_call *call, uint64_t wall_ms, struct rate_news *ret_news)
{
	static const char *const requests[2] = { "x-ratelimit-remaining-requests",
						 "x-ratelimit-reset-requests" };
	static const char *const tokens[2] = { "x-ratelimit-remaining-tokens",
					       "x-ratelimit-reset-tokens" };

	*ret_news = (struct rate_news){ .pause_ms = 0 };
	read_allowance(call, requests, wall_ms, &ret_news->requests);
	read_allowance(call, tokens, wall_ms, &ret_news->tokens);
	if (call->status == 429 || call->status == 503)
		ret_news->pause_ms = backend_retry_after_ms(call);
}
