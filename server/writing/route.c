#include "writing/route.h"
#include <string.h>
#include "base/text.h"

enum { SMALL_SINGLE_WORDS_MAX = 250 };

/* Explicit options: what they say is done or refused, never quietly something else. */
static bool is_explicit(const struct route_input *input)
{
	return input->mode > ROUTE_MODE_AUTO || input->target_words > 0 || input->has_plan ||
	       input->is_plan_only;
}

static long target_of(const struct route_input *input)
{
	return input->target_words > 0 ? input->target_words : input->demand->target_words;
}

static bool is_off(const struct route_input *input)
{
	return input->mode == ROUTE_MODE_OFF;
}

static bool is_parallel(const struct route_input *input)
{
	return input->mode == ROUTE_MODE_PARALLEL;
}

static bool has_tools(const struct route_input *input)
{
	return input->has_tools;
}

static bool has_format(const struct route_input *input)
{
	return input->has_response_format;
}

static bool is_several(const struct route_input *input)
{
	return input->n_above_one;
}

static bool has_logprobs(const struct route_input *input)
{
	return input->has_logprobs;
}

static bool has_images(const struct route_input *input)
{
	return input->has_images;
}

static bool is_continuation(const struct route_input *input)
{
	return input->ends_with_assistant;
}

static bool lacks_target(const struct route_input *input)
{
	return target_of(input) == 0 && !input->has_plan;
}

static bool is_single_asked(const struct route_input *input)
{
	return input->mode == ROUTE_MODE_SINGLE && !input->is_plan_only && !input->has_plan;
}

static bool is_planned_asked(const struct route_input *input)
{
	return input->mode == ROUTE_MODE_SERIAL || input->has_plan || input->is_plan_only;
}

static bool is_single_with_plan(const struct route_input *input)
{
	return input->mode == ROUTE_MODE_SINGLE && (input->has_plan || input->is_plan_only);
}

static bool is_housekeeping(const struct route_input *input)
{
	return input->is_housekeeping;
}

static bool is_unrouted(const struct route_input *input)
{
	return input->model == MODEL_PLAIN && !input->is_route_all;
}

static bool is_no_demand(const struct route_input *input)
{
	const struct demand *demand = input->demand;

	if (input->model == MODEL_LONGHAND)
		return demand->target_words == 0;
	return !demand->has_number || !demand->is_writing;
}

static bool is_short(const struct route_input *input)
{
	return input->model == MODEL_PLAIN && input->demand->target_words < input->plan_from_words;
}

static bool is_native(const struct route_input *input)
{
	return input->backend_is_long_output;
}

static bool fits_one_call(const struct route_input *input)
{
	long max = input->single_max_words;

	if (input->backend_is_small && max > SMALL_SINGLE_WORDS_MAX)
		max = SMALL_SINGLE_WORDS_MAX;
	return target_of(input) <= max;
}

static bool always(const struct route_input *input)
{
	(void)input;
	return true;
}

enum scope { FOR_ALL, FOR_EXPLICIT, FOR_IMPLICIT };

#define NOT_WITH_LONG(what) what " cannot be combined with the longhand options for long texts"

