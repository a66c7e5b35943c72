#include "fakes/prompt_job.h"
#include "check.h"
#include <string.h>
#include "base/mem.h"

struct slice prompt_job_slice(const char *data)
{
	return (struct slice){ .data = data, .len = strlen(data) };
}

void prompt_job_init(struct prompt_job *job, const char *request)
{
	static const char *const titles[] = { "Roots", "Trade", "Ports", "Today" };
	struct buf message;

	*job = (struct prompt_job){ 0 };
	buf_init(&message, 1000);
	assert_int_equal(prompt_set_load(NULL, &job->set, &message), OK);
	spec_init(&job->spec);
	job->spec.history =
		json_loads("[{\"role\":\"system\",\"content\":\"Be terse. {words}\"}]", 0, NULL);
	job->spec.request = mem_strdup(request);
	job->spec.target_words = 4000;
	job->spec.demand.kind = DEMAND_ARTICLE;
	plan_init(&job->plan);
	buf_init(&job->text, 8 << 20);
	for (size_t i = 0; i < COUNT_OF(titles); i++)
		assert_int_equal(plan_add(&job->plan, prompt_job_slice(titles[i]),
					  prompt_job_slice("the point"), 1000),
				 OK);
	job->input = (struct prompt_input){ .spec = &job->spec,
					    .plan = &job->plan,
					    .section = 2,
					    .words = 431,
					    .words_written = 2000,
					    .n_titles = 7 };
}

void prompt_job_write(struct prompt_job *job, size_t sentences)
{
	for (size_t i = 0; i < COUNT_OF(job->sections); i++) {
		job->sections[i].title = job->plan.sections[i].title;
		job->sections[i].at_byte = job->text.len;
		for (size_t k = 0; k < sentences; k++)
			assert_int_equal(
				buf_printf(&job->text, "Ship %zu of %zu went out at dawn. ", k, i),
				OK);
		job->sections[i].end_byte = job->text.len;
	}
	job->input.memory =
		(struct memory_source){ .text = { .data = job->text.data, .len = job->text.len },
					.sections = job->sections,
					.n_sections = 3 };
	job->input.tail = (struct slice){ .data = job->text.data + job->sections[2].at_byte,
					  .len = job->text.len - job->sections[2].at_byte };
}

void prompt_job_release(struct prompt_job *job)
{
	prompt_set_free(job->set);
	spec_release(&job->spec);
	plan_release(&job->plan);
	buf_release(&job->text);
}
