/* A model's answer to "name N sections", in the first line the wishes: sections and words wanted.
 * Whatever it is, the plan is one that can be written, and its words sum to the target. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "writing/plan_check.h"
#include "writing/plan_parse.h"

enum { WORDS_MAX = 1000000 };

static void check_sections(const struct plan *plan)
{
	MUST(plan->n_sections <= PLAN_SECTIONS_MAX);
	for (size_t i = 0; i < plan->n_sections; i++) {
		const struct plan_section *section = &plan->sections[i];

		MUST(section->title != NULL && section->point != NULL);
		MUST(strlen(section->title) <= PLAN_TITLE_BYTES_MAX);
		MUST(strlen(section->point) <= PLAN_POINT_BYTES_MAX);
		MUST(text_is_valid(section->title, strlen(section->title)));
		MUST(text_is_valid(section->point, strlen(section->point)));
		MUST(section->words >= 0 && section->words <= PLAN_WORDS_MAX);
	}
}

static void check_json(const struct plan *plan)
{
	json_t *json = plan_to_json(plan);
	struct buf message, param;
	struct plan again;

	MUST(json != NULL);
	buf_init(&message, 1024);
	buf_init(&param, 1024);
	plan_init(&again);
	MUST(plan_from_json(json, &again, &message, &param) == OK);
	MUST(again.n_sections == plan->n_sections);
	plan_release(&again);
	buf_release(&message);
	buf_release(&param);
	json_decref(json);
}

static void check_distribution(struct plan *plan, long target_words)
{
	long sum = 0;

	plan_distribute(plan, target_words);
	for (size_t i = 0; i < plan->n_sections; i++) {
		MUST(plan->sections[i].words >= 1);
		sum += plan->sections[i].words;
	}
	MUST(sum == plan_words(plan));
	MUST(sum ==
	     (target_words > (long)plan->n_sections ? target_words : (long)plan->n_sections));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice request = { "Write an article about the history of tea, please", 49 };
	struct slice answer = { (const char *)data, size };
	unsigned wish = size > 2 ? (unsigned)data[0] << 8 | data[1] : 0;
	struct plan_check check = { .wanted = 1 + wish % 60, .is_strict = wish % 2 == 1 };
	struct plan plan;

	if (size <= 2)
		return 0;
	answer.data += 2;
	answer.len -= 2;
	plan_init(&plan);
	MUST(plan_parse(answer.data, answer.len, &plan) == OK);
	check_sections(&plan);
	plan_check(&plan, request, &check);
	check_sections(&plan);
	MUST(plan.n_sections + check.missing >= check.wanted);
	MUST(plan_fill(&plan, check.wanted) == OK);
	check_sections(&plan);
	if (plan.n_sections > 0) {
		MUST(plan.n_sections >= check.wanted);
		check_distribution(&plan, 1 + (long)wish * 7 % WORDS_MAX);
		check_json(&plan);
	}
	plan_release(&plan);
	return 0;
}
