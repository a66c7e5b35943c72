/* scripted_model - a model in the process: writes sentences nobody wrote before, as many words as
 * it was asked for times a factor that changes from call to call, and misbehaves on request.
 *
 * Deterministic: the same seed, the same calls, the same answers. */
#ifndef LONGHAND_FAKES_SCRIPTED_MODEL_H
#define LONGHAND_FAKES_SCRIPTED_MODEL_H
#include "writing/engine.h"

enum scripted_fault {
	FAULT_NONE,
	FAULT_META,	   /* "Sure, here is the section:" ... "I hope this helps!" */
	FAULT_LOOP,	   /* the same three sentences for ever */
	FAULT_WORD_LOOP,   /* "and on and on" without an end mark */
	FAULT_CUT,	   /* finish length in mid-sentence */
	FAULT_STOP_EARLY,  /* finish stop in mid-sentence */
	FAULT_STOP_LINE,   /* the same in a paragraph's first sentence */
	FAULT_STOP_COMMA,  /* the same, a short one, behind a comma */
	FAULT_LIST_END,	   /* no fault: an item of a list is the end, without an end mark */
	FAULT_THINK,	   /* <think> ... </think> first */
	FAULT_THINK_OPEN,  /* <think> that never closes */
	FAULT_THINK_LONE,  /* ... </think> without an opening */
	FAULT_ECHO,	   /* the end of the text so far first */
	FAULT_REPEAT,	   /* the beginning of the text again */
	FAULT_REFUSE,
	FAULT_EMPTY,
	FAULT_BREAK,	   /* the connection breaks in mid-sentence */
	FAULT_MARKS,	   /* the title, "## Section 3", the plan's line */
	FAULT_FLIP,	   /* the other language */
	FAULT_NOISE,	   /* marks, tags, fences and half words in any order */
	FAULT_CONCLUDE,	   /* "In conclusion, ..." */
	FAULT_COUNT
};

struct scripted_model {
	uint64_t seed;
	bool is_chinese;
	double factor_min, factor_max;
	enum scripted_fault fault;
	unsigned fault_every;  /* every so many calls, from the first on; 0: never */
	const char *plan_text; /* the answer to every plan call; NULL: as many titles as asked */
	unsigned calls;	       /* so far */
};

struct scripted_answer {
	struct buf text;
	enum err result;
	enum finish_reason finish;
};

void scripted_model_init(struct scripted_model *model, uint64_t seed);
/* Aborts the test when memory is out: the model is not what is tested. */
void scripted_model_answer(struct scripted_model *model, const struct engine_ask *ask,
			   const struct state *state, struct scripted_answer *ret_answer);
#endif
