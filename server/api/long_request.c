#include "api/long_request.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

enum {
	DEFAULT_TARGET_WORDS = 1000, /* a text was asked for, and nothing says how long */
	TOKENS_MAX = 1000000000	     /* more is no bound */
};

/* ---- numbers ---- */

static const struct {
	enum chat_member member;
	const char *name;
	double min, max;
	size_t offset; /* in struct sampling */
	const char *message;
} sampling_rows[] = {
	{ CHAT_TEMPERATURE, "temperature", 0, 2, offsetof(struct sampling, temperature),
	  "must be a number from 0 to 2." },
	{ CHAT_TOP_P, "top_p", 0, 1, offsetof(struct sampling, top_p),
	  "must be a number from 0 to 1." },
	{ CHAT_FREQUENCY_PENALTY, "frequency_penalty", -2, 2,
	  offsetof(struct sampling, frequency_penalty), "must be a number from -2 to 2." },
	{ CHAT_PRESENCE_PENALTY, "presence_penalty", -2, 2,
	  offsetof(struct sampling, presence_penalty), "must be a number from -2 to 2." },
};

static bool read_sampling(const struct chat_request *chat, struct sampling *sampling,
			  struct api_fault *fault)
{
	for (size_t i = 0; i < sizeof(sampling_rows) / sizeof(sampling_rows[0]); i++) {
		json_t *value = chat_request_value(chat, sampling_rows[i].member);
		double number = json_number_value(value);
		bool is_number = json_is_number(value);

		json_decref(value);
		if (chat->members[sampling_rows[i].member].data == NULL)
			continue;
		if (!is_number || number < sampling_rows[i].min || number > sampling_rows[i].max)
			return api_fault_value(fault, sampling_rows[i].name,
					       sampling_rows[i].message);
		memcpy((char *)sampling + sampling_rows[i].offset, &number, sizeof(number));
	}
	return true;
}

static bool read_seed(const struct chat_request *chat, struct sampling *sampling,
		      struct api_fault *fault)
{
	json_t *value = chat_request_value(chat, CHAT_SEED);
	bool is_integer = json_is_integer(value);

	sampling->has_seed = is_integer;
	sampling->seed = json_integer_value(value);
	json_decref(value);
	return chat->members[CHAT_SEED].data == NULL || is_integer ||
	       api_fault_value(fault, "seed", "must be a whole number.");
}

static bool read_tokens(const struct chat_request *chat, enum chat_member member, const char *name,
			long *tokens, struct api_fault *fault)
{
	json_t *value = chat_request_value(chat, member);
	double number = json_number_value(value);
	bool is_good = json_is_number(value) && number >= 1 && number == floor(number);

	json_decref(value);
	if (chat->members[member].data == NULL)
		return true;
	if (!is_good)
		return api_fault_value(fault, name, "must be a whole number above 0.");
	*tokens = number < TOKENS_MAX ? (long)number : TOKENS_MAX;
	return true;
}

/* ---- stop ---- */

static bool add_stop(struct spec *spec, const json_t *value, struct api_fault *fault)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (text == NULL || len == 0 || len > SPEC_STOP_BYTES_MAX ||
	    memchr(text, '\0', len) != NULL || spec->n_stops == SPEC_STOPS_MAX)
		return api_fault_value(fault, "stop",
				       "must be a string or a list of at most 4 strings of 1 to "
				       "256 bytes, none of them zero.");
	spec->stops[spec->n_stops] = mem_strdup(text);
	if (spec->stops[spec->n_stops] == NULL)
		return api_fault_set_memory(fault);
	spec->n_stops++;
	return true;
}

static bool read_stops(const struct chat_request *chat, struct spec *spec, struct api_fault *fault)
{
	json_t *value = chat_request_value(chat, CHAT_STOP);
	bool is_good = true;
	size_t index;
	json_t *stop;

	if (chat->members[CHAT_STOP].data != NULL && !json_is_array(value))
		is_good = add_stop(spec, value, fault);
	json_array_foreach(value, index, stop) is_good = is_good && add_stop(spec, stop, fault);
	json_decref(value);
	return is_good;
}

/* ---- messages ---- */

static bool copy_messages(struct chat_request *chat, struct spec *spec, struct api_fault *fault)
{
	if (!chat_request_load(chat, fault))
		return false;
	json_decref(spec->history);
	spec->history = json_array();
	for (size_t i = 0; i < chat->last_user_index; i++) {
		/* Nobody changes a message: shared, not copied. */
		if (json_array_append(spec->history, json_array_get(chat->messages, i)) != 0)
			return api_fault_set_memory(fault);
	}
	mem_free(spec->request);
	spec->request = mem_copy(buf_str(&chat->last_user), chat->last_user.len);
	if (spec->history == NULL || spec->request == NULL)
		return api_fault_set_memory(fault);
	for (size_t i = 0; i < chat->last_user.len; i++)
		if (spec->request[i] == '\0') /* would end it: what follows counts too */
			spec->request[i] = ' ';
	return true;
}

