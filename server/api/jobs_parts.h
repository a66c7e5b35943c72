/* jobs_parts - what the files of jobs share: the way of a question about one job.
 *
 *   jobs.c         path and method → what is asked
 *   jobs_find.c    the job: of the registry, or read back from the store; its owner
 *   jobs_show.c    state, text and streams of what was found
 *   jobs_erase.c   erasing it
 *   responses_stored.c   the same for /v1/responses/ID
 *   jobs_cancel.c  stopping it where it is not here
 *
 * A request is answered by exactly one of these functions. */
#ifndef LONGHAND_API_JOBS_PARTS_H
#define LONGHAND_API_JOBS_PARTS_H
#include "api/api.h"
#include "writing/state.h"

enum job_question {
	JOB_STATE,
	JOB_TEXT,
	JOB_CHAT,
	JOB_EVENTS,
	JOB_CANCEL,
	JOB_ERASE,
	/* As a response: what was not asked for as one is not there. */
	JOB_RESPONSE,
	JOB_RESPONSE_STREAM,
	JOB_RESPONSE_ITEMS,
	JOB_RESPONSE_CANCEL,
	JOB_RESPONSE_ERASE,
};

/* A job of the asker's own, wherever it was found; borrowed by whoever gets it. */
struct job_facts {
	struct api *api;
	struct job *job; /* NULL: only the store has it */
	const char *id;
	const char *owner;
	const char *model;
	const struct state *state;
	struct buf
		*entries; /* its log, to be taken over, where it was read from the store; or NULL */
	const json_t *response; /* what its request said, as a response's; NULL: it was none */
	size_t content_bytes;	/* what readers may see */
	bool is_end_seen;	/* and whether they may see its end */
};

/* Finds the job and has it answer. Not there, or another owner's: 404. `id` is copied. */
void jobs_find(struct api *api, struct request *request, const char *id, const char *owner,
	       enum job_question question);

/* Every question about a job but JOB_ERASE, and JOB_CANCEL of one that is not here. */
void jobs_show(struct request *request, const struct job_facts *facts, enum job_question question);
/* JOB_ERASE and JOB_RESPONSE_ERASE. */
void jobs_erase(struct request *request, const struct job_facts *facts, enum job_question question);
/* JOB_CANCEL and JOB_RESPONSE_CANCEL of one that is not here: it is taken, and asked again. */
void jobs_cancel(struct request *request, const struct job_facts *facts,
		 enum job_question question);
/* The other questions about a response. */
void responses_show(struct request *request, const struct job_facts *facts,
		    enum job_question question);
/* Whether a job that is parked may go on, because it is read. False: it cannot now, and the request
 * is answered. */
bool jobs_resume(struct request *request, const struct job_facts *facts);

void jobs_refuse_unknown(struct request *request, const char *id);
/* No response of ours: the backend may know it. */
void responses_refuse_unknown(struct api *api, struct request *request);
/* The job is there, and the registry or the store could not do it. */
void jobs_refuse_failed(struct request *request, enum err err);
#endif
