#include "api/responses.h"
#include "api/passthrough.h"
#include "api/responses_chain.h"
#include "api/responses_request.h"
#include "api/responses_translate.h"
#include "api/responses_view.h"
#include "api/turn.h"
#include "base/json.h"
#include "base/mem.h"
#include <string.h>

struct responses_turn {
	struct turn turn;
	struct responses_request asked;
	struct responses_chain chain;
	json_t *facts;		      /* for the job's log, or a translation */
	struct api_fault facts_fault; /* why there are none */
	bool is_previous_foreign;     /* previous_response_id is none of ours */
	bool is_previous_ours;
};

static struct responses_turn *of(struct turn *turn)
{
	return container_of(turn, struct responses_turn, turn);
}

static bool read_request(struct turn *turn, struct slice body)
{
	return responses_request_read(body, &of(turn)->asked, &turn->chat, &turn->fault);
}

/* ---- the turns before ---- */

/* Behind the instructions, ahead of the input. */
static bool insert_earlier(struct responses_turn *responses)
{
	struct chat_request *chat = &responses->turn.chat;
	size_t at = responses->asked.has_instructions ? 1 : 0;
	size_t index;
	json_t *message;

	json_array_foreach(responses->chain.messages, index,
			   message) if (json_array_insert(chat->messages, at + index, message) !=
					0) return false;
	chat->last_user_index += json_array_size(responses->chain.messages);
	return true;
}

static void on_chain_done(struct op *op)
{
	struct responses_chain *chain = container_of(op, struct responses_chain, op);
	struct responses_turn *responses = container_of(chain, struct responses_turn, chain);
	struct turn *turn = &responses->turn;

	if (turn_is_left(turn))
		return;
	responses->is_previous_foreign = responses_chain_is_foreign(chain);
	responses->is_previous_ours = op->result == OK;
	if (op->result == OK && !insert_earlier(responses))
		api_fault_set_memory(&turn->fault);
	else if (op->result == OK || responses->is_previous_foreign) {
		turn_decide(turn);
		return;
	} else {
		turn->fault = chain->fault;
	}
	turn_refuse(turn);
}

static void prepare(struct turn *turn)
{
	struct responses_turn *responses = of(turn);

	turn->is_new_each_time = !responses->asked.is_stored;
	if (responses->asked.previous.len == 0) {
		turn_decide(turn);
		return;
	}
	op_prepare(&responses->chain.op, turn->api->reactor, 0, on_chain_done);
	responses_chain_start(&responses->chain, turn->api, turn->owner,
			      buf_str(&responses->asked.previous));
}

static void stop(struct turn *turn)
{
	op_cancel(&of(turn)->chain.op, ERR_CANCELED);
}

/* ---- the long path ---- */

static const char *param_of(struct turn *turn, const char *param)
{
	static const char *const names[][2] = {
		{ "response_format", "text.format" },
		{ "logprobs", "top_logprobs" },
		{ "messages", "input" },
	};
	const char *foreign = of(turn)->asked.foreign;

	for (size_t i = 0; param != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], param) == 0)
			return strcmp(param, "messages") == 0 && foreign[0] != '\0' ? foreign
										    : names[i][1];
	return param;
}

/* What only a response has to say. */
static bool check_long(struct responses_turn *responses)
{
	struct turn *turn = &responses->turn;

	if (responses->is_previous_foreign) {
		turn->fault = responses->chain.fault;
		return false;
	}
	if (!responses->asked.is_background || responses->asked.is_stored)
		return true;
	api_fault_set(&turn->fault, API_ERROR_INVALID_VALUE, "background",
		      "background needs store: nobody could ever see the response.");
	return false;
}

static bool ask(struct turn *turn, struct job_request *asked)
{
	struct responses_turn *responses = of(turn);
	json_t *shown = turn->options.is_plan_shown ? json_true() : json_false();

	if (!check_long(responses))
		return false;
	responses->facts = responses_request_facts(&responses->asked, &turn->fault);
	if (responses->facts == NULL)
		return false;
	if (json_object_set_new(responses->facts, "is_plan_shown", shown) != 0) {
		api_fault_set_memory(&turn->fault);
		return false;
	}
	asked->response = responses->facts;
	asked->spec.max_tokens =
		(long)json_number_value(json_object_get(responses->facts, "max_output_tokens"));
	if (responses->asked.is_background) {
		turn->options.keep = true;
		asked->grace = JOB_GRACE_KEPT;
	}
	return true;
}

