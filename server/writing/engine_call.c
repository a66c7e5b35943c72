#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "writing/engine_parts.h"
#include "writing/plan_parse.h"

enum {
	PLAN_TOKENS_BASE = 96,
	PLAN_TOKENS_TITLE = 20,
	SMALL_TOKENS_MAX = 700,
	BYTES_PER_TOKEN = 4,
	PLAN_TEMPERATURE_TENTHS = 7
};
/* Small models loop after a few hundred words without them. */
static const double small_frequency_penalty = 0.4, small_presence_penalty = 0.3;
static const double small_temperature = 0.4, small_plan_temperature = 0.5;
static const double temperature_step = 0.1, temperature_max = 1.5, temperature_usual = 0.8;

static double or_else(double value, double other)
{
	return isnan(value) ? other : value;
}

/* Of the calls' seeds the one after the largest is 0. */
static int64_t later_seed(int64_t seed, int64_t calls)
{
	return seed <= INT64_MAX - calls ? seed + calls : seed - INT64_MAX + calls - 1;
}

static struct sampling sampling_of(const struct engine *engine)
{
	const struct state *state = engine->state;
	struct sampling sampling = state->spec.sampling;

	if (sampling.has_seed)
		sampling.seed = later_seed(sampling.seed, state->calls);
	return sampling;
}

static struct sampling text_sampling(const struct engine *engine)
{
	struct sampling sampling = sampling_of(engine);

	if (engine->state->spec.traits.is_small) {
		sampling.temperature = or_else(sampling.temperature, small_temperature);
		sampling.frequency_penalty =
			or_else(sampling.frequency_penalty, small_frequency_penalty);
		sampling.presence_penalty =
			or_else(sampling.presence_penalty, small_presence_penalty);
	}
	if (engine->nudges > 0) {
		double from = or_else(sampling.temperature, temperature_usual);
		double to = from + temperature_step * engine->nudges;

		sampling.temperature = fmax(from, fmin(to, temperature_max));
	}
	return sampling;
}

/* Planning wants order more than ideas, and JSON no penalties. */
static struct sampling plan_sampling(const struct engine *engine)
{
	struct sampling sampling = sampling_of(engine);

	if (!isnan(sampling.temperature))
		sampling.temperature = fmin(sampling.temperature, PLAN_TEMPERATURE_TENTHS / 10.0);
	sampling.frequency_penalty = sampling.presence_penalty = NAN;
	if (engine->state->spec.traits.is_small) {
		sampling.temperature =
			fmin(or_else(sampling.temperature, 1), small_plan_temperature);
		sampling.frequency_penalty = small_frequency_penalty;
	}
	return sampling;
}

static void begin_call(struct engine *engine, enum ask_role ask, enum write_role role, long words)
{
	take_release(&engine->call.take);
	engine->call = (struct engine_call){
		.is_running = true, .ask = ask, .role = role, .words_asked = words
	};
	take_init(&engine->call.take, engine->state->spec.count);
	engine->made_progress = false;
}

/* The answer goes on from the list that was begun for it: both are read as one. */
static enum err feed_prefill(struct engine *engine, const json_t *messages)
{
	const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
	const json_t *content = json_object_get(last, "content");

	return take_feed(&engine->call.take, json_string_value(content),
			 json_string_length(content));
}

enum err engine_ask_plan(struct engine *engine, size_t n_titles, struct engine_action *ret_action)
{
	const struct spec *spec = &engine->state->spec;
	bool is_first = engine->draft.n_sections == 0;
	struct prompt_input input = {
		.role = is_first ? PROMPT_PLAN : PROMPT_PLAN_MORE,
		.spec = spec,
		.plan = is_first ? NULL : &engine->draft,
		.n_titles = n_titles,
		.words = budget_plan_target(spec),
	};
	long tokens = PLAN_TOKENS_BASE + PLAN_TOKENS_TITLE * (long)n_titles;
	struct engine_ask ask = { .role = ASK_PLAN,
				  .sampling = plan_sampling(engine),
				  .n_titles = n_titles };
	enum err err;

