#include "api/responses_object.h"
#include "base/json.h"
#include <string.h>

/* Members that come back as they were sent, and what they are where nothing was said. */
static const struct {
	const char *name;
	const char *otherwise;
} echoes[] = {
	{ "background", "false" },	    { "frequency_penalty", "0" },
	{ "instructions", "null" },	    { "max_output_tokens", "null" },
	{ "max_tool_calls", "null" },	    { "metadata", "{}" },
	{ "parallel_tool_calls", "true" },  { "presence_penalty", "0" },
	{ "previous_response_id", "null" }, { "prompt_cache_key", "null" },
	{ "safety_identifier", "null" },    { "temperature", "1" },
	{ "tool_choice", "\"auto\"" },	    { "top_p", "1" },
	{ "truncation", "\"disabled\"" },   { "user", "null" },
};

static enum err append_echoes(const json_t *facts, struct buf *out)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < sizeof(echoes) / sizeof(echoes[0]); i++) {
		const json_t *value = json_member(facts, echoes[i].name);

		err = buf_printf(out, ",\"%s\":", echoes[i].name);
		if (err == OK)
			err = value != NULL ? json_append(out, value)
					    : buf_append_str(out, echoes[i].otherwise);
	}
	return err;
}

/* An object, with members that it must have: `names` (NULL at the end) are null where they are not
 * said. */
static enum err append_completed(const json_t *said, const char *const *names, struct buf *out)
{
	const char *key;
	json_t *value;
	const char *comma = "";
	enum err err = buf_append_str(out, "{");

	for (; err == OK && *names != NULL; names++) {
		if (json_object_get(said, *names) != NULL)
			continue;
		err = buf_printf(out, "%s\"%s\":null", comma, *names);
		comma = ",";
	}
	json_object_foreach((json_t *)said, key, value)
	{
		if (err == OK)
			err = buf_append_str(out, comma);
		if (err == OK)
			err = buf_append_json(out, key, strlen(key));
		if (err == OK)
			err = buf_append_str(out, ":");
		if (err == OK)
			err = json_append(out, value);
		comma = ",";
	}
	return err == OK ? buf_append_str(out, "}") : err;
}

static enum err append_reasoning(const json_t *facts, struct buf *out)
{
	static const char *const names[] = { "effort", "summary", NULL };
	enum err err = buf_append_str(out, ",\"reasoning\":");

	return err == OK ? append_completed(json_member(facts, "reasoning"), names, out) : err;
}

/* Its format is text: what else could be asked for is not ours. */
static enum err append_text_member(const json_t *facts, struct buf *out)
{
	const json_t *verbosity = json_member(json_member(facts, "text"), "verbosity");
	enum err err = buf_append_str(out, ",\"text\":{\"format\":{\"type\":\"text\"}");

	if (err == OK && verbosity != NULL) {
		err = buf_append_str(out, ",\"verbosity\":");
		if (err == OK)
			err = json_append(out, verbosity);
	}
	return err == OK ? buf_append_str(out, "}") : err;
}

static enum err append_string(const char *text, struct buf *out)
{
	return buf_append_json(out, text, strlen(text));
}

enum err response_part_render(struct slice text, struct buf *out)
{
	enum err err = buf_append_str(out, "{\"type\":\"output_text\",\"text\":");

	if (err == OK)
		err = buf_append_json(out, text.data, text.len);
	return err == OK ? buf_append_str(out, ",\"annotations\":[],\"logprobs\":[]}") : err;
}

enum err response_summary_render(struct slice text, struct buf *out)
{
	enum err err = buf_append_str(out, "{\"type\":\"summary_text\",\"text\":");

	if (err == OK)
		err = buf_append_json(out, text.data, text.len);
	return err == OK ? buf_append_str(out, "}") : err;
}

enum err response_thoughts_render(const struct response_object *object, bool has_begun,
				  struct buf *out)
{
	enum err err = buf_printf(
		out, "{\"id\":\"rs_%s\",\"type\":\"reasoning\",\"status\":\"%s\",\"summary\":[",
		object->job, has_begun ? "in_progress" : "completed");

	if (err == OK && !has_begun)
		err = response_summary_render(object->thoughts, out);
	return err == OK ? buf_append_str(out, "]}") : err;
}

