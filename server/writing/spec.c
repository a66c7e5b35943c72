#include "writing/spec.h"
#include <math.h>
#include <string.h>
#include "base/mem.h"

enum {
	FULL_WORDS_MAX = 6000,	  /* beyond, all previous text makes models repeat themselves */
	FULL_SPARE_TOKENS = 4000, /* of the window: request, plan, instruction, section */
	FULL_TOKENS_PER_WORD = 2, /* cautious, for any language */
	ESSAY_HEADINGS_WORDS = 1500
};

/* The names in the log, by the enums' values. */
static const char *const languages[] = { "english", "chinese", "other" };
static const char *const kinds[] = { "other", "article", "report", "manual", "guide", "story",
				     "novel", "letter",	 "speech", "poem",   "essay", "thesis",
				     "plan",  "lesson",	 "script", "review", "post",  "list" };
static const char *const bounds[] = { "about", "at_least", "at_most", "range" };
static const char *const counts[] = { "natural", "benchmark" };
static const char *const modes[] = { "serial", "single" };
static const char *const headings_names[] = { "auto", "none", "markdown" };
static const char *const contexts[] = { "auto", "full", "bounded", "direct" };

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == DEMAND_KINDS, "a name for each kind");

#define READ_NAME(json, key, names, ret_value)                                                     \
	read_name(json, key, names, sizeof(names) / sizeof((names)[0]), ret_value)

void spec_init(struct spec *spec)
{
	*spec = (struct spec){ 0 };
	plan_init(&spec->plan);
	spec->sampling.temperature = NAN;
	spec->sampling.top_p = NAN;
	spec->sampling.frequency_penalty = NAN;
	spec->sampling.presence_penalty = NAN;
}

void spec_release(struct spec *spec)
{
	json_decref(spec->history);
	mem_free(spec->request);
	plan_release(&spec->plan);
	for (size_t i = 0; i < spec->n_stops; i++)
		mem_free(spec->stops[i]);
	spec_init(spec);
}

static json_t *demand_to_json(const struct demand *demand)
{
	return json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b}", "target_words",
			 (json_int_t)demand->target_words, "at_least", (json_int_t)demand->at_least,
			 "at_most", (json_int_t)demand->at_most, "language",
			 languages[demand->language], "kind", kinds[demand->kind], "bound",
			 bounds[demand->bound], "has_number", (int)demand->has_number, "is_writing",
			 (int)demand->is_writing);
}

static json_t *traits_to_json(const struct model_traits *traits)
{
	return json_pack("{s:I, s:b, s:b, s:b, s:I, s:f, s:f}", "window_tokens",
			 (json_int_t)traits->window_tokens, "can_continue",
			 (int)traits->can_continue, "has_schema", (int)traits->has_schema,
			 "is_small", (int)traits->is_small, "call_words_max",
			 (json_int_t)traits->call_words_max, "tokens_per_word",
			 traits->tokens_per_word, "habit", traits->habit);
}

static bool set_real(json_t *object, const char *name, double value)
{
	return isnan(value) || json_object_set_new(object, name, json_real(value)) == 0;
}

