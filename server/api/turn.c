#include "api/turn.h"
#include "api/models.h"
#include "async/work.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

/* A small model stops after so many words, whatever it was asked for. */
enum { SMALL_SINGLE_WORDS = 250 };

void turn_free(struct turn *turn)
{
	chat_request_release(&turn->chat);
	chat_options_release(&turn->options);
	buf_release(&turn->body);
	mem_free(turn->authorization);
	mem_free((char *)turn->target.backend);
	mem_free((char *)turn->target.model);
	mem_free((char *)turn->target.id);
	adopt_release(&turn->adoption);
	api_let_go(turn->api);
	turn->kind->free(turn);
}

struct request *turn_leave(struct turn *turn)
{
	struct request *request = turn->request;

	request->user = NULL;
	request->on_closed = NULL;
	if (turn->body.data != NULL) {
		request->body = turn->body;
		buf_init(&turn->body, turn->body.max_bytes);
	}
	return request;
}

bool turn_is_left(struct turn *turn)
{
	if (turn->request != NULL && !turn->request->is_client_gone)
		return false;
	if (turn->request != NULL)
		(void)turn_leave(turn);
	turn_free(turn);
	return true;
}

void turn_refuse(struct turn *turn)
{
	api_fault_send(turn_leave(turn), &turn->fault);
	turn_free(turn);
}

/* ---- reading, here or on the pool ---- */

static void read_turn(struct turn *turn, struct slice body)
{
	turn->is_readable = turn->kind->read(turn, body);
	if (turn->is_readable && turn->chat.ends_with_user)
		demand_read(buf_str(&turn->chat.last_user), turn->chat.last_user.len,
			    &turn->demand);
}

static void run_on_pool(struct work *work)
{
	struct turn *turn = container_of(work, struct turn, work);

	struct api_fault fault;

	read_turn(turn, (struct slice){ turn->body.data, turn->body.len });
	/* What will be written long needs the tree, and it is large: not on the loop. A fault of it
	 * is said there. */
	if (turn->is_readable && (turn->demand.is_writing || turn->chat.longhand != NULL))
		(void)!chat_request_load(&turn->chat, &fault);
}

const char *turn_authorization(struct turn *turn)
{
	if (turn->authorization == NULL)
		turn->authorization = auth_line_to_pass(&turn->api->options->auth, turn->request);
	return turn->authorization;
}

struct slice turn_body(const struct turn *turn)
{
	const struct buf *body = turn->body.data != NULL ? &turn->body : &turn->request->body;

	return (struct slice){ buf_str(body), body->len };
}

/* ---- where to ---- */

static void go_on(struct turn *turn, const struct model_target *target)
{
	if (turn->route.kind == ROUTE_PASS || turn->route.kind == ROUTE_NATIVE)
		turn->kind->pass_on(turn, target);
	else
		turn_start_job(turn, target);
}

static bool resolve(struct turn *turn, struct model_target *ret_target)
{
	struct model *model = turn->api->model;
	const struct api_preset *preset = turn->preset;

	if (preset == NULL) {
		model->resolve(model, buf_str(&turn->chat.model), ret_target);
		return true;
	}
	if (preset->model == NULL) {
		bool is_known = model->resolve_default(model, preset->backend, ret_target);

		if (preset->backend != NULL) /* that one, and no other */
			ret_target->id = NULL;
		return is_known;
	}
	*ret_target = (struct model_target){ .backend = preset->backend, .model = preset->model };
	if (preset->backend == NULL)
		model->resolve(model, preset->model, ret_target);
	return true;
}

/* ---- routing ---- */

static enum route_mode mode_of(const struct turn *turn)
{
	static const enum route_mode modes[] = {
		[CHAT_MODE_AUTO] = ROUTE_MODE_AUTO,	    [CHAT_MODE_SERIAL] = ROUTE_MODE_SERIAL,
		[CHAT_MODE_PARALLEL] = ROUTE_MODE_PARALLEL, [CHAT_MODE_SINGLE] = ROUTE_MODE_SINGLE,
		[CHAT_MODE_OFF] = ROUTE_MODE_OFF,
	};

	return modes[turn->options.mode];
}

