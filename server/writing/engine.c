#include "writing/engine.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "writing/engine_parts.h"
#include "writing/report.h"
#include "writing/sentence.h"

enum { QUEUE_FIRST = 8, FLIPPED_UNMET_MIN = 3, PLAN_ANSWER_BYTES_MAX = 256 << 10 };

static const struct slice no_text = { NULL, 0 };

enum err engine_new(const struct state *state, const struct prompt_set *prompts,
		    struct engine **ret_engine)
{
	struct engine *engine = mem_alloc(sizeof(*engine));
	enum err err;

	if (engine == NULL)
		return ERR_NO_MEMORY;
	engine->state = state;
	engine->prompts = prompts;
	plan_init(&engine->draft);
	repeat_init(&engine->seen);
	take_init(&engine->call.take, state->spec.count);
	stops_init(&engine->stops, state->spec.stops, state->spec.n_stops);
	err = repeat_add_text(&engine->seen,
			      (struct slice){ buf_str(&state->text), state->text.len });
	if (err != OK) {
		engine_free(engine);
		return err;
	}
	*ret_engine = engine;
	return OK;
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	for (size_t i = 0; i < engine->queue.n; i++)
		event_release(&engine->queue.events[engine->queue.first + i]);
	mem_free(engine->queue.events);
	take_release(&engine->call.take);
	stops_release(&engine->stops);
	repeat_release(&engine->seen);
	plan_release(&engine->draft);
	mem_free(engine);
}

void engine_action_release(struct engine_action *action)
{
	json_decref(action->ask.messages);
	json_decref(action->ask.schema);
	event_release(&action->event);
	*action = (struct engine_action){ .kind = ENGINE_WAIT };
}

static enum err queue_reserve(struct engine_queue *queue)
{
	size_t size = queue->size > 0 ? queue->size * 2 : QUEUE_FIRST;
	struct event *events;

	if (queue->n == 0)
		queue->first = 0;
	if (queue->first + queue->n < queue->size)
		return OK;
	events = mem_realloc(queue->events, size * sizeof(*events));
	if (events == NULL)
		return ERR_NO_MEMORY;
	queue->events = events;
	queue->size = size;
	return OK;
}

enum err engine_queue_event(struct engine *engine, enum event_kind kind, struct slice text,
			    json_t *data)
{
	struct engine_queue *queue = &engine->queue;
	bool is_of_section = engine->state->phase == STATE_WRITING &&
			     engine->state->section < engine->state->plan.n_sections;
	enum err err;

	if (data == NULL)
		return ERR_NO_MEMORY;
	err = queue_reserve(queue);
	if (err != OK) {
		json_decref(data);
		return err;
	}
	err = event_init(&queue->events[queue->first + queue->n], kind,
			 is_of_section ? engine_section(engine) : 0, text, data);
	if (err == OK)
		queue->n++;
	return err;
}

enum err engine_queue_repair(struct engine *engine, enum repair_kind kind,
			     enum repair_action action, long words_dropped)
{
	return engine_queue_event(
		engine, EVENT_REPAIRED, no_text,
		json_pack("{s:s, s:s, s:I}", "kind", repair_kind_name(kind), "action",
			  repair_action_name(action), "words_dropped", (json_int_t)words_dropped));
}

static int add_unmet(json_t *unmet, const char *kind, const char *detail, const char *title)
{
	return json_array_append_new(
		unmet, json_pack("{s:s, s:s+}", "kind", kind, "detail", detail, title));
}

static json_t *section_unmet(const struct engine *engine)
{
	size_t index = engine->state->section;
	const struct state_section *section = &engine->state->sections[index];
	const char *title = engine->state->plan.sections[index].title;
	json_t *unmet = json_array();
	int failed = unmet == NULL;

	if (!failed && section->end_byte == section->prose_byte && !engine->is_stop_found)
		failed = add_unmet(unmet, "section_empty",
				   "the model wrote nothing for section: ", title);
	if (!failed && engine->n_flipped >= FLIPPED_UNMET_MIN)
		failed = add_unmet(unmet, "language",
				   "the model wrote in another language in section: ", title);
	if (!failed)
		return unmet;
	json_decref(unmet);
	return NULL;
}

