#include "api/start_fault.h"
#include <inttypes.h>

enum { FULL_AGAIN_MS = 10000, DAY_MS = 86400000 };

static uint64_t until_midnight_ms(struct reactor *reactor)
{
	return DAY_MS - reactor->wall_ms(reactor) % DAY_MS;
}

static void explain_limit(const struct api *api, const char *owner, long words,
			  struct api_fault *fault)
{
	uint64_t left;

	switch (registry_ask(api->registry, owner, words, &left)) {
	case REGISTRY_OWNER_FULL:
		api_fault_set(fault, API_ERROR_TOO_MANY_JOBS, NULL,
			      "As many long texts are being written for you as one owner may have "
			      "at once (max_jobs_per_owner): wait until one has ended.");
		break;
	case REGISTRY_OWNER_WORDS:
		api_fault_set(
			fault, API_ERROR_WORDS_PER_DAY, NULL,
			"You may have %" PRIu64 " more words written today "
			"(words_per_day), and asked for %ld: ask for fewer, or after midnight "
			"UTC.",
			left, words);
		fault->retry_after_ms = until_midnight_ms(api->reactor);
		fault->is_retry_vain = true;
		return;
	default:
		api_fault_set(fault, API_ERROR_TOO_MANY_JOBS, NULL,
			      "As many long texts are being written as this server takes "
			      "(max_jobs): try again later.");
		break;
	}
	fault->retry_after_ms = FULL_AGAIN_MS;
}

void start_fault(const struct api *api, const char *owner, long words, enum err err,
		 struct api_fault *fault)
{
	if (err == ERR_CANCELED)
		api_fault_set(fault, API_ERROR_SHUTTING_DOWN, NULL,
			      "The server is shutting down: ask again.");
	else if (err == ERR_LIMIT)
		explain_limit(api, owner, words, fault);
	else
		api_fault_set(fault, API_ERROR_INTERNAL, NULL, "The job can not start: %s.",
			      err_text(err));
}
