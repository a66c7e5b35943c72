/* state - everything that is known of a job from its events, and nothing else.
 *
 * state_apply() is the only thing that changes it, live and on replay: the same log gives the same
 * state, byte for byte. Beside what readers need it holds what the engine must remember across a
 * restart: how often a section was continued or redone, and the model's habit.
 *
 * Members of the events' data that it reads (the rest is for readers):
 *   planned       plan, target_words (what is aimed at; the client's max_tokens may have made it
 *                 smaller than the spec's), unmet
 *   text          is_heading: the text is a section's heading line, not prose
 *   section_done  unmet
 *   repaired      kind, action, words_dropped
 *   call          role (plan, write, continue, closing), result (ok, stopped, failed),
 *                 words_asked, words (of the answer, as far as it was read), is_cut (ended by us
 *                 because the words were there), words_dropped, prompt_tokens, completion_tokens,
 *                 reasoning_tokens, cached_tokens
 *   unmet: [{"kind", "detail"}] */
#ifndef LONGHAND_WRITING_STATE_H
#define LONGHAND_WRITING_STATE_H
#include "writing/event.h"
#include "writing/spec.h"

enum { STATE_REPAIRS_MAX = 200, STATE_UNMET_MAX = 50, STATE_TEXT_BYTES_MAX = 64 << 20 };
enum state_phase { STATE_NEW, STATE_PLANNING, STATE_WRITING, STATE_ENDED };

struct state_section {
	long words_asked;    /* its budget, heading left out */
	long words;	     /* of its text so far, heading left out */
	long words_at_call;  /* its words when its latest call ended */
	long words_before;   /* of the whole text when it began */
	unsigned calls;	     /* that did not fail */
	unsigned continues, closings, redos;
	unsigned empties;    /* calls in a row that brought nothing */
	size_t at_byte;	     /* where its content begins, heading included */
	size_t prose_byte;   /* where its prose begins */
	size_t end_byte;
	bool is_started, is_done;
	bool has_heading;    /* its heading line is in the text */
	bool is_cut;	     /* its last call was ended by us */
};

struct state {
	struct spec spec; /* from `created` */
	struct plan plan; /* from `planned` */
	struct state_section *sections; /* as many as the plan has */
	long target_words; /* aimed at: from `planned` */
	enum state_phase phase;
	size_t section;	    /* index of the running or next one */
	struct buf text;    /* all content */
	long words;	    /* of text, headings included, in spec.count */
	struct word_counter counter, section_counter; /* of the text; of the section's prose */
	long long written_tokens, written_words; /* of prose calls whose usage is known */
	double habit;	    /* words obtained per word asked for: the traits', then what is seen */
	unsigned calls, calls_failed;
	unsigned plan_calls;
	struct usage usage;
	json_t *repairs;    /* array, as in the report; STATE_REPAIRS_MAX at most */
	json_t *unmet;	    /* array, as in the report, but for what only the end can tell */
	unsigned n_repairs; /* all of them */
	long words_dropped; /* written by the model, not delivered */
	unsigned sections_cut; /* sections we ended ourselves */
	bool is_cancelled;
	bool is_parked; /* nobody reads, nothing is written */
	bool is_stop_found; /* one of the client's stop strings ended the text */
	enum event_kind end; /* EVENT_DONE, EVENT_FAILED when phase is STATE_ENDED */
	json_t *end_data;
	uint64_t created_ms, planned_ms, last_ms; /* wall clock, by the events */
};

void state_init(struct state *state);
void state_release(struct state *state);
/* "planning", "writing", "done", "cancelled" or "failed". */
const char *state_status(const struct state *state);
/* Errors: ERR_INVALID: this event cannot come here (a broken log), state unchanged;
 * ERR_NO_MEMORY: state unusable from now on; ERR_TOO_LARGE: text bound. */
MUST_CHECK enum err state_apply(struct state *state, const struct event *event);
/* Seconds left by the pace so far (event times only); 0: unknown. */
long state_eta_s(const struct state *state);
#endif
