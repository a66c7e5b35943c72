/* chat_request - a chat completion as it came in: the members that matter, found and checked, the
 * rest left as bytes. Pure, so that large bodies can be read on the thread pool. */
#ifndef LONGHAND_API_CHAT_REQUEST_H
#define LONGHAND_API_CHAT_REQUEST_H
#include <jansson.h>
#include "api/errors.h"

enum chat_member {
	CHAT_MODEL,
	CHAT_MESSAGES,
	CHAT_STREAM,
	CHAT_STREAM_OPTIONS,
	CHAT_LONGHAND,
	CHAT_TOOLS,
	CHAT_FUNCTIONS,
	CHAT_RESPONSE_FORMAT,
	CHAT_N,
	CHAT_LOGPROBS,
	CHAT_MAX_TOKENS,
	CHAT_MAX_COMPLETION_TOKENS,
	CHAT_STOP,
	CHAT_SEED,
	CHAT_TEMPERATURE,
	CHAT_TOP_P,
	CHAT_FREQUENCY_PENALTY,
	CHAT_PRESENCE_PENALTY,
	CHAT_MODALITIES,
	CHAT_MEMBER_COUNT
};

struct chat_request {
	struct slice members[CHAT_MEMBER_COUNT]; /* into the body; data NULL: absent or null */
	struct slice longhand_range; /* of `longhand`'s value, null too; data NULL: absent */
	struct buf model;	     /* decoded */
	json_t *messages;	     /* parsed; NULL before chat_request_load() */
	struct slice first_system;   /* the string of the first message, a system's; or NULL */
	json_t *longhand;	     /* parsed object, NULL: none */
	struct buf last_user;	     /* text of the last message when it is the user's */
	size_t last_user_index;	     /* among the messages */
	bool is_stream, has_usage;   /* stream, stream_options.include_usage */
	bool has_tools, has_response_format, has_logprobs, is_n_above_one;
	bool has_images; /* parts that are not text, anywhere, or asked for (modalities) */
	bool ends_with_user, ends_with_assistant;
};

void chat_request_init(struct chat_request *chat);
void chat_request_release(struct chat_request *chat);
/* Reads `body`, which must outlive the result. False: `ret_fault` says why. */
MUST_CHECK bool chat_request_read(struct slice body, struct chat_request *chat,
				  struct api_fault *ret_fault);
/* The messages as a tree, for whoever does more than to pass them on; made once. */
MUST_CHECK bool chat_request_load(struct chat_request *chat, struct api_fault *ret_fault);
/* Parts of it, for requests of another shape. The body's own members, by name: */
MUST_CHECK bool chat_request_find(struct slice body, const char *const names[],
				  struct slice ret_members[], size_t count,
				  struct api_fault *ret_fault);
/* null says the same as nothing. */
void chat_request_drop_nulls(struct slice members[], size_t count);
/* By members[CHAT_MODEL] and members[CHAT_LONGHAND]: */
MUST_CHECK bool chat_request_read_model(struct chat_request *chat, struct api_fault *ret_fault);
MUST_CHECK bool chat_request_read_longhand(struct chat_request *chat, struct api_fault *ret_fault);
/* The member's value parsed, half surrogate pairs as U+FFFD; JSON null when it is present and holds
 * what no tree can (1e999); NULL when absent, or memory is out: mem_failures() has then grown. The
 * caller's reference. */
json_t *chat_request_value(const struct chat_request *chat, enum chat_member member);
/* What its prompt and its answer take together, estimated: the bound of the answer that it names,
 * else ANSWER_TOKENS. For limits, not for bills. */
enum { ANSWER_TOKENS = 1000 };
long chat_request_tokens(struct chat_request *chat);
#endif
