#include "api/chat_request.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "writing/prompt.h"
#include <string.h>

enum { MODEL_BYTES_MAX = 1024, TEXT_BYTES_MAX = 64 << 20, TOKENS_MAX = 1000000 };

static const char *const member_names[CHAT_MEMBER_COUNT] = {
	[CHAT_MODEL] = "model",
	[CHAT_MESSAGES] = "messages",
	[CHAT_STREAM] = "stream",
	[CHAT_STREAM_OPTIONS] = "stream_options",
	[CHAT_LONGHAND] = "longhand",
	[CHAT_TOOLS] = "tools",
	[CHAT_FUNCTIONS] = "functions",
	[CHAT_RESPONSE_FORMAT] = "response_format",
	[CHAT_N] = "n",
	[CHAT_LOGPROBS] = "logprobs",
	[CHAT_MAX_TOKENS] = "max_tokens",
	[CHAT_MAX_COMPLETION_TOKENS] = "max_completion_tokens",
	[CHAT_STOP] = "stop",
	[CHAT_SEED] = "seed",
	[CHAT_TEMPERATURE] = "temperature",
	[CHAT_TOP_P] = "top_p",
	[CHAT_FREQUENCY_PENALTY] = "frequency_penalty",
	[CHAT_PRESENCE_PENALTY] = "presence_penalty",
	[CHAT_MODALITIES] = "modalities",
};

void chat_request_init(struct chat_request *chat)
{
	*chat = (struct chat_request){ .messages = NULL };
	buf_init(&chat->model, MODEL_BYTES_MAX);
	buf_init(&chat->last_user, TEXT_BYTES_MAX);
}

void chat_request_release(struct chat_request *chat)
{
	buf_release(&chat->model);
	buf_release(&chat->last_user);
	json_decref(chat->messages);
	json_decref(chat->longhand);
	chat_request_init(chat);
}

json_t *chat_request_value(const struct chat_request *chat, enum chat_member member)
{
	struct slice value = chat->members[member];
	size_t failures_before = mem_failures();
	json_t *json;

	if (value.data == NULL)
		return NULL;
	json = json_load_any(value);
	return json != NULL || mem_failures() != failures_before ? json : json_null();
}

static bool refuse(struct api_fault *fault, enum api_error error, const char *param,
		   const char *message)
{
	api_fault_set(fault, error, param, "%s", message);
	return false;
}

bool chat_request_find(struct slice body, const char *const names[], struct slice ret_members[],
		       size_t count, struct api_fault *ret_fault)
{
	struct json_scan_error error;

	if (json_scan(body, names, ret_members, count, &error) == OK)
		return true;
	api_fault_set(ret_fault, API_ERROR_INVALID_JSON, NULL,
		      "The body is not a JSON object: %s at byte %zu.", error.text, error.offset);
	return false;
}