	/* A schema derails small models, a list begun for them does not. */
	if (spec->traits.has_schema && !spec->traits.is_small) {
		ask.schema = plan_schema(n_titles, true);
		if (ask.schema == NULL)
			return ERR_NO_MEMORY;
	}
	if (spec->traits.is_small)
		ask.max_tokens = tokens;
	err = prompt_build(engine->prompts, &input, tokens * 2, &ask.messages, &ask.is_prefilled);
	if (err != OK) {
		json_decref(ask.schema);
		return err;
	}
	begin_call(engine, ASK_PLAN, WRITE_NONE, 0);
	if (ask.is_prefilled)
		err = feed_prefill(engine, ask.messages);
	if (err != OK) {
		json_decref(ask.schema);
		json_decref(ask.messages);
		engine->call.is_running = false;
		return err;
	}
	ret_action->kind = ENGINE_ASK;
	ret_action->ask = ask;
	return OK;
}

static enum prompt_role prompt_role_of(const struct state *state, enum write_role role)
{
	if (role == WRITE_CONTINUE)
		return PROMPT_CONTINUE;
	if (role == WRITE_CLOSING)
		return PROMPT_CLOSING;
	return state->plan.n_sections == 1 && state->plan.sections[0].title[0] == '\0'
		       ? PROMPT_SINGLE
		       : PROMPT_SECTION;
}

/* The finished and running sections that have text, as the memory wants them. */
static enum err memory_of(const struct state *state, struct memory_source *ret_source,
			  struct memory_section **ret_sections)
{
	size_t n = state->section + 1;
	struct memory_section *sections = mem_alloc(n * sizeof(*sections));

	if (sections == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		sections[i] = (struct memory_section){
			.title = state->plan.sections[i].title,
			.at_byte = state->sections[i].prose_byte,
			.end_byte = state->sections[i].end_byte,
		};
	*ret_source = (struct memory_source){
		.text = { buf_str(&state->text), state->text.len },
		.sections = sections,
		.n_sections = n,
		.context = spec_context(&state->spec),
		.count = state->spec.count,
	};
	*ret_sections = sections;
	return OK;
}

/* Small models do not end by themselves: a little more than what is missing. */
static long small_max_tokens(const struct state *state)
{
	const struct state_section *section = &state->sections[state->section];
	long missing = section->words_asked - section->words;
	long tokens = (long)((double)missing * budget_tokens_per_word(state) * 1.2) + 60;

	return tokens < 60 ? 60 : tokens > SMALL_TOKENS_MAX ? SMALL_TOKENS_MAX : tokens;
}

enum err engine_ask_text(struct engine *engine, enum write_role role,
			 struct engine_action *ret_action)
{
	const struct state *state = engine->state;
	const struct state_section *section = &state->sections[state->section];
	long words = budget_ask_words(state, role);
	long tokens = (long)((double)words * budget_tokens_per_word(state) * 1.5) + 64;
	struct memory_section *sections;
	struct prompt_input input = {
		.role = prompt_role_of(state, role),
		.spec = &state->spec,
		.plan = &state->plan,
		.section = state->section,
		.words = words,
		.words_written = state->words,
		.tail = { buf_str(&state->text) + section->prose_byte,
			  section->end_byte - section->prose_byte },
		.is_retry = engine->fault != NULL,
		.fault = engine->fault,
	};
	struct engine_ask ask = { .role = ASK_WRITE, .sampling = text_sampling(engine) };
	enum err err = memory_of(state, &input.memory, &sections);

