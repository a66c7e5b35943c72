/* A chat completion, then, behind a zero byte, its X-Longhand headers: read, routed and made the
 * spec of a job, or refused with a status below 500. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "api/chat_options.h"
#include "api/long_request.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "http/request.h"

enum { HEADER_BYTES = 256 };

static struct slice headers; /* lines "Name: value", of this input */
static char header_value[HEADER_BYTES];
static char found_value[HEADER_BYTES];

/* In place of libmicrohttpd's, all of them (fuzz.mk). */
void __wrap_request_each_header(const struct request *request, request_header_fn each,
				void *context);
const char *__wrap_request_header(const struct request *request, const char *name);

static char *terminate(struct slice part, char buffer[HEADER_BYTES])
{
	size_t len = part.len < HEADER_BYTES ? part.len : HEADER_BYTES - 1;

	memcpy(buffer, part.data, len);
	buffer[len] = '\0';
	return buffer;
}

void __wrap_request_each_header(const struct request *request, request_header_fn each,
				void *context)
{
	struct slice rest = headers;
	struct slice line, name;

	(void)request;
	while (fuzz_cut(&rest, '\n', &line)) {
		char name_text[HEADER_BYTES];

		if (line.len == 0 || line.data[0] == ':' || !fuzz_cut(&line, ':', &name))
			continue;
		each(context, terminate(name, name_text), terminate(line, header_value));
	}
}

struct wanted_header {
	const char *name;
	bool is_found;
};

static void look(void *context, const char *name, const char *value)
{
	struct wanted_header *wanted = context;

	if (!wanted->is_found && strcasecmp(name, wanted->name) == 0) {
		wanted->is_found = true;
		(void)snprintf(found_value, sizeof(found_value), "%s", value);
	}
}

const char *__wrap_request_header(const struct request *request, const char *name)
{
	struct wanted_header wanted = { name, false };

	__wrap_request_each_header(request, look, &wanted);
	return wanted.is_found ? found_value : NULL;
}

static void know(struct model *model, const struct model_target *target,
		 struct model_knowledge *ret_knowledge)
{
	(void)model, (void)target;
	*ret_knowledge = (struct model_knowledge){ .window_tokens = 8192, .habit = 1.0 };
}

static const struct api_options options = { .plan_from_words = 1000,
					    .single_max_words = 800,
					    .target_words_max = 200000,
					    .call_words_max = 1000,
					    .is_route_all = true };

static void check_fault(const struct api_fault *fault)
{
	struct buf body;
	json_t *json;

	MUST(api_error_status(fault->error) >= 400 && api_error_status(fault->error) < 500);
	MUST(fault->message[0] != '\0');
	buf_init(&body, 16 * API_MESSAGE_BYTES);
	MUST(api_fault_render(fault, &body) == OK);
	json = json_loadb(body.data, body.len, 0, NULL);
	MUST(json_is_object(json));
	json_decref(json);
	buf_release(&body);
}

static void check_spec(const struct spec *spec)
{
	json_t *json = spec_to_json(spec);
	json_t *json_again;
	struct spec again;

	MUST(json != NULL && spec->target_words > 0);
	spec_init(&again);
	MUST(spec_from_json(json, &again) == OK);
	json_again = spec_to_json(&again);
	MUST(json_equal(json, json_again));
	json_decref(json_again);
	json_decref(json);
	spec_release(&again);
}

static void make_spec(struct chat_request *chat, const struct chat_options *chosen,
		      const struct demand *demand, enum writing_mode mode)
{
	struct model model = { .know = know };
	struct api api = { .model = &model, .options = &options };
	struct long_request wanted = { .chat = chat,
				       .options = chosen,
				       .demand = demand,
				       .mode = mode,
				       .target = { .backend = "b", .model = "m" } };
	struct api_fault fault = { .error = API_ERROR_INTERNAL };
	struct spec spec;

	if (long_request_spec(&api, &wanted, &spec, &fault))
		check_spec(&spec);
	else
		check_fault(&fault);
	spec_release(&spec);
}

static void choose(struct chat_request *chat, const struct chat_options *chosen)
{
	struct demand demand = { .target_words = 0 };
	struct route_input input = {
		.mode = (enum route_mode)(chosen->mode + ROUTE_MODE_AUTO),
		.target_words = chosen->target_words,
		.has_plan = chosen->plan.n_sections > 0,
		.is_plan_only = chosen->is_plan_only,
		.demand = &demand,
		.model = chat->is_stream ? MODEL_LONGHAND : MODEL_PLAIN,
		.has_tools = chat->has_tools,
		.has_response_format = chat->has_response_format,
		.n_above_one = chat->is_n_above_one,
		.has_logprobs = chat->has_logprobs,
		.has_images = chat->has_images,
		.ends_with_assistant = !chat->ends_with_user,
		.is_route_all = true,
		.plan_from_words = options.plan_from_words,
		.single_max_words = options.single_max_words,
	};
	struct route route;

	if (chat->ends_with_user)
		demand_read(buf_str(&chat->last_user), chat->last_user.len, &demand);
	route = route_choose(&input);
	MUST(route.reason != NULL && (route.kind != ROUTE_REJECT || route.param != NULL));
	if (route.kind == ROUTE_SINGLE || route.kind == ROUTE_SERIAL)
		make_spec(chat, chosen, &demand,
			  route.kind == ROUTE_SERIAL ? WRITING_SERIAL : WRITING_SINGLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct slice body = { "", 0 };
	struct request request = { .method = "POST" };
	struct api_fault fault = { .error = API_ERROR_INTERNAL };
	struct chat_request chat;
	struct chat_options chosen;

	(void)fuzz_cut(&rest, '\0', &body);
	headers = rest;
	chat_request_init(&chat);
	chat_options_init(&chosen);
	if (!chat_request_read(body, &chat, &fault) ||
	    !chat_options_read(&request, chat.longhand, &chosen, &fault))
		check_fault(&fault);
	else
		choose(&chat, &chosen);
	chat_options_release(&chosen);
	chat_request_release(&chat);
	return 0;
}
