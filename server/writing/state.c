#include "writing/state.h"

#include <string.h>

#include "base/mem.h"

static const double habit_min = 0.5, habit_max = 2.0;
static const double habit_weight_new = 0.5; /* of the latest call, against all before it */

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

static long long get_count(const json_t *data, const char *key)
{
	return usage_count(json_integer_value(json_object_get(data, key)));
}

static const char *get_str(const json_t *data, const char *key)
{
	const char *value = json_string_value(json_object_get(data, key));

	return value != NULL ? value : "";
}

static bool is_true(const json_t *data, const char *key)
{
	return json_is_true(json_object_get(data, key));
}

void state_init(struct state *state)
{
	*state = (struct state){ .phase = STATE_NEW };
	spec_init(&state->spec);
	plan_init(&state->plan);
	buf_init(&state->text, STATE_TEXT_BYTES_MAX);
	word_counter_init(&state->counter);
	word_counter_init(&state->section_counter);
}

void state_release(struct state *state)
{
	spec_release(&state->spec);
	plan_release(&state->plan);
	buf_release(&state->text);
	mem_free(state->sections);
	json_decref(state->repairs);
	json_decref(state->unmet);
	json_decref(state->end_data);
	state_init(state);
}

static long total_of(const struct state *state, const struct word_counter *counter)
{
	struct word_count count = word_counter_total(counter);

	return state->spec.count == WORDS_BENCHMARK ? count.benchmark : count.natural;
}

static struct state_section *section_of(struct state *state, const struct event *event)
{
	if (event->section == 0 || event->section > state->plan.n_sections)
		return NULL;
	return &state->sections[event->section - 1];
}

/* The running section, which is the only one that prose may come for. */
static struct state_section *running_of(struct state *state, const struct event *event)
{
	struct state_section *section = section_of(state, event);

	if (section == NULL || state->phase != STATE_WRITING ||
	    event->section - 1 != state->section || !section->is_started || section->is_done)
		return NULL;
	return section;
}

static enum err note_unmet(struct state *state, const json_t *unmet)
{
	size_t i;
	json_t *one;

	json_array_foreach(unmet, i, one)
	{
		if (json_array_size(state->unmet) >= STATE_UNMET_MAX)
			return OK;
		if (json_array_append(state->unmet, one) != 0)
			return ERR_NO_MEMORY;
	}
	return OK;
}

static enum err apply_created(struct state *state, const struct event *event)
{
	enum err err;

	if (state->phase != STATE_NEW)
		return ERR_INVALID;
	if (state->repairs == NULL)
		state->repairs = json_array();
	if (state->unmet == NULL)
		state->unmet = json_array();
	if (state->repairs == NULL || state->unmet == NULL)
		return ERR_NO_MEMORY;
	err = spec_from_json(json_object_get(event->data, "spec"), &state->spec);
	if (err != OK)
		return err;
	state->phase = STATE_PLANNING;
	state->created_ms = event->t_ms;
	state->target_words = state->spec.target_words;
	state->habit = state->spec.traits.habit > 0
			       ? clamp(state->spec.traits.habit, habit_min, habit_max)
			       : 1.0;
	return OK;
}

static enum err read_plan(const json_t *json, struct plan *ret_plan)
{
	struct buf message, param;
	enum err err;

	buf_init(&message, 4096);
	buf_init(&param, 1024);
	err = plan_from_json(json, ret_plan, &message, &param);
	buf_release(&message);
	buf_release(&param);
	return err;
}

static enum err apply_planned(struct state *state, const struct event *event)
{
	struct plan plan;
	enum err err;

	if (state->phase != STATE_PLANNING)
		return ERR_INVALID;
	plan_init(&plan);
	err = read_plan(json_object_get(event->data, "plan"), &plan);
	if (err == OK && plan.n_sections == 0)
		err = ERR_INVALID;
	if (err != OK) {
		plan_release(&plan);
		return err;
	}
	state->sections = mem_alloc(plan.n_sections * sizeof(*state->sections));
	if (state->sections == NULL) {
		plan_release(&plan);
		return ERR_NO_MEMORY;
	}
	state->plan = plan;
	state->phase = STATE_WRITING;
	state->planned_ms = event->t_ms;
	if (get_count(event->data, "target_words") > 0)
		state->target_words = (long)get_count(event->data, "target_words");
	return note_unmet(state, json_object_get(event->data, "unmet"));
}

