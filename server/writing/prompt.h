/* prompt - the messages of one call, from the templates in config/prompts (compiled in;
 * prompts_dir overrides). Placeholders {name} are expanded once, never inside user text. */
#ifndef LONGHAND_WRITING_PROMPT_H
#define LONGHAND_WRITING_PROMPT_H
#include "writing/memory.h"

struct prompt_set; /* the templates; immutable, shared */

/* `dir` NULL: those compiled in only; a file that is not in `dir` is the one compiled in. On
 * ERR_INVALID (a placeholder nobody knows, no UTF-8, no text) and ERR_IO the message names the file
 * and the line. */
MUST_CHECK enum err prompt_set_load(const char *dir, struct prompt_set **ret_set,
				    struct buf *ret_message);
void prompt_set_free(struct prompt_set *set);
/* SHA-256-free: a 64-bit FNV of all templates, for the created event. */
uint64_t prompt_set_hash(const struct prompt_set *set);
/* A template by its file's name without ".txt"; NULL: there is none. */
const char *prompt_set_text(const struct prompt_set *set, const char *name);

enum prompt_role {
	PROMPT_PLAN,	   /* name n sections, JSON or lines */
	PROMPT_PLAN_MORE,  /* name n more, other than these */
	PROMPT_SECTION,	   /* write section i */
	PROMPT_CONTINUE,   /* go on from the tail of section i */
	PROMPT_CLOSING,	   /* write the ending of the last section */
	PROMPT_SINGLE	   /* the whole text in one call */
};

struct prompt_input {
	enum prompt_role role;
	const struct spec *spec;
	const struct plan *plan;    /* NULL before there is one */
	size_t section;		    /* index from 0 */
	long words;		    /* to ask for; PLAN: of the whole, 0: not said */
	long words_written;	    /* of the whole */
	size_t n_titles;	    /* PLAN, PLAN_MORE: how many to name */
	struct memory_source memory; /* context is the spec's; words_max 0: the context's default;
					sections as those of the plan, at least up to this one */
	struct slice tail;	    /* CONTINUE, CLOSING: the section's text so far */
	bool is_retry;		    /* a redo: says what was wrong, by `fault` */
	const char *fault;
};

/* ret_messages: a new JSON array of chat messages: the spec's history first, byte for byte the
 * same in every call of a job, then one user message (and, where the template has an assistant
 * part and the traits allow it, the beginning of the answer as the assistant's last message:
 * ret_is_prefilled; for CONTINUE that is the section's tail, for PLAN in direct context the list
 * begun: the answer goes on from it, so parse both joined). The amount stands in the user message,
 * "about N words", "约N字". Fits traits.window_tokens less reply_tokens: memory shrinks first, then
 * the plan list, then the tail; ERR_TOO_LARGE when even the request does not fit. ERR_NO_MEMORY. */
MUST_CHECK enum err prompt_build(const struct prompt_set *set, const struct prompt_input *input,
				 long reply_tokens, json_t **ret_messages, bool *ret_is_prefilled);
/* A cautious estimate: bytes and characters by script. */
long prompt_tokens(const char *text, size_t len);
/* The same of chat messages: their texts, a flat sum for each other part, some for the frame. */
long prompt_messages_tokens(const json_t *messages);
#endif
