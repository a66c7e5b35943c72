/* dialect - how servers that speak "the OpenAI API" differ, as a table. */
#ifndef LONGHAND_MODEL_DIALECT_H
#define LONGHAND_MODEL_DIALECT_H
#include <jansson.h>
#include "model/model.h"

struct dialect {
	const char *name;
	const char *max_tokens_field;
	bool can_continue;	   /* goes on from a last message of the assistant */
	bool has_schema;	   /* takes response_format json_schema */
	bool has_usage_in_streams; /* takes stream_options.include_usage */
	const char *continue_json; /* members to add when the last message is to be continued */
	const char *thinking_off_json; /* members that keep a reasoning model from thinking aloud */
};

/* "openai", "llamacpp", "vllm", "ollama"; NULL: no such dialect. */
const struct dialect *dialect_find(const char *name);
/* "openai, llamacpp, vllm or ollama", for messages. */
extern const char dialect_names[];
/* The body of a streamed chat completion for the call, as JSON text; `model` as the backend calls
 * it. NULL: memory is out. The caller frees it with mem_free. */
char *dialect_body(const struct dialect *dialect, const struct generate_call *call,
		   const char *model);
#endif
