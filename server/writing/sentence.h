/* sentence - where a sentence ends, in English and Chinese prose and in
 * Markdown.
 *
 * A sentence is never empty. What belongs to it: leading white space; its end
 * mark with the closing quotes, brackets and emphasis marks behind it; and all
 * white space after that, so a paragraph break belongs to the sentence before
 * it, and a text is exactly its sentences in a row. A line break ends a
 * sentence too, unless it only wraps a line (no end mark before it and a small
 * letter after it, no blank line between). Headings and table rows are one
 * sentence a line; the number or bullet of a list line belongs to the line's
 * first sentence; a code fence is one sentence from its opening to its closing
 * line. Not an end: decimals, "U.S", initials, abbreviations, "?" or "!" with a
 * small letter following, an ellipsis in the middle of a line of Chinese.
 *
 * Nothing allocates; any bytes are accepted. */
#ifndef LONGHAND_WRITING_SENTENCE_H
#define LONGHAND_WRITING_SENTENCE_H
#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the first complete sentence of `text`, which begins at
 * the start of a sentence. 0: none is complete yet; with `is_final` (nothing
 * will follow) 0 only for no text at all. Without it a sentence is complete
 * only when the first character of the next one is there, since that decides
 * ("U.S" or "5 p.m." may go on). */
size_t sentence_end(const char *text, size_t len, bool is_final);

/* Whether the text ends as a finished sentence: an end mark is last, closers
 * and white space aside, or a closing code fence or table row. A heading, a
 * bare list number and a list item without an end mark are not finished. */
bool sentence_is_finished(const char *text, size_t len);
#endif