static bool copy_plan(const struct plan *from, struct plan *to, struct api_fault *fault)
{
	json_t *json;
	struct buf message;
	struct buf param;
	enum err err = ERR_NO_MEMORY;

	if (from->n_sections == 0)
		return true;
	buf_init(&message, API_MESSAGE_BYTES);
	buf_init(&param, API_PARAM_BYTES);
	json = plan_to_json(from);
	plan_release(to);
	if (json != NULL)
		err = plan_from_json(json, to, &message, &param);
	json_decref(json);
	buf_release(&message);
	buf_release(&param);
	return err == OK ? true : api_fault_set_memory(fault);
}

/* ---- how long, and how ---- */

/* What was said explicitly wins: target_words, else the sum of a plan whose sections all have
 * lengths, else the demand of the text. */
static void choose_target(const struct long_request *request, struct spec *spec)
{
	const struct chat_options *options = request->options;
	bool is_planned = options->plan.n_sections > 0;

	for (size_t i = 0; i < options->plan.n_sections; i++)
		is_planned = is_planned && options->plan.sections[i].words > 0;
	spec->target_words = request->demand->target_words;
	spec->at_least = request->demand->at_least;
	spec->at_most = request->demand->at_most;
	if (options->target_words > 0)
		spec->target_words = options->target_words;
	else if (is_planned)
		spec->target_words = plan_words(&options->plan);
	else if (request->demand->has_number)
		return;
	else if (request->preset != NULL && request->preset->target_words > 0)
		spec->target_words = request->preset->target_words;
	spec->at_least = spec->at_most = 0;
	if (spec->target_words <= 0)
		spec->target_words = DEFAULT_TARGET_WORDS;
}

/* Longer than the configuration allows is refused, not shortened. */
static bool check_target(const struct api_options *options, const struct spec *spec,
			 struct api_fault *fault)
{
	if (spec->target_words <= options->target_words_max)
		return true;
	api_fault_set(fault, API_ERROR_INVALID_VALUE, "longhand.target_words",
		      "%ld words are more than this server writes at once (max_target_words is "
		      "%ld).",
		      spec->target_words, options->target_words_max);
	return false;
}

static void choose_manner(const struct long_request *request, enum context context,
			  struct spec *spec)
{
	const struct chat_options *options = request->options;
	const struct api_preset *preset = request->preset;

	spec->mode = request->mode;
	spec->is_plan_only = options->is_plan_only;
	spec->headings = options->headings;
	spec->count = options->count;
	spec->context = context;
	if (preset == NULL)
		return;
	if (!options->is_headings_said)
		spec->headings = preset->headings;
	if (!options->is_count_said)
		spec->count = preset->count;
	if (preset->context != CONTEXT_AUTO)
		spec->context = preset->context;
}

static void fill_traits(struct api *api, const struct long_request *request,
			struct model_traits *traits)
{
	struct model_target target = request->target;
	struct model_knowledge known;

	target.language = (unsigned)request->demand->language;
	api->model->know(api->model, &target, &known);
	*traits = (struct model_traits){
		.window_tokens = known.window_tokens,
		.can_continue = known.can_continue,
		.has_schema = known.has_schema,
		.is_small = known.is_small,
		.call_words_max = api->options->call_words_max,
		.tokens_per_word = known.tokens_per_word,
		.habit = known.habit,
	};
}

bool long_request_spec(struct api *api, const struct long_request *request, struct spec *ret_spec,
		       struct api_fault *fault)
{
	struct chat_request *chat = request->chat;
	size_t failures_before = mem_failures();
	bool is_good;

	spec_init(ret_spec);
	ret_spec->demand = *request->demand;
	sampling_init(&ret_spec->sampling);
	choose_target(request, ret_spec);
	choose_manner(request, api->options->context, ret_spec);
	fill_traits(api, request, &ret_spec->traits);
	is_good = check_target(api->options, ret_spec, fault) &&
		  read_sampling(chat, &ret_spec->sampling, fault) &&
		  read_seed(chat, &ret_spec->sampling, fault) &&
		  read_tokens(chat, CHAT_MAX_TOKENS, "max_tokens", &ret_spec->max_tokens, fault) &&
		  read_tokens(chat, CHAT_MAX_COMPLETION_TOKENS, "max_completion_tokens",
			      &ret_spec->max_tokens, fault) &&
		  read_stops(chat, ret_spec, fault) && copy_messages(chat, ret_spec, fault) &&
		  copy_plan(&request->options->plan, &ret_spec->plan, fault);
	/* A value that could not be parsed for lack of memory looks absent. */
	return mem_failures() == failures_before ? is_good : api_fault_set_memory(fault);
}
