/* chat_render - a job's events as a streamed chat completion: a pure function from events to
 * bytes. The same log gives the same bytes, on every process and every time.
 *
 *   delta role, reasoning_content (the plan)                       planned
 *   delta {} with longhand progress                                section_started
 *   delta content [with longhand progress, at most once a second]  text
 *   delta {} with finish_reason and longhand report, [usage], [DONE]  done
 *   {"error":{...}}, no [DONE]                                     failed
 *
 * With from_byte a client goes on reading: nothing comes of what lies before that byte, the plan
 * neither. */
#ifndef LONGHAND_API_CHAT_RENDER_H
#define LONGHAND_API_CHAT_RENDER_H
#include "api/errors.h"
#include "job/event_log.h"
#include "writing/words.h"

enum { CHAT_RENDER_BYTES_MAX = 64 << 20 };

struct chat_render {
	bool is_plan_shown, has_usage; /* wishes of the client */
	uint64_t from_byte; /* what the client has of the content already; 0 after init */
	uint64_t progress_ms;

	/* Learned from the events. */
	char job[33];
	char *model;
	long long created_s;
	long target_words;
	enum word_rule count;
	bool is_plan_only, has_role;
	unsigned section, n_sections;
	struct word_counter words;
	uint64_t planned_ms, progress_at_ms;
};

void chat_render_init(struct chat_render *render, bool is_plan_shown, bool has_usage,
		      uint64_t progress_ms);
void chat_render_release(struct chat_render *render);
/* Appends the event's chunks; many events have none. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err chat_render_event(struct chat_render *render, const struct event *event,
				      struct buf *out);
/* The plan as people read it: a line a section. */
MUST_CHECK enum err chat_render_plan(const json_t *plan, struct buf *out);
/* The failed event as a fault that names the job. */
void chat_render_fault(const struct event *failed, const char *job, struct api_fault *ret_fault);
/* The report's usage as the answer has it; "null" without one. */
MUST_CHECK enum err chat_render_usage(const json_t *report, struct buf *out);
/* ,"longhand":{"job","plan" (plan_only),"report"} out of the done event's data. */
MUST_CHECK enum err chat_render_longhand(const struct chat_render *render, const json_t *data,
					 struct buf *out);
#endif
