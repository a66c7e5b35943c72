#include "writing/lexicon.h"
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <threads.h>
#include "base/must.h"
#include "writing/lexicon_terms.h"

enum { BUCKETS = 256, TERMS_MAX = 512 };

/* The terms of a table by their first two bytes (none is shorter), those of a bucket in the
 * table's order: most places in a text begin no term, and are told so without a look at any. */
struct term_index {
	const struct term *terms;
	uint16_t first[BUCKETS + 1]; /* of a bucket, in `order` */
	uint16_t order[TERMS_MAX];
};

static struct term_index verbs;
static struct term_index nouns;
static once_flag are_built = ONCE_FLAG_INIT; /* texts are read on the thread pool too */

static size_t bucket_of(const char *text)
{
	return ((unsigned char)text[0] * 31u + (unsigned char)text[1]) % BUCKETS;
}

static void build_index(struct term_index *index, const struct term *terms, size_t count)
{
	uint16_t n = 0;

	MUST(count <= TERMS_MAX);
	index->terms = terms;
	for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
		index->first[bucket] = n;
		for (size_t i = 0; i < count; i++)
			if (bucket_of(terms[i].text) == bucket)
				index->order[n++] = (uint16_t)i;
	}
	index->first[BUCKETS] = n;
}

static void build(void)
{
	build_index(&verbs, lexicon_verbs, lexicon_verb_count);
	build_index(&nouns, lexicon_nouns, lexicon_noun_count);
}

