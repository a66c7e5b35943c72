#include "writing/self_talk.h"

#include <string.h>

enum { WORD_BYTES_MAX = 24, BACK_WORDS = 2 };

static const char *const pointers[] = { "this", "the", "my", "our", "following", "your", "latest" };
static const char *const text_nouns[] = {
	"article", "articles", "piece",	   "essay",   "essays",	 "blog",   "post",
	"posts",   "section",  "sections", "passage", "summary", "prompt", "response",
	"poem",	   "podcast",  "topic",	   "topics",  "title",	 "titles", "author",
};
static const char *const starters[] = {
	"sure",	     "title",	 "here",	 "conclusion", "summary", "overall",
	"summarize", "conclude", "introduction", "ladies",     "ack",	  "certainly",
};
static const char *const first_person[] = { "i", "i'm", "i've", "i'll", "i'd", "my", "me" };

#define IS_IN(word, table) is_in(word, table, sizeof(table) / sizeof((table)[0]))

static bool is_in(const char *word, const char *const *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, table[i]) == 0)
			return true;
	return false;
}

static bool is_word_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '\'' ||
	       (byte >= '0' && byte <= '9') || byte == ',' || byte == '-';
}

/* The next word, small letters, marks at its end cut off; false at the end. */
static bool next_word(struct slice *rest, char word[WORD_BYTES_MAX])
{
	size_t len = 0;

	while (rest->len > 0 && !is_word_byte(*rest->data)) {
		rest->data++;
		rest->len--;
	}
	if (rest->len == 0)
		return false;
	for (; rest->len > 0 && is_word_byte(*rest->data); rest->data++, rest->len--) {
		char byte = *rest->data;

		if (len + 1 < WORD_BYTES_MAX)
			word[len++] = byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
	}
	while (len > 0 && strchr("',-", word[len - 1]) != NULL)
		len--;
	word[len] = '\0';
	return true;
}

/* "1,000-word", "500-words". */
static bool is_length(const char *word)
{
	size_t digits = strspn(word, "0123456789,");

	return digits > 0 && strncmp(word + digits, "-word", 5) == 0;
}

/* "160 words: ...", "In 50 words, ...": the number that it was asked for. */
static bool is_told_length(const char *word, size_t index, const char *before)
{
	size_t digits = strspn(before, "0123456789,");

	return (index == 1 || index == 2) && digits > 0 && before[digits] == '\0' &&
	       strcmp(word, "words") == 0;
}

/* The first word, or the second behind "in", "to", "here". */
static bool is_starter(const char *word, size_t index, const char *before)
{
	if (index == 0)
		return IS_IN(word, starters) && strcmp(word, "here") != 0 &&
		       strcmp(word, "conclude") != 0;
	if (index > 1)
		return false;
	if (strcmp(before, "here") == 0)
		return strcmp(word, "is") == 0 || strcmp(word, "are") == 0;
	return (strcmp(before, "in") == 0 || strcmp(before, "to") == 0) && IS_IN(word, starters);
}

bool is_self_talk(struct slice sentence, bool is_personal)
{
	char words[BACK_WORDS + 1][WORD_BYTES_MAX] = { "", "", "" };
	char *word = words[BACK_WORDS];

	for (size_t i = 0; next_word(&sentence, word); i++) {
		if (is_starter(word, i, words[1]) || is_length(word) ||
		    is_told_length(word, i, words[1]) || (i == 0 && strcmp(word, "here's") == 0))
			return true;
		if (!is_personal && IS_IN(word, first_person))
			return true;
		if (IS_IN(word, text_nouns) &&
		    (IS_IN(words[1], pointers) || IS_IN(words[0], pointers)))
			return true;
		memcpy(words[0], words[1], WORD_BYTES_MAX);
		memcpy(words[1], words[2], WORD_BYTES_MAX);
	}
	return false;
}