static enum err apply_section_started(struct state *state, const struct event *event)
{
	struct state_section *section = section_of(state, event);

	if (section == NULL || state->phase != STATE_WRITING || section->is_started ||
	    event->section - 1 != state->section)
		return ERR_INVALID;
	section->is_started = true;
	section->words_asked = (long)get_count(event->data, "words_asked");
	section->words_before = state->words;
	section->at_byte = section->prose_byte = section->end_byte = state->text.len;
	word_counter_init(&state->section_counter);
	return OK;
}

/* White space at the front of a section's first text is the seam, not prose. */
static size_t seam_bytes(const struct event *event)
{
	struct slice trimmed = text_trim(event->text, event->text_len);

	return trimmed.len == 0 ? event->text_len : (size_t)(trimmed.data - event->text);
}

static enum err apply_text(struct state *state, const struct event *event)
{
	struct state_section *section = running_of(state, event);
	size_t skip = 0;
	enum err err;

	if (section == NULL || event->text_len == 0)
		return ERR_INVALID;
	if (section->words == 0 && section->prose_byte == section->end_byte)
		skip = is_true(event->data, "is_heading") ? event->text_len : seam_bytes(event);
	err = buf_append(&state->text, event->text, event->text_len);
	if (err != OK)
		return err;
	section->has_heading |= is_true(event->data, "is_heading");
	section->prose_byte += skip;
	section->end_byte = state->text.len;
	word_counter_feed(&state->counter, event->text, event->text_len);
	state->words = total_of(state, &state->counter);
	if (skip < event->text_len)
		word_counter_feed(&state->section_counter, event->text + skip,
				  event->text_len - skip);
	section->words = total_of(state, &state->section_counter);
	return OK;
}

static enum err apply_section_done(struct state *state, const struct event *event)
{
	struct state_section *section = running_of(state, event);

	if (section == NULL)
		return ERR_INVALID;
	section->is_done = true;
	if (section->is_cut)
		state->sections_cut++;
	state->section++;
	return note_unmet(state, json_object_get(event->data, "unmet"));
}

static enum err apply_repaired(struct state *state, const struct event *event)
{
	struct state_section *section = section_of(state, event);
	const char *action = get_str(event->data, "action");

	state->words_dropped += (long)get_count(event->data, "words_dropped");
	if (section != NULL && strcmp(action, "redo") == 0)
		section->redos++;
	if (strcmp(get_str(event->data, "kind"), "stop_string") == 0)
		state->is_stop_found = true;
	state->n_repairs++;
	if (json_array_size(state->repairs) >= STATE_REPAIRS_MAX)
		return OK;
	if (json_array_append_new(
		    state->repairs,
		    json_pack("{s:i, s:s, s:s}", "section", (int)event->section, "kind",
			      get_str(event->data, "kind"), "action", action)) != 0)
		return ERR_NO_MEMORY;
	return OK;
}

/* A call that we ended would have gone on: it counts a tenth more than what was read of it, so that
 * the words asked for come down until the model ends by itself. */
static void learn_habit(struct state *state, const struct event *event, bool is_stopped)
{
	double asked = (double)get_count(event->data, "words_asked");
	double words = (double)get_count(event->data, "words");

	if (asked < 20 || words < 5)
		return;
	if (is_stopped && words < asked)
		return; /* ended for another reason than its length */
	if (is_stopped)
		words *= 1.1;
	state->habit =
		clamp((1 - habit_weight_new) * state->habit + habit_weight_new * words / asked,
		      habit_min, habit_max);
}

static void count_call(struct state *state, struct state_section *section,
		       const struct event *event)
{
	const char *role = get_str(event->data, "role");
	long words = (long)get_count(event->data, "words");

	section->calls++;
	section->is_cut = is_true(event->data, "is_cut");
	section->empties = section->words > section->words_at_call ? 0 : section->empties + 1;
	section->words_at_call = section->words;
	if (strcmp(role, "continue") == 0)
		section->continues++;
	if (strcmp(role, "closing") == 0)
		section->closings++;
	if (get_count(event->data, "completion_tokens") > 0 &&
	    !is_true(event->data, "is_usage_estimated") &&
	    strcmp(get_str(event->data, "result"), "ok") == 0 && words > 0) {
		state->written_tokens += get_count(event->data, "completion_tokens") -
					 get_count(event->data, "reasoning_tokens");
		state->written_words += words;
	}
}