void chat_request_drop_nulls(struct slice members[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (json_scan_is_null(members[i]))
			members[i] = (struct slice){ NULL, 0 };
}

static bool find_members(struct slice body, struct chat_request *chat, struct api_fault *fault)
{
	if (!chat_request_find(body, member_names, chat->members, CHAT_MEMBER_COUNT, fault))
		return false;
	chat->longhand_range = chat->members[CHAT_LONGHAND];
	chat_request_drop_nulls(chat->members, CHAT_MEMBER_COUNT);
	return true;
}

bool chat_request_read_model(struct chat_request *chat, struct api_fault *fault)
{
	enum err err = json_scan_string(chat->members[CHAT_MODEL], &chat->model);

	if (err == ERR_NOT_FOUND || (err == OK && chat->model.len == 0))
		return refuse(fault, API_ERROR_MISSING_FIELD, "model",
			      "Say which model: GET /v1/models lists them.");
	if (err == ERR_TOO_LARGE)
		return refuse(fault, API_ERROR_INVALID_VALUE, "model",
			      "The model's name is too long.");
	if (err == ERR_NO_MEMORY)
		return api_fault_set_memory(fault);
	if (err != OK)
		return refuse(fault, API_ERROR_INVALID_VALUE, "model", "model must be a string.");
	if (memchr(chat->model.data, '\0', chat->model.len) != NULL)
		return refuse(fault, API_ERROR_INVALID_VALUE, "model",
			      "model must not hold a zero byte.");
	return true;
}

/* Of a member that no tree holds nothing is known but that it stands there. */
static bool is_list_with_any(const json_t *value)
{
	return json_is_null(value) || json_array_size(value) > 0;
}

/* Text is what everybody answers with; whatever else stands there is the backend's to judge. */
static bool is_format_asked(const json_t *value)
{
	const char *type = json_string_value(json_object_get(value, "type"));

	return value != NULL && (type == NULL || strcmp(type, "text") != 0);
}

static bool is_above_one(const json_t *value)
{
	return json_is_null(value) || (json_is_number(value) && json_number_value(value) > 1);
}

static bool is_asked(const json_t *value)
{
	return value != NULL && !json_is_false(value);
}

static bool has_other_modality(const json_t *value)
{
	size_t index;
	json_t *modality;

	if (json_is_null(value))
		return true;
	json_array_foreach((json_t *)value, index, modality) if (!json_is_string(modality) ||
								 strcmp(json_string_value(modality),
									"text") != 0) return true;
	return false;
}

static bool test_member(const struct chat_request *chat, enum chat_member member,
			bool (*test)(const json_t *value))
{
	json_t *value = chat_request_value(chat, member);
	/* What can not be read here is asked for all the same: the backend may judge it. */
	bool is_unreadable = value == NULL && chat->members[member].data != NULL;
	bool result = is_unreadable || test(value);

	json_decref(value);
	return result;
}

/* What keeps a request from being written long. */
static void read_wishes(struct chat_request *chat)
{
	chat->has_tools = test_member(chat, CHAT_TOOLS, is_list_with_any) ||
			  test_member(chat, CHAT_FUNCTIONS, is_list_with_any);
	chat->has_response_format = test_member(chat, CHAT_RESPONSE_FORMAT, is_format_asked);
	chat->is_n_above_one = test_member(chat, CHAT_N, is_above_one);
	chat->has_logprobs = test_member(chat, CHAT_LOGPROBS, is_asked);
	chat->has_images = test_member(chat, CHAT_MODALITIES, has_other_modality);
}

static bool read_flags(struct chat_request *chat, struct api_fault *fault)
{
	enum err err = json_scan_bool(chat->members[CHAT_STREAM], &chat->is_stream);
	json_t *options = chat_request_value(chat, CHAT_STREAM_OPTIONS);

	if (err == ERR_INVALID) {
		json_decref(options);
		return refuse(fault, API_ERROR_INVALID_VALUE, "stream",
			      "stream must be true or false.");
	}
	chat->has_usage = json_is_true(json_object_get(options, "include_usage"));
	json_decref(options);
	read_wishes(chat);
	return true;
}

/* ---- messages: read as ranges, most requests need no tree of them ---- */

enum { MESSAGE_ROLE, MESSAGE_CONTENT, MESSAGE_MEMBERS };

static bool is_string(struct slice value)
{
	return value.data != NULL && value.data[0] == '"';
}

/* One message's own shape; its role and content. */
static bool read_message(struct slice message, size_t index, struct slice ret_members[],
			 struct api_fault *fault)
{
	static const char *const names[] = { "role", "content" };
	struct json_scan_error error;
	const struct slice *content = &ret_members[MESSAGE_CONTENT];
	const char *wrong = NULL;

	if (message.data[0] != '{')
		wrong = " must be an object with role and content.";
	else if (json_scan(message, names, ret_members, MESSAGE_MEMBERS, &error) != OK)
		wrong = " has role or content twice.";
	else if (!is_string(ret_members[MESSAGE_ROLE]))
		wrong = ".role must be a string.";
	else if (content->data != NULL && strchr("\"[", content->data[0]) == NULL &&
		 !json_scan_is_null(*content))
		wrong = ".content must be a string or a list of parts.";
	if (wrong != NULL)
		api_fault_set(fault, API_ERROR_INVALID_VALUE, "messages", "messages[%zu]%s", index,
			      wrong);
	return wrong == NULL;
}

/* False: it is a part of another kind. `ret_text`: the text; data NULL: it has none. */
static bool read_text_part(struct slice part, struct slice *ret_text)
{
	enum { TYPE, TEXT, MEMBERS };
	static const char *const names[] = { "type", "text" };
	struct slice members[MEMBERS];
	struct json_scan_error error;

	if (part.data[0] != '{' || json_scan(part, names, members, MEMBERS, &error) != OK ||
	    !(json_scan_is(members[TYPE], "text") || json_scan_is(members[TYPE], "input_text")))
		return false;
	*ret_text = is_string(members[TEXT]) ? members[TEXT] : (struct slice){ NULL, 0 };
	return true;
}

static bool has_other_parts(struct slice content)
{
	struct slice rest, part, text;

	if (!json_scan_array(content, &rest))
		return false;
	while (json_scan_next(&rest, &part))
		if (!read_text_part(part, &text))
			return true;
	return false;
}

static bool read_last_text(struct chat_request *chat, struct slice content)
{
	struct slice rest, part, text;

	if (is_string(content))
		return json_scan_string(content, &chat->last_user) == OK;
	if (!json_scan_array(content, &rest))
		return true;
	while (json_scan_next(&rest, &part)) {
		if (!read_text_part(part, &text) || text.data == NULL)
			continue;
		if (chat->last_user.len > 0 && buf_append(&chat->last_user, "\n", 1) != OK)
			return false;
		if (json_scan_string(text, &chat->last_user) != OK)
			return false;
	}
	return true;
}

static bool read_messages(struct chat_request *chat, struct api_fault *fault)
{
	struct slice members[MESSAGE_MEMBERS] = { { NULL, 0 } };
	struct slice rest, message;
	size_t count = 0;

	if (chat->members[CHAT_MESSAGES].data == NULL)
		return refuse(fault, API_ERROR_MISSING_FIELD, "messages",
			      "messages is missing: a list with at least one message.");
	if (json_scan_array(chat->members[CHAT_MESSAGES], &rest)) {
		for (; json_scan_next(&rest, &message); count++) {
			if (!read_message(message, count, members, fault))
				return false;
			chat->has_images =
				chat->has_images || has_other_parts(members[MESSAGE_CONTENT]);
			if (count == 0 && json_scan_is(members[MESSAGE_ROLE], "system") &&
			    is_string(members[MESSAGE_CONTENT]))
				chat->first_system = members[MESSAGE_CONTENT];
		}
	}
	if (count == 0)
		return refuse(fault, API_ERROR_INVALID_VALUE, "messages",
			      "messages must be a list with at least one message.");
	chat->ends_with_user = json_scan_is(members[MESSAGE_ROLE], "user");
	chat->ends_with_assistant = json_scan_is(members[MESSAGE_ROLE], "assistant");
	chat->last_user_index = count - 1;
	if (chat->ends_with_user && !read_last_text(chat, members[MESSAGE_CONTENT]))
		return api_fault_set_memory(fault);
	return true;
}

bool chat_request_load(struct chat_request *chat, struct api_fault *fault)
{
	if (chat->messages != NULL)
		return true;
	chat->messages = chat_request_value(chat, CHAT_MESSAGES);
	if (chat->messages == NULL)
		return api_fault_set_memory(fault);
	if (json_is_array(chat->messages))
		return true;
	json_decref(chat->messages);
	chat->messages = NULL;
	return refuse(fault, API_ERROR_INVALID_VALUE, "messages",
		      "messages holds a number or a name that can not be read.");
}

bool chat_request_read_longhand(struct chat_request *chat, struct api_fault *fault)
{
	struct slice text = chat->members[CHAT_LONGHAND];

	if (text.data == NULL)
		return true;
	/* A member that stands there twice is an error here too, not a choice. */
	chat->longhand = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(chat->longhand))
		return refuse(fault, API_ERROR_INVALID_VALUE, "longhand",
			      "longhand must be an object of options, each given once.");
	return true;
}

bool chat_request_read(struct slice body, struct chat_request *chat, struct api_fault *fault)
{
	size_t failures_before = mem_failures();
	bool is_read = find_members(body, chat, fault) && chat_request_read_model(chat, fault) &&
		       read_flags(chat, fault) && read_messages(chat, fault) &&
		       chat_request_read_longhand(chat, fault);

	/* Values that are missing for lack of memory look absent. */
	return mem_failures() == failures_before ? is_read : api_fault_set_memory(fault);
}

long chat_request_tokens(struct chat_request *chat)
{
	static const enum chat_member bounds[] = { CHAT_MAX_TOKENS, CHAT_MAX_COMPLETION_TOKENS };
	long answer = ANSWER_TOKENS;
	struct api_fault fault;
	bool is_loaded = chat_request_load(chat, &fault);

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		json_t *value = chat_request_value(chat, bounds[i]);
		json_int_t number = json_integer_value(value);

		if (number > 0)
			answer = number < TOKENS_MAX ? (long)number : TOKENS_MAX;
		json_decref(value);
	}
	return (is_loaded ? prompt_messages_tokens(chat->messages) : 0) + answer;
}
