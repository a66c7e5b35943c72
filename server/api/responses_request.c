#include "api/responses_request.h"
#include "base/json.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

static const char *const names[RESPONSE_ASKS_COUNT] = {
#define X(name, text) [RESPONSE_ASKS_##name] = text,
	RESPONSES_MEMBERS(X)
#undef X
};

void responses_request_init(struct responses_request *asked)
{
	*asked = (struct responses_request){ .is_stored = true };
	buf_init(&asked->previous, RESPONSES_ID_BYTES_MAX);
}

void responses_request_release(struct responses_request *asked)
{
	json_decref(asked->input);
	buf_release(&asked->previous);
	responses_request_init(asked);
}

/* The value parsed; JSON null for one that no tree holds; NULL: absent, or memory is out. */
static json_t *value_of(const struct responses_request *asked, enum responses_member member)
{
	struct slice value = asked->members[member];
	size_t failures_before = mem_failures();
	json_t *json;

	if (value.data == NULL)
		return NULL;
	json = json_load_any(value);
	return json != NULL || mem_failures() != failures_before ? json : json_null();
}

static bool find_members(struct slice body, struct responses_request *asked,
			 struct chat_request *chat, struct api_fault *fault)
{
	if (!chat_request_find(body, names, asked->members, RESPONSE_ASKS_COUNT, fault))
		return false;
	chat->longhand_range = asked->members[RESPONSE_ASKS_LONGHAND];
	chat_request_drop_nulls(asked->members, RESPONSE_ASKS_COUNT);
	return true;
}

/* Members that mean the same in a chat: the long path reads them there. */
static void share_members(const struct responses_request *asked, struct chat_request *chat)
{
	static const struct {
		enum chat_member to;
		enum responses_member from;
	} shared[] = {
		{ CHAT_MODEL, RESPONSE_ASKS_MODEL },
		{ CHAT_LONGHAND, RESPONSE_ASKS_LONGHAND },
		{ CHAT_TEMPERATURE, RESPONSE_ASKS_TEMPERATURE },
		{ CHAT_TOP_P, RESPONSE_ASKS_TOP_P },
		{ CHAT_FREQUENCY_PENALTY, RESPONSE_ASKS_FREQUENCY_PENALTY },
		{ CHAT_PRESENCE_PENALTY, RESPONSE_ASKS_PRESENCE_PENALTY },
	};

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		chat->members[shared[i].to] = asked->members[shared[i].from];
}

static bool read_flag(const struct responses_request *asked, enum responses_member member,
		      bool *flag, struct api_fault *fault)
{
	return json_scan_bool(asked->members[member], flag) != ERR_INVALID ||
	       api_fault_value(fault, names[member], "must be true or false.");
}

static bool read_previous(struct responses_request *asked, struct api_fault *fault)
{
	enum err err = json_scan_string(asked->members[RESPONSE_ASKS_PREVIOUS], &asked->previous);

	if (err == OK || err == ERR_NOT_FOUND)
		return true;
	if (err == ERR_NO_MEMORY)
		return api_fault_set_memory(fault);
	return api_fault_value(fault, names[RESPONSE_ASKS_PREVIOUS],
			       "must be the id of a response.");
}

/* ---- what only the backend can do ---- */

static bool is_list_with_any(const json_t *value)
{
	return json_is_null(value) || json_array_size(value) > 0;
}

static bool is_format_asked(const json_t *value)
{
	const json_t *format = json_member(value, "format");
	const char *type = json_string_value(json_object_get(format, "type"));

	return format != NULL && (type == NULL || strcmp(type, "text") != 0);
}

static bool is_above_zero(const json_t *value)
{
	return json_is_null(value) || (json_is_number(value) && json_number_value(value) > 0);
}

static bool is_there(const json_t *value)
{
	return value != NULL;
}

