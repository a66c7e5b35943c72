#include "api/chat_body.h"
#include <string.h>

void chat_body_init(struct chat_body *body)
{
	buf_init(&body->content, CHAT_RENDER_BYTES_MAX);
	buf_init(&body->thoughts, CHAT_RENDER_BYTES_MAX);
}

void chat_body_release(struct chat_body *body)
{
	buf_release(&body->content);
	buf_release(&body->thoughts);
}

enum err chat_body_take(struct chat_body *body, const struct chat_render *render,
			const struct event *event)
{
	const json_t *plan = json_object_get(event->data, "plan");

	if (event->kind == EVENT_TEXT)
		return buf_append(&body->content, event->text, event->text_len);
	if (event->kind != EVENT_PLANNED)
		return OK;
	if (render->is_plan_only)
		return chat_render_plan(plan, &body->content);
	if (render->is_plan_shown && render->n_sections > 1)
		return chat_render_plan(plan, &body->thoughts);
	return OK;
}

static enum err append_message(const struct chat_body *body, struct buf *out)
{
	enum err err = buf_append_str(out, "{\"role\":\"assistant\",\"content\":");

	if (err == OK)
		err = buf_append_json(out, buf_str(&body->content), body->content.len);
	if (err == OK && body->thoughts.len > 0) {
		err = buf_append_str(out, ",\"reasoning_content\":");
		if (err == OK)
			err = buf_append_json(out, body->thoughts.data, body->thoughts.len);
	}
	return err == OK ? buf_append_str(out, ",\"refusal\":null}") : err;
}

enum err chat_body_render(const struct chat_body *body, const struct chat_render *render,
			  const struct event *done, struct buf *out)
{
	const char *finish = json_string_value(json_object_get(done->data, "finish_reason"));
	enum err err = buf_printf(
		out,
		"{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion\",\"created\":%lld,"
		"\"model\":",
		render->job, render->created_s);

	if (err == OK)
		err = buf_append_json(out, render->model, strlen(render->model));
	if (err == OK)
		err = buf_append_str(out, ",\"choices\":[{\"index\":0,\"message\":");
	if (err == OK)
		err = append_message(body, out);
	if (err == OK)
		err = buf_printf(out, ",\"logprobs\":null,\"finish_reason\":\"%s\"}],\"usage\":",
				 finish != NULL ? finish : "stop");
	if (err == OK)
		err = chat_render_usage(json_object_get(done->data, "report"), out);
	if (err == OK)
		err = chat_render_longhand(render, done->data, out);
	return err == OK ? buf_append_str(out, "}") : err;
}
