/* Any last user turn: the demand is sane, an outline's items lie in the text. */
#include <string.h>
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "writing/demand.h"
#include "writing/outline.h"
#include "writing/route.h"
#include "writing/subject.h"

static bool is_inside(struct slice part, struct slice text)
{
	return part.len == 0 || (part.data >= text.data && part.len <= text.len &&
				 part.data <= text.data + (text.len - part.len));
}

static void check_demand(struct slice text)
{
	struct demand demand;

	demand_read(text.data, text.len, &demand);
	MUST(demand.target_words >= 0 && demand.at_least >= 0 && demand.at_most >= 0);
	MUST((unsigned)demand.kind < DEMAND_KINDS && demand.language <= LANGUAGE_OTHER);
	MUST(demand.at_least == 0 || demand.at_most == 0 || demand.at_least <= demand.at_most);
	MUST(!demand.has_number || demand.target_words > 0);
	MUST(demand_kind_name(demand.kind) != NULL && demand_default_words(demand.kind) >= 0);
}

static void check_outline(struct slice text)
{
	struct outline_item items[OUTLINE_ITEMS_MAX];
	size_t count = outline_find(text.data, text.len, items);
	struct plan plan;

	MUST(count != 1 && count <= OUTLINE_ITEMS_MAX);
	for (size_t i = 0; i < count; i++)
		MUST(is_inside(items[i].title, text) && is_inside(items[i].point, text) &&
		     items[i].words >= 0);
	plan_init(&plan);
	MUST(outline_read(text.data, text.len, &plan) == OK);
	MUST(plan.n_sections == count);
	for (size_t i = 0; i < plan.n_sections; i++)
		MUST(text_is_valid(plan.sections[i].title, strlen(plan.sections[i].title)));
	plan_release(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };

	check_demand(text);
	check_outline(text);
	(void)route_is_housekeeping(text.data, text.len, NULL);
	return 0;
}