static void add_usage(struct state *state, const json_t *data)
{
	struct usage usage = {
		.prompt_tokens = get_count(data, "prompt_tokens"),
		.completion_tokens = get_count(data, "completion_tokens"),
		.reasoning_tokens = get_count(data, "reasoning_tokens"),
		.cached_tokens = get_count(data, "cached_tokens"),
	};

	usage_add(&state->usage, &usage);
}

static enum err apply_call(struct state *state, const struct event *event)
{
	struct state_section *section = section_of(state, event);
	const char *result = get_str(event->data, "result");

	state->calls++;
	add_usage(state, event->data);
	state->words_dropped += (long)get_count(event->data, "words_dropped");
	if (strcmp(result, "failed") == 0) {
		state->calls_failed++;
		return OK;
	}
	if (section == NULL) {
		state->plan_calls++;
		return OK;
	}
	count_call(state, section, event);
	learn_habit(state, event, strcmp(result, "stopped") == 0);
	return OK;
}

static enum err apply_cancelled(struct state *state, const struct event *event)
{
	(void)event;
	state->is_cancelled = true;
	return OK;
}

static enum err apply_parked(struct state *state, const struct event *event)
{
	state->is_parked = event->kind == EVENT_PARKED;
	return OK;
}

static enum err apply_end(struct state *state, const struct event *event)
{
	state->phase = STATE_ENDED;
	state->end = event->kind;
	state->end_data = json_incref(event->data);
	return OK;
}

static enum err apply_nothing(struct state *state, const struct event *event)
{
	(void)state;
	(void)event;
	return OK;
}

static enum err apply_not_known(struct state *state, const struct event *event)
{
	(void)state;
	(void)event;
	return ERR_INVALID;
}

typedef enum err apply_fn(struct state *state, const struct event *event);

static apply_fn *const applies[EVENT_KIND_COUNT] = {
	[EVENT_CREATED] = apply_created,
	[EVENT_CLAIMED] = apply_nothing,
	[EVENT_PLANNED] = apply_planned,
	[EVENT_PLAN_EXTENDED] = apply_not_known,
	[EVENT_SECTION_STARTED] = apply_section_started,
	[EVENT_TEXT] = apply_text,
	[EVENT_DRAFT] = apply_nothing,
	[EVENT_SECTION_DONE] = apply_section_done,
	[EVENT_NOTED] = apply_nothing,
	[EVENT_REPAIRED] = apply_repaired,
	[EVENT_CALL] = apply_call,
	[EVENT_REASONING] = apply_nothing,
	[EVENT_PARKED] = apply_parked,
	[EVENT_RESUMED] = apply_parked,
	[EVENT_CANCELLED] = apply_cancelled,
	[EVENT_DONE] = apply_end,
	[EVENT_FAILED] = apply_end,
};

enum err state_apply(struct state *state, const struct event *event)
{
	enum err err;

	if (state->phase == STATE_ENDED || (unsigned)event->kind >= EVENT_KIND_COUNT)
		return ERR_INVALID;
	if (state->phase == STATE_NEW && event->kind != EVENT_CREATED)
		return ERR_INVALID;
	err = applies[event->kind](state, event);
	if (err == OK)
		state->last_ms = event->t_ms;
	return err;
}

long state_eta_s(const struct state *state)
{
	uint64_t took_ms = state->last_ms - state->planned_ms;
	long left_words = state->target_words - state->words;

	if (state->phase != STATE_WRITING || state->words < 20 ||
	    state->last_ms <= state->planned_ms || left_words <= 0)
		return 0;
	return (long)((double)took_ms / (double)state->words * (double)left_words / 1000.0) + 1;
}

const char *state_status(const struct state *state)
{
	if (state->is_parked && !state->is_cancelled && state->phase != STATE_ENDED)
		return "parked";
	switch (state->phase) {
	case STATE_NEW:
	case STATE_PLANNING:
		return "planning";
	case STATE_WRITING:
		return "writing";
	case STATE_ENDED:
		break;
	}
	if (state->end == EVENT_FAILED)
		return "failed";
	return state->is_cancelled ? "cancelled" : "done";
}
