/* job_parts - the inside of a job, shared by its files only. */
#ifndef LONGHAND_JOB_JOB_PARTS_H
#define LONGHAND_JOB_JOB_PARTS_H
#include "job/job.h"

/* job.c's: something landed, or the log has failed. */
void job_on_log_moved(struct job *job);
/* job_new.c's: a job without facts and events. NULL: no memory. */
struct job *job_alloc(const struct job_ports *ports, const struct job_options *options,
		      const char *id);
/* job_restore.c's: the labels, copied. ERR_INVALID: too many, or too long; ERR_NO_MEMORY. */
MUST_CHECK enum err job_set_labels(struct job *job, const char *const *labels);
/* Data of the `created` event. NULL: no memory. */
json_t *job_created_data(const struct job *job);
#endif