static const struct {
	enum responses_member member;
	const char *param;
	bool (*is_asked)(const json_t *value);
	size_t flag; /* in struct chat_request: what keeps a chat from being written long */
} foreign_rows[] = {
	{ RESPONSE_ASKS_TOOLS, "tools", is_list_with_any,
	  offsetof(struct chat_request, has_tools) },
	{ RESPONSE_ASKS_TEXT, "text.format", is_format_asked,
	  offsetof(struct chat_request, has_response_format) },
	{ RESPONSE_ASKS_TOP_LOGPROBS, "top_logprobs", is_above_zero,
	  offsetof(struct chat_request, has_logprobs) },
	{ RESPONSE_ASKS_CONVERSATION, "conversation", is_there,
	  offsetof(struct chat_request, has_images) },
	{ RESPONSE_ASKS_PROMPT, "prompt", is_there, offsetof(struct chat_request, has_images) },
};

static void read_foreign(struct responses_request *asked, struct chat_request *chat)
{
	for (size_t i = 0; i < sizeof(foreign_rows) / sizeof(foreign_rows[0]); i++) {
		json_t *value = value_of(asked, foreign_rows[i].member);

		if (foreign_rows[i].is_asked(value)) {
			*(bool *)((char *)chat + foreign_rows[i].flag) = true;
			if (asked->foreign[0] == '\0')
				(void)snprintf(asked->foreign, sizeof(asked->foreign), "%s",
					       foreign_rows[i].param);
		}
		json_decref(value);
	}
}

/* ---- messages ---- */

static bool add_instructions(struct responses_request *asked, struct chat_request *chat,
			     struct api_fault *fault)
{
	json_t *text = value_of(asked, RESPONSE_ASKS_INSTRUCTIONS);
	bool is_added;

	if (asked->members[RESPONSE_ASKS_INSTRUCTIONS].data == NULL)
		return true;
	if (!json_is_string(text)) {
		json_decref(text);
		return api_fault_value(fault, names[RESPONSE_ASKS_INSTRUCTIONS],
				       "must be a string.");
	}
	asked->has_instructions = true;
	is_added = json_array_append_new(chat->messages, json_pack("{s:s,s:o}", "role", "system",
								   "content", text)) == 0;
	return is_added || api_fault_set_memory(fault);
}

static bool check_input(const struct responses_request *asked, struct api_fault *fault)
{
	size_t count = json_array_size(asked->input);

	if (json_is_string(asked->input) || (count >= 1 && count <= RESPONSES_ITEMS_MAX))
		return true;
	if (asked->input != NULL || asked->members[RESPONSE_ASKS_PROMPT].data == NULL)
		return api_fault_value(fault, names[RESPONSE_ASKS_INPUT],
				       "must be a string or a list of 1 to 10000 items.");
	return true; /* a prompt of the backend's stands in for it */
}

static bool read_input(struct responses_request *asked, struct chat_request *chat,
		       struct api_fault *fault)
{
	char foreign[API_PARAM_BYTES] = "";

	if (asked->members[RESPONSE_ASKS_INPUT].data == NULL &&
	    asked->members[RESPONSE_ASKS_PROMPT].data == NULL) {
		api_fault_set(fault, API_ERROR_MISSING_FIELD, "input",
			      "input is missing: a string, or a list of items.");
		return false;
	}
	asked->input = value_of(asked, RESPONSE_ASKS_INPUT);
	chat->messages = json_array();
	if (!check_input(asked, fault) || !add_instructions(asked, chat, fault) ||
	    !responses_messages(asked->input, chat->messages, foreign, fault))
		return false;
	chat->has_images = chat->has_images || foreign[0] != '\0';
	if (asked->foreign[0] == '\0')
		memcpy(asked->foreign, foreign, sizeof(foreign));
	return true;
}