/* Of a request whose messages nobody has made a tree of. */
static bool is_plain_tool_choice(const struct chat_request *chat)
{
	struct buf text;
	bool is_choice;

	if (chat->first_system.data == NULL)
		return false;
	buf_init(&text, chat->first_system.len);
	is_choice = json_scan_string(chat->first_system, &text) == OK &&
		    route_is_tool_choice(buf_str(&text), text.len);
	buf_release(&text);
	return is_choice;
}

static bool is_tool_choice(const struct chat_request *chat)
{
	const json_t *first = json_array_get(chat->messages, 0);
	const char *role = json_string_value(json_object_get(first, "role"));
	const json_t *content = json_object_get(first, "content");

	return role != NULL && strcmp(role, "system") == 0 && json_is_string(content) &&
	       route_is_tool_choice(json_string_value(content), json_string_length(content));
}

static bool is_housekeeping(const struct turn *turn)
{
	if (turn->chat.messages != NULL ? is_tool_choice(&turn->chat)
					: is_plain_tool_choice(&turn->chat))
		return true;
	return turn->chat.ends_with_user &&
	       route_is_housekeeping(buf_str(&turn->chat.last_user), turn->chat.last_user.len,
				     request_header(turn->request, "X-OpenWebUI-Task"));
}

static void choose_route(struct turn *turn, const struct model_target *target)
{
	const struct chat_request *chat = &turn->chat;
	const struct api_options *options = turn->api->options;
	struct model_knowledge known;
	struct route_input input = {
		.mode = mode_of(turn),
		.target_words = turn->options.target_words,
		.has_plan = turn->options.plan.n_sections > 0,
		.is_plan_only = turn->options.is_plan_only,
		.demand = &turn->demand,
		.model = turn->preset != NULL ? MODEL_LONGHAND : MODEL_PLAIN,
		.has_tools = chat->has_tools,
		.has_response_format = chat->has_response_format,
		.n_above_one = chat->is_n_above_one,
		.has_logprobs = chat->has_logprobs,
		.has_images = chat->has_images,
		.ends_with_assistant = !chat->ends_with_user,
		.is_housekeeping = is_housekeeping(turn),
		.is_route_all = options->is_route_all,
		.plan_from_words = options->plan_from_words,
		.single_max_words = options->single_max_words,
	};

	turn->api->model->know(turn->api->model, target, &known);
	if (known.is_small && input.single_max_words > SMALL_SINGLE_WORDS)
		input.single_max_words = SMALL_SINGLE_WORDS;
	input.backend_is_long_output = known.is_long_output;
	input.backend_is_small = known.is_small;
	turn->route = route_choose(&input);
}

/* A preset's mode holds for what is written long, and makes nothing long by itself. */
static void apply_preset_mode(struct turn *turn)
{
	bool is_long = turn->route.kind == ROUTE_SERIAL || turn->route.kind == ROUTE_SINGLE;

	if (turn->preset == NULL || turn->options.is_mode_said || !is_long)
		return;
	if (strcmp(turn->preset->mode, "serial") == 0)
		turn->route.kind = ROUTE_SERIAL;
	else if (strcmp(turn->preset->mode, "single") == 0)
		turn->route.kind = ROUTE_SINGLE;
}

/* Known is where it goes: what that model is like has a say in the route. */
static void route_to(struct turn *turn, const struct model_target *target)
{
	const char *param;

	choose_route(turn, target);
	apply_preset_mode(turn);
	param = turn->route.param;
	if (turn->route.kind != ROUTE_REJECT) {
		go_on(turn, target);
		return;
	}
	if (turn->kind->param != NULL)
		param = turn->kind->param(turn, param);
	api_fault_set(&turn->fault, API_ERROR_NOT_COMBINABLE, param, "%s", turn->route.reason);
	turn_refuse(turn);
}

/* ---- the default model, asked for ---- */

static void name_choices(struct turn *turn)
{
	struct buf names;

	buf_init(&names, API_MESSAGE_BYTES / 2);
	for (size_t i = 0; i < turn->describe.n_models; i++)
		if (buf_printf(&names, "%s%s", i > 0 ? ", " : "", turn->describe.models[i].id) !=
		    OK)
			break;
	api_fault_set(
		&turn->fault, API_ERROR_NO_DEFAULT_MODEL, "model",
		"The backend has several models, and none is configured for %s. Ask for one of "
		"them: %s; or start longhandd with --model.",
		buf_str(&turn->chat.model), buf_str(&names));
	buf_release(&names);
}