static const struct term_index *built(const struct term_index *index)
{
	call_once(&are_built, build);
	return index;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_ascii_term(const char *text)
{
	return (unsigned char)*text < 0x80;
}

/* The length of the term at text[at], 0 where it is not there; a plural s is
 * let through. */
static size_t term_len(const struct term *term, const char *text, size_t at)
{
	size_t len = strlen(term->text);

	if (strncmp(text + at, term->text, len) != 0)
		return 0;
	if (!is_ascii_term(term->text))
		return len;
	if (at > 0 && is_word_char(text[at - 1]))
		return 0;
	if (text[at + len] == 's' && term->role >= TERM_FORM)
		len++;
	if (term->role >= TERM_FORM && text[at + len] == '-' && is_word_char(text[at + len + 1]))
		return 0; /* "novel-length" */
	return is_word_char(text[at + len]) ? 0 : len;
}

static size_t skip_back(const char *text, size_t from, size_t to)
{
	while (to > from && (text[to - 1] == ' '))
		to--;
	return to;
}

/* At the head of a clause: nothing before it, punctuation, or a word that leads
 * to a verb. */
static bool is_head(const char *text, size_t at)
{
	static const char *const leaders[] = { "please", "and",	   "then", "to",     "you", "also",
					       "now",	 "help",   "i",	   "kindly", "me",  "just",
					       "must",	 "should", "will", "first",  NULL };
	size_t end = skip_back(text, 0, at);

	if (end == 0 || strchr(",.:;!?\n-)\x01#*", text[end - 1]) != NULL ||
	    (unsigned char)text[end - 1] >= 0x80)
		return true;
	for (size_t i = 0; leaders[i] != NULL; i++) {
		size_t len = strlen(leaders[i]);

		if (end >= len && strncmp(text + end - len, leaders[i], len) == 0 &&
		    (end == len || !is_word_char(text[end - len - 1])))
			return true;
	}
	return false;
}

static struct match longest_at(const struct term_index *index, const char *text, size_t at)
{
	struct match best = { .at = at, .end = at };
	size_t bucket = bucket_of(text + at);

	for (size_t i = index->first[bucket]; i < index->first[bucket + 1]; i++) {
		const struct term *term = &index->terms[index->order[i]];
		size_t len = term_len(term, text, at);

		if (len <= best.end - best.at)
			continue;
		if (term->is_imperative && !is_head(text, at))
			continue;
		best.term = term;
		best.end = at + len;
	}
	return best;
}

/* Neither inside a word nor inside a character: most places, and cheap to tell. */
static bool can_begin(const char *text, size_t at)
{
	unsigned char byte = (unsigned char)text[at];

	if (byte >= 0x80)
		return byte >= 0xc0;
	return is_word_char(text[at]) && (at == 0 || !is_word_char(text[at - 1]));
}

struct span {
	const char *text;
	size_t from;
	size_t to;
};

static struct match search(const struct term_index *index, const struct span *span, bool want_last)
{
	struct match found = { 0 };
	size_t at = span->from;

	while (at < span->to) {
		struct match here;

		if (!can_begin(span->text, at)) {
			at++;
			continue;
		}
		here = longest_at(index, span->text, at);
		at = here.term == NULL ? at + 1 : here.end;
		if (here.term == NULL || here.term->role == TERM_NEUTRAL || here.end > span->to)
			continue;
		found = here;
		if (!want_last)
			break;
	}
	return found;
}

struct match lexicon_first_verb(const char *text, size_t from, size_t to)
{
	return search(built(&verbs), &(struct span){ text, from, to }, false);
}

struct match lexicon_last_verb(const char *text, size_t from, size_t to)
{
	return search(built(&verbs), &(struct span){ text, from, to }, true);
}

struct match lexicon_first_noun(const char *text, size_t from, size_t to)
{
	return search(built(&nouns), &(struct span){ text, from, to }, false);
}

struct match lexicon_last_noun(const char *text, size_t from, size_t to)
{
	return search(built(&nouns), &(struct span){ text, from, to }, true);
}

size_t lexicon_strip(const char *text, size_t from, size_t to, const char *const *phrases)
{
	size_t end = to > from ? skip_back(text, from, to) : from;
	size_t best = to;

	for (size_t i = 0; phrases[i] != NULL; i++) {
		size_t len = strlen(phrases[i]);

		if (end - from < len || strncmp(text + end - len, phrases[i], len) != 0)
			continue;
		if (is_ascii_term(phrases[i]) && is_word_char(phrases[i][0]) && end > len &&
		    is_word_char(text[end - len - 1]))
			continue;
		if (end - len < best)
			best = end - len;
	}
	return best;
}

bool lexicon_begins_with(const char *text, size_t at, const char *const *phrases, size_t *ret_end)
{
	size_t best = 0;

	while (text[at] == ' ' || text[at] == '-')
		at++;
	for (size_t i = 0; phrases[i] != NULL; i++) {
		size_t len;

		if (text[at] != phrases[i][0])
			continue;
		len = strlen(phrases[i]);
		if (strncmp(text + at, phrases[i], len) != 0 || len <= best)
			continue;
		if (is_word_char(phrases[i][len - 1]) && is_word_char(text[at + len]))
			continue;
		best = len;
	}
	*ret_end = at + best;
	return best > 0;
}

/* Whether the phrase stands at `at`; one that ends or begins with a letter is no part of a word. */
static bool stands_at(const char *phrase, const struct span *span, size_t at)
{
	size_t len = strlen(phrase);
	const char *text = span->text;

	if (len > span->to - at || memcmp(text + at, phrase, len) != 0)
		return false;
	if (!is_ascii_term(phrase))
		return true;
	return (at == 0 || !is_word_char(text[at - 1]) || !is_word_char(text[at])) &&
	       !(is_word_char(text[at + len - 1]) && is_word_char(text[at + len]));
}

bool lexicon_contains(const char *text, size_t from, size_t to, const char *const *phrases)
{
	struct span span = { text, from, to };
	bool can_be[UCHAR_MAX + 1] = { false }; /* the first byte of one */

	for (size_t i = 0; phrases[i] != NULL; i++)
		can_be[(unsigned char)phrases[i][0]] = true;
	/* The text once, not once for each phrase. */
	for (size_t at = from; at < to; at++) {
		if (!can_be[(unsigned char)text[at]])
			continue;
		for (size_t i = 0; phrases[i] != NULL; i++)
			if (phrases[i][0] == text[at] && stands_at(phrases[i], &span, at))
				return true;
	}
	return false;
}
