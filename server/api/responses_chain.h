/* responses_chain - what was said before, by previous_response_id: the turns of earlier responses,
 * each with its input and its text, oldest first.
 *
 * They are looked for where jobs are: in the registry, else in the store. */
#ifndef LONGHAND_API_RESPONSES_CHAIN_H
#define LONGHAND_API_RESPONSES_CHAIN_H
#include "api/api.h"
#include "job/replay.h"

enum { RESPONSES_CHAIN_MAX = 50, RESPONSES_CHAIN_BYTES_MAX = 4 << 20 };

struct responses_chain {
	struct op op; /* prepared by the caller */
	struct api *api;
	const char *owner; /* borrowed until done() */
	struct replay replay;
	bool is_replaying;
	char job[JOB_ID_BYTES]; /* the one being read */
	unsigned n_responses;	/* read so far */
	size_t bytes;
	json_t *messages;	/* the result */
	struct api_fault fault; /* of a failure */
};

/* "resp_" and the 32 hex digits of a job. */
bool responses_job_of(const char *id, char ret_job[JOB_ID_BYTES]);
/* Results: OK; ERR_NOT_FOUND: no response of the owner's has this id, or that of one before it; and
 * others. `fault` says which. */
void responses_chain_start(struct responses_chain *chain, struct api *api, const char *owner,
			   const char *id);
/* In done(): the id itself is no response of ours; the backend's, maybe. */
bool responses_chain_is_foreign(const struct responses_chain *chain);
void responses_chain_release(struct responses_chain *chain);
#endif
