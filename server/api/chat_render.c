#include "api/chat_render.h"
#include "base/json.h"
#include "base/mem.h"
#include "writing/spec.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void chat_render_init(struct chat_render *render, bool is_plan_shown, bool has_usage,
		      uint64_t progress_ms)
{
	*render = (struct chat_render){ .is_plan_shown = is_plan_shown,
					.has_usage = has_usage,
					.progress_ms = progress_ms };
	word_counter_init(&render->words);
}

void chat_render_release(struct chat_render *render)
{
	mem_free(render->model);
	render->model = NULL;
}

static enum err note_created(struct chat_render *render, const struct event *event)
{
	const json_t *data = event->data;
	const char *model = json_string_value(json_object_get(data, "model"));
	struct spec spec;
	enum err err = spec_from_json(json_object_get(data, "spec"), &spec);

	if (err != OK)
		return err;
	render->created_s = (long long)(event->t_ms / 1000);
	render->target_words = spec.target_words;
	render->count = spec.count;
	render->is_plan_only = spec.is_plan_only;
	spec_release(&spec);
	render->model = mem_strdup(model != NULL ? model : "");
	return render->model != NULL ? OK : ERR_NO_MEMORY;
}

/* ---- pieces of a chunk ---- */

static enum err begin_chunk(const struct chat_render *render, struct buf *out)
{
	enum err err = buf_printf(out,
				  "data: {\"id\":\"chatcmpl-%s\",\"object\":"
				  "\"chat.completion.chunk\",\"created\":%lld,\"model\":",
				  render->job, render->created_s);

	return err == OK ? buf_append_json(out, render->model, strlen(render->model)) : err;
}

/* `finish` NULL: null. */
static enum err append_choice(const struct chat_render *render, const char *delta,
			      const char *finish, struct buf *out)
{
	enum err err = buf_printf(
		out, ",\"choices\":[{\"index\":0,\"delta\":{%s},\"logprobs\":null,", delta);

	if (err == OK)
		err = finish != NULL ? buf_printf(out, "\"finish_reason\":\"%s\"}]", finish)
				     : buf_append_str(out, "\"finish_reason\":null}]");
	if (err == OK && render->has_usage)
		err = buf_append_str(out, ",\"usage\":null");
	return err;
}

static enum err end_chunk(struct buf *out)
{
	return buf_append_str(out, "}\n\n");
}

static long words_so_far(const struct chat_render *render)
{
	struct word_count total = word_counter_total(&render->words);

	return render->count == WORDS_NATURAL ? total.natural : total.benchmark;
}

/* By the pace since the plan, event times only; 0: not known yet. */
static long eta_s(const struct chat_render *render, uint64_t now_ms)
{
	long words = words_so_far(render);
	long left = render->target_words - words;

	if (words <= 0 || left <= 0 || now_ms <= render->planned_ms)
		return 0;
	/* The rest takes as long by the word as what is there; rounded to seconds. */
	return (long)((double)(now_ms - render->planned_ms) / 1000.0 * (double)left /
			      (double)words +
		      0.5);
}

static enum err append_progress(struct chat_render *render, uint64_t now_ms, struct buf *out)
{
	render->progress_at_ms = now_ms;
	return buf_printf(out,
			  ",\"longhand\":{\"job\":\"%s\",\"section\":%u,\"sections\":%u,"
			  "\"words\":%ld,\"target_words\":%ld,\"eta_s\":%ld}",
			  render->job, render->section, render->n_sections, words_so_far(render),
			  render->target_words, eta_s(render, now_ms));
}

static enum err append_role(struct chat_render *render, struct buf *out)
{
	enum err err;

	if (render->has_role)
		return OK;
	render->has_role = true;
	err = begin_chunk(render, out);
	if (err == OK)
		err = append_choice(render, "\"role\":\"assistant\",\"content\":\"\"", NULL, out);
	return err == OK ? end_chunk(out) : err;
}

