/* route - what becomes of a chat completion: passed on, written by us, or refused.
 *
 * One table in route.c, first match wins. Explicit options (a mode but auto, target_words, plan,
 * plan_only) are done as said or refused; else housekeeping of front ends and requests for tools,
 * formats, several choices, images and the like pass; else the demand decides, strictly on plain
 * model ids and freely on `longhand` and presets.
 *
 * Pure; the strings are static. */
#ifndef LONGHAND_WRITING_ROUTE_H
#define LONGHAND_WRITING_ROUTE_H
#include <stdbool.h>
#include <stddef.h>
#include "writing/demand.h"

enum route_mode {
	ROUTE_MODE_NONE, /* not said; the same as auto */
	ROUTE_MODE_AUTO,
	ROUTE_MODE_SERIAL,
	ROUTE_MODE_PARALLEL,
	ROUTE_MODE_SINGLE,
	ROUTE_MODE_OFF
};

enum route_model {
	MODEL_PLAIN,   /* a backend's own model id */
	MODEL_LONGHAND /* `longhand` or a preset */
};

struct route_input {
	enum route_mode mode;
	long target_words; /* the option; 0: not given */
	bool has_plan;	   /* the option `plan` */
	bool is_plan_only;
	const struct demand *demand; /* of the last user turn; borrowed */
	enum route_model model;
	bool has_tools;
	bool has_response_format; /* other than {"type":"text"} */
	bool n_above_one;
	bool has_logprobs;
	bool has_images;
	bool ends_with_assistant; /* the last message */
	bool is_housekeeping;	  /* route_is_housekeeping() */
	bool backend_is_long_output;
	bool backend_is_small; /* trusted with a few paragraphs a call, whatever is set */
	bool is_route_all;     /* plain model ids may be planned too */
	long plan_from_words;  /* on plain ids a demand from here on is planned */
	long single_max_words; /* what one call can be trusted to write */
};

enum route_kind {
	ROUTE_PASS,   /* forward as it is */
	ROUTE_NATIVE, /* the backend writes long by itself: one forwarded call */
	ROUTE_SINGLE, /* the engine, one section */
	ROUTE_SERIAL, /* the engine, section by section */
	ROUTE_REJECT  /* 400 */
};

struct route {
	enum route_kind kind;
	const char *param;  /* ROUTE_REJECT: the request's member that cannot be; else NULL */
	const char *reason; /* ROUTE_REJECT: a sentence for the client; else one word for logs */
};

struct route route_choose(const struct route_input *input);

/* Whether the last user turn is a front end's own task (title, tags, follow-ups, search queries,
 * autocompletion, emoji, merged answers), by the signatures of Open WebUI, LibreChat and NextChat.
 * `task_header` is X-OpenWebUI-Task; NULL or "" when absent. Open WebUI's RAG template is a real
 * user turn and none of them. */
bool route_is_housekeeping(const char *text, size_t len, const char *task_header);
/* Whether the first message, a system message, makes the request Open WebUI's choice of tools: the
 * user message that follows quotes the chat, and is no turn of the user's. */
bool route_is_tool_choice(const char *system_text, size_t len);
#endif
