/* spec - what is to be written: the client's request as the writing engine sees it. Immutable once
 * built; its JSON is the payload of the `created` event, so a replay needs nothing else. */
#ifndef LONGHAND_WRITING_SPEC_H
#define LONGHAND_WRITING_SPEC_H
#include "base/completion.h"
#include "writing/demand.h"
#include "writing/plan.h"
#include "writing/words.h"

enum { SPEC_STOPS_MAX = 4, SPEC_STOP_BYTES_MAX = 256 };
enum headings { HEADINGS_AUTO, HEADINGS_NONE, HEADINGS_MARKDOWN };
enum context { CONTEXT_AUTO, CONTEXT_FULL, CONTEXT_BOUNDED, CONTEXT_DIRECT };
enum writing_mode { WRITING_SERIAL, WRITING_SINGLE };

/* What the backend's model is known to do; the engine adapts, it never probes. */
struct model_traits {
	long window_tokens;	    /* 0: unknown */
	bool can_continue;	    /* goes on from a last message of the assistant */
	bool has_schema;	    /* response_format json_schema is honoured */
	bool is_small;		    /* wants one plain sentence: CONTEXT_AUTO is DIRECT */
	long call_words_max;	    /* what one call can be trusted to write; 0: 1,000 */
	double tokens_per_word;	    /* learned; 0: by language */
	double habit;		    /* learned obtained/asked; 0: 1.0 */
};

struct spec {
	json_t *history;   /* array: all messages before the last user turn, verbatim */
	char *request;	   /* text of the last user turn */
	struct demand demand;
	long target_words, at_least, at_most; /* in `count`; at_least 0 and at_most 0: no bound */
	enum word_rule count;
	enum writing_mode mode;
	enum headings headings;
	enum context context;
	struct plan plan; /* the client's own; empty: none */
	bool is_plan_only;
	long max_tokens; /* of the delivered text; 0: none */
	char *stops[SPEC_STOPS_MAX];
	size_t n_stops;
	struct sampling sampling;
	struct model_traits traits;
};

void spec_init(struct spec *spec);
void spec_release(struct spec *spec);
json_t *spec_to_json(const struct spec *spec); /* NULL: memory is out */
/* For replay; ERR_INVALID when it is not one, ERR_NO_MEMORY. */
MUST_CHECK enum err spec_from_json(const json_t *json, struct spec *ret_spec);
/* CONTEXT_AUTO resolved by traits and target. */
enum context spec_context(const struct spec *spec);
/* Whether sections get "## title" lines: HEADINGS_AUTO by kind (report, manual, guide, article,
 * thesis, essay over 1,500 words ... yes; story, novel, letter, speech, poem, dialogue: no); with
 * the user's own outline of titles: yes, exactly those. */
bool spec_has_headings(const struct spec *spec);
#endif
