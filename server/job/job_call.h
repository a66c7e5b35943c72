/* job_call - the model call of a job: started for the engine, its pieces fed back, its failures
 * waited out. Internal to job/. */
#ifndef LONGHAND_JOB_JOB_CALL_H
#define LONGHAND_JOB_JOB_CALL_H
#include "job/job.h"

/* Takes messages and schema out of the ask. */
void job_call_start(struct job *job, struct engine_ask *ask);
/* No next attempt by itself. */
void job_call_stop_waiting(struct job *job);

/* job.c's, for job_call.c: run the driver; note the first error (code and message for the failed
 * event). */
void job_run(struct job *job);
void job_fail(struct job *job, enum err error, const char *code, const char *message);
#endif