static void answer(struct turn *turn, struct job *job, const char *id, bool is_resumed)
{
	const struct responses_request *asked = &of(turn)->asked;
	struct responses_wishes wishes = {
		.answer = RESPONSES_WHOLE,
		.after = -1,
		.is_resumed = is_resumed || asked->is_background,
		.is_erased_after = !asked->is_stored,
	};

	if (turn->chat.is_stream)
		wishes.answer = RESPONSES_STREAM;
	else if (asked->is_background)
		wishes.answer = RESPONSES_CREATED;
	responses_view_start(turn->api, turn_leave(turn), job, id, &wishes);
	turn_free(turn);
}

/* ---- the backend's ---- */

/* Before the body goes: what a translation would need of it. */
static void keep_facts(struct responses_turn *responses)
{
	responses->facts = responses_request_facts(&responses->asked, &responses->facts_fault);
}

static void translate(struct turn *turn, struct request *request, const struct model_target *target,
		      bool is_second)
{
	struct responses_turn *responses = of(turn);
	const struct responses_request *said = &responses->asked;
	struct responses_translation asked = {
		.facts = responses->facts,
		.messages = turn->chat.messages,
		.foreign = said->is_background && said->foreign[0] == '\0' ? "background"
									   : said->foreign,
		.model_id = buf_str(&turn->chat.model),
		.is_stream = turn->chat.is_stream,
		.target = *target,
		.is_second = is_second,
		.authorization = turn->authorization,
	};

	if (responses->is_previous_foreign)
		api_fault_send(request, &responses->chain.fault);
	else if (responses->facts == NULL)
		api_fault_send(request, &responses->facts_fault);
	else
		responses_translate(turn->api, request, &asked);
}

/* The backend has no responses: what a turn is needed for, it is kept for until now. */
struct second_try {
	struct turn *turn;
	const char *backend; /* the settings' own */
	char *model;
	char *id; /* by which another backend may stand in; NULL: none */
};

static void second_try_free(struct second_try *second)
{
	turn_free(second->turn);
	mem_free(second->model);
	mem_free(second->id);
	mem_free(second);
}

/* The body is where it was: what was read of it still points there. */
static void try_chat(void *context, struct request *request)
{
	struct second_try *second = context;
	struct model_target target = { .backend = second->backend,
				       .model = second->model,
				       .id = second->id };

	if (request != NULL)
		translate(second->turn, request, &target, true);
	second_try_free(second);
}

static struct second_try *second_try_new(struct turn *turn, const struct model_target *target)
{
	struct second_try *second = mem_alloc(sizeof(*second));

	if (second == NULL)
		return NULL;
	second->turn = turn;
	second->backend = target->backend;
	second->model = mem_strdup(target->model);
	if (target->id != NULL)
		second->id = mem_strdup(target->id);
	if (second->model != NULL && (target->id == NULL || second->id != NULL))
		return second;
	mem_free(second->model);
	mem_free(second);
	return NULL;
}

static void pass_natively(struct turn *turn, const struct model_target *target)
{
	struct second_try *second = second_try_new(turn, target);
	struct chat_request *chat = &turn->chat;
	struct passthrough_chat pass = {
		.target = target,
		.model = buf_str(&chat->model),
		.model_range = chat->members[CHAT_MODEL],
		.longhand_range = chat->longhand_range,
		.is_stream = chat->is_stream,
		.on_over = try_chat,
		.context = second,
	};

	if (second == NULL) {
		api_fault_set_memory(&turn->fault);
		turn_refuse(turn);
		return;
	}
	if (turn->api->options->is_token_counted)
		pass.tokens = chat_request_tokens(chat);
	passthrough_chat(turn->api, turn_leave(turn), &pass);
}

static void pass_on(struct turn *turn, const struct model_target *target)
{
	keep_facts(of(turn));
	if (!of(turn)->is_previous_ours && !responses_are_missing(turn->api, target->backend)) {
		pass_natively(turn, target);
		return;
	}
	translate(turn, turn_leave(turn), target, false);
	turn_free(turn);
}

static void free_responses(struct turn *turn)
{
	struct responses_turn *responses = of(turn);

	responses_request_release(&responses->asked);
	responses_chain_release(&responses->chain);
	json_decref(responses->facts);
	mem_free(responses);
}

static const struct turn_kind kind = {
	.read = read_request,
	.prepare = prepare,
	.stop = stop,
	.param = param_of,
	.ask = ask,
	.answer = answer,
	.pass_on = pass_on,
	.free = free_responses,
};

void responses_create(struct api *api, struct request *request, const char *rest, const char *owner)
{
	struct responses_turn *responses = mem_alloc(sizeof(*responses));

	(void)rest;
	if (responses == NULL) {
		api_refuse_memory(request);
		return;
	}
	responses_request_init(&responses->asked);
	turn_start(&responses->turn, &kind, api, request, owner);
}
