/* The body of POST /v1/responses: read and made what a job's log keeps, or refused with a status
 * below 500; then a log with it as events of a response, each of them JSON, and the same from any
 * number on. */
#include <string.h>
#include "api/responses_render.h"
#include "api/responses_request.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

enum { OUT_BYTES_MAX = 512 << 20 };

static void check_fault(const struct api_fault *fault)
{
	MUST(api_error_status(fault->error) >= 400 && api_error_status(fault->error) < 500);
	MUST(fault->message[0] != '\0');
}

/* ---- the log of a job with these facts ---- */

static json_t *created_data(json_t *facts, const struct chat_request *chat)
{
	struct spec spec;
	json_t *data;

	spec_init(&spec);
	spec.request = mem_strdup("Write.");
	spec.history = json_array();
	spec.target_words = 100;
	data = json_pack("{s:o,s:s,s:O}", "spec", spec_to_json(&spec), "model",
			 buf_str(&chat->model), "response", facts);
	MUST(data != NULL);
	spec_release(&spec);
	return data;
}

static void say(struct responses_render *render, enum event_kind kind, struct slice text,
		json_t *data, struct buf *out)
{
	struct event event;

	MUST(event_init(&event, kind, kind == EVENT_CREATED ? 0 : 1, text, data) == OK);
	event.t_ms = 1700000000000u;
	MUST(responses_render_event(render, &event, out) == OK);
	event_release(&event);
}

static void render_log(json_t *facts, const struct chat_request *chat, long long after,
		       struct buf *out)
{
	static const struct slice none = { NULL, 0 };
	const char *last = chat->last_user.len > 0 ? buf_str(&chat->last_user) : "x";
	struct slice text = { last, chat->last_user.len > 0 ? chat->last_user.len : 1 };
	struct responses_render render;

	responses_render_init(&render, "0123456789abcdef0123456789abcdef", after);
	say(&render, EVENT_CREATED, none, created_data(facts, chat), out);
	say(&render, EVENT_PLANNED, none,
	    json_pack("{s:{s:[{s:s,s:i},{s:s,s:i}]}}", "plan", "sections", "title", "A", "words",
		      50, "title", "B", "words", 50),
	    out);
	say(&render, EVENT_SECTION_STARTED, none, json_pack("{s:i}", "words_asked", 50), out);
	say(&render, EVENT_TEXT, text, NULL, out);
	say(&render, EVENT_DONE, none,
	    json_pack("{s:s,s:{}}", "finish_reason", "stop", "report"), out);
	responses_render_release(&render);
}

static void check_events(const char *at)
{
	for (; *at != '\0'; at = strstr(at, "\n\n") + 2) {
		const char *data = strstr(at, "\ndata: ") + strlen("\ndata: ");
		size_t len = (size_t)(strstr(at, "\n\n") - data);
		json_t *json = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

		MUST(strncmp(at, "event: ", 7) == 0 && json_is_object(json));
		json_decref(json);
	}
}

static void check_log(json_t *facts, const struct chat_request *chat)
{
	struct buf whole, rest;
	const char *behind;

	buf_init(&whole, OUT_BYTES_MAX);
	buf_init(&rest, OUT_BYTES_MAX);
	render_log(facts, chat, -1, &whole);
	check_events(buf_str(&whole));
	render_log(facts, chat, 1, &rest);
	behind = strstr(strstr(buf_str(&whole), "\n\n") + 2, "\n\n") + 2;
	MUST(strcmp(behind, buf_str(&rest)) == 0);
	buf_release(&whole);
	buf_release(&rest);
}

static void check_request(const struct responses_request *asked, const struct chat_request *chat)
{
	struct api_fault fault = { .error = API_ERROR_INTERNAL };
	json_t *facts = responses_request_facts(asked, &fault);
	size_t index;
	json_t *message;

	MUST(json_is_array(chat->messages));
	json_array_foreach(chat->messages, index, message)
		MUST(json_is_string(json_object_get(message, "role")) &&
		     json_is_string(json_object_get(message, "content")));
	if (facts == NULL)
		check_fault(&fault);
	else
		check_log(facts, chat);
	json_decref(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = { (const char *)data, size };
	struct api_fault fault = { .error = API_ERROR_INTERNAL };
	struct responses_request asked;
	struct chat_request chat;

	responses_request_init(&asked);
	chat_request_init(&chat);
	if (responses_request_read(body, &asked, &chat, &fault))
		check_request(&asked, &chat);
	else
		check_fault(&fault);
	responses_request_release(&asked);
	chat_request_release(&chat);
	return 0;
}
