/* state - everything that is known of a job from its events, and nothing else.
 *
 * state_apply() is the only thing that changes it, live and on replay: the same log gives the same
 * state, byte for byte. */
#ifndef LONGHAND_WRITING_STATE_H
#define LONGHAND_WRITING_STATE_H
#include "writing/event.h"
#include "writing/spec.h"

enum { STATE_REPAIRS_MAX = 200, STATE_UNMET_MAX = 50, STATE_TEXT_BYTES_MAX = 64 << 20 };
enum state_phase { STATE_NEW, STATE_PLANNING, STATE_WRITING, STATE_ENDED };

struct state_section {
	long words_asked;
	long words;	     /* of its text so far, heading left out */
	unsigned calls;
	size_t at_byte;	     /* where its content begins, heading included */
	size_t prose_byte;   /* where its prose begins */
	size_t end_byte;
	bool is_started, is_done;
};

struct state {
	struct spec spec; /* from `created` */
	struct plan plan; /* from `planned` */
	struct state_section *sections; /* as many as the plan has */
	enum state_phase phase;
	size_t section;	    /* index of the running or next one */
	struct buf text;    /* all content */
	long words;	    /* of text, headings left out, in spec.count */
	long long written_tokens; /* completion tokens of the prose calls, for tokens per word */
	unsigned calls, calls_failed;
	unsigned plan_calls;
	struct usage usage;
	json_t *repairs;    /* array, as in the report */
	long words_dropped; /* written by the model, not delivered */
	unsigned sections_cut; /* sections we ended ourselves */
	bool is_cancelled;
	enum event_kind end; /* EVENT_DONE, EVENT_FAILED when phase is STATE_ENDED */
	json_t *end_data;
	uint64_t created_ms, planned_ms, last_ms; /* wall clock, by the events */
};

void state_init(struct state *state);
void state_release(struct state *state);
/* Errors: ERR_INVALID: this event cannot come here (a broken log), state unchanged;
 * ERR_NO_MEMORY: state unusable from now on; ERR_TOO_LARGE: text bound. */
MUST_CHECK enum err state_apply(struct state *state, const struct event *event);
/* Seconds left by the pace so far (event times only); 0: unknown. */
long state_eta_s(const struct state *state);
#endif
