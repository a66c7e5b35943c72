/* guard - judges one sentence of a model's answer before it may become text. Pure: a function of
 * the sentence and of where it stands.
 *
 * What it cannot see, since it needs the text around, is judged by the caller: repetition
 * (repeat.h), loops, sentences cut off. The names of kinds and actions are the closed enums of
 * docs/api.md. */
#ifndef LONGHAND_WRITING_GUARD_H
#define LONGHAND_WRITING_GUARD_H
#include <stdbool.h>
#include "base/buf.h"

#define REPAIR_KINDS(X)                                                                      \
	X(META, "meta") X(REFUSAL, "refusal") X(THINK, "think") X(MARK, "mark")              \
	X(LOOP, "loop") X(REPETITION, "repetition") X(CUT_OFF, "cut_off")                    \
	X(LANGUAGE, "language") X(SHORT, "short") X(ECHO, "echo")                            \
	X(STOP_STRING, "stop_string")
#define REPAIR_ACTIONS(X) \
	X(DROP, "drop") X(REDO, "redo") X(CONTINUE, "continue") X(CUT, "cut")

enum repair_kind {
#define X(name, text) REPAIR_##name,
	REPAIR_KINDS(X)
#undef X
	REPAIR_KIND_COUNT
};

enum repair_action {
#define X(name, text) ACTION_##name,
	REPAIR_ACTIONS(X)
#undef X
	ACTION_COUNT
};

const char *repair_kind_name(enum repair_kind kind);
const char *repair_action_name(enum repair_action action);

enum guard_script { SCRIPT_ANY, SCRIPT_LATIN, SCRIPT_HAN };

struct guard_place {
	const char *title;	/* of the section; "" for none */
	size_t unit;		/* index of the sentence in the answer */
	bool is_section_start;	/* no text of the section before it */
	bool is_last_section;
	bool is_single;		/* the whole text is one section: its headings are the model's */
	bool has_headings;
	bool is_direct;		/* by a small model: see self_talk.h */
	bool is_personal;	/* the text may say "I" */
	bool is_letter;		/* a letter, a dialogue: "let me know if you ..." is text */
	enum guard_script script; /* the text's */
};

enum guard_verdict {
	GUARD_KEEP,
	GUARD_DROP,
	GUARD_REDO /* the answer is worth nothing: at its front, ask again; later, drop */
};

struct guard_finding {
	enum guard_verdict verdict;
	enum repair_kind kind; /* unless kept whole */
	size_t skip_bytes;     /* GUARD_KEEP: a mark at the front to leave out */
};

/* `sentence` without white space around it, not empty; is_line: it stands on a line of its own. */
struct guard_finding guard_judge(const struct guard_place *place, struct slice sentence,
				 bool is_line);
/* A heading or "such as these:", which must not be the last of a text. */
bool guard_is_lead_in(struct slice sentence);
#endif