	if (err != OK)
		return err;
	ask.section = engine_section(engine);
	ask.words = words;
	if (state->spec.traits.is_small)
		ask.max_tokens = small_max_tokens(state);
	err = prompt_build(engine->prompts, &input, tokens, &ask.messages, &ask.is_prefilled);
	mem_free(sections);
	if (err != OK)
		return err;
	begin_call(engine, ASK_WRITE, role, words);
	engine->call.max_tokens = ask.max_tokens;
	engine->call.prompt_tokens = prompt_messages_tokens(ask.messages);
	engine->fault = NULL;
	engine->is_short_noted = false;
	ret_action->kind = ENGINE_ASK;
	ret_action->ask = ask;
	return OK;
}

static const char *role_name(const struct engine_call *call)
{
	static const char *const names[] = { [WRITE_NONE] = "plan",
					     [WRITE_SECTION] = "write",
					     [WRITE_CONTINUE] = "continue",
					     [WRITE_CLOSING] = "closing" };

	return names[call->role];
}

static const char *result_name(const struct engine_call *call)
{
	if (call->is_stop_wanted)
		return "stopped";
	return call->end.result == OK ? "ok" : "failed";
}

/* A call that we end cannot say any more what it used, some backends never do: it counts by
 * estimate. One that brought no answer used nothing. */
static struct usage usage_of(const struct engine *engine, bool *ret_is_estimate)
{
	const struct engine_call *call = &engine->call;
	const struct take *take = &call->take;
	const struct usage *told = &call->end.usage;
	size_t pending = take->pending.len - take->start;
	struct usage usage = { .prompt_tokens = call->prompt_tokens };

	*ret_is_estimate = false;
	if (told->prompt_tokens > 0 || told->completion_tokens > 0 ||
	    (call->end.result != OK && pending == 0 && take->words_read == 0 &&
	     take->reasoning_bytes == 0))
		return *told;
	*ret_is_estimate = true;
	usage.reasoning_tokens = (long long)(take->reasoning_bytes / BYTES_PER_TOKEN);
	usage.completion_tokens =
		usage.reasoning_tokens +
		llround((double)take->words_read * budget_tokens_per_word(engine->state)) +
		prompt_tokens(buf_str(&take->pending) + take->start, pending);
	return usage;
}

static json_t *usage_data(const struct engine *engine)
{
	bool is_estimate;
	struct usage usage = usage_of(engine, &is_estimate);

	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "prompt_tokens",
			 (json_int_t)usage.prompt_tokens, "completion_tokens",
			 (json_int_t)usage.completion_tokens, "reasoning_tokens",
			 (json_int_t)usage.reasoning_tokens, "cached_tokens",
			 (json_int_t)usage.cached_tokens, "is_usage_estimated", (int)is_estimate);
}

static json_t *call_data(const struct engine *engine)
{
	const struct engine_call *call = &engine->call;
	const char *finish = finish_reason_name(call->end.finish);
	json_t *data =
		json_pack("{s:s, s:s, s:s?, s:I, s:I, s:b, s:I, s:I}", "role", role_name(call),
			  "result", result_name(call), "finish", finish, "words_asked",
			  (json_int_t)call->words_asked, "words", (json_int_t)call->take.words_read,
			  "is_cut", (int)call->is_cut, "words_dropped",
			  (json_int_t)call->words_discarded, "ms", (json_int_t)call->end.took_ms);
	json_t *usage = usage_data(engine);

	if (data == NULL || usage == NULL || json_object_update(data, usage) != 0) {
		json_decref(data);
		data = NULL;
	}
	json_decref(usage);
	return data;
}

enum err engine_close_call(struct engine *engine)
{
	struct engine_call *call = &engine->call;
	bool has_thought = call->take.think.has_found;
	enum err err = engine_queue_event(engine, EVENT_CALL, (struct slice){ NULL, 0 },
					  call_data(engine));

	if (err != OK)
		return err;
	call->is_running = false;
	engine->made_progress = call->has_text;
	take_release(&call->take);
	return has_thought ? engine_queue_repair(engine, REPAIR_THINK, ACTION_DROP, 0) : OK;
}