static bool has_listed(const struct describe_call *describe, const char *backend)
{
	for (size_t i = 0; i < describe->n_models; i++)
		if (describe->models[i].raw != NULL &&
		    strcmp(describe->models[i].backend, backend) == 0)
			return true;
	return false;
}

static void on_described(struct op *op)
{
	struct describe_call *describe = container_of(op, struct describe_call, op);
	struct turn *turn = container_of(describe, struct turn, describe);
	struct model_target target;

	if (turn_is_left(turn))
		return;
	if (resolve(turn, &target)) {
		route_to(turn, &target);
		return;
	}
	if (op->result != OK)
		api_fault_set(&turn->fault, API_ERROR_INTERNAL, NULL,
			      "The models can not be asked for: %s.", err_text(op->result));
	else if (!has_listed(describe, target.backend))
		api_fault_set(&turn->fault, API_ERROR_BACKEND_UNAVAILABLE, NULL,
			      "The backend %s does not say which models it has: is it running?",
			      target.backend);
	else
		name_choices(turn);
	turn_refuse(turn);
}

void turn_on_closed(struct request *request)
{
	struct turn *turn = request->user;

	turn->request = NULL;
	op_cancel(&turn->describe.op, ERR_CANCELED);
	op_cancel(&turn->adoption.op, ERR_CANCELED);
	op_cancel(&turn->work.op, ERR_CANCELED);
	if (turn->kind->stop != NULL)
		turn->kind->stop(turn);
}

static void ask_models(struct turn *turn)
{
	struct api *api = turn->api;

	op_prepare(&turn->describe.op, api->reactor, 0, on_described);
	turn->describe.authorization = turn_authorization(turn);
	api->model->describe(api->model, &turn->describe);
}

void turn_decide(struct turn *turn)
{
	struct model_target target;

	turn->preset = models_preset(turn->api, buf_str(&turn->chat.model));
	if (!chat_options_read(turn->request, turn->chat.longhand, &turn->options, &turn->fault))
		turn_refuse(turn);
	else if (resolve(turn, &target))
		route_to(turn, &target);
	else
		ask_models(turn);
}

static void on_read(struct turn *turn)
{
	if (!turn->is_readable)
		turn_refuse(turn);
	else if (turn->kind->prepare != NULL)
		turn->kind->prepare(turn);
	else
		turn_decide(turn);
}

static void on_pool_done(struct op *op)
{
	struct work *work = container_of(op, struct work, op);
	struct turn *turn = container_of(work, struct turn, work);

	if (turn_is_left(turn))
		return;
	if (op->result != OK)
		api_fault_set(&turn->fault, API_ERROR_INTERNAL, NULL,
			      "The request can not be read: %s.", err_text(op->result));
	turn->is_readable = turn->is_readable && op->result == OK;
	on_read(turn);
}

static void read_on_pool(struct turn *turn)
{
	struct request *request = turn->request;

	turn->body = request->body; /* a thread reads it, whatever becomes of the request */
	buf_init(&request->body, turn->body.max_bytes);
	work_prepare(&turn->work, turn->api->reactor, 0, run_on_pool, on_pool_done);
	turn->api->pool->start(turn->api->pool, &turn->work);
}

void turn_start(struct turn *turn, const struct turn_kind *kind, struct api *api,
		struct request *request, const char *owner)
{
	turn->kind = kind;
	turn->api = api_hold(api);
	turn->request = request;
	if (owner[0] != '\0')
		(void)snprintf(turn->owner, sizeof(turn->owner), "%s", owner);
	chat_request_init(&turn->chat);
	chat_options_init(&turn->options);
	request->user = turn;
	request->on_closed = turn_on_closed;
	if (request->body.len > api->options->inline_json_bytes) {
		read_on_pool(turn);
		return;
	}
	read_turn(turn, (struct slice){ buf_str(&request->body), request->body.len });
	on_read(turn);
}
