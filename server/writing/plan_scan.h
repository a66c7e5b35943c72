/* plan_scan - sections out of JSON that need not be right: in fences, with prose around it, cut
 * off, with single quotes, unescaped quotes inside strings, missing or trailing commas. */
#ifndef LONGHAND_WRITING_PLAN_SCAN_H
#define LONGHAND_WRITING_PLAN_SCAN_H
#include "writing/plan.h"

/* Appends to `plan`; nothing when there is no JSON. ERR_NO_MEMORY, ERR_LIMIT. */
MUST_CHECK enum err plan_scan(struct slice text, struct plan *plan);
#endif
