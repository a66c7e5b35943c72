/* take - the answer of the running call: what came and is not accepted yet.
 *
 * Deltas go in cut at any byte; sentences come out, with the white space before each brought to one
 * of four gaps. The engine judges them; those that must wait for the end of the answer are held
 * here. Nothing of a take survives a restart: it is asked for again. */
#ifndef LONGHAND_WRITING_TAKE_H
#define LONGHAND_WRITING_TAKE_H
#include "base/completion.h"
#include "writing/think.h"
#include "writing/words.h"

enum { TAKE_BYTES_MAX = 1 << 20, TAKE_SENTENCE_BYTES_MAX = 8000 };
enum gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_PARAGRAPH };

struct take_unit {
	enum gap gap;	    /* before it */
	char *text;	    /* no white space around it but a list item's indent; owned */
	size_t len;
	long words;
	bool is_line;	    /* a line, or more, of its own */
	bool is_last;	    /* of an answer that has ended */
	bool is_finished;   /* ends as a sentence does */
	bool is_lead_in;    /* set by the engine: must not be the last of a text */
};

struct take {
	struct think think;
	struct buf pending; /* out of `think`, not cut into sentences yet */
	size_t start;	    /* in pending: what is before has been taken */
	enum gap gap;	    /* before the next sentence */
	size_t indent;	    /* blanks that begin the next line */
	bool is_line_start; /* a line break, or nothing at all, is before it */
	enum word_rule count;
	bool is_ended;
	size_t circling_checked; /* bytes of the sentence under way when last looked at */
	struct take_unit *held;
	size_t n_held, held_size;
	long words_held;
	size_t n_units;	    /* taken out so far */
	long words_read;
	size_t reasoning_bytes;
};

void take_init(struct take *take, enum word_rule count);
void take_release(struct take *take);
/* ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err take_feed(struct take *take, const char *text, size_t len);
/* The answer is over. */
MUST_CHECK enum err take_end(struct take *take);
/* The next whole sentence; ret_has false: none yet. The caller releases it. */
MUST_CHECK enum err take_next(struct take *take, struct take_unit *ret_unit, bool *ret_has);
/* Whether the sentence under way goes round in circles, or never ends. ERR_NO_MEMORY. */
MUST_CHECK enum err take_is_circling(struct take *take, bool *ret_is_circling);
/* A lone closing tag said that all so far was thinking: drops what is pending. true once. */
bool take_drop_thinking(struct take *take);
/* Moves the unit to the end of those held. ERR_NO_MEMORY: it stays the caller's. */
MUST_CHECK enum err take_hold(struct take *take, struct take_unit *unit);
/* Releases the first `n` held; they have been delivered. */
void take_forget_held(struct take *take, size_t n);
void take_unit_release(struct take_unit *unit);
/* "", " ", "\n", "\n\n". */
const char *gap_text(enum gap gap);
#endif
