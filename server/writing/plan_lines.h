/* plan_lines - sections out of an answer in lines: numbered, bulleted, headings, bold, or plain. */
#ifndef LONGHAND_WRITING_PLAN_LINES_H
#define LONGHAND_WRITING_PLAN_LINES_H
#include "writing/plan.h"

/* Appends to `plan`; nothing when no line looks like a title. ERR_NO_MEMORY, ERR_LIMIT. */
MUST_CHECK enum err plan_lines(struct slice text, struct plan *plan);
#endif
