/* responses_render - a job's events as those of a response: a pure function from the log to bytes.
 * The same log gives the same events with the same numbers, on every process and every time, in
 * however many pieces it is read. And the response object of any state of a job. */
#ifndef LONGHAND_API_RESPONSES_RENDER_H
#define LONGHAND_API_RESPONSES_RENDER_H
#include "api/responses_events.h"
#include "job/job.h"
#include "writing/state.h"

/* A response as it stands in a state; borrows what it is made of. */
struct response_view {
	struct response_object object;
	struct buf thoughts; /* the plan, or with plan_only the text */
	struct api_fault fault;
};

/* What a job must be shown as a response; all borrowed. */
struct response_source {
	const char *job; /* its id */
	const char *model;
	const json_t *facts; /* member "response" of its created event */
	const struct state *state;
	size_t content_bytes; /* what readers may see of the text */
	bool is_ended;	      /* and whether they may see the end */
};

/* ERR_NO_MEMORY. Release it in any case. */
MUST_CHECK enum err response_view_make(const struct response_source *source,
				       struct response_view *ret_view);
void response_view_release(struct response_view *view);

struct responses_render {
	char job[JOB_ID_BYTES];
	struct state state;
	json_t *facts; /* NULL: not created yet, or not asked for as a response */
	char *model;
	struct responses_events events;
};

/* `after`: events up to this number are left out; -1: none. */
void responses_render_init(struct responses_render *render, const char *job, long long after);
void responses_render_release(struct responses_render *render);
/* Appends what the event brings; many bring nothing. ERR_NO_MEMORY, ERR_TOO_LARGE, ERR_INVALID (no
 * log of a response). */
MUST_CHECK enum err responses_render_event(struct responses_render *render,
					   const struct event *event, struct buf *out);
/* The object as of the events so far. */
MUST_CHECK enum err responses_render_object(const struct responses_render *render, struct buf *out);
#endif
