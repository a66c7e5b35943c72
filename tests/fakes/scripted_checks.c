#include "fakes/scripted_checks.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

void scripted_start(struct scripted_job *job, const char *request, long target_words)
{
	struct spec spec;

	scripted_spec(&spec, request, target_words);
	scripted_job_init(job, &spec);
}

const char *scripted_text(const struct scripted_job *job)
{
	return buf_str(&job->state.text);
}

bool scripted_has(const struct scripted_job *job, const char *needle)
{
	return strstr(scripted_text(job), needle) != NULL;
}

void assert_scripted_length(const struct scripted_job *job, long slack)
{
	long off = labs(job->state.words - job->state.target_words);

	if (off > slack)
		print_error("%ld words for %ld\n", job->state.words, job->state.target_words);
	assert_true(off <= slack);
}

/* No white space at the ends, no more than one blank line, no space before a line break. */
void assert_scripted_clean(const struct scripted_job *job)
{
	const char *text = scripted_text(job);
	size_t len = job->state.text.len;

	assert_true(len > 0);
	assert_null(strchr(" \n\t", text[0]));
	assert_null(strchr(" \n\t", text[len - 1]));
	assert_null(strstr(text, "\n\n\n"));
	assert_null(strstr(text, " \n"));
	assert_null(strstr(text, "  "));
	assert_true(text_is_valid(text, len));
}

bool scripted_has_repair(const struct scripted_job *job, const char *kind)
{
	size_t i;
	json_t *repair;

	json_array_foreach(job->state.repairs, i, repair)
		if (strcmp(json_string_value(json_object_get(repair, "kind")), kind) == 0)
			return true;
	return false;
}

const json_t *scripted_report(const struct scripted_job *job)
{
	return json_object_get(job->state.end_data, "report");
}

bool scripted_has_unmet(const struct scripted_job *job, const char *kind)
{
	size_t i;
	json_t *unmet;

	json_array_foreach(json_object_get(scripted_report(job), "unmet"), i, unmet)
		if (strcmp(json_string_value(json_object_get(unmet, "kind")), kind) == 0)
			return true;
	return false;
}
