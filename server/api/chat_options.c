#include "api/chat_options.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
	struct chat_options *options;
	struct api_fault *fault;
	const char *param; /* "longhand.mode", "X-Longhand-Mode" */
};

typedef bool (*read_fn)(struct reading *reading, const json_t *value);

static bool refuse(struct reading *reading, const char *message)
{
	api_fault_set(reading->fault, API_ERROR_INVALID_VALUE, reading->param, "%s %s",
		      reading->param, message);
	return false;
}

static bool refuse_unbuilt(struct reading *reading, const char *what, const char *works)
{
	api_fault_set(reading->fault, API_ERROR_NOT_AVAILABLE, reading->param,
		      "%s is not available in this version: %s", what, works);
	return false;
}

/* The index of the value among the names (NULL at the end); -1 and a fault when it is none. */
static int choose(struct reading *reading, const json_t *value, const char *const *names)
{
	const char *text = json_string_value(value);
	char list[160] = "";

	for (int i = 0; names[i] != NULL; i++) {
		size_t used = strlen(list);

		if (text != NULL && strcmp(text, names[i]) == 0)
			return i;
		(void)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", i > 0 ? ", " : "",
			       names[i]);
	}
	api_fault_set(reading->fault, API_ERROR_INVALID_VALUE, reading->param,
		      "%s must be one of %s.", reading->param, list);
	return -1;
}

static const char *const mode_names[] = {
#define X(name, text) text,
	CHAT_MODES(X)
#undef X
		NULL
};

static bool read_mode(struct reading *reading, const json_t *value)
{
	int index = choose(reading, value, mode_names);

	if (index < 0)
		return false;
	if (index == CHAT_MODE_PARALLEL)
		return refuse_unbuilt(reading, "mode \"parallel\"",
				      "use \"serial\", \"single\", \"auto\" or \"off\".");
	reading->options->mode = (enum chat_mode)index;
	reading->options->is_mode_said = true;
	return true;
}

static bool read_target_words(struct reading *reading, const json_t *value)
{
	double words = json_number_value(value);

	if (!json_is_number(value) || !(words >= TARGET_WORDS_MIN && words <= TARGET_WORDS_MAX) ||
	    words != floor(words))
		return refuse(reading, "must be a whole number from 20 to 1000000.");
	reading->options->target_words = (long)words;
	return true;
}

static bool read_plan(struct reading *reading, const json_t *value)
{
	struct buf message;
	struct buf param;
	enum err err;

	buf_init(&message, API_MESSAGE_BYTES);
	buf_init(&param, API_PARAM_BYTES);
	plan_release(&reading->options->plan);
	err = plan_from_json(value, &reading->options->plan, &message, &param);
	if (err == ERR_NO_MEMORY)
		api_fault_set_memory(reading->fault);
	else if (err != OK)
		api_fault_set(reading->fault, API_ERROR_INVALID_VALUE,
			      param.len > 0 ? param.data : reading->param, "%s %s",
			      param.len > 0 ? param.data : reading->param, buf_str(&message));
	buf_release(&message);
	buf_release(&param);
	return err == OK;
}

static bool read_plan_from(struct reading *reading, const json_t *value)
{
	(void)value;
	return refuse_unbuilt(reading, "plan_from", "give the sections themselves in \"plan\".");
}

static bool read_bool(struct reading *reading, const json_t *value, bool *ret_value)
{
	if (!json_is_boolean(value))
		return refuse(reading, "must be true or false.");
	*ret_value = json_is_true(value);
	return true;
}

static bool read_plan_only(struct reading *reading, const json_t *value)
{
	return read_bool(reading, value, &reading->options->is_plan_only);
}

static bool read_keep(struct reading *reading, const json_t *value)
{
	return read_bool(reading, value, &reading->options->keep);
}

static bool read_delivery(struct reading *reading, const json_t *value)
{
	static const char *const names[] = { "live", "reviewed", NULL };
	int index = choose(reading, value, names);

	if (index == 1)
		return refuse_unbuilt(reading, "delivery \"reviewed\"", "use \"live\".");
	return index == 0;
}

static bool read_headings(struct reading *reading, const json_t *value)
{
	static const char *const names[] = { "auto", "none", "markdown", NULL };
	int index = choose(reading, value, names);

	if (index < 0)
		return false;
	reading->options->headings = (enum headings)index;
	reading->options->is_headings_said = true;
	return true;
}

static bool read_count(struct reading *reading, const json_t *value)
{
	static const char *const names[] = { "natural", "benchmark", NULL };
	int index = choose(reading, value, names);

	if (index < 0)
		return false;
	reading->options->count = index == 0 ? WORDS_NATURAL : WORDS_BENCHMARK;
	reading->options->is_count_said = true;
	return true;
}

static bool read_show_plan(struct reading *reading, const json_t *value)
{
	static const char *const names[] = { "reasoning", "none", NULL };
	int index = choose(reading, value, names);

	reading->options->is_plan_shown = index == 0;
	return index >= 0;
}

