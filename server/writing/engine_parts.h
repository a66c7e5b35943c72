/* engine_parts - the inside of the engine, shared by its files only.
 *
 *   engine.c        what is next, and the ends of a job
 *   engine_plan.c   from the request to `planned`
 *   engine_call.c   the calls: what is asked, with what sampling, and their ends
 *   engine_read.c   a running answer: its sentences judged
 *   engine_hold.c   judged sentences: held, delivered, cut where the words are there
 *   engine_emit.c   accepted sentences to `text` events: seams, headings, stop strings
 *
 * Events wait in `queue`; while one does, nothing else is decided, so that every decision sees the
 * state with all events before it applied. */
#ifndef LONGHAND_WRITING_ENGINE_PARTS_H
#define LONGHAND_WRITING_ENGINE_PARTS_H
#include "writing/budget.h"
#include "writing/engine.h"
#include "writing/guard.h"
#include "writing/repeat.h"
#include "writing/stops.h"
#include "writing/take.h"

enum { ENGINE_RECENT = 12, ENGINE_REASONING_BYTES_MAX = 600 << 10 };

struct engine_queue {
	struct event *events;
	size_t first, n, size;
};

/* The running call. */
struct engine_call {
	bool is_running;
	bool is_stop_wanted, is_stop_sent;
	bool is_over;	   /* engine_on_call_end came */
	bool is_settled;   /* what was held is delivered or dropped */
	bool is_cut;	   /* ended by us because the words were there */
	bool is_redo;	   /* its text is not wanted */
	enum ask_role ask;
	enum write_role role;
	long words_asked;
	long max_tokens; /* our own bound on the answer; 0: none */
	long prompt_tokens; /* by estimate */
	struct call_end end;
	struct take take;
	long words_discarded; /* held, and not delivered after all */
	size_t n_dropped, n_dropped_row;
	size_t n_flipped_row;
	bool is_echoing;
	bool has_text;	   /* some of it became text */
	size_t plan_bytes;
	uint64_t recent[ENGINE_RECENT]; /* fingerprints of its latest sentences */
	size_t n_recent;
};

struct engine {
	const struct state *state;
	const struct prompt_set *prompts;
	struct engine_queue queue;
	struct engine_call call;
	struct stops stops;
	struct repeat seen; /* all accepted text */
	struct plan draft; /* while planning */
	bool has_draft, has_outline;
	unsigned nudges;   /* how often the section's sampling was changed */
	size_t n_flipped;  /* sentences of the section kept in another language */
	const char *fault; /* of the answer before: said in the next prompt */
	bool is_stop_found;
	bool is_cancelled;
	bool is_short_noted;
	bool made_progress;
};

/* engine.c: moves the event into the queue; `data` is taken over, also on failure, NULL fails. */
MUST_CHECK enum err engine_queue_event(struct engine *engine, enum event_kind kind,
				       struct slice text, json_t *data);
MUST_CHECK enum err engine_queue_repair(struct engine *engine, enum repair_kind kind,
					enum repair_action action, long words_dropped);
MUST_CHECK enum err engine_queue_section_done(struct engine *engine, const char *unmet);
/* engine_plan.c: one step of planning; sets the action or queues an event. */
MUST_CHECK enum err engine_plan_next(struct engine *engine, struct engine_action *ret_action);
MUST_CHECK enum err engine_plan_read(struct engine *engine);
/* engine_call.c */
MUST_CHECK enum err engine_ask_plan(struct engine *engine, size_t n_titles,
				    struct engine_action *ret_action);
MUST_CHECK enum err engine_ask_text(struct engine *engine, enum write_role role,
				    struct engine_action *ret_action);
/* The call is over and settled: queues its `call` event and forgets it. */
MUST_CHECK enum err engine_close_call(struct engine *engine);
/* engine_read.c: as far as the text that is there allows: queues events, wants the call stopped. */
MUST_CHECK enum err engine_read(struct engine *engine);
/* engine_hold.c: a kept sentence, moved from `unit`; and the end of the answer. */
MUST_CHECK enum err engine_accept(struct engine *engine, struct take_unit *unit);
MUST_CHECK enum err engine_settle(struct engine *engine);
/* engine_emit.c: the first `n` held sentences become text. */
MUST_CHECK enum err engine_emit(struct engine *engine, size_t n);
/* What may still be held back for a stop string. */
MUST_CHECK enum err engine_emit_rest(struct engine *engine);
/* Words of the whole text with all that is accepted but not applied yet. */
long engine_words_before_held(const struct engine *engine);
static inline unsigned engine_section(const struct engine *engine)
{
	return (unsigned)engine->state->section + 1;
}
#endif
