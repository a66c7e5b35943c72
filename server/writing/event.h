/* event - what happened to a job. A job is its log of events; everything else is derived.
 *
 * The kinds and their payloads are the schema, version EVENT_VERSION. `text` carries prose, `data`
 * the rest as JSON (docs/api.md lists the members):
 *
 *   created          data: spec (spec.h), model, backend, backend_model, owner, grace (stream,
 *                    answer, kept), labels, response (of who asked)    the first one
 *                    [response: what a Responses request said, api/responses_request.h]
 *   claimed          data: by                                 a process took the job
 *   planned          data: plan (plan.h), titles as text for readers
 *   plan_extended    data: plan                               (parts first; not produced yet)
 *   section_started  section, data: words_asked
 *   text             section, text: final prose, cut on code points, never changed
 *   draft            section, text: prose not promoted        (parallel, reviewed)
 *   section_done     section, data: words, calls
 *   noted            section, text: running summary, facts
 *   repaired         section, data: kind, action, words_dropped
 *   call             section, data: role, prompt_tokens, completion_tokens, is_usage_estimated,
 *                    result, ms
 *   reasoning        text
 *   parked           data: reason (handed_over), or none
 *   resumed, cancelled
 *   done             data: finish_reason, report              an end
 *   failed           data: code, message, status, retry_after_ms   an end
 *
 * The struct owns text and data. It is moved, not copied: after handing one on, forget it. */
#ifndef LONGHAND_WRITING_EVENT_H
#define LONGHAND_WRITING_EVENT_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum { EVENT_VERSION = 1 };
#define EVENT_REASON_OFFERED "handed_over" /* of `parked`: whoever comes first may go on */

#define EVENT_KINDS(X)                                                                       \
	X(CREATED, "created") X(CLAIMED, "claimed") X(PLANNED, "planned")                    \
	X(PLAN_EXTENDED, "plan_extended") X(SECTION_STARTED, "section_started")              \
	X(TEXT, "text") X(DRAFT, "draft") X(SECTION_DONE, "section_done") X(NOTED, "noted")  \
	X(REPAIRED, "repaired") X(CALL, "call") X(REASONING, "reasoning")                    \
	X(PARKED, "parked") X(RESUMED, "resumed") X(CANCELLED, "cancelled") X(DONE, "done")  \
	X(FAILED, "failed")

enum event_kind {
#define X(name, text) EVENT_##name,
	EVENT_KINDS(X)
#undef X
	EVENT_KIND_COUNT
};

struct event {
	enum event_kind kind;
	uint64_t epoch;	  /* set by the event log, as is seq */
	uint64_t seq;	  /* 1, 2, 3 ... within the epoch; a claim has 0 */
	unsigned section; /* from 1; 0: of the whole */
	uint64_t at_byte; /* bytes of content (text events) before it */
	uint64_t t_ms;	  /* wall clock, set by the job */
	char *text;	  /* terminated; NULL: none */
	size_t text_len;
	json_t *data; /* NULL: none */
};

const char *event_kind_name(enum event_kind kind);
/* false: no such kind. */
bool event_kind_from_name(const char *name, enum event_kind *ret_kind);
/* done, failed: nothing may follow. (cancelled is followed by done.) */
bool event_is_end(enum event_kind kind);
/* NULL ok for text (then len 0). ERR_NO_MEMORY; `data` is taken over, also on failure. */
MUST_CHECK enum err event_init(struct event *event, enum event_kind kind, unsigned section,
			       struct slice text, json_t *data);
void event_release(struct event *event);
#endif
