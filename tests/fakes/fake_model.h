/* fake_model - the model port of unit tests: writes prose in virtual time, and fails when told to.
 *
 * A plan call (one with a schema, or that asks for titles) is answered with as many lines as it
 * asks for; any other with about as many words as the last message asks for ("about N words").
 * Each call's fate comes from `fates`, in order, then `every`. A failure strikes after
 * `break_after` pieces of the answer. */
#ifndef LONGHAND_FAKES_FAKE_MODEL_H
#define LONGHAND_FAKES_FAKE_MODEL_H
#include "fakes/fake_reactor.h"
#include "model/model.h"

enum { FAKE_MODEL_FATES = 256 };

struct fake_model {
	struct model port;
	struct reactor *reactor;
	uint64_t first_ms, piece_ms; /* to the first piece, and between two */
	enum err fates[FAKE_MODEL_FATES]; /* OK, or how it fails; ERR_UNKNOWN: hangs for ever */
	size_t n_fates, next_fate;
	enum err every;
	unsigned break_after;
	int status; /* of an ERR_REJECTED */
	uint64_t retry_after_ms;
	unsigned calls, live, live_max, sentences;
	double learned_habit, learned_tokens_per_word; /* by the last job; 0: nothing */
};

void fake_model_init(struct fake_model *fake, struct reactor *reactor);
#endif
