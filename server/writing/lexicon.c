#include "writing/lexicon.h"
#include <string.h>
#include "writing/lexicon_terms.h"

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
	size_t len;

	if (text[at] != term->text[0]) /* most, and before the length is looked for */
		return 0;
	len = strlen(term->text);
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

static struct match longest_at(const struct term *terms, size_t count, const char *text, size_t at)
{
	struct match best = { .at = at, .end = at };

	for (size_t i = 0; i < count; i++) {
		size_t len = term_len(&terms[i], text, at);

		if (len <= best.end - best.at)
			continue;
		if (terms[i].is_imperative && !is_head(text, at))
			continue;
		best.term = &terms[i];
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

static struct match search(const struct term *terms, size_t count, const struct span *span,
			   bool want_last)
{
	struct match found = { 0 };
	size_t at = span->from;

	while (at < span->to) {
		struct match here;

		if (!can_begin(span->text, at)) {
			at++;
			continue;
		}
		here = longest_at(terms, count, span->text, at);

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
	return search(lexicon_verbs, lexicon_verb_count, &(struct span){ text, from, to }, false);
}

struct match lexicon_last_verb(const char *text, size_t from, size_t to)
{
	return search(lexicon_verbs, lexicon_verb_count, &(struct span){ text, from, to }, true);
}

struct match lexicon_first_noun(const char *text, size_t from, size_t to)
{
	return search(lexicon_nouns, lexicon_noun_count, &(struct span){ text, from, to }, false);
}

struct match lexicon_last_noun(const char *text, size_t from, size_t to)
{
	return search(lexicon_nouns, lexicon_noun_count, &(struct span){ text, from, to }, true);
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

bool lexicon_contains(const char *text, size_t from, size_t to, const char *const *phrases)
{
	for (size_t i = 0; phrases[i] != NULL; i++) {
		size_t len = strlen(phrases[i]);
		const char *at = text + from;
		const char *end = text + to;

		if (len > to - from)
			continue;
		while ((at = memmem(at, (size_t)(end - at), phrases[i], len)) != NULL) {
			if (!is_ascii_term(phrases[i]) ||
			    ((at == text || !is_word_char(at[-1]) || !is_word_char(*at)) &&
			     !(is_word_char(at[len - 1]) && is_word_char(at[len]))))
				return true;
			at++;
		}
	}
	return false;
}
