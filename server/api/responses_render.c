#include "api/responses_render.h"
#include "api/chat_render.h"
#include "base/json.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

/* ---- the object of a state ---- */

static bool is_plan_shown(const struct response_source *source)
{
	const struct state *state = source->state;

	return state->phase > STATE_PLANNING && state->plan.n_sections > 1 &&
	       !state->spec.is_plan_only &&
	       !json_is_false(json_object_get(source->facts, "is_plan_shown"));
}

static enum err render_plan(const struct state *state, struct buf *out)
{
	json_t *plan = plan_to_json(&state->plan);
	enum err err = plan != NULL ? chat_render_plan(plan, out) : ERR_NO_MEMORY;

	json_decref(plan);
	return err;
}

/* What OpenAI calls it, of which there are few. */
static const char *error_code_of(const struct api_fault *fault)
{
	if (fault->error == API_ERROR_BACKEND_BUSY)
		return "rate_limit_exceeded";
	if (fault->error == API_ERROR_CONTEXT_LENGTH ||
	    (fault->status >= 400 && fault->status < 500))
		return "invalid_prompt";
	return "server_error";
}

static void show_failure(const struct response_source *source, struct response_view *view)
{
	struct event failed = { .kind = EVENT_FAILED, .data = source->state->end_data };

	chat_render_fault(&failed, source->job, &view->fault);
	view->object.status = "failed";
	view->object.error_code = error_code_of(&view->fault);
	view->object.error_message = view->fault.message;
}

static void show_end(const struct response_source *source, struct response_view *view)
{
	const struct state *state = source->state;
	const char *finish = json_string_value(json_object_get(state->end_data, "finish_reason"));
	struct response_object *object = &view->object;

	object->usage = &state->usage;
	if (state->end == EVENT_FAILED) {
		show_failure(source, view);
		return;
	}
	object->report = json_member(state->end_data, "report");
	object->plan = json_member(state->end_data, "plan");
	object->status = "completed";
	if (state->is_cancelled) {
		object->status = "cancelled";
	} else if (finish != NULL && strcmp(finish, "length") == 0) {
		object->status = "incomplete";
		object->incomplete_reason = "max_output_tokens";
	}
	if (strcmp(object->status, "completed") == 0) {
		object->completed_s = (long long)(state->last_ms / 1000);
		object->item_status = "completed";
	}
}

static enum err show_text(const struct response_source *source, struct response_view *view)
{
	const struct state *state = source->state;
	struct response_object *object = &view->object;
	bool is_plan = state->phase > STATE_PLANNING && state->spec.is_plan_only;
	enum err err = OK;

	object->has_thoughts = is_plan_shown(source);
	if (object->has_thoughts || is_plan)
		err = render_plan(state, &view->thoughts);
	object->thoughts = (struct slice){ buf_str(&view->thoughts), view->thoughts.len };
	object->text = (struct slice){ buf_str(&state->text), source->content_bytes };
	if (is_plan)
		object->text = object->thoughts;
	object->has_message = object->text.len > 0;
	return err;
}

enum err response_view_make(const struct response_source *source, struct response_view *view)
{
	const struct state *state = source->state;
	const json_t *store = json_member(source->facts, "store");
	enum err err;

	*view = (struct response_view){ .object = { .job = source->job,
						    .model = source->model,
						    .facts = source->facts,
						    .is_stored = !json_is_false(store),
						    .status = "in_progress",
						    .item_status = "incomplete" } };
	buf_init(&view->thoughts, RESPONSES_TEXT_BYTES_MAX);
	view->object.created_s = (long long)(state->created_ms / 1000);
	err = show_text(source, view);
	if (source->is_ended && state->phase == STATE_ENDED)
		show_end(source, view);
	else
		view->object.item_status = "in_progress";
	return err;
}

void response_view_release(struct response_view *view)
{
	buf_release(&view->thoughts);
}

/* ---- events ---- */

void responses_render_init(struct responses_render *render, const char *job, long long after)
{
	*render = (struct responses_render){ .facts = NULL };
	(void)snprintf(render->job, sizeof(render->job), "%s", job);
	state_init(&render->state);
	responses_events_init(&render->events, after);
}

void responses_render_release(struct responses_render *render)
{
	state_release(&render->state);
	json_decref(render->facts);
	mem_free(render->model);
	render->facts = NULL;
	render->model = NULL;
}

static enum err note_created(struct responses_render *render, const struct event *event)
{
	const char *model = json_string_value(json_object_get(event->data, "model"));
	json_t *facts = json_member(event->data, "response");

	if (facts == NULL)
		return ERR_INVALID;
	render->facts = json_incref(facts);
	render->model = mem_strdup(model != NULL ? model : "");
	return render->model != NULL ? OK : ERR_NO_MEMORY;
}

static struct response_source source_of(const struct responses_render *render)
{
	return (struct response_source){ .job = render->job,
					 .model = render->model,
					 .facts = render->facts,
					 .state = &render->state,
					 .content_bytes = render->state.text.len,
					 .is_ended = true };
}

/* The plan is known. */
static enum err say_plan(struct responses_render *render, const struct response_object *object,
			 struct buf *out)
{
	enum err err = OK;

	if (object->has_thoughts)
		err = responses_events_thoughts(&render->events, object, object->thoughts, out);
	if (err == OK)
		err = responses_events_thoughts_end(&render->events, object, out);
	if (err == OK && render->state.spec.is_plan_only)
		err = responses_events_text(&render->events, object, object->text, out);
	return err;
}

static enum err say(struct responses_render *render, enum event_kind kind, struct buf *out)
{
	struct response_source source = source_of(render);
	struct response_view view;
	enum err err = response_view_make(&source, &view);

	if (err == OK && kind == EVENT_CREATED)
		err = responses_events_begin(&render->events, &view.object, out);
	else if (err == OK && kind == EVENT_PLANNED)
		err = say_plan(render, &view.object, out);
	else if (err == OK)
		err = responses_events_end(&render->events, &view.object,
					   kind == EVENT_FAILED ? &view.fault : NULL, out);
	response_view_release(&view);
	return err;
}

/* Of the object only the ids are needed: making all of it for each piece would be slow. */
static enum err say_text(struct responses_render *render, const struct event *event,
			 struct buf *out)
{
	struct response_object object = { .job = render->job, .item_status = "in_progress" };

	return responses_events_text(&render->events, &object,
				     (struct slice){ event->text, event->text_len }, out);
}

enum err responses_render_event(struct responses_render *render, const struct event *event,
				struct buf *out)
{
	enum err err = OK;

	if (event->kind == EVENT_CREATED)
		err = note_created(render, event);
	if (err == OK)
		err = state_apply(&render->state, event);
	if (err != OK)
		return err;
	switch (event->kind) {
	case EVENT_CREATED:
	case EVENT_PLANNED:
	case EVENT_DONE:
	case EVENT_FAILED:
		return say(render, event->kind, out);
	case EVENT_TEXT:
		return say_text(render, event, out);
	default:
		return OK;
	}
}

enum err responses_render_object(const struct responses_render *render, struct buf *out)
{
	struct response_source source = source_of(render);
	struct response_view view;
	enum err err = response_view_make(&source, &view);

	if (err == OK)
		err = response_object_render(&view.object, out);
	response_view_release(&view);
	return err;
}
