#include "api/responses_request.h"
#include "base/json.h"
#include <stdio.h>
#include <string.h>

enum { ITEM_TEXT_BYTES_MAX = 64 << 20 };

/* How a role is called in a chat that any server understands; what it is in an answer's items. */
static const struct {
	const char *role;
	const char *chat_role;
} roles[] = {
	{ "user", "user" },
	{ "assistant", "assistant" },
	{ "system", "system" },
	{ "developer", "system" },
};

struct items {
	json_t *messages;
	char *foreign; /* NULL: not asked for */
	struct api_fault *fault;
};

static void note_foreign(const struct items *items, size_t index, size_t part, bool is_part)
{
	if (items->foreign == NULL || items->foreign[0] != '\0')
		return;
	if (is_part)
		(void)snprintf(items->foreign, API_PARAM_BYTES, "input[%zu].content[%zu]", index,
			       part);
	else
		(void)snprintf(items->foreign, API_PARAM_BYTES, "input[%zu]", index);
}

static const char *chat_role_of(const json_t *item)
{
	const char *role = json_string_value(json_object_get(item, "role"));

	for (size_t i = 0; role != NULL && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].role, role) == 0)
			return roles[i].chat_role;
	return NULL;
}

/* NULL: it has none. */
static const json_t *text_of_part(const json_t *part)
{
	const char *type = json_string_value(json_object_get(part, "type"));
	const json_t *text = NULL;

	if (type == NULL)
		return NULL;
	if (strcmp(type, "input_text") == 0 || strcmp(type, "output_text") == 0 ||
	    strcmp(type, "text") == 0)
		text = json_object_get(part, "text");
	else if (strcmp(type, "refusal") == 0)
		text = json_object_get(part, "refusal");
	return json_is_string(text) ? text : NULL;
}

static enum err append_text(const json_t *text, struct buf *out)
{
	enum err err = out->len > 0 ? buf_append_str(out, "\n") : OK;

	return err == OK ? buf_append(out, json_string_value(text), json_string_length(text)) : err;
}

/* The item's text, its parts on lines of their own. */
static enum err read_text(const struct items *items, const json_t *item, size_t index,
			  struct buf *out)
{
	const json_t *content = json_object_get(item, "content");
	size_t i;
	json_t *part;
	enum err err = OK;

	if (json_is_string(content))
		return append_text(content, out);
	json_array_foreach((json_t *)content, i, part)
	{
		const json_t *text = text_of_part(part);

		if (text == NULL)
			note_foreign(items, index, i, true);
		else if (err == OK)
			err = append_text(text, out);
	}
	return err;
}

static enum err add_message(const struct items *items, const char *role, const struct buf *text)
{
	json_t *message = json_pack("{s:s,s:o}", "role", role, "content",
				    json_stringn(buf_str(text), text->len));

	return json_array_append_new(items->messages, message) == 0 ? OK : ERR_NO_MEMORY;
}

static bool refuse_item(const struct items *items, size_t index, const char *message)
{
	char param[API_PARAM_BYTES];

	(void)snprintf(param, sizeof(param), "input[%zu]", index);
	api_fault_set(items->fault, API_ERROR_INVALID_VALUE, param, "%s %s", param, message);
	return false;
}

static bool read_message(const struct items *items, const json_t *item, size_t index)
{
	const json_t *content = json_object_get(item, "content");
	const char *role = chat_role_of(item);
	struct buf text;
	enum err err;

	if (role == NULL)
		return refuse_item(items, index,
				   "must have the role user, assistant, system or developer.");
	if (!json_is_string(content) && !json_is_array(content))
		return refuse_item(items, index, "must have content: a string or a list of parts.");
	buf_init(&text, ITEM_TEXT_BYTES_MAX);
	err = read_text(items, item, index, &text);
	if (err == OK)
		err = add_message(items, role, &text);
	buf_release(&text);
	if (err != OK)
		api_fault_set_memory(items->fault);
	return err == OK;
}

static bool read_item(const struct items *items, const json_t *item, size_t index)
{
	const char *type = json_string_value(json_object_get(item, "type"));

	if (!json_is_object(item))
		return refuse_item(items, index, "must be an object.");
	if (json_member(item, "type") == NULL || (type != NULL && strcmp(type, "message") == 0))
		return read_message(items, item, index);
	if (type == NULL || strcmp(type, "reasoning") != 0)
		note_foreign(items, index, 0, false);
	return true;
}

bool responses_messages(const json_t *input, json_t *messages, char foreign[API_PARAM_BYTES],
			struct api_fault *fault)
{
	struct items items = { messages, foreign, fault };
	size_t index;
	json_t *item;

	if (json_is_string(input)) {
		if (json_array_append_new(messages, json_pack("{s:s,s:O}", "role", "user",
							      "content", input)) == 0)
			return true;
		api_fault_set_memory(fault);
		return false;
	}
	json_array_foreach((json_t *)input, index,
			   item) if (!read_item(&items, item, index)) return false;
	return true;
}