enum { HEADER_DIGITS_MAX = 9 };
enum kind { KIND_TEXT, KIND_NUMBER, KIND_BOOL, KIND_BODY_ONLY };

static const struct {
	const char *key;
	const char *header; /* NULL: in the body only */
	enum kind kind;
	read_fn read;
} options_table[] = {
	{ "mode", "X-Longhand-Mode", KIND_TEXT, read_mode },
	{ "target_words", "X-Longhand-Target-Words", KIND_NUMBER, read_target_words },
	{ "plan", NULL, KIND_BODY_ONLY, read_plan },
	{ "plan_from", "X-Longhand-Plan-From", KIND_TEXT, read_plan_from },
	{ "plan_only", "X-Longhand-Plan-Only", KIND_BOOL, read_plan_only },
	{ "delivery", "X-Longhand-Delivery", KIND_TEXT, read_delivery },
	{ "headings", "X-Longhand-Headings", KIND_TEXT, read_headings },
	{ "count", "X-Longhand-Count", KIND_TEXT, read_count },
	{ "show_plan", "X-Longhand-Show-Plan", KIND_TEXT, read_show_plan },
	{ "keep", "X-Longhand-Keep", KIND_BOOL, read_keep },
};

enum { N_OPTIONS = sizeof(options_table) / sizeof(options_table[0]) };

void chat_options_init(struct chat_options *options)
{
	*options = (struct chat_options){ .mode = CHAT_MODE_AUTO, .is_plan_shown = true };
	plan_init(&options->plan);
}

void chat_options_release(struct chat_options *options)
{
	plan_release(&options->plan);
}

static bool is_text(struct slice value, const char *text)
{
	return value.len == strlen(text) && memcmp(value.data, text, value.len) == 0;
}

/* A header's text as the JSON value it stands for; what it is not stays a string and is refused
 * by the option's own reader. */
static json_t *header_value(enum kind kind, const char *text)
{
	struct slice value = text_trim(text, strlen(text)); /* space behind it is none of it */
	size_t n_digits = strspn(value.data, "0123456789");

	if (kind == KIND_BOOL && is_text(value, "true"))
		return json_true();
	if (kind == KIND_BOOL && is_text(value, "false"))
		return json_false();
	if (kind == KIND_NUMBER && n_digits == value.len && n_digits <= HEADER_DIGITS_MAX)
		return json_integer(strtol(value.data, NULL, 10));
	return json_stringn(value.data, value.len);
}

static const char header_prefix[] = "X-Longhand-";

struct strangers {
	struct api_fault *fault;
	bool is_found;
	bool has_ours; /* a header of ours is there at all */
};

/* An option that is misspelt must not be ignored. */
static void look_for_stranger(void *context, const char *name, const char *value)
{
	struct strangers *strangers = context;

	(void)value;
	if (strangers->is_found ||
	    strncasecmp(name, header_prefix, sizeof(header_prefix) - 1) != 0)
		return;
	strangers->has_ours = true;
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (options_table[i].header != NULL &&
		    strcasecmp(name, options_table[i].header) == 0)
			return;
	strangers->is_found = true;
	api_fault_set(strangers->fault, API_ERROR_UNKNOWN_OPTION, name,
		      "%.100s is not an option that a header can set: docs/api.md lists them.",
		      name);
}

static bool read_headers(const struct request *request, struct reading *reading)
{
	struct strangers strangers = { .fault = reading->fault };

	request_each_header(request, look_for_stranger, &strangers);
	if (strangers.is_found || !strangers.has_ours)
		return !strangers.is_found;
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const char *text = options_table[i].header != NULL
					   ? request_header(request, options_table[i].header)
					   : NULL;
		json_t *value;
		bool is_good;

		if (text == NULL || text[0] == '\0')
			continue;
		reading->param = options_table[i].header;
		value = header_value(options_table[i].kind, text);
		is_good = options_table[i].read(reading, value);
		json_decref(value);
		if (!is_good)
			return false;
	}
	return true;
}

static bool read_member(struct reading *reading, const char *key, const json_t *value)
{
	char param[API_PARAM_BYTES];

	(void)snprintf(param, sizeof(param), "longhand.%s", key);
	reading->param = param;
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcmp(options_table[i].key, key) == 0)
			return json_is_null(value) || options_table[i].read(reading, value);
	api_fault_set(reading->fault, API_ERROR_UNKNOWN_OPTION, param,
		      "%s is not an option. Options are mode, target_words, plan, plan_only, "
		      "delivery, headings, count, show_plan and keep.",
		      param);
	return false;
}

bool chat_options_read(const struct request *request, const json_t *longhand,
		       struct chat_options *options, struct api_fault *fault)
{
	struct reading reading = { options, fault, NULL };
	const char *key;
	json_t *value;

	if (!read_headers(request, &reading))
		return false;
	json_object_foreach((json_t *)longhand, key, value)
		if (!read_member(&reading, key, value))
			return false;
	return true;
}
