/* phrases - what models say that is not the text: "Sure, here is the section:", "I hope this
 * helps", "As an AI ...", "Word count: 400", "以下是 ...". One table, English and Chinese.
 *
 * A phrase counts at the start of a sentence only, and not inside quotation marks: a character in a
 * story may say anything. */
#ifndef LONGHAND_WRITING_PHRASES_H
#define LONGHAND_WRITING_PHRASES_H
#include "base/buf.h"

enum phrase_kind {
	PHRASE_NONE,
	PHRASE_OPENING,	   /* talk before the text; means something at the front only */
	PHRASE_REFUSAL,	   /* at the front only */
	PHRASE_MODEL,	   /* the model speaks of itself; anywhere */
	PHRASE_COUNT,	   /* counts words, marks an end; anywhere */
	PHRASE_CLOSING,	   /* talk after the text; a letter may say so too */
	PHRASE_CONCLUSION  /* sums up: right in the last section only */
};

enum phrase_kind phrase_kind(struct slice sentence);
#endif