/* The last turn, which is the one that counts. */
static bool read_last(struct chat_request *chat, struct api_fault *fault)
{
	size_t count = json_array_size(chat->messages);
	const json_t *last = json_array_get(chat->messages, count > 0 ? count - 1 : 0);
	const json_t *content = json_object_get(last, "content");
	const char *role = json_string_value(json_object_get(last, "role"));

	if (role == NULL)
		return true;
	chat->last_user_index = count - 1;
	chat->ends_with_user = strcmp(role, "user") == 0;
	chat->ends_with_assistant = strcmp(role, "assistant") == 0;
	if (!chat->ends_with_user)
		return true;
	return buf_append(&chat->last_user, json_string_value(content),
			  json_string_length(content)) == OK ||
	       api_fault_set_memory(fault);
}

bool responses_request_read(struct slice body, struct responses_request *asked,
			    struct chat_request *chat, struct api_fault *fault)
{
	size_t failures_before = mem_failures();
	bool is_read;

	if (!find_members(body, asked, chat, fault))
		return false;
	share_members(asked, chat);
	is_read = chat_request_read_model(chat, fault) &&
		  read_flag(asked, RESPONSE_ASKS_STREAM, &chat->is_stream, fault) &&
		  read_flag(asked, RESPONSE_ASKS_BACKGROUND, &asked->is_background, fault) &&
		  read_flag(asked, RESPONSE_ASKS_STORE, &asked->is_stored, fault) &&
		  read_previous(asked, fault);
	if (is_read) {
		read_foreign(asked, chat);
		is_read = read_input(asked, chat, fault) && read_last(chat, fault) &&
			  chat_request_read_longhand(chat, fault);
	}
	/* Values that are missing for lack of memory look absent. */
	return mem_failures() == failures_before ? is_read : api_fault_set_memory(fault);
}

/* ---- what the log keeps ---- */

enum {
	ECHO_BYTES_MAX = 4096,
	METADATA_KEYS_MAX = 16,
	METADATA_KEY_MAX = 64,
	METADATA_VALUE_MAX = 512,
};

static size_t count_characters(const json_t *text)
{
	const char *at = json_string_value(text);
	size_t count = 0;

	for (size_t i = 0; i < json_string_length(text); i++)
		count += ((unsigned char)at[i] & 0xC0) != 0x80;
	return count;
}

static bool is_metadata(const json_t *value)
{
	const char *key;
	json_t *text;

	if (!json_is_object(value) || json_object_size(value) > METADATA_KEYS_MAX)
		return false;
	json_object_foreach((json_t *)value, key,
			    text) if (strlen(key) > METADATA_KEY_MAX || !json_is_string(text) ||
				      count_characters(text) > METADATA_VALUE_MAX) return false;
	return true;
}

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool is_string(const json_t *value)
{
	return json_is_string(value);
}

static bool is_tool_choice(const json_t *value)
{
	return json_is_string(value) || json_is_object(value);
}

