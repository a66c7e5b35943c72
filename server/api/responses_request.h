/* responses_request - the body of POST /v1/responses, and its items as a chat's messages.
 *
 * It is read as a chat request: `chat` gets what routing, demand and the long path look at, so that
 * both APIs decide alike. What only the backend can do (tools, images, formats ...) is noted by the
 * first member that asks for it. */
#ifndef LONGHAND_API_RESPONSES_REQUEST_H
#define LONGHAND_API_RESPONSES_REQUEST_H
#include "api/chat_request.h"

/* X(name, member) */
#define RESPONSES_MEMBERS(X)                                                                       \
	X(MODEL, "model")                                                                          \
	X(INPUT, "input")                                                                          \
	X(INSTRUCTIONS, "instructions")                                                            \
	X(PREVIOUS, "previous_response_id")                                                        \
	X(STREAM, "stream")                                                                        \
	X(BACKGROUND, "background")                                                                \
	X(STORE, "store")                                                                          \
	X(METADATA, "metadata")                                                                    \
	X(MAX_OUTPUT_TOKENS, "max_output_tokens")                                                  \
	X(MAX_TOOL_CALLS, "max_tool_calls")                                                        \
	X(TEMPERATURE, "temperature")                                                              \
	X(TOP_P, "top_p")                                                                          \
	X(FREQUENCY_PENALTY, "frequency_penalty")                                                  \
	X(PRESENCE_PENALTY, "presence_penalty")                                                    \
	X(REASONING, "reasoning")                                                                  \
	X(TEXT, "text")                                                                            \
	X(TRUNCATION, "truncation")                                                                \
	X(USER, "user")                                                                            \
	X(SAFETY_IDENTIFIER, "safety_identifier")                                                  \
	X(PROMPT_CACHE_KEY, "prompt_cache_key")                                                    \
	X(PARALLEL_TOOL_CALLS, "parallel_tool_calls")                                              \
	X(TOOL_CHOICE, "tool_choice")                                                              \
	X(TOOLS, "tools")                                                                          \
	X(TOP_LOGPROBS, "top_logprobs")                                                            \
	X(CONVERSATION, "conversation")                                                            \
	X(PROMPT, "prompt")                                                                        \
	X(LONGHAND, "longhand")

enum responses_member {
#define X(name, text) RESPONSE_ASKS_##name,
	RESPONSES_MEMBERS(X)
#undef X
		RESPONSE_ASKS_COUNT
};

enum {
	RESPONSES_ITEMS_MAX = 10000,
	RESPONSES_FACTS_BYTES_MAX = 4 << 20, /* of a request that is kept in a job's log */
	RESPONSES_ID_BYTES_MAX = 256,
};

struct responses_request {
	struct slice members[RESPONSE_ASKS_COUNT]; /* into the body; data NULL: absent, null */
	json_t *input;				   /* parsed: a string or a list */
	struct buf previous;			   /* previous_response_id; "": none */
	bool has_instructions;			   /* the first message */
	bool is_background, is_stored;
	char foreign[API_PARAM_BYTES]; /* what only the backend can do: its first member; "": none
					*/
};

void responses_request_init(struct responses_request *asked);
void responses_request_release(struct responses_request *asked);
/* Reads `body`, which must outlive both results. False: `ret_fault` says why. */
MUST_CHECK bool responses_request_read(struct slice body, struct responses_request *asked,
				       struct chat_request *chat, struct api_fault *ret_fault);
/* What a job's log keeps of the request, its members checked: an object for the caller. NULL:
 * `ret_fault` says why. */
json_t *responses_request_facts(const struct responses_request *asked, struct api_fault *ret_fault);

/* Appends the messages that the items are, reasoning left out. `foreign` ("" before; NULL: not
 * asked for) gets the first one that is no message of text. False: ret_fault says why. */
MUST_CHECK bool responses_messages(const json_t *input, json_t *messages,
				   char foreign[API_PARAM_BYTES], struct api_fault *ret_fault);
#endif
