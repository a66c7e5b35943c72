/* plan_parse - sections out of whatever a model answered to "name N sections".
 *
 * Takes JSON by our schema, JSON in fences or with prose around it, JSON cut off in the middle,
 * arrays of strings or objects, and lines: "1. Title: point", "- Title", "Section 2 - Title",
 * "Paragraph 1 - Main Point: ... - Word Count: ...", "第一章 ...". Never fails on bad input: what is
 * not recognised gives no section. */
#ifndef LONGHAND_WRITING_PLAN_PARSE_H
#define LONGHAND_WRITING_PLAN_PARSE_H
#include "writing/plan.h"

/* Appends to `plan`; words are wishes (0: none). Errors: ERR_NO_MEMORY only. */
MUST_CHECK enum err plan_parse(const char *text, size_t len, struct plan *plan);
/* The JSON schema to ask for `n` sections by, as response_format.json_schema; new reference or
 * NULL. */
json_t *plan_schema(size_t n_sections, bool with_points);
#endif