/* A chunk whose delta has one string member. */
static enum err append_text_chunk(struct chat_render *render, const char *member,
				  struct slice text, struct buf *out)
{
	enum err err = begin_chunk(render, out);

	if (err == OK)
		err = buf_printf(out, ",\"choices\":[{\"index\":0,\"delta\":{\"%s\":", member);
	if (err == OK)
		err = buf_append_json(out, text.data, text.len);
	if (err == OK)
		err = buf_append_str(out, "},\"logprobs\":null,\"finish_reason\":null}]");
	if (err == OK && render->has_usage)
		err = buf_append_str(out, ",\"usage\":null");
	return err;
}

enum err chat_render_plan(const json_t *plan, struct buf *out)
{
	const json_t *sections = json_object_get(plan, "sections");
	size_t index;
	json_t *section;
	enum err err = OK;

	json_array_foreach((json_t *)sections, index, section) {
		const char *title = json_string_value(json_object_get(section, "title"));
		const char *point = json_string_value(json_object_get(section, "point"));
		json_int_t words = json_integer_value(json_object_get(section, "words"));

		if (err == OK)
			err = buf_printf(out, "%zu. %s (%" JSON_INTEGER_FORMAT ")", index + 1,
					 title != NULL && title[0] != '\0' ? title : "–", words);
		if (err == OK && point != NULL && point[0] != '\0')
			err = buf_printf(out, ": %s", point);
		if (err == OK)
			err = buf_append_str(out, "\n");
	}
	return err;
}

static enum err append_plan(struct chat_render *render, const char *member, const json_t *plan,
			    struct buf *out)
{
	struct buf text;
	enum err err;

	buf_init(&text, 4 << 20);
	err = chat_render_plan(plan, &text);
	if (err == OK)
		err = append_text_chunk(render, member,
					(struct slice){ buf_str(&text), text.len }, out);
	buf_release(&text);
	return err == OK ? end_chunk(out) : err;
}

/* ---- one function per kind ---- */

static enum err render_planned(struct chat_render *render, const struct event *event,
			       struct buf *out)
{
	const json_t *plan = json_object_get(event->data, "plan");
	json_int_t target = json_integer_value(json_object_get(event->data, "target_words"));
	enum err err;

	render->n_sections = (unsigned)json_array_size(json_object_get(plan, "sections"));
	render->planned_ms = event->t_ms;
	if (target > 0)
		render->target_words = (long)target;
	if (render->from_byte > 0)
		return OK; /* the reader has it */
	err = append_role(render, out);
	if (err != OK)
		return err;
	if (render->is_plan_only)
		return append_plan(render, "content", plan, out);
	if (render->is_plan_shown && render->n_sections > 1)
		return append_plan(render, "reasoning_content", plan, out);
	return OK;
}

static enum err render_section_started(struct chat_render *render, const struct event *event,
				       struct buf *out)
{
	enum err err;

	render->section = event->section;
	if (event->at_byte < render->from_byte)
		return OK;
	err = append_role(render, out);
	if (err == OK)
		err = begin_chunk(render, out);
	if (err == OK)
		err = append_choice(render, "", NULL, out);
	if (err == OK)
		err = append_progress(render, event->t_ms, out);
	return err == OK ? end_chunk(out) : err;
}

static enum err render_text(struct chat_render *render, const struct event *event, struct buf *out)
{
	uint64_t known =
		render->from_byte > event->at_byte ? render->from_byte - event->at_byte : 0;
	struct slice rest = { event->text, event->text_len };
	enum err err;

	word_counter_feed(&render->words, event->text, event->text_len);
	if (known >= rest.len)
		return OK;
	rest.data += known;
	rest.len -= known;
	err = append_role(render, out);
	if (err == OK)
		err = append_text_chunk(render, "content", rest, out);
	if (err == OK && event->t_ms >= render->progress_at_ms + render->progress_ms)
		err = append_progress(render, event->t_ms, out);
	return err == OK ? end_chunk(out) : err;
}