static const struct {
	enum scope scope;
	bool (*matches)(const struct route_input *input);
	enum route_kind kind;
	const char *param;
	const char *reason;
} rules[] = {
	{ FOR_ALL, is_off, ROUTE_PASS, NULL, "off" },
	{ FOR_ALL, is_parallel, ROUTE_REJECT, "longhand.mode",
	  "mode \"parallel\" is not built yet; \"auto\", \"serial\", \"single\" and \"off\" work" },
	{ FOR_EXPLICIT, has_tools, ROUTE_REJECT, "tools", NOT_WITH_LONG("tools") },
	{ FOR_EXPLICIT, has_format, ROUTE_REJECT, "response_format",
	  NOT_WITH_LONG("response_format") },
	{ FOR_EXPLICIT, is_several, ROUTE_REJECT, "n", NOT_WITH_LONG("n above 1") },
	{ FOR_EXPLICIT, has_logprobs, ROUTE_REJECT, "logprobs", NOT_WITH_LONG("logprobs") },
	{ FOR_EXPLICIT, has_images, ROUTE_REJECT, "messages", NOT_WITH_LONG("images") },
	{ FOR_EXPLICIT, is_continuation, ROUTE_REJECT, "messages",
	  NOT_WITH_LONG("a last message that is not the user's") },
	{ FOR_EXPLICIT, is_single_with_plan, ROUTE_REJECT, "longhand.mode",
	  "mode \"single\" has no plan; leave out plan and plan_only, or use \"serial\"" },
	{ FOR_EXPLICIT, lacks_target, ROUTE_REJECT, "longhand.target_words",
	  "the request names no length; give longhand.target_words or say it in the message" },
	{ FOR_EXPLICIT, is_single_asked, ROUTE_SINGLE, NULL, "mode" },
	{ FOR_EXPLICIT, is_planned_asked, ROUTE_SERIAL, NULL, "mode" },
	{ FOR_EXPLICIT, fits_one_call, ROUTE_SINGLE, NULL, "target_words" },
	{ FOR_EXPLICIT, always, ROUTE_SERIAL, NULL, "target_words" },
	{ FOR_IMPLICIT, is_housekeeping, ROUTE_PASS, NULL, "housekeeping" },
	{ FOR_IMPLICIT, has_tools, ROUTE_PASS, NULL, "tools" },
	{ FOR_IMPLICIT, has_format, ROUTE_PASS, NULL, "response_format" },
	{ FOR_IMPLICIT, is_several, ROUTE_PASS, NULL, "n" },
	{ FOR_IMPLICIT, has_logprobs, ROUTE_PASS, NULL, "logprobs" },
	{ FOR_IMPLICIT, has_images, ROUTE_PASS, NULL, "images" },
	{ FOR_IMPLICIT, is_continuation, ROUTE_PASS, NULL, "assistant_message" },
	{ FOR_IMPLICIT, is_unrouted, ROUTE_PASS, NULL, "plain_model" },
	{ FOR_IMPLICIT, is_no_demand, ROUTE_PASS, NULL, "no_demand" },
	{ FOR_IMPLICIT, is_short, ROUTE_PASS, NULL, "short" },
	{ FOR_IMPLICIT, is_native, ROUTE_NATIVE, NULL, "long_output" },
	{ FOR_IMPLICIT, fits_one_call, ROUTE_SINGLE, NULL, "demand" },
	{ FOR_IMPLICIT, always, ROUTE_SERIAL, NULL, "demand" },
};

struct route route_choose(const struct route_input *input)
{
	enum scope scope = is_explicit(input) ? FOR_EXPLICIT : FOR_IMPLICIT;
	size_t i = 0;

	/* The last row of each scope always matches. */
	while ((rules[i].scope != FOR_ALL && rules[i].scope != scope) || !rules[i].matches(input))
		i++;
	return (struct route){ rules[i].kind, rules[i].param, rules[i].reason };
}

/* How these prompts begin; white space of any kind and amount is one space. */
static const char *const signatures[] = {
	/* Open WebUI */
	"### Task: Generate a concise",
	"### Task: Generate 1-3 broad tags",
	"### Task: Suggest 3-5 relevant follow-up",
	"### Task: Analyze the chat history to determine the necessity of",
	"### Task: You are an autocompletion system",
	"### Task: Generate a detailed prompt for am image", /* as the template has it */
	"### Task: Generate a detailed prompt for an image",
	"Generate a concise, 3-5 word title",
	"Create a concise, 3-5 word",
	"Your task is to reflect the speaker's likely facial expression",
	"You have been provided with a set of responses from various models",
	/* LibreChat */
	"Provide a concise, 5-word-or-less title for the conversation",
	"Analyze this conversation and provide: 1. The detected language",
	/* NextChat */
	"Please generate a four to five word title summarizing our conversation",
	"Summarize the discussion briefly in 200 words or less",
	"使用四到五个字直接返回这句话的简要主题",
	"简要总结一下对话内容，用作后续的上下文提示",
};

static bool begins_like(const struct slice *text, const char *signature)
{
	const char *at = text->data;
	const char *end = at + text->len;

	for (; *signature != '\0'; signature++) {
		if (at == end)
			return false;
		if (*signature != ' ') {
			if (*at++ != *signature)
				return false;
			continue;
		}
		if (strchr(" \t\r\n", *at) == NULL || *at == '\0')
			return false;
		while (at < end && *at != '\0' && strchr(" \t\r\n", *at) != NULL)
			at++;
	}
	return true;
}

bool route_is_housekeeping(const char *text, size_t len, const char *task_header)
{
	struct slice trimmed = text_trim(text, len);

	if (task_header != NULL && *task_header != '\0')
		return true;
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (begins_like(&trimmed, signatures[i]))
			return true;
	return false;
}

bool route_is_tool_choice(const char *system_text, size_t len)
{
	struct slice trimmed = text_trim(system_text, len);

	return begins_like(&trimmed, "Available Tools:");
}
