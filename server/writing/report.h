/* report - what was delivered, as the client reads it: {"target_words", "words",
 * "words_benchmark", "mode", "sections", "calls", "usage", "tokens_per_word", "repairs", "unmet"}.
 * A pure function of the state. */
#ifndef LONGHAND_WRITING_REPORT_H
#define LONGHAND_WRITING_REPORT_H
#include "writing/state.h"

/* New reference or NULL when memory is out. */
json_t *report_build(const struct state *state);
/* {"target_words","at_least","at_most","language","mode","sections","estimate"} for plan_only. */
json_t *report_plan(const struct state *state);
#endif