enum err chat_render_usage(const json_t *report, struct buf *out)
{
	const json_t *usage = json_object_get(report, "usage");

	return usage != NULL ? json_append(out, usage) : buf_append_str(out, "null");
}

static enum err append_usage_chunk(struct chat_render *render, const json_t *report,
				   struct buf *out)
{
	enum err err = begin_chunk(render, out);

	if (err == OK)
		err = buf_append_str(out, ",\"choices\":[],\"usage\":");
	if (err == OK)
		err = chat_render_usage(report, out);
	return err == OK ? end_chunk(out) : err;
}

enum err chat_render_longhand(const struct chat_render *render, const json_t *data,
			      struct buf *out)
{
	const json_t *plan = json_object_get(data, "plan");
	enum err err = buf_printf(out, ",\"longhand\":{\"job\":\"%s\"", render->job);

	if (err == OK && plan != NULL) {
		err = buf_append_str(out, ",\"plan\":");
		if (err == OK)
			err = json_append(out, plan);
	}
	if (err == OK)
		err = buf_append_str(out, ",\"report\":");
	if (err == OK)
		err = json_append(out, json_object_get(data, "report"));
	return err == OK ? buf_append_str(out, "}") : err;
}

static enum err render_done(struct chat_render *render, const struct event *event, struct buf *out)
{
	const char *finish = json_string_value(json_object_get(event->data, "finish_reason"));
	const json_t *report = json_object_get(event->data, "report");
	enum err err = append_role(render, out);

	if (err == OK)
		err = begin_chunk(render, out);
	if (err == OK)
		err = append_choice(render, "", finish != NULL ? finish : "stop", out);
	if (err == OK)
		err = chat_render_longhand(render, event->data, out);
	if (err == OK)
		err = end_chunk(out);
	if (err == OK && render->has_usage)
		err = append_usage_chunk(render, report, out);
	return err == OK ? buf_append_str(out, "data: [DONE]\n\n") : err;
}

void chat_render_fault(const struct event *failed, const char *job, struct api_fault *fault)
{
	const char *code = json_string_value(json_object_get(failed->data, "code"));
	const char *message = json_string_value(json_object_get(failed->data, "message"));
	json_int_t status = json_integer_value(json_object_get(failed->data, "status"));
	json_int_t wait_ms = json_integer_value(json_object_get(failed->data, "retry_after_ms"));

	api_fault_set(fault, api_error_from_code(code), NULL,
		      "%s (job %s; what was written is at /v1/longhand/jobs/%s/text)",
		      message != NULL ? message : "the job failed", job, job);
	if (fault->error == API_ERROR_SHUTTING_DOWN) /* with the text: its message says so */
		api_fault_set(fault, fault->error, NULL, "%s (job %s)",
			      message != NULL ? message : "the server is shutting down", job);
	fault->status = (int)status;
	if (wait_ms > 0)
		fault->retry_after_ms = (uint64_t)wait_ms;
}

static enum err render_failed(struct chat_render *render, const struct event *event,
			      struct buf *out)
{
	struct api_fault fault;
	enum err err;

	chat_render_fault(event, render->job, &fault);
	err = buf_append_str(out, "data: ");
	if (err == OK)
		err = api_fault_render(&fault, out);
	return err == OK ? buf_append_str(out, "\n\n") : err;
}

enum err chat_render_event(struct chat_render *render, const struct event *event, struct buf *out)
{
	switch (event->kind) {
	case EVENT_CREATED:
		return note_created(render, event);
	case EVENT_PLANNED:
		return render_planned(render, event, out);
	case EVENT_SECTION_STARTED:
		return render_section_started(render, event, out);
	case EVENT_TEXT:
		return render_text(render, event, out);
	case EVENT_DONE:
		return render_done(render, event, out);
	case EVENT_FAILED:
		return render_failed(render, event, out);
	default:
		return OK;
	}
}
