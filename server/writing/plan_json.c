/* The plan as JSON: the half of plan.h that reads and writes it. */
#include <string.h>
#include "writing/plan.h"

static json_t *section_to_json(const struct plan_section *section)
{
	return json_pack("{s:s, s:s, s:I}", "title", section->title, "point", section->point,
			 "words", (json_int_t)section->words);
}

json_t *plan_sections_to_json(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && i < plan->n_sections; i++) {
		if (json_array_append_new(array, section_to_json(&plan->sections[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static int set_flag(json_t *object, const char *name, bool flag)
{
	return flag ? json_object_set_new(object, name, json_true()) : 0;
}

json_t *plan_to_json(const struct plan *plan)
{
	json_t *sections = plan_sections_to_json(plan);
	int failed = sections == NULL;

	for (size_t i = 0; !failed && i < plan->n_sections; i++) {
		json_t *object = json_array_get(sections, i);

		failed = set_flag(object, "own_title", plan->sections[i].is_title_users) != 0 ||
			 set_flag(object, "own_words", plan->sections[i].is_words_users) != 0;
	}
	if (failed) {
		json_decref(sections);
		return NULL;
	}
	return json_pack("{s:s, s:o}", "title", plan->title != NULL ? plan->title : "", "sections",
			 sections);
}

/* Where in the client's plan we are, and what to say when it is wrong. */
struct reading {
	size_t index;
	bool is_clients; /* else our own, from the log: fillers have no title, point or words */
	struct buf *message;
	struct buf *param;
};

/* Ends every check that fails: the message, then where. */
static enum err refuse(const struct reading *reading, const char *member, const char *message)
{
	enum err err = buf_append_str(reading->message, message);

	if (err == OK)
		err = buf_printf(reading->param, "longhand.plan[%zu]%s%s", reading->index,
				 member[0] != '\0' ? "." : "", member);
	return err == OK ? ERR_INVALID : err;
}

/* The member, or NULL when it is absent or null. */
static const json_t *member_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static struct slice string_of(const json_t *value)
{
	if (!json_is_string(value))
		return (struct slice){ .data = "", .len = 0 };
	return (struct slice){ .data = json_string_value(value), .len = json_string_length(value) };
}

static bool is_known_member(const char *name)
{
	static const char *const names[] = { "title", "point", "words", "own_title", "own_words" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static enum err check_string(const struct reading *reading, const json_t *object, const char *name,
			     size_t bytes_max)
{
	const json_t *value = member_of(object, name);

	if (value == NULL)
		return OK;
	if (!json_is_string(value))
		return refuse(reading, name, "must be a string");
	return json_string_length(value) > bytes_max ? refuse(reading, name, "is too long") : OK;
}

static enum err check_section(const struct reading *reading, json_t *object)
{
	json_int_t words_min = reading->is_clients ? 1 : 0;
	const json_t *words;
	const char *name;
	json_t *value;
	enum err err;

	if (!json_is_object(object))
		return refuse(reading, "", "must be an object with title, point or words");
	json_object_foreach(object, name, value)
	{
		if (!is_known_member(name))
			return refuse(reading, name, "is not known here: title, point, words");
	}
	err = check_string(reading, object, "title", PLAN_TITLE_BYTES_MAX);
	if (err == OK)
		err = check_string(reading, object, "point", PLAN_POINT_BYTES_MAX);
	if (err != OK)
		return err;
	words = member_of(object, "words");
	if (reading->is_clients && words == NULL &&
	    string_of(member_of(object, "title")).len == 0 &&
	    string_of(member_of(object, "point")).len == 0)
		return refuse(reading, "", "needs a title, a point or words");
	if (words != NULL && (!json_is_integer(words) || json_integer_value(words) < words_min ||
			      json_integer_value(words) > PLAN_WORDS_MAX))
		return refuse(reading, "words", "must be an integer from 1 to 10000000");
	return OK;
}

static enum err add_section(const json_t *object, bool is_clients, struct plan *plan)
{
	struct slice title = string_of(member_of(object, "title"));
	struct slice point = string_of(member_of(object, "point"));
	const json_t *words = member_of(object, "words");
	struct plan_section *section;
	enum err err = plan_add(plan, title, point, (long)json_integer_value(words));

	if (err != OK)
		return err;
	section = &plan->sections[plan->n_sections - 1];
	if (is_clients) {
		section->is_title_users = section->title[0] != '\0';
		section->is_words_users = section->words > 0;
	} else {
		section->is_title_users = json_is_true(json_object_get(object, "own_title"));
		section->is_words_users = json_is_true(json_object_get(object, "own_words"));
	}
	return OK;
}

static enum err refuse_whole(struct buf *message, struct buf *param, const char *text)
{
	enum err err = buf_append_str(message, text);

	if (err == OK)
		err = buf_append_str(param, "longhand.plan");
	return err == OK ? ERR_INVALID : err;
}

enum err plan_from_json(const json_t *json, struct plan *ret_plan, struct buf *ret_message,
			struct buf *ret_param)
{
	struct reading reading = { .is_clients = json_is_array(json),
				   .message = ret_message,
				   .param = ret_param };
	const json_t *sections = json_is_object(json) ? json_object_get(json, "sections") : json;
	size_t n = json_array_size(sections);
	struct plan plan;
	enum err err = OK;

	if (!json_is_array(sections))
		return refuse_whole(ret_message, ret_param, "must be an array of sections");
	if (n > PLAN_SECTIONS_MAX || (n == 0 && reading.is_clients))
		return refuse_whole(ret_message, ret_param, "must have 1 to 400 sections");
	plan_init(&plan);
	if (string_of(json_object_get(json, "title")).len > 0)
		err = plan_set_title(&plan, string_of(json_object_get(json, "title")));
	for (; err == OK && reading.index < n; reading.index++) {
		json_t *object = json_array_get(sections, reading.index);

		err = check_section(&reading, object);
		if (err == OK)
			err = add_section(object, reading.is_clients, &plan);
		if (err != OK)
			break;
	}
	if (err == OK)
		*ret_plan = plan;
	else
		plan_release(&plan);
	return err;
}
