#include <string.h>

#include "base/text.h"
#include "writing/engine_parts.h"
#include "writing/outline.h"
#include "writing/plan_check.h"
#include "writing/plan_parse.h"

enum { PLAN_CALLS_MAX = 3, PLAN_CALLS_SMALL_MAX = 5, PLAN_TEXT_BYTES_MAX = 1 << 20 };
/* With this share of the titles it is better to write longer sections than to split them. */
static const double enough_share = 0.75;

static enum err add_one(struct plan *plan, long words)
{
	return plan_add(plan, (struct slice){ "", 0 }, (struct slice){ "", 0 }, words);
}

static enum err copy_plan(const struct plan *from, struct plan *to)
{
	enum err err = OK;

	for (size_t i = 0; i < from->n_sections && err == OK; i++) {
		const struct plan_section *section = &from->sections[i];

		err = plan_add(to, (struct slice){ section->title, strlen(section->title) },
			       (struct slice){ section->point, strlen(section->point) },
			       section->words);
		if (err != OK)
			return err;
		to->sections[i].is_title_users = section->is_title_users;
		to->sections[i].is_words_users = section->is_words_users;
	}
	return err;
}

/* What is known without asking: the client's plan, the outline in the request, a single piece. */
static enum err begin_draft(struct engine *engine, long target)
{
	const struct spec *spec = &engine->state->spec;

	engine->has_draft = true;
	if (spec->plan.n_sections > 0)
		return copy_plan(&spec->plan, &engine->draft);
	if (spec->mode != WRITING_SINGLE) {
		enum err err = outline_read(spec->request, strlen(spec->request), &engine->draft);

		if (err != OK || engine->draft.n_sections > 0)
			return err;
	}
	return budget_sections(spec, target) == 1 ? add_one(&engine->draft, target) : OK;
}

/* The titles for readers, one a line. */
static enum err titles_text(const struct plan *plan, struct buf *out)
{
	enum err err = OK;

	for (size_t i = 0; i < plan->n_sections && err == OK; i++) {
		const struct plan_section *section = &plan->sections[i];

		if (section->title[0] == '\0')
			continue;
		err = buf_printf(out, "%zu. %s (%ld)\n", i + 1, section->title, section->words);
	}
	return err;
}

static json_t *planned_data(const struct engine *engine, long target, bool is_filled)
{
	long asked = engine->state->spec.target_words;
	json_t *data = json_pack("{s:o, s:I}", "plan", plan_to_json(&engine->draft), "target_words",
				 (json_int_t)target);
	json_t *unmet = json_array();
	int failed = data == NULL || unmet == NULL;

	if (!failed && is_filled)
		failed = json_array_append_new(unmet,
					       json_pack("{s:s, s:s}", "kind", "plan", "detail",
							 "the model did not name enough sections"));
	if (!failed && target < asked && engine->state->spec.max_tokens > 0)
		failed = json_array_append_new(
			unmet, json_pack("{s:s, s:s}", "kind", "client_max_tokens", "detail",
					 "max_tokens leaves no room for the words asked for"));
	if (!failed && json_object_set(data, "unmet", unmet) == 0) {
		json_decref(unmet);
		return data;
	}
	json_decref(unmet);
	json_decref(data);
	return NULL;
}

static enum err queue_planned(struct engine *engine, long target, bool is_filled)
{
	struct buf titles;
	enum err err;

	plan_distribute(&engine->draft, target);
	buf_init(&titles, PLAN_TEXT_BYTES_MAX);
	err = titles_text(&engine->draft, &titles);
	if (err == OK)
		err = engine_queue_event(engine, EVENT_PLANNED,
					 (struct slice){ buf_str(&titles), titles.len },
					 planned_data(engine, target, is_filled));
	buf_release(&titles);
	return err;
}

static struct slice request_of(const struct engine *engine)
{
	const char *request = engine->state->spec.request;

	return (struct slice){ request, strlen(request) };
}

enum err engine_plan_next(struct engine *engine, struct engine_action *ret_action)
{
	const struct spec *spec = &engine->state->spec;
	long target = budget_plan_target(spec);
	size_t wanted = budget_sections(spec, target);
	struct plan_check check = { .wanted = wanted };
	bool is_small = spec->traits.is_small;
	bool is_filled = false;
	enum err err = OK;

	if (!engine->has_draft) {
		err = begin_draft(engine, target);
		if (err != OK)
			return err;
		engine->has_outline = engine->draft.n_sections > 0;
	}
	if (engine->has_outline)
		return queue_planned(engine, target, false);
	plan_check(&engine->draft, request_of(engine), &check);
	if (check.missing > 0 &&
	    engine->state->plan_calls < (is_small ? PLAN_CALLS_SMALL_MAX : PLAN_CALLS_MAX))
		return engine_ask_plan(engine, is_small ? wanted + 1 : check.missing, ret_action);
	if (is_small && engine->draft.n_sections >= 2)
		wanted = engine->draft.n_sections;
	if ((double)engine->draft.n_sections < enough_share * (double)wanted) {
		is_filled = true;
		if (engine->draft.n_sections == 0)
			err = add_one(&engine->draft, target);
		if (err == OK)
			err = plan_fill(&engine->draft, wanted);
	}
	return err != OK ? err : queue_planned(engine, target, is_filled);
}

/* What a small model adds to a title is no point of a plan: questions, praise, the story of the
 * title. Its prompts do not use it, and readers of the plan need not see it. */
static enum err drop_points(struct plan *plan)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < plan->n_sections; i++)
		err = plan_section_set_point(&plan->sections[i], (struct slice){ "", 0 });
	return err;
}

enum err engine_plan_read(struct engine *engine)
{
	struct engine_call *call = &engine->call;
	enum err err = OK;

	if (!call->is_over)
		return OK;
	if (!call->is_settled && call->end.result != ERR_CANCELED && call->end.result != OK)
		call->is_settled = true;
	if (!call->is_settled)
		err = plan_parse(buf_str(&call->take.pending), call->take.pending.len,
				 &engine->draft);
	if (err == OK && engine->state->spec.traits.is_small)
		err = drop_points(&engine->draft);
	call->is_settled = true;
	return err;
}