static bool is_boolean(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_any(const json_t *value)
{
	(void)value;
	return true;
}

static bool is_whole_from(const json_t *value, double min)
{
	double number = json_number_value(value);

	return json_is_number(value) && number >= min && number <= 1e9 &&
	       number == (double)(long long)number;
}

static bool is_output_bound(const json_t *value)
{
	return is_whole_from(value, 16);
}

static bool is_call_bound(const json_t *value)
{
	return is_whole_from(value, 1);
}

static bool is_between(const json_t *value, double min, double max)
{
	return json_is_number(value) && json_number_value(value) >= min &&
	       json_number_value(value) <= max;
}

static bool is_temperature(const json_t *value)
{
	return is_between(value, 0, 2);
}

static bool is_top_p(const json_t *value)
{
	return is_between(value, 0, 1);
}

static bool is_penalty(const json_t *value)
{
	return is_between(value, -2, 2);
}

static const struct {
	enum responses_member member;
	bool (*is_good)(const json_t *value);
	const char *message;
	bool is_long; /* may be longer than ECHO_BYTES_MAX */
} fact_rows[] = {
	{ RESPONSE_ASKS_INPUT, is_any, "", true },
	{ RESPONSE_ASKS_INSTRUCTIONS, is_string, "must be a string.", true },
	{ RESPONSE_ASKS_PREVIOUS, is_string, "must be the id of a response.", false },
	{ RESPONSE_ASKS_BACKGROUND, is_boolean, "must be true or false.", false },
	{ RESPONSE_ASKS_STORE, is_boolean, "must be true or false.", false },
	{ RESPONSE_ASKS_METADATA, is_metadata,
	  "must be an object of at most 16 strings of up to 512 characters, keys of up to 64.",
	  true },
	{ RESPONSE_ASKS_MAX_OUTPUT_TOKENS, is_output_bound, "must be a whole number from 16 on.",
	  false },
	{ RESPONSE_ASKS_MAX_TOOL_CALLS, is_call_bound, "must be a whole number above 0.", false },
	{ RESPONSE_ASKS_TEMPERATURE, is_temperature, "must be a number from 0 to 2.", false },
	{ RESPONSE_ASKS_TOP_P, is_top_p, "must be a number from 0 to 1.", false },
	{ RESPONSE_ASKS_FREQUENCY_PENALTY, is_penalty, "must be a number from -2 to 2.", false },
	{ RESPONSE_ASKS_PRESENCE_PENALTY, is_penalty, "must be a number from -2 to 2.", false },
	{ RESPONSE_ASKS_REASONING, is_object, "must be an object.", false },
	{ RESPONSE_ASKS_TEXT, is_object, "must be an object.", false },
	{ RESPONSE_ASKS_TRUNCATION, is_string, "must be a string.", false },
	{ RESPONSE_ASKS_USER, is_string, "must be a string.", false },
	{ RESPONSE_ASKS_SAFETY_IDENTIFIER, is_string, "must be a string.", false },
	{ RESPONSE_ASKS_PROMPT_CACHE_KEY, is_string, "must be a string.", false },
	{ RESPONSE_ASKS_PARALLEL_TOOL_CALLS, is_boolean, "must be true or false.", false },
	{ RESPONSE_ASKS_TOOL_CHOICE, is_tool_choice, "must be a string or an object.", false },
};

static bool add_fact(const struct responses_request *asked, size_t row, json_t *facts,
		     struct api_fault *fault)
{
	enum responses_member member = fact_rows[row].member;
	size_t len = asked->members[member].len;
	json_t *value =
		member == RESPONSE_ASKS_INPUT ? json_incref(asked->input) : value_of(asked, member);

	if (asked->members[member].data == NULL)
		return true;
	if (value == NULL)
		return api_fault_set_memory(fault);
	if (!fact_rows[row].is_good(value) || (len > ECHO_BYTES_MAX && !fact_rows[row].is_long)) {
		json_decref(value);
		return api_fault_value(
			fault, names[member],
			len > ECHO_BYTES_MAX ? "is too long." : fact_rows[row].message);
	}
	return json_object_set_new(facts, names[member], value) == 0 || api_fault_set_memory(fault);
}

json_t *responses_request_facts(const struct responses_request *asked, struct api_fault *fault)
{
	json_t *facts = json_object();
	bool is_good = facts != NULL || api_fault_set_memory(fault);
	size_t bytes = 0;

	for (size_t i = 0; i < RESPONSE_ASKS_COUNT; i++)
		bytes += asked->members[i].len;
	if (bytes > RESPONSES_FACTS_BYTES_MAX)
		is_good = api_fault_value(fault, names[RESPONSE_ASKS_INPUT],
					  "is too long: a request for a long text may have 4 MiB.");
	for (size_t i = 0; is_good && i < sizeof(fact_rows) / sizeof(fact_rows[0]); i++)
		is_good = add_fact(asked, i, facts, fault);
	if (!is_good) {
		json_decref(facts);
		return NULL;
	}
	return facts;
}