static json_t *sampling_to_json(const struct sampling *sampling)
{
	json_t *object = json_object();

	if (object == NULL)
		return NULL;
	if (set_real(object, "temperature", sampling->temperature) &&
	    set_real(object, "top_p", sampling->top_p) &&
	    set_real(object, "frequency_penalty", sampling->frequency_penalty) &&
	    set_real(object, "presence_penalty", sampling->presence_penalty) &&
	    (!sampling->has_seed ||
	     json_object_set_new(object, "seed", json_integer(sampling->seed)) == 0))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *stops_to_json(const struct spec *spec)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < spec->n_stops; i++) {
		if (json_array_append_new(array, json_string(spec->stops[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *history_of(const struct spec *spec)
{
	return spec->history != NULL ? json_incref(spec->history) : json_array();
}

json_t *spec_to_json(const struct spec *spec)
{
	json_t *object = json_pack(
		"{s:o, s:s, s:o, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:o, s:o}",
		"history", history_of(spec), "request", spec->request != NULL ? spec->request : "",
		"demand", demand_to_json(&spec->demand), "target_words",
		(json_int_t)spec->target_words, "at_least", (json_int_t)spec->at_least, "at_most",
		(json_int_t)spec->at_most, "count", counts[spec->count], "mode", modes[spec->mode],
		"headings", headings_names[spec->headings], "context", contexts[spec->context],
		"plan_only", (int)spec->is_plan_only, "max_tokens", (json_int_t)spec->max_tokens,
		"stop", stops_to_json(spec), "sampling", sampling_to_json(&spec->sampling),
		"traits", traits_to_json(&spec->traits));

	if (object == NULL || spec->plan.n_sections == 0)
		return object;
	if (json_object_set_new(object, "plan", plan_to_json(&spec->plan)) == 0)
		return object;
	json_decref(object);
	return NULL;
}

/* The readers return false when a member is missing or has another type. */
static bool read_long(const json_t *json, const char *key, long *ret_value)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value))
		return false;
	*ret_value = (long)json_integer_value(value);
	return true;
}

static bool read_bool(const json_t *json, const char *key, bool *ret_value)
{
	const json_t *value = json_object_get(json, key);

	*ret_value = json_is_true(value);
	return json_is_boolean(value);
}

/* A number that may be absent, then it stays as it is. */
static bool read_real(const json_t *json, const char *key, double *ret_value)
{
	const json_t *value = json_object_get(json, key);

	if (json_is_number(value))
		*ret_value = json_number_value(value);
	return value == NULL || json_is_number(value);
}

static bool read_name(const json_t *json, const char *key, const char *const *names, size_t n,
		      int *ret_value)
{
	const char *name = json_string_value(json_object_get(json, key));

	for (size_t i = 0; name != NULL && i < n; i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*ret_value = (int)i;
		return true;
	}
	return false;
}

static bool read_demand(const json_t *json, struct demand *demand)
{
	int language = 0;
	int kind = 0;
	int bound = 0;

	if (!read_long(json, "target_words", &demand->target_words) ||
	    !read_long(json, "at_least", &demand->at_least) ||
	    !read_long(json, "at_most", &demand->at_most) ||
	    !READ_NAME(json, "language", languages, &language) ||
	    !READ_NAME(json, "kind", kinds, &kind) || !READ_NAME(json, "bound", bounds, &bound) ||
	    !read_bool(json, "has_number", &demand->has_number) ||
	    !read_bool(json, "is_writing", &demand->is_writing))
		return false;
	demand->language = (enum language)language;
	demand->kind = (enum demand_kind)kind;
	demand->bound = (enum demand_bound)bound;
	return true;
}

static bool read_traits(const json_t *json, struct model_traits *traits)
{
	return read_long(json, "window_tokens", &traits->window_tokens) &&
	       read_bool(json, "can_continue", &traits->can_continue) &&
	       read_bool(json, "has_schema", &traits->has_schema) &&
	       read_bool(json, "is_small", &traits->is_small) &&
	       read_long(json, "call_words_max", &traits->call_words_max) &&
	       read_real(json, "tokens_per_word", &traits->tokens_per_word) &&
	       read_real(json, "habit", &traits->habit);
}

static bool read_sampling(const json_t *json, struct sampling *sampling)
{
	const json_t *seed = json_object_get(json, "seed");

	sampling->has_seed = seed != NULL;
	sampling->seed = json_integer_value(seed);
	return json_is_object(json) && (seed == NULL || json_is_integer(seed)) &&
	       read_real(json, "temperature", &sampling->temperature) &&
	       read_real(json, "top_p", &sampling->top_p) &&
	       read_real(json, "frequency_penalty", &sampling->frequency_penalty) &&
	       read_real(json, "presence_penalty", &sampling->presence_penalty);
}

static bool read_scalars(const json_t *json, struct spec *spec)
{
	int count = 0;
	int mode = 0;
	int headings = 0;
	int context = 0;

	if (!read_long(json, "target_words", &spec->target_words) ||
	    !read_long(json, "at_least", &spec->at_least) ||
	    !read_long(json, "at_most", &spec->at_most) ||
	    !READ_NAME(json, "count", counts, &count) || !READ_NAME(json, "mode", modes, &mode) ||
	    !READ_NAME(json, "headings", headings_names, &headings) ||
	    !READ_NAME(json, "context", contexts, &context) ||
	    !read_bool(json, "plan_only", &spec->is_plan_only) ||
	    !read_long(json, "max_tokens", &spec->max_tokens))
		return false;
	spec->count = (enum word_rule)count;
	spec->mode = (enum writing_mode)mode;
	spec->headings = (enum headings)headings;
	spec->context = (enum context)context;
	return true;
}

static enum err read_stops(const json_t *json, struct spec *spec)
{
	if (!json_is_array(json) || json_array_size(json) > SPEC_STOPS_MAX)
		return ERR_INVALID;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *stop = json_string_value(json_array_get(json, i));

		if (stop == NULL)
			return ERR_INVALID;
		spec->stops[i] = mem_strdup(stop);
		if (spec->stops[i] == NULL)
			return ERR_NO_MEMORY;
		spec->n_stops++;
	}
	return OK;
}

static enum err read_plan(const json_t *json, struct spec *spec)
{
	struct buf unread; /* a plan of the log is refused as a whole: nobody asks where */
	enum err err;

	if (json == NULL)
		return OK;
	if (!json_is_object(json))
		return ERR_INVALID;
	buf_init(&unread, 1024);
	err = plan_from_json(json, &spec->plan, &unread, &unread);
	buf_release(&unread);
	return err;
}

static enum err read_texts(const json_t *json, struct spec *spec)
{
	json_t *history = json_object_get(json, "history");
	const char *request = json_string_value(json_object_get(json, "request"));

	if (!json_is_array(history) || request == NULL)
		return ERR_INVALID;
	spec->history = json_incref(history);
	spec->request = mem_strdup(request);
	return spec->request != NULL ? OK : ERR_NO_MEMORY;
}

enum err spec_from_json(const json_t *json, struct spec *ret_spec)
{
	struct spec spec;
	enum err err;

	spec_init(&spec);
	err = read_texts(json, &spec);
	if (err == OK && (!read_scalars(json, &spec) ||
			  !read_demand(json_object_get(json, "demand"), &spec.demand) ||
			  !read_sampling(json_object_get(json, "sampling"), &spec.sampling) ||
			  !read_traits(json_object_get(json, "traits"), &spec.traits)))
		err = ERR_INVALID;
	if (err == OK)
		err = read_stops(json_object_get(json, "stop"), &spec);
	if (err == OK)
		err = read_plan(json_object_get(json, "plan"), &spec);
	if (err == OK)
		*ret_spec = spec;
	else
		spec_release(&spec);
	return err;
}

enum context spec_context(const struct spec *spec)
{
	long needed = spec->target_words * FULL_TOKENS_PER_WORD + FULL_SPARE_TOKENS;

	if (spec->context != CONTEXT_AUTO)
		return spec->context;
	if (spec->traits.is_small)
		return CONTEXT_DIRECT;
	return spec->target_words <= FULL_WORDS_MAX && spec->traits.window_tokens >= needed
		       ? CONTEXT_FULL
		       : CONTEXT_BOUNDED;
}

bool spec_has_headings(const struct spec *spec)
{
	/* by kind: from how many words on; 0: never */
	static const long from_words[DEMAND_KINDS] = {
		[DEMAND_ARTICLE] = 1, [DEMAND_REPORT] = 1, [DEMAND_MANUAL] = 1,
		[DEMAND_GUIDE] = 1,   [DEMAND_THESIS] = 1, [DEMAND_ESSAY] = ESSAY_HEADINGS_WORDS,
		[DEMAND_PLAN] = 1,    [DEMAND_LESSON] = 1, [DEMAND_POST] = 1,
	};
	long from = from_words[spec->demand.kind];

	if (spec->headings != HEADINGS_AUTO)
		return spec->headings == HEADINGS_MARKDOWN;
	for (size_t i = 0; i < spec->plan.n_sections; i++)
		if (spec->plan.sections[i].is_title_users)
			return true;
	return from > 0 && spec->target_words >= from;
}
