#include "api/jobs.h"
#include "api/origin.h"
#include "api/jobs_parts.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/replay.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 8 << 20 };

struct row {
	uint64_t created_ms;
	size_t index; /* of those that began in the same millisecond, as they were found */
	json_t *summary;
};

/* What the registry has, then what the store finds besides, read one log after the other. */
struct listing {
	struct api *api;
	struct request *request; /* NULL once closed */
	struct store_find find;
	struct replay replay;
	size_t next; /* of the ids found */
	struct row *rows;
	size_t n_rows, room;
	bool is_out_of_memory;
	char label[STORE_LABEL_BYTES];
	char owner[OWNER_BYTES];
};

static json_t *summary_json(const struct job_summary *summary)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "id", summary->id, "object",
			 "longhand.job", "status", summary->status, "model", summary->model_id,
			 "created", (json_int_t)(summary->created_ms / 1000), "target_words",
			 (json_int_t)summary->target_words, "words", (json_int_t)summary->words);
}

static bool has_room(struct listing *listing)
{
	size_t room = listing->room > 0 ? listing->room * 2 : 32;
	struct row *rows;

	if (listing->n_rows < listing->room)
		return true;
	rows = mem_realloc(listing->rows, room * sizeof(*rows));
	if (rows == NULL)
		return false;
	listing->rows = rows;
	listing->room = room;
	return true;
}

static void add(struct listing *listing, const struct job_summary *summary)
{
	json_t *json;

	if (strcmp(summary->owner, listing->owner) != 0)
		return;
	json = has_room(listing) ? summary_json(summary) : NULL;
	if (json == NULL) {
		listing->is_out_of_memory = true;
		return;
	}
	listing->rows[listing->n_rows] = (struct row){ summary->created_ms, listing->n_rows, json };
	listing->n_rows++;
}

static void add_here(void *context, const struct job_summary *summary)
{
	add(context, summary);
}

/* ---- the answer ---- */

static int compare_newest_first(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? 1 : -1;
	return a->index > b->index ? 1 : -1;
}

/* The newest of them. NULL: memory has run out. */
static json_t *data_of(struct listing *listing)
{
	json_t *data = listing->is_out_of_memory ? NULL : json_array();

	if (listing->n_rows > 0)
		qsort(listing->rows, listing->n_rows, sizeof(struct row), compare_newest_first);
	for (size_t i = 0; data != NULL && i < listing->n_rows && i < STORE_FOUND_MAX; i++) {
		if (json_array_append(data, listing->rows[i].summary) == 0)
			continue;
		json_decref(data);
		data = NULL;
	}
	return data;
}

static void send_list(struct listing *listing)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	bool is_more = listing->find.is_more || listing->n_rows > STORE_FOUND_MAX;
	json_t *json = json_pack("{s:s,s:o,s:b}", "object", "list", "data", data_of(listing),
				 "has_more", is_more);
	struct buf body;

	buf_init(&body, LIST_BYTES_MAX);
	if (json == NULL || json_append(&body, json) != OK) {
		api_refuse_memory(listing->request);
	} else {
		metric_inc(METRIC_RESPONSES_2XX);
		reply_send(listing->request, 200, headers, &body);
	}
	json_decref(json);
	buf_release(&body);
}

static void end(struct listing *listing, enum err err)
{
	struct request *request = listing->request;

	if (request != NULL) {
		request->user = NULL;
		request->on_closed = NULL;
		if (err == OK)
			send_list(listing);
		else
			jobs_refuse_failed(request, err);
	}
	for (size_t i = 0; i < listing->n_rows; i++)
		json_decref(listing->rows[i].summary);
	mem_free(listing->rows);
	api_let_go(listing->api);
	mem_free(listing);
}

/* ---- out of the store ---- */

static void read_next(struct listing *listing);

static void on_replayed(struct op *op)
{
	struct replay *replay = container_of(op, struct replay, op);
	struct listing *listing = container_of(replay, struct listing, replay);
	enum err err = op->result;

	if (err == OK && replay->owner != NULL) {
		struct job_summary summary =
			job_summary_of(listing->find.ids[listing->next - 1], replay->owner,
				       replay->model_id, &replay->state);

		add(listing, &summary);
	}
	replay_release(replay);
	/* One that has just gone, or cannot be read, is left out; a store that fails is not. */
	if (err == OK || err == ERR_NOT_FOUND || err == ERR_INVALID || err == ERR_BROKEN)
		read_next(listing);
	else
		end(listing, err);
}

static void read_next(struct listing *listing)
{
	struct api *api = listing->api;
	struct store_find *find = &listing->find;

	while (listing->next < find->n_ids &&
	       registry_find(api->registry, find->ids[listing->next]) != NULL)
		listing->next++;
	if (listing->next == find->n_ids || listing->request == NULL) {
		end(listing, OK);
		return;
	}
	op_prepare(&listing->replay.op, api->reactor, 0, on_replayed);
	replay_start(&listing->replay, api->store, find->ids[listing->next++],
		     api->options->store_ms);
}

static void on_found(struct op *op)
{
	struct store_find *find = container_of(op, struct store_find, op);
	struct listing *listing = container_of(find, struct listing, find);

	if (op->result != OK) {
		end(listing, op->result);
		return;
	}
	registry_each(listing->api->registry, add_here, listing);
	read_next(listing);
}

static void on_closed(struct request *request)
{
	struct listing *listing = request->user;

	if (listing == NULL)
		return;
	listing->request = NULL;
	op_cancel(&listing->find.op, ERR_CANCELED);
	op_cancel(&listing->replay.op, ERR_CANCELED);
}

void jobs_list(struct api *api, struct request *request, const char *rest, const char *owner)
{
	struct listing *listing = mem_alloc(sizeof(*listing));

	(void)rest;
	if (listing == NULL) {
		api_refuse_memory(request);
		return;
	}
	listing->api = api_hold(api);
	listing->request = request;
	(void)snprintf(listing->owner, sizeof(listing->owner), "%s", owner);
	origin_of_owner(owner, listing->label);
	listing->find.label = listing->label;
	request->user = listing;
	request->on_closed = on_closed;
	op_prepare(&listing->find.op, api->reactor, api->options->store_ms, on_found);
	api->store->find(api->store, &listing->find);
}
