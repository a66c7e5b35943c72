#include "api/responses_events.h"
#include <string.h>

void responses_events_init(struct responses_events *events, long long after)
{
	*events = (struct responses_events){ .after = after };
}

/* ---- one event ---- */

struct event_text { /* an event that is being written */
	struct responses_events *events;
	struct buf *out;
	size_t start;
	enum err err;
};

static struct event_text open_event(struct responses_events *events, const char *type,
				    struct buf *out)
{
	struct event_text event = { events, out, out->len, OK };

	event.err = buf_printf(out, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%lld",
			       type, type, events->next);
	return event;
}

static void add_text(struct event_text *event, const char *text)
{
	if (event->err == OK)
		event->err = buf_append_str(event->out, text);
}

static void add_string(struct event_text *event, const char *name, struct slice text)
{
	if (event->err == OK)
		event->err = buf_printf(event->out, ",\"%s\":", name);
	if (event->err == OK)
		event->err = buf_append_json(event->out, text.data, text.len);
}

static enum err close_event(struct event_text *event)
{
	add_text(event, "}\n\n");
	if (event->err == OK && event->events->next++ <= event->events->after)
		buf_truncate(event->out, event->start);
	return event->err;
}

/* ---- of the response ---- */

static enum err say_response(struct responses_events *events, const char *type,
			     const struct response_object *object, struct buf *out)
{
	struct event_text event = open_event(events, type, out);

	add_text(&event, ",\"response\":");
	if (event.err == OK)
		event.err = response_object_render(object, out);
	return close_event(&event);
}

enum err responses_events_begin(struct responses_events *events,
				const struct response_object *object, struct buf *out)
{
	enum err err = say_response(events, "response.created", object, out);

	return err == OK ? say_response(events, "response.in_progress", object, out) : err;
}

/* ---- of an item ---- */

enum item { ITEM_THOUGHTS, ITEM_MESSAGE };

static unsigned index_of(const struct responses_events *events, enum item item)
{
	return item == ITEM_MESSAGE && events->are_thoughts_there ? 1 : 0;
}

static enum err say_item(struct responses_events *events, enum item item, bool has_begun,
			 const struct response_object *object, struct buf *out)
{
	struct event_text event = open_event(
		events, has_begun ? "response.output_item.added" : "response.output_item.done",
		out);

	if (event.err == OK)
		event.err =
			buf_printf(out, ",\"output_index\":%u,\"item\":", index_of(events, item));
	if (event.err == OK)
		event.err = item == ITEM_THOUGHTS ? response_thoughts_render(object, has_begun, out)
						  : response_message_render(object, has_begun, out);
	return close_event(&event);
}

/* An event inside an item, up to what is its own. */
static struct event_text open_inside(struct responses_events *events, const char *type,
				     enum item item, const struct response_object *object,
				     struct buf *out)
{
	struct event_text event = open_event(events, type, out);

	if (event.err == OK)
		event.err = buf_printf(out, ",\"item_id\":\"%s_%s\",\"output_index\":%u,\"%s\":0",
				       item == ITEM_THOUGHTS ? "rs" : "msg", object->job,
				       index_of(events, item),
				       item == ITEM_THOUGHTS ? "summary_index" : "content_index");
	return event;
}

/* ---- the thoughts ---- */

static enum err say_summary_part(struct responses_events *events, const char *type,
				 const struct response_object *object, struct slice text,
				 struct buf *out)
{
	struct event_text event = open_inside(events, type, ITEM_THOUGHTS, object, out);

	add_text(&event, ",\"part\":");
	if (event.err == OK)
		event.err = response_summary_render(text, out);
	return close_event(&event);
}

static enum err open_thoughts(struct responses_events *events, const struct response_object *object,
			      struct buf *out)
{
	enum err err;

	events->are_thoughts_open = events->are_thoughts_there = true;
	err = say_item(events, ITEM_THOUGHTS, true, object, out);
	return err == OK ? say_summary_part(events, "response.reasoning_summary_part.added", object,
					    (struct slice){ "", 0 }, out)
			 : err;
}

enum err responses_events_thoughts(struct responses_events *events,
				   const struct response_object *object, struct slice delta,
				   struct buf *out)
{
	enum err err = events->are_thoughts_there ? OK : open_thoughts(events, object, out);
	struct event_text event;

