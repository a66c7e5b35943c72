/* chat_options - what a client says in `longhand` and in X-Longhand-* headers; the body wins.
 * Closed: a key or value that is not in docs/api.md is a 400, and so is one that
 * is not built yet. */
#ifndef LONGHAND_API_CHAT_OPTIONS_H
#define LONGHAND_API_CHAT_OPTIONS_H
#include "api/chat_request.h"
#include "writing/spec.h"

#define CHAT_MODES(X)                                                                              \
	X(AUTO, "auto")                                                                            \
	X(SERIAL, "serial")                                                                        \
	X(PARALLEL, "parallel")                                                                    \
	X(SINGLE, "single")                                                                        \
	X(OFF, "off")

enum chat_mode {
#define X(name, text) CHAT_MODE_##name,
	CHAT_MODES(X)
#undef X
};

enum { TARGET_WORDS_MIN = 20, TARGET_WORDS_MAX = 1000000 };

struct chat_options {
	enum chat_mode mode;
	bool is_mode_said;
	long target_words; /* 0: not said */
	struct plan plan;  /* empty: none */
	bool is_plan_only, keep, is_plan_shown;
	enum headings headings;
	bool is_headings_said;
	enum word_rule count;
	bool is_count_said;
};

void chat_options_init(struct chat_options *options);
void chat_options_release(struct chat_options *options);
/* `longhand` may be NULL. False: ret_fault says why. */
MUST_CHECK bool chat_options_read(const struct request *request, const json_t *longhand,
				  struct chat_options *options, struct api_fault *ret_fault);
#endif
