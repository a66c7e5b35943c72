#include "api/jobs_parts.h"
#include "api/passthrough.h"
#include "api/responses.h"
#include "api/responses_chain.h"
#include "api/responses_render.h"
#include "api/responses_translate.h"
#include "api/responses_view.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 64, ITEMS_DEFAULT = 20, ITEMS_LIMIT_MAX = 100 };

/* Paths name no model: they are the default backend's. */
static bool is_default_without(struct api *api)
{
	struct model_target target = { .backend = NULL };

	(void)!api->model->resolve_default(api->model, NULL, &target);
	return target.backend != NULL && responses_are_missing(api, target.backend);
}

void responses_refuse_unknown(struct api *api, struct request *request)
{
	struct api_fault fault;

	if (!is_default_without(api)) {
		passthrough_any(api, request);
		return;
	}
	api_fault_set(&fault, API_ERROR_RESPONSE_NOT_FOUND, NULL,
		      "There is nothing at %.200s: no response of yours, or its retention is "
		      "over, or it was never stored.",
		      request->path);
	api_fault_send(request, &fault);
}

static void send_json(struct request *request, struct buf *body, enum err err)
{
	const char *headers[] = { "Content-Type: application/json", NULL };

	if (err != OK) {
		api_refuse_memory(request);
		return;
	}
	metric_inc(METRIC_RESPONSES_2XX);
	reply_send(request, 200, headers, body);
}

/* ---- the query ---- */

/* The member's value; data NULL: absent. */
static struct slice query_member(const char *query, const char *name)
{
	size_t len = strlen(name);

	while (*query != '\0') {
		size_t member = strcspn(query, "&");

		if (member > len && strncmp(query, name, len) == 0 && query[len] == '=')
			return (struct slice){ query + len + 1, member - len - 1 };
		query += member;
		query += *query == '&';
	}
	return (struct slice){ NULL, 0 };
}

static bool is_text(struct slice value, const char *text)
{
	return value.data != NULL && value.len == strlen(text) &&
	       memcmp(value.data, text, value.len) == 0;
}

/* Absent: *number stays. False: it is none, or above max. */
static bool read_number(const char *query, const char *name, long long max, long long *number)
{
	struct slice value = query_member(query, name);
	long long read = 0;

	if (value.data == NULL)
		return true;
	if (value.len == 0 || value.len > 18)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return false;
		read = read * 10 + (value.data[i] - '0');
	}
	*number = read;
	return read <= max;
}

static void refuse_value(struct request *request, const char *param, const char *message)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_INVALID_VALUE, param, "%s %s", param, message);
	api_fault_send(request, &fault);
}

/* ---- as it is now ---- */

static void touched(struct reader *reader)
{
	(void)reader;
}

/* Who asks again and again is a reader too: a job that has no other goes on for its grace. What is
 * there is shown all the same. */
static void touch(struct request *request, const struct job_facts *facts)
{
	const struct state *state = facts->state;
	struct registry *registry = facts->api->registry;
	struct reader reader = { .log = NULL };
	char *authorization;

	if (facts->job != NULL) {
		registry_attach(facts->job, &reader, touched);
		registry_detach(facts->job, &reader);
	} else if (state->is_parked && state->phase != STATE_ENDED &&
		   registry_admit(registry, facts->owner, state) == OK) {
		authorization = auth_line_to_pass(&facts->api->options->auth, request);
		registry_wake(registry, facts->id, authorization);
		mem_free(authorization);
	}
}

static struct response_source source_of(const struct job_facts *facts)
{
	return (struct response_source){ .job = facts->id,
					 .model = facts->model,
					 .facts = facts->response,
					 .state = facts->state,
					 .content_bytes = facts->content_bytes,
					 .is_ended = facts->is_end_seen };
}

static void send_object(struct request *request, const struct job_facts *facts)
{
	struct response_source source = source_of(facts);
	struct response_view view;
	struct buf body;
	enum err err = response_view_make(&source, &view);

	buf_init(&body, RESPONSES_RENDER_BYTES_MAX);
	if (err == OK)
		err = response_object_render(&view.object, &body);
	send_json(request, &body, err);
	response_view_release(&view);
	buf_release(&body);
}