enum err response_message_render(const struct response_object *object, bool has_begun,
				 struct buf *out)
{
	enum err err = buf_printf(out,
				  "{\"id\":\"msg_%s\",\"type\":\"message\",\"status\":\"%s\","
				  "\"role\":\"assistant\",\"content\":[",
				  object->job, has_begun ? "in_progress" : object->item_status);

	if (err == OK && !has_begun)
		err = response_part_render(object->text, out);
	return err == OK ? buf_append_str(out, "]}") : err;
}

static enum err append_output(const struct response_object *object, struct buf *out)
{
	enum err err = buf_append_str(out, ",\"output\":[");

	if (err == OK && object->has_thoughts)
		err = response_thoughts_render(object, false, out);
	if (err == OK && object->has_thoughts && object->has_message)
		err = buf_append_str(out, ",");
	if (err == OK && object->has_message)
		err = response_message_render(object, false, out);
	return err == OK ? buf_append_str(out, "]") : err;
}

static enum err append_usage(const struct usage *usage, struct buf *out)
{
	if (usage == NULL)
		return buf_append_str(out, ",\"usage\":null");
	return buf_printf(out,
			  ",\"usage\":{\"input_tokens\":%lld,\"input_tokens_details\":"
			  "{\"cached_tokens\":%lld,\"cache_write_tokens\":0},"
			  "\"output_tokens\":%lld,\"output_tokens_details\":"
			  "{\"reasoning_tokens\":%lld},\"total_tokens\":%lld}",
			  usage->prompt_tokens, usage->cached_tokens, usage->completion_tokens,
			  usage->reasoning_tokens, usage->prompt_tokens + usage->completion_tokens);
}

static enum err append_error(const struct response_object *object, struct buf *out)
{
	enum err err;

	if (object->error_code == NULL)
		return buf_append_str(out, ",\"error\":null");
	err = buf_printf(out, ",\"error\":{\"code\":\"%s\",\"message\":", object->error_code);
	if (err == OK)
		err = append_string(object->error_message, out);
	return err == OK ? buf_append_str(out, "}") : err;
}

static enum err append_incomplete(const struct response_object *object, struct buf *out)
{
	if (object->incomplete_reason == NULL)
		return buf_append_str(out, ",\"incomplete_details\":null");
	return buf_printf(out, ",\"incomplete_details\":{\"reason\":\"%s\"}",
			  object->incomplete_reason);
}

static enum err append_longhand(const struct response_object *object, struct buf *out)
{
	enum err err;

	if (object->report == NULL)
		return OK;
	err = buf_printf(out, ",\"longhand\":{\"job\":\"%s\"", object->job);
	if (err == OK && object->plan != NULL) {
		err = buf_append_str(out, ",\"plan\":");
		if (err == OK)
			err = json_append(out, object->plan);
	}
	if (err == OK)
		err = buf_append_str(out, ",\"report\":");
	if (err == OK)
		err = json_append(out, object->report);
	return err == OK ? buf_append_str(out, "}") : err;
}

static enum err append_head(const struct response_object *object, struct buf *out)
{
	enum err err = buf_printf(out,
				  "{\"id\":\"resp_%s\",\"object\":\"response\","
				  "\"created_at\":%lld,\"status\":\"%s\",\"completed_at\":",
				  object->job, object->created_s, object->status);

	if (err == OK)
		err = object->completed_s > 0 ? buf_printf(out, "%lld", object->completed_s)
					      : buf_append_str(out, "null");
	if (err == OK)
		err = append_error(object, out);
	if (err == OK)
		err = append_incomplete(object, out);
	if (err == OK)
		err = buf_append_str(out, ",\"model\":");
	return err == OK ? append_string(object->model, out) : err;
}

enum err response_object_render(const struct response_object *object, struct buf *out)
{
	enum err err = append_head(object, out);

	if (err == OK)
		err = append_output(object, out);
	if (err == OK)
		err = append_echoes(object->facts, out);
	if (err == OK)
		err = append_reasoning(object->facts, out);
	if (err == OK)
		err = append_text_member(object->facts, out);
	if (err == OK)
		err = buf_printf(out,
				 ",\"service_tier\":\"default\",\"store\":%s,\"tools\":[],"
				 "\"top_logprobs\":0",
				 object->is_stored ? "true" : "false");
	if (err == OK)
		err = append_usage(object->usage, out);
	if (err == OK)
		err = append_longhand(object, out);
	return err == OK ? buf_append_str(out, "}") : err;
}
