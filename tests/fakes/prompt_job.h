/* prompt_job - a job in its third section of four, for tests of prompts. */
#ifndef LONGHAND_TESTS_FAKES_PROMPT_JOB_H
#define LONGHAND_TESTS_FAKES_PROMPT_JOB_H
#include "writing/prompt.h"

struct prompt_job {
	struct prompt_set *set;
	struct spec spec;
	struct plan plan;
	struct buf text;
	struct memory_section sections[3];
	struct prompt_input input;
};

void prompt_job_init(struct prompt_job *job, const char *request);
/* Gives each of the first three sections so many sentences. */
void prompt_job_write(struct prompt_job *job, size_t sentences);
void prompt_job_release(struct prompt_job *job);
struct slice prompt_job_slice(const char *data);
#endif