/* ---- events ---- */

static void stream(struct request *request, const struct job_facts *facts)
{
	struct responses_wishes wishes = { .answer = RESPONSES_STREAM,
					   .after = -1,
					   .is_resumed = true };

	if (!read_number(request->query, "starting_after", INT64_MAX, &wishes.after))
		refuse_value(request, "starting_after", "must be the number of an event.");
	else if (jobs_resume(request, facts))
		responses_view_start(facts->api, request, facts->job, facts->id, &wishes);
}

static void cancel(struct request *request, const struct job_facts *facts)
{
	static const struct responses_wishes wishes = { .answer = RESPONSES_ENDED,
							.after = -1,
							.is_resumed = true };
	bool has_ended = facts->state->phase == STATE_ENDED && facts->is_end_seen;

	if (facts->job == NULL || has_ended) {
		send_object(request, facts);
		return;
	}
	job_cancel(facts->job);
	responses_view_start(facts->api, request, facts->job, facts->id, &wishes);
}

/* ---- input items ---- */

struct item_page {
	size_t first, count; /* in the order asked for */
	bool is_ascending, has_more;
};

static const json_t *input_of(const struct job_facts *facts)
{
	return json_object_get(facts->response, "input");
}

static size_t count_items(const json_t *input)
{
	return json_is_string(input) ? 1 : json_array_size(input);
}

/* False: the request is answered. */
static bool read_page(struct request *request, const struct job_facts *facts,
		      struct item_page *page)
{
	size_t total = count_items(input_of(facts));
	struct slice order = query_member(request->query, "order");
	struct slice after = query_member(request->query, "after");
	long long limit = ITEMS_DEFAULT;
	char id[ID_BYTES];

	if (!read_number(request->query, "limit", ITEMS_LIMIT_MAX, &limit) || limit < 1) {
		refuse_value(request, "limit", "must be a whole number from 1 to 100.");
		return false;
	}
	page->is_ascending = is_text(order, "asc");
	if (order.data != NULL && !page->is_ascending && !is_text(order, "desc")) {
		refuse_value(request, "order", "must be asc or desc.");
		return false;
	}
	page->first = 0;
	for (size_t i = 0; after.len > 0 && page->first == 0 && i < total; i++) {
		(void)snprintf(id, sizeof(id), "msg_%s_%zu", facts->id, i);
		if (is_text(after, id))
			page->first = page->is_ascending ? i + 1 : total - i;
	}
	if (after.len > 0 && page->first == 0) {
		refuse_value(request, "after", "must be the id of one of the items.");
		return false;
	}
	page->count = total - page->first;
	page->has_more = page->count > (size_t)limit;
	if (page->has_more)
		page->count = (size_t)limit;
	return true;
}

/* Content as parts, whatever it was sent as. */
static json_t *parts_of(const json_t *content, const char *role)
{
	bool is_answer = strcmp(role, "assistant") == 0;
	json_t *part;

	if (!json_is_string(content))
		return json_incref((json_t *)(uintptr_t)content);
	part = json_pack("{s:s,s:O}", "type", is_answer ? "output_text" : "input_text", "text",
			 content);
	if (part != NULL && is_answer)
		(void)json_object_set_new(part, "annotations", json_array());
	return json_pack("[o]", part);
}

static json_t *message_item(const char *id, const char *role, const json_t *content)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", id, "type", "message", "status",
			 "completed", "role", role, "content", parts_of(content, role));
}

static json_t *item_of(const struct job_facts *facts, size_t index)
{
	const json_t *input = input_of(facts);
	const json_t *item = json_array_get(input, index);
	const json_t *content = json_object_get(item, "content");
	const char *role = json_string_value(json_object_get(item, "role"));
	char id[ID_BYTES];
	json_t *copy;

	(void)snprintf(id, sizeof(id), "msg_%s_%zu", facts->id, index);
	if (json_is_string(input))
		return message_item(id, "user", input);
	if (content != NULL && role != NULL)
		return message_item(id, role, content);
	copy = json_copy((json_t *)(uintptr_t)item);
	if (copy != NULL)
		(void)json_object_set_new(copy, "id", json_string(id));
	return copy;
}

