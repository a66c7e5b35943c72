#include "api/responses_chain.h"
#include "api/responses_render.h"
#include "api/responses_request.h"
#include "base/id.h"
#include "base/json.h"
#include <string.h>

static const char param[] = "previous_response_id";

static void read_next(struct responses_chain *chain, const char *id);

bool responses_job_of(const char *id, char ret_job[JOB_ID_BYTES])
{
	static const char prefix[] = "resp_";
	size_t len = strlen(id);

	if (len != sizeof(prefix) - 1 + ID_CHARS || strncmp(id, prefix, sizeof(prefix) - 1) != 0 ||
	    !id_is_valid(id + sizeof(prefix) - 1, ID_CHARS))
		return false;
	memcpy(ret_job, id + sizeof(prefix) - 1, JOB_ID_BYTES);
	return true;
}

bool responses_chain_is_foreign(const struct responses_chain *chain)
{
	return chain->op.result == ERR_NOT_FOUND && chain->n_responses == 0;
}

static void finish(struct responses_chain *chain, enum err err)
{
	if (err == ERR_NO_MEMORY)
		api_fault_set_memory(&chain->fault);
	op_finish(&chain->op, err);
}

static void refuse_unknown(struct responses_chain *chain, const char *id)
{
	api_fault_set(&chain->fault, API_ERROR_PREVIOUS_NOT_FOUND, param,
		      "Previous response with id '%.100s' not found.", id);
	finish(chain, ERR_NOT_FOUND);
}

static void refuse(struct responses_chain *chain, const char *message)
{
	api_fault_set(&chain->fault, API_ERROR_INVALID_VALUE, param, "%s: the response %s %s",
		      param, chain->job, message);
	finish(chain, ERR_INVALID);
}

/* ---- one response's turn ---- */

static size_t text_bytes(const json_t *messages)
{
	size_t bytes = 0;
	size_t index;
	json_t *message;

	json_array_foreach((json_t *)messages, index, message) bytes +=
		json_string_length(json_object_get(message, "content"));
	return bytes;
}

static enum err add_answer(const struct response_source *source, json_t *messages)
{
	struct response_view view;
	enum err err = response_view_make(source, &view);
	const struct slice *text = &view.object.text;

	if (err == OK && text->len > 0 &&
	    json_array_append_new(messages, json_pack("{s:s,s:o}", "role", "assistant", "content",
						      json_stringn(text->data, text->len))) != 0)
		err = ERR_NO_MEMORY;
	response_view_release(&view);
	return err;
}

/* Its turn ahead of those that are there. */
static enum err add_turn(struct responses_chain *chain, const struct response_source *source)
{
	json_t *turn = json_array();
	char foreign[API_PARAM_BYTES] = ""; /* the job was written without it, too */
	enum err err = ERR_NO_MEMORY;

	if (turn != NULL && responses_messages(json_object_get(source->facts, "input"), turn,
					       foreign, &chain->fault))
		err = add_answer(source, turn);
	if (err == OK) {
		chain->bytes += text_bytes(turn);
		chain->n_responses++;
		if (json_array_extend(turn, chain->messages) != 0)
			err = ERR_NO_MEMORY;
	}
	if (err == OK) {
		json_decref(chain->messages);
		chain->messages = json_incref(turn);
	}
	json_decref(turn);
	return err;
}

static void take(struct responses_chain *chain, const struct response_source *source)
{
	const char *previous =
		json_string_value(json_object_get(source->facts, "previous_response_id"));
	enum err err;

	if (source->state->phase != STATE_ENDED || !source->is_ended) {
		refuse(chain, "is still being written: wait for its end.");
		return;
	}
	err = add_turn(chain, source);
	if (err != OK)
		finish(chain, err);
	else if (chain->bytes > RESPONSES_CHAIN_BYTES_MAX)
		refuse(chain, "and those after it are longer than 4 MiB.");
	else if (previous == NULL)
		finish(chain, OK);
	else if (chain->n_responses == RESPONSES_CHAIN_MAX)
		refuse(chain, "is the 50th before this one, and not the first.");
	else
		read_next(chain, previous);
}

/* ---- where it is ---- */

static bool is_ours(const struct responses_chain *chain, const char *owner, const json_t *facts)
{
	return owner != NULL && strcmp(owner, chain->owner) == 0 && facts != NULL &&
	       !json_is_false(json_object_get(facts, "store"));
}

static void take_live(struct responses_chain *chain, const struct job *job)
{
	const struct event_log *log = &job->log;
	const json_t *created = log->n_events > 0 ? log->events[0].data : NULL;
	struct response_source source = { .job = job->id,
					  .model = job->model_id,
					  .facts = json_object_get(created, "response"),
					  .state = &job->state,
					  .content_bytes = job->state.text.len,
					  .is_ended = log->n_landed == log->n_events };

	if (is_ours(chain, job->owner, source.facts))
		take(chain, &source);
	else
		refuse_unknown(chain, chain->job);
}

/* What was replayed goes before the next one is: the source is of it, and so is the next id. */
static void on_replayed(struct op *op)
{
	struct replay *replay = container_of(op, struct replay, op);
	struct responses_chain *chain = container_of(replay, struct responses_chain, replay);
	struct replay done = *replay;
	struct response_source source = { .job = chain->job,
					  .model = done.model_id,
					  .facts = done.response,
					  .state = &done.state,
					  .content_bytes = done.state.text.len,
					  .is_ended = true };

	chain->is_replaying = false;
	if (chain->op.canceled != OK)
		finish(chain, chain->op.canceled);
	else if (op->result != OK && op->result != ERR_NOT_FOUND) {
		api_fault_set(&chain->fault, API_ERROR_INTERNAL, param,
			      "An earlier response can not be read: %s.", err_text(op->result));
		finish(chain, op->result);
	} else if (op->result == OK && is_ours(chain, done.owner, done.response)) {
		take(chain, &source);
	} else {
		refuse_unknown(chain, chain->job);
	}
	replay_release(&done);
}

static void read_next(struct responses_chain *chain, const char *id)
{
	struct api *api = chain->api;
	char previous[JOB_ID_BYTES];
	struct job *job;

	if (!responses_job_of(id, previous)) {
		refuse_unknown(chain, id);
		return;
	}
	memcpy(chain->job, previous, sizeof(previous));
	job = registry_find(api->registry, chain->job);
	if (job != NULL) {
		take_live(chain, job);
		return;
	}
	chain->is_replaying = true;
	op_prepare(&chain->replay.op, api->reactor, 0, on_replayed);
	replay_start(&chain->replay, api->store, chain->job, api->options->store_ms);
}

static void on_cancel(struct op *op)
{
	struct responses_chain *chain = container_of(op, struct responses_chain, op);

	if (chain->is_replaying)
		op_cancel(&chain->replay.op, op->canceled);
}

void responses_chain_start(struct responses_chain *chain, struct api *api, const char *owner,
			   const char *id)
{
	chain->api = api;
	chain->owner = owner;
	chain->messages = json_array();
	if (!op_begin(&chain->op, on_cancel))
		return;
	if (chain->messages == NULL)
		finish(chain, ERR_NO_MEMORY);
	else
		read_next(chain, id);
}

void responses_chain_release(struct responses_chain *chain)
{
	json_decref(chain->messages);
	chain->messages = NULL;
}
