/* engine - decides what a job does next. Sans-IO: no clock, no sockets, no callbacks.
 *
 *   for (;;) {
 *       engine_next(engine, &action);
 *       switch (action.kind) {
 *       ENGINE_ASK:       start a model call with action.ask; feed it by engine_on_text() ...
 *       ENGINE_STOP_CALL: close the running call; its end comes by engine_on_call_end() too
 *       ENGINE_APPEND:    append action.event to the log, state_apply() it, go round again
 *       ENGINE_WAIT:      a call is running and there is nothing to do until it says more
 *       ENGINE_END:       an end event has been applied
 *       }
 *   }
 *
 * The engine reads `state` (borrowed, applied by the caller between two engine_next) and keeps
 * only what belongs to the running call: the text not yet accepted. Dropping an engine and making a
 * new one over the same state continues the job: in mid-section from the text that is there. */
#ifndef LONGHAND_WRITING_ENGINE_H
#define LONGHAND_WRITING_ENGINE_H
#include "writing/prompt.h"
#include "writing/state.h"

struct engine;

enum ask_role { ASK_PLAN, ASK_WRITE };

struct engine_ask {
	enum ask_role role;
	unsigned section;	/* from 1; 0: the plan */
	long words;		/* asked for; 0: the plan */
	size_t n_titles;	/* asked for; 0: text */
	json_t *messages;	/* owned by the action: engine_action_release */
	json_t *schema;		/* response_format.json_schema object or NULL */
	bool is_prefilled;	/* the last message is the assistant's, to be continued */
	long max_tokens;	/* of this call, 0: none */
	struct sampling sampling;
};

enum engine_action_kind { ENGINE_WAIT, ENGINE_ASK, ENGINE_STOP_CALL, ENGINE_APPEND, ENGINE_END };

struct engine_action {
	enum engine_action_kind kind;
	struct engine_ask ask;
	struct event event; /* moved to the caller */
};

struct call_end {
	enum err result;      /* OK: the answer is complete; ERR_CANCELED: stopped by us */
	enum finish_reason finish;
	struct usage usage;   /* zeros: not said */
	uint64_t took_ms;
};

/* Borrows all three until engine_free. */
MUST_CHECK enum err engine_new(const struct state *state, const struct prompt_set *prompts,
			       struct engine **ret_engine);
void engine_free(struct engine *engine);
/* Never ENGINE_WAIT without a running call. ERR_NO_MEMORY, ERR_TOO_LARGE (the request does not fit
 * the model's window): the caller ends the job by engine_fail's event. */
MUST_CHECK enum err engine_next(struct engine *engine, struct engine_action *ret_action);
void engine_action_release(struct engine_action *action);
/* Deltas of the running call. After ENGINE_STOP_CALL they are ignored. */
MUST_CHECK enum err engine_on_text(struct engine *engine, const char *text, size_t len);
MUST_CHECK enum err engine_on_reasoning(struct engine *engine, const char *text, size_t len);
/* The running call is over. With a failure (result neither OK nor ERR_CANCELED after STOP_CALL) the
 * whole sentences stay, and the next ENGINE_ASK goes on from there: the caller decides whether and
 * when (backoff) to come back, or ends the job by engine_fail(). */
MUST_CHECK enum err engine_on_call_end(struct engine *engine, const struct call_end *end);
/* Whether the running call, or the one that ended last, brought text that is kept: after a failure
 * the caller counts its tries anew. */
bool engine_made_progress(const struct engine *engine);
/* From now on: finish as soon as possible: appends `cancelled`, then `done` with what is there. */
void engine_cancel(struct engine *engine);
/* The event for a job that cannot go on; code is one of docs/api.md's. */
MUST_CHECK enum err engine_fail(const struct engine *engine, const char *code, const char *message,
				struct event *ret_event);
#endif
