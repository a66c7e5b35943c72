#include "writing/plan_parse.h"
#include <string.h>
#include "base/text.h"
#include "writing/plan_lines.h"
#include "writing/plan_scan.h"

/* Behind the model's thinking, when it is in the text: what counts is the answer. */
static struct slice skip_thinking(struct slice text)
{
	static const char close[] = "</think>";
	struct slice rest = text;
	const char *at;

	while ((at = memmem(rest.data, rest.len, close, strlen(close))) != NULL) {
		at += strlen(close);
		rest.len -= (size_t)(at - rest.data);
		rest.data = at;
	}
	return rest;
}

enum err plan_parse(const char *text, size_t len, struct plan *plan)
{
	struct slice answer = skip_thinking((struct slice){ .data = text, .len = len });
	size_t before = plan->n_sections;
	enum err err;

	if (answer.len == 0)
		return OK;
	err = plan_scan(answer, plan);
	if (err == OK && plan->n_sections == before)
		err = plan_lines(answer, plan);
	return err == ERR_LIMIT ? OK : err; /* more than any plan has: the first ones count */
}

static json_t *string_schema(void)
{
	return json_pack("{s:s}", "type", "string");
}

static json_t *section_schema(bool with_points)
{
	if (!with_points)
		return json_pack("{s:s, s:{s:o}, s:[s], s:b}", "type", "object", "properties",
				 "title", string_schema(), "required", "title",
				 "additionalProperties", 0);
	return json_pack("{s:s, s:{s:o, s:o}, s:[s, s], s:b}", "type", "object", "properties",
			 "title", string_schema(), "point", string_schema(), "required", "title",
			 "point", "additionalProperties", 0);
}

json_t *plan_schema(size_t n_sections, bool with_points)
{
	json_t *sections = json_pack("{s:s, s:I, s:I, s:o}", "type", "array", "minItems",
				     (json_int_t)n_sections, "maxItems", (json_int_t)n_sections,
				     "items", section_schema(with_points));

	return json_pack("{s:s, s:b, s:{s:s, s:{s:o}, s:[s], s:b}}", "name", "plan", "strict", 1,
			 "schema", "type", "object", "properties", "sections", sections, "required",
			 "sections", "additionalProperties", 0);
}