static enum err queue_section_done(struct engine *engine)
{
	const struct state_section *section = &engine->state->sections[engine->state->section];
	json_t *unmet = section_unmet(engine);

	if (unmet == NULL)
		return ERR_NO_MEMORY;
	return engine_queue_event(engine, EVENT_SECTION_DONE, no_text,
				  json_pack("{s:I, s:I, s:o}", "words", (json_int_t)section->words,
					    "calls", (json_int_t)section->calls, "unmet", unmet));
}

/* "length" only where the client's max_tokens cut the text inside a sentence. */
static const char *finish_reason(const struct state *state)
{
	long room = budget_words_max(state);

	if (room > 0 && state->words * 10 >= room * 9 && !state->is_stop_found &&
	    !sentence_is_finished(buf_str(&state->text), state->text.len))
		return finish_reason_name(FINISH_LENGTH);
	return finish_reason_name(FINISH_STOP);
}

static enum err queue_done(struct engine *engine)
{
	const struct state *state = engine->state;
	json_t *report = report_build(state);
	json_t *data;

	if (report == NULL)
		return ERR_NO_MEMORY;
	data = json_pack("{s:s, s:o}", "finish_reason", finish_reason(state), "report", report);
	if (data != NULL && state->spec.is_plan_only && state->phase == STATE_WRITING &&
	    json_object_set_new(data, "plan", report_plan(state)) != 0) {
		json_decref(data);
		data = NULL;
	}
	return engine_queue_event(engine, EVENT_DONE, no_text, data);
}

enum err engine_fail(const struct engine *engine, const char *code, const char *message,
		     struct event *ret_event)
{
	json_t *data = json_pack("{s:s, s:s}", "code", code, "message", message);
	json_t *report = report_build(engine->state);

	if (data == NULL || report == NULL || json_object_set(data, "report", report) != 0) {
		json_decref(data);
		json_decref(report);
		return ERR_NO_MEMORY;
	}
	json_decref(report);
	return event_init(ret_event, EVENT_FAILED, 0, no_text, data);
}

static enum err queue_no_text(struct engine *engine)
{
	struct event event;
	enum err err = queue_reserve(&engine->queue);

	if (err == OK)
		err = engine_fail(engine, "no_text", "the model wrote no text", &event);
	if (err == OK)
		engine->queue.events[engine->queue.first + engine->queue.n++] = event;
	return err;
}

static enum err finish(struct engine *engine)
{
	const struct state *state = engine->state;

	if (state->text.len == 0 && !state->is_stop_found && !state->spec.is_plan_only)
		return queue_no_text(engine);
	return queue_done(engine);
}

static enum err end_section(struct engine *engine)
{
	enum err err = engine_emit_rest(engine);

	return err != OK || engine->queue.n > 0 ? err : queue_section_done(engine);
}

static enum err start_section(struct engine *engine)
{
	engine->nudges = 0;
	engine->n_flipped = 0;
	engine->fault = NULL;
	engine->is_short_noted = false;
	return engine_queue_event(
		engine, EVENT_SECTION_STARTED, no_text,
		json_pack("{s:I}", "words_asked", (json_int_t)budget_section_words(engine->state)));
}

static enum err write_next(struct engine *engine, struct engine_action *ret_action)
{
	const struct state *state = engine->state;
	const struct state_section *section = &state->sections[state->section];
	enum write_role role;

	if (state->section == state->plan.n_sections || state->spec.is_plan_only)
		return finish(engine);
	if (state->is_stop_found)
		return section->is_started ? end_section(engine) : finish(engine);
	if (!section->is_started)
		return start_section(engine);
	role = budget_next(state);
	if (role == WRITE_NONE)
		return end_section(engine);
	if (role == WRITE_CONTINUE && !engine->is_short_noted && budget_is_short(state) &&
	    engine->fault == NULL) {
		engine->is_short_noted = true;
		return engine_queue_repair(engine, REPAIR_SHORT, ACTION_CONTINUE, 0);
	}
	return engine_ask_text(engine, role, ret_action);
}

static enum err read_call(struct engine *engine)
{
	struct engine_call *call = &engine->call;
	enum err err = call->ask == ASK_PLAN ? engine_plan_read(engine) : engine_read(engine);