/* NULL: memory is out. */
static json_t *items_of(const struct job_facts *facts, const struct item_page *page)
{
	size_t total = count_items(input_of(facts));
	json_t *data = json_array();

	for (size_t i = page->first; i < page->first + page->count; i++) {
		size_t index = page->is_ascending ? i : total - 1 - i;

		if (json_array_append_new(data, item_of(facts, index)) != 0) {
			json_decref(data);
			return NULL;
		}
	}
	return data;
}

static json_t *id_at(const json_t *data, size_t index)
{
	json_t *id = json_object_get(json_array_get(data, index), "id");

	return id != NULL ? json_incref(id) : json_null();
}

static void send_items(struct request *request, const struct job_facts *facts)
{
	struct item_page page;
	json_t *data, *list;
	size_t count;
	struct buf body;

	if (!read_page(request, facts, &page))
		return;
	data = items_of(facts, &page);
	count = json_array_size(data);
	list = json_pack("{s:s,s:O,s:o,s:o,s:b}", "object", "list", "data", data, "first_id",
			 id_at(data, 0), "last_id", id_at(data, count > 0 ? count - 1 : 0),
			 "has_more", (int)page.has_more);
	buf_init(&body, RESPONSES_RENDER_BYTES_MAX);
	send_json(request, &body, list != NULL ? json_append(&body, list) : ERR_NO_MEMORY);
	json_decref(list);
	json_decref(data);
	buf_release(&body);
}

/* ---- questions ---- */

void responses_show(struct request *request, const struct job_facts *facts,
		    enum job_question question)
{
	switch (question) {
	case JOB_RESPONSE_STREAM:
		stream(request, facts);
		break;
	case JOB_RESPONSE_CANCEL:
		cancel(request, facts);
		break;
	case JOB_RESPONSE_ITEMS:
		send_items(request, facts);
		break;
	case JOB_RESPONSE:
	default:
		touch(request, facts);
		send_object(request, facts);
		break;
	}
}

static const struct {
	const char *method;
	const char *what; /* behind the id */
	enum job_question question;
} paths[] = {
	{ "GET", "", JOB_RESPONSE },
	{ "HEAD", "", JOB_RESPONSE },
	{ "DELETE", "", JOB_RESPONSE_ERASE },
	{ "POST", "/cancel", JOB_RESPONSE_CANCEL },
	{ "GET", "/input_items", JOB_RESPONSE_ITEMS },
	{ "HEAD", "/input_items", JOB_RESPONSE_ITEMS },
};

/* False: no question of ours. */
static bool find_question(const struct request *request, const char *what,
			  enum job_question *question)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(paths[i].method, request->method) != 0 ||
		    strcmp(paths[i].what, what) != 0)
			continue;
		*question = paths[i].question;
		if (*question == JOB_RESPONSE && strcmp(request->method, "GET") == 0 &&
		    is_text(query_member(request->query, "stream"), "true"))
			*question = JOB_RESPONSE_STREAM;
		return true;
	}
	return false;
}

static void find(struct api *api, struct request *request, const char *job, const char *owner,
		 enum job_question question)
{
	metric_inc(METRIC_REQUESTS_JOBS);
	jobs_find(api, request, job, owner, question);
}

void responses_one(struct api *api, struct request *request, const char *rest, const char *owner)
{
	char id[ID_BYTES];
	char job[JOB_ID_BYTES];
	size_t len = strcspn(rest, "/");
	enum job_question question;

	(void)snprintf(id, sizeof(id), "%.*s", (int)(len < ID_BYTES ? len : ID_BYTES - 1), rest);
	if (find_question(request, rest + len, &question) && responses_job_of(id, job))
		find(api, request, job, owner, question);
	else
		responses_refuse_unknown(api, request);
}
