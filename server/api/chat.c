#include "api/chat.h"
#include "api/chat_view.h"
#include "api/passthrough.h"
#include "api/turn.h"
#include "base/mem.h"
#include <string.h>

static bool read_chat(struct turn *turn, struct slice body)
{
	return chat_request_read(body, &turn->chat, &turn->fault);
}

static void answer(struct turn *turn, struct job *job, const char *id, bool is_resumed)
{
	struct chat_view_wishes wishes = { .is_stream = turn->chat.is_stream,
					   .has_usage = turn->chat.has_usage,
					   .is_plan_shown = turn->options.is_plan_shown,
					   .is_resumed = is_resumed };

	chat_view_start(turn->api, turn_leave(turn), job, id, &wishes);
	turn_free(turn);
}

static void pass_on(struct turn *turn, const struct model_target *target)
{
	struct chat_request *chat = &turn->chat;
	struct passthrough_chat pass = {
		.target = target,
		.model = buf_str(&chat->model),
		.model_range = chat->members[CHAT_MODEL],
		.longhand_range = chat->longhand_range,
		.is_stream = chat->is_stream,
	};

	if (turn->api->options->is_token_counted)
		pass.tokens = chat_request_tokens(chat);
	passthrough_chat(turn->api, turn_leave(turn), &pass);
	turn_free(turn);
}

static void free_chat(struct turn *turn)
{
	mem_free(turn);
}

static const struct turn_kind kind = {
	.read = read_chat,
	.answer = answer,
	.pass_on = pass_on,
	.free = free_chat,
};

void chat_handle(struct api *api, struct request *request, const char *rest, const char *owner)
{
	struct turn *turn = mem_alloc(sizeof(*turn));

	(void)rest;
	if (turn == NULL)
		api_refuse_memory(request);
	else
		turn_start(turn, &kind, api, request, owner);
}