	if (err != OK || engine->queue.n > 0)
		return err;
	return call->is_over && call->is_settled ? engine_close_call(engine) : OK;
}

/* true: ret_action is set. */
static bool stop_call(struct engine *engine, struct engine_action *ret_action)
{
	struct engine_call *call = &engine->call;

	if (!call->is_running || !call->is_stop_wanted || call->is_stop_sent || call->is_over)
		return false;
	call->is_stop_sent = true;
	ret_action->kind = ENGINE_STOP_CALL;
	return true;
}

static bool append_next(struct engine *engine, struct engine_action *ret_action)
{
	struct engine_queue *queue = &engine->queue;

	if (queue->n == 0)
		return false;
	ret_action->kind = ENGINE_APPEND;
	ret_action->event = queue->events[queue->first++];
	queue->n--;
	return true;
}

/* Cancelled: what is accepted already is delivered, then the end. */
static enum err cancel_next(struct engine *engine)
{
	if (engine->state->is_cancelled)
		return queue_done(engine);
	return engine_queue_event(engine, EVENT_CANCELLED, no_text, json_object());
}

/* Queues something, or sets the action, or leaves it at ENGINE_WAIT for the running call. */
static enum err decide(struct engine *engine, struct engine_action *ret_action)
{
	enum err err = OK;

	if (engine->is_cancelled || engine->state->is_cancelled) {
		engine->call.is_stop_wanted = true;
		return stop_call(engine, ret_action) ? OK : cancel_next(engine);
	}
	if (engine->call.is_running)
		err = read_call(engine);
	if (err != OK || engine->call.is_running || engine->queue.n > 0)
		return err;
	if (engine->state->phase == STATE_PLANNING)
		return engine_plan_next(engine, ret_action);
	return write_next(engine, ret_action);
}

enum err engine_next(struct engine *engine, struct engine_action *ret_action)
{
	enum err err;

	*ret_action = (struct engine_action){ .kind = ENGINE_WAIT };
	MUST(engine->state->phase != STATE_NEW);
	if (engine->state->phase == STATE_ENDED) {
		ret_action->kind = ENGINE_END;
		return OK;
	}
	if (append_next(engine, ret_action))
		return OK;
	err = decide(engine, ret_action);
	if (err != OK || ret_action->kind != ENGINE_WAIT)
		return err;
	if (!stop_call(engine, ret_action))
		(void)append_next(engine, ret_action);
	return OK;
}

enum err engine_on_text(struct engine *engine, const char *text, size_t len)
{
	struct engine_call *call = &engine->call;
	enum err err;

	if (!call->is_running || call->is_stop_wanted || call->is_over)
		return OK;
	err = take_feed(&call->take, text, len);
	if (err == ERR_TOO_LARGE || call->take.pending.len > TAKE_BYTES_MAX / 2 ||
	    (call->ask == ASK_PLAN && call->take.pending.len > PLAN_ANSWER_BYTES_MAX)) {
		call->is_stop_wanted = true;
		return OK;
	}
	if (err == OK && take_drop_thinking(&call->take))
		take_forget_held(&call->take, call->take.n_held);
	return err;
}

enum err engine_on_reasoning(struct engine *engine, const char *text, size_t len)
{
	struct engine_call *call = &engine->call;

	(void)text;
	if (!call->is_running || call->is_stop_wanted || call->is_over)
		return OK;
	call->take.reasoning_bytes += len;
	if (call->take.reasoning_bytes > ENGINE_REASONING_BYTES_MAX && call->take.n_units == 0) {
		call->take.think.has_found = true;
		call->is_stop_wanted = true;
		engine->nudges++;
	}
	return OK;
}

enum err engine_on_call_end(struct engine *engine, const struct call_end *end)
{
	struct engine_call *call = &engine->call;

	if (!call->is_running || call->is_over)
		return OK;
	call->is_over = true;
	call->end = *end;
	return call->is_stop_wanted ? OK : take_end(&call->take);
}

bool engine_made_progress(const struct engine *engine)
{
	const struct engine_call *call = &engine->call;

	if (!call->is_running)
		return engine->made_progress;
	return call->has_text || call->take.n_held > 0;
}

void engine_cancel(struct engine *engine)
{
	engine->is_cancelled = true;
}
