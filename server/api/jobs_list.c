#include "api/jobs.h"
#include "base/json.h"
#include "base/metrics.h"
#include <string.h>

enum { LISTED_MAX = 1000, LIST_BYTES_MAX = 72 << 20 };

struct listing {
	const char *owner;
	json_t *data; /* NULL: memory has run out */
	bool has_more;
};

static void add_summary(void *context, const struct job_summary *summary)
{
	struct listing *listing = context;

	if (listing->data == NULL || strcmp(summary->owner, listing->owner) != 0)
		return;
	if (json_array_size(listing->data) == LISTED_MAX) {
		listing->has_more = true;
		return;
	}
	if (json_array_append_new(
		    listing->data,
		    json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "id", summary->id, "object",
			      "longhand.job", "status", summary->status, "model", summary->model_id,
			      "created", (json_int_t)(summary->created_ms / 1000), "target_words",
			      (json_int_t)summary->target_words, "words",
			      (json_int_t)summary->words)) != 0) {
		json_decref(listing->data);
		listing->data = NULL;
	}
}

void jobs_list(struct api *api, struct request *request, const char *rest, const char *owner)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	struct listing listing = { .owner = owner, .data = json_array() };
	json_t *json;
	struct buf body;

	(void)rest;
	registry_each(api->registry, add_summary, &listing);
	json = json_pack("{s:s,s:o,s:b}", "object", "list", "data", listing.data, "has_more",
			 listing.has_more);
	buf_init(&body, LIST_BYTES_MAX);
	if (json == NULL || json_append(&body, json) != OK) {
		api_refuse_memory(request);
	} else {
		metric_inc(METRIC_RESPONSES_2XX);
		reply_send(request, 200, headers, &body);
	}
	json_decref(json);
	buf_release(&body);
}
