/* scripted_checks - starts a scripted job and judges what became of it. */
#ifndef LONGHAND_TESTS_FAKES_SCRIPTED_CHECKS_H
#define LONGHAND_TESTS_FAKES_SCRIPTED_CHECKS_H
#include <stdbool.h>
#include "fakes/scripted_job.h"

void scripted_start(struct scripted_job *job, const char *request, long target_words);
const char *scripted_text(const struct scripted_job *job);
bool scripted_has(const struct scripted_job *job, const char *needle);
/* At most `slack` words off the target. */
void assert_scripted_length(const struct scripted_job *job, long slack);
/* No white space at the ends, no more than one blank line, no space before a line break. */
void assert_scripted_clean(const struct scripted_job *job);
bool scripted_has_repair(const struct scripted_job *job, const char *kind);
const json_t *scripted_report(const struct scripted_job *job);
bool scripted_has_unmet(const struct scripted_job *job, const char *kind);
#endif