	if (err != OK)
		return err;
	event = open_inside(events, "response.reasoning_summary_text.delta", ITEM_THOUGHTS, object,
			    out);
	add_string(&event, "delta", delta);
	return close_event(&event);
}

enum err responses_events_thoughts_end(struct responses_events *events,
				       const struct response_object *object, struct buf *out)
{
	struct event_text event;
	enum err err;

	if (!events->are_thoughts_open)
		return OK;
	events->are_thoughts_open = false;
	event = open_inside(events, "response.reasoning_summary_text.done", ITEM_THOUGHTS, object,
			    out);
	add_string(&event, "text", object->thoughts);
	err = close_event(&event);
	if (err == OK)
		err = say_summary_part(events, "response.reasoning_summary_part.done", object,
				       object->thoughts, out);
	return err == OK ? say_item(events, ITEM_THOUGHTS, false, object, out) : err;
}

/* ---- the message ---- */

static enum err say_part(struct responses_events *events, const char *type,
			 const struct response_object *object, struct slice text, struct buf *out)
{
	struct event_text event = open_inside(events, type, ITEM_MESSAGE, object, out);

	add_text(&event, ",\"part\":");
	if (event.err == OK)
		event.err = response_part_render(text, out);
	return close_event(&event);
}

static enum err open_message(struct responses_events *events, const struct response_object *object,
			     struct buf *out)
{
	enum err err = responses_events_thoughts_end(events, object, out);

	events->is_message_there = true;
	if (err == OK)
		err = say_item(events, ITEM_MESSAGE, true, object, out);
	return err == OK ? say_part(events, "response.content_part.added", object,
				    (struct slice){ "", 0 }, out)
			 : err;
}

enum err responses_events_text(struct responses_events *events,
			       const struct response_object *object, struct slice delta,
			       struct buf *out)
{
	enum err err = events->is_message_there ? OK : open_message(events, object, out);
	struct event_text event;

	if (err != OK)
		return err;
	event = open_inside(events, "response.output_text.delta", ITEM_MESSAGE, object, out);
	add_string(&event, "delta", delta);
	add_text(&event, ",\"logprobs\":[]");
	return close_event(&event);
}

static enum err close_message(struct responses_events *events, const struct response_object *object,
			      struct buf *out)
{
	struct event_text event =
		open_inside(events, "response.output_text.done", ITEM_MESSAGE, object, out);
	enum err err;

	add_string(&event, "text", object->text);
	add_text(&event, ",\"logprobs\":[]");
	err = close_event(&event);
	if (err == OK)
		err = say_part(events, "response.content_part.done", object, object->text, out);
	return err == OK ? say_item(events, ITEM_MESSAGE, false, object, out) : err;
}

/* ---- the end ---- */

static struct slice text_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* Flat, as OpenAI has it, and with `error`, as Open Responses has it. */
enum err responses_events_error(struct responses_events *events, const struct api_fault *fault,
				struct buf *out)
{
	struct event_text event = open_event(events, "error", out);

	add_string(&event, "code", text_of(api_error_code(fault->error)));
	add_string(&event, "message", text_of(fault->message));
	if (event.err == OK)
		event.err = buf_printf(out,
				       ",\"param\":null,\"error\":{\"type\":\"%s\",\"code\":\"%s\"",
				       api_error_type(fault->error), api_error_code(fault->error));
	add_string(&event, "message", text_of(fault->message));
	add_text(&event, ",\"param\":null}");
	return close_event(&event);
}

static const char *end_type(const struct response_object *object)
{
	if (strcmp(object->status, "completed") == 0)
		return "response.completed";
	return strcmp(object->status, "failed") == 0 ? "response.failed" : "response.incomplete";
}

enum err responses_events_end(struct responses_events *events, const struct response_object *object,
			      const struct api_fault *fault, struct buf *out)
{
	enum err err = responses_events_thoughts_end(events, object, out);

	if (err == OK && object->has_message && !events->is_message_there)
		err = open_message(events, object, out);
	if (err == OK && events->is_message_there)
		err = close_message(events, object, out);
	if (err == OK && fault != NULL)
		err = responses_events_error(events, fault, out);
	return err == OK ? say_response(events, end_type(object), object, out) : err;
}
