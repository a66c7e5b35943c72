#include "model/dialect.h"
#include <math.h>
#include <string.h>

const char dialect_names[] = "openai, llamacpp, vllm or ollama";

/* Thinking is switched off by what each server's documentation names; servers whose model does not
 * think ignore it. */
static const struct dialect dialects[] = {
	{ .name = "openai",
	  .max_tokens_field = "max_completion_tokens",
	  .can_continue = false,
	  .has_schema = true,
	  .has_usage_in_streams = true },
	{ .name = "llamacpp",
	  .max_tokens_field = "max_tokens",
	  .can_continue = true,
	  .has_schema = true,
	  .has_usage_in_streams = true,
	  .continue_json = NULL,
	  .thinking_off_json = "{\"chat_template_kwargs\":{\"enable_thinking\":false}}" },
	{ .name = "vllm",
	  .max_tokens_field = "max_tokens",
	  .can_continue = true,
	  .has_schema = true,
	  .has_usage_in_streams = true,
	  .continue_json = "{\"continue_final_message\":true,\"add_generation_prompt\":false}",
	  .thinking_off_json = "{\"chat_template_kwargs\":{\"enable_thinking\":false}}" },
	{ .name = "ollama",
	  .max_tokens_field = "max_tokens",
	  .can_continue = true,
	  .has_schema = true,
	  .has_usage_in_streams = true,
	  .continue_json = NULL,
	  .thinking_off_json = "{\"reasoning_effort\":\"none\"}" },
};

const struct dialect *dialect_find(const char *name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (strcmp(dialects[i].name, name) == 0)
			return &dialects[i];
	return NULL;
}

static int set_number(json_t *body, const char *name, double value)
{
	return isnan(value) ? 0 : json_object_set_new(body, name, json_real(value));
}

static int add_members(json_t *body, const char *members)
{
	json_t *parsed;
	int failed;

	if (members == NULL)
		return 0;
	parsed = json_loads(members, 0, NULL);
	failed = parsed == NULL || json_object_update(body, parsed) != 0;
	json_decref(parsed);
	return failed ? -1 : 0;
}

static int set_sampling(json_t *body, const struct sampling *sampling)
{
	int failed = set_number(body, "temperature", sampling->temperature);

	failed |= set_number(body, "top_p", sampling->top_p);
	failed |= set_number(body, "frequency_penalty", sampling->frequency_penalty);
	failed |= set_number(body, "presence_penalty", sampling->presence_penalty);
	if (sampling->has_seed)
		failed |= json_object_set_new(body, "seed", json_integer(sampling->seed));
	return failed;
}

static json_t *response_format(const json_t *schema)
{
	return json_pack("{s:s,s:O}", "type", "json_schema", "json_schema", schema);
}

char *dialect_body(const struct dialect *dialect, const struct generate_call *call,
		   const char *model)
{
	json_t *body = json_object();
	int failed = json_object_set_new(body, "model", json_string(model));
	char *text = NULL;

	/* Shared, not copied: the body is text before anybody else sees them. */
	failed |= json_object_set(body, "messages", (json_t *)(uintptr_t)call->messages);
	failed |= json_object_set_new(body, "stream", json_true());
	if (dialect->has_usage_in_streams)
		failed |= json_object_set_new(body, "stream_options",
					      json_pack("{s:b}", "include_usage", 1));
	if (call->max_tokens > 0)
		failed |= json_object_set_new(body, dialect->max_tokens_field,
					      json_integer(call->max_tokens));
	failed |= set_sampling(body, &call->sampling);
	if (call->schema != NULL)
		failed |= json_object_set_new(body, "response_format",
					      response_format(call->schema));
	if (call->is_prefilled)
		failed |= add_members(body, dialect->continue_json);
	if (call->members != NULL)
		failed |= json_object_update(body, (json_t *)(uintptr_t)call->members);
	else
		failed |= add_members(body, dialect->thinking_off_json);
	if (!failed)
		text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}
