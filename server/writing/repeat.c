#include "writing/repeat.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "writing/sentence.h"

enum { GRAM_WORDS = 5, GRAM_CHARS = 8, SIZE_FIRST = 256, CIRCLING_WORDS_MIN = 40 };
static const uint64_t fnv_basis = 14695981039346656037u, fnv_prime = 1099511628211u;

struct gram_walk {
	const char *at, *end;
	uint64_t last[GRAM_CHARS]; /* words, the latest last */
	bool is_char[GRAM_CHARS];  /* that word is a Han or kana character */
	size_t n_words;
};

static uint64_t mix(uint64_t hash, uint32_t code)
{
	if (code >= 'A' && code <= 'Z')
		code += 'a' - 'A';
	return (hash ^ code) * fnv_prime;
}

static bool is_char(uint32_t code)
{
	return text_is_han(code) || text_is_kana(code);
}

static bool is_word(uint32_t code)
{
	return text_is_letter(code) || text_is_number(code);
}

/* An apostrophe between letters belongs to the word, straight or curly alike. */
static bool is_apostrophe(uint32_t code)
{
	return code == '\'' || code == 0x2019;
}

static uint64_t read_run(struct gram_walk *walk, uint32_t first)
{
	uint64_t hash = mix(fnv_basis, first);

	while (walk->at < walk->end) {
		const char *at = walk->at;
		uint32_t code = text_next(&at, walk->end);

		if (is_char(code) || (!is_word(code) && !is_apostrophe(code)))
			break;
		if (!is_apostrophe(code))
			hash = mix(hash, code);
		walk->at = at;
	}
	return hash;
}

static bool next_word(struct gram_walk *walk, uint64_t *ret_hash, bool *ret_is_char)
{
	while (walk->at < walk->end) {
		uint32_t code = text_next(&walk->at, walk->end);

		if (is_char(code)) {
			*ret_hash = mix(fnv_basis, code);
			*ret_is_char = true;
			return true;
		}
		if (is_word(code)) {
			*ret_hash = read_run(walk, code);
			*ret_is_char = false;
			return true;
		}
	}
	return false;
}

/* The gram that ends at the latest word; false: there is none yet. */
static bool gram_at_end(const struct gram_walk *walk, uint64_t *ret_gram)
{
	size_t n = GRAM_WORDS, n_chars = 0;
	uint64_t gram = fnv_basis;

	if (walk->n_words < GRAM_WORDS)
		return false;
	for (size_t i = GRAM_CHARS - GRAM_WORDS; i < GRAM_CHARS; i++)
		n_chars += walk->is_char[i];
	if (n_chars == GRAM_WORDS)
		n = GRAM_CHARS;
	if (walk->n_words < n)
		return false;
	for (size_t i = GRAM_CHARS - n; i < GRAM_CHARS; i++)
		gram = (gram ^ walk->last[i]) * fnv_prime;
	*ret_gram = gram != 0 ? gram : 1;
	return true;
}

static bool next_gram(struct gram_walk *walk, uint64_t *ret_gram)
{
	uint64_t hash;
	bool is_one_char;

	while (next_word(walk, &hash, &is_one_char)) {
		memmove(walk->last, walk->last + 1, sizeof(walk->last) - sizeof(walk->last[0]));
		memmove(walk->is_char, walk->is_char + 1,
			sizeof(walk->is_char) - sizeof(walk->is_char[0]));
		walk->last[GRAM_CHARS - 1] = hash;
		walk->is_char[GRAM_CHARS - 1] = is_one_char;
		walk->n_words++;
		if (gram_at_end(walk, ret_gram))
			return true;
	}
	return false;
}

static struct gram_walk walk_of(struct slice text)
{
	return (struct gram_walk){ .at = text.data, .end = text.data + text.len };
}

void repeat_init(struct repeat *repeat)
{
	*repeat = (struct repeat){ .size = 0 };
}

void repeat_release(struct repeat *repeat)
{
	mem_free(repeat->keys);
	mem_free(repeat->counts);
	repeat_init(repeat);
}

static size_t place_of(const struct repeat *repeat, uint64_t key)
{
	size_t at = (size_t)(key ^ (key >> 29)) & (repeat->size - 1);

	while (repeat->keys[at] != 0 && repeat->keys[at] != key)
		at = (at + 1) & (repeat->size - 1);
	return at;
}

static void count_up(struct repeat *repeat, uint64_t key, uint32_t by)
{
	size_t at = place_of(repeat, key);

	if (repeat->keys[at] == 0)
		repeat->used++;
	repeat->keys[at] = key;
	repeat->counts[at] += by;
}

static enum err grow(struct repeat *repeat, size_t size)
{
	struct repeat bigger = { .size = size };

	bigger.keys = mem_alloc(size * sizeof(*bigger.keys));
	bigger.counts = mem_alloc(size * sizeof(*bigger.counts));
	if (bigger.keys == NULL || bigger.counts == NULL) {
		repeat_release(&bigger);
		return ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < repeat->size; i++)
		if (repeat->counts[i] > 0)
			count_up(&bigger, repeat->keys[i], repeat->counts[i]);
	repeat_release(repeat);
	*repeat = bigger;
	return OK;
}

static enum err reserve(struct repeat *repeat, size_t grams)
{
	size_t size = repeat->size > 0 ? repeat->size : SIZE_FIRST;

	while ((repeat->used + grams) * 2 > size)
		size *= 2;
	return size > repeat->size ? grow(repeat, size) : OK;
}

enum err repeat_add(struct repeat *repeat, struct slice sentence)
{
	struct gram_walk walk = walk_of(sentence);
	/* A gram ends at a word, and a word takes a byte at least, and one between it and the next
	 * unless it is a character of three. */
	enum err err = reserve(repeat, sentence.len / 2 + 1);
	uint64_t gram;

	if (err != OK)
		return err;
	while (next_gram(&walk, &gram))
		count_up(repeat, gram, 1);
	return OK;
}

void repeat_remove(struct repeat *repeat, struct slice sentence)
{
	struct gram_walk walk = walk_of(sentence);
	uint64_t gram;

	while (next_gram(&walk, &gram)) {
		size_t at = place_of(repeat, gram);

		if (repeat->counts[at] > 0)
			repeat->counts[at]--;
	}
}

enum err repeat_add_text(struct repeat *repeat, struct slice text)
{
	while (text.len > 0) {
		size_t len = sentence_end(text.data, text.len, true);
		enum err err = repeat_add(repeat, (struct slice){ text.data, len });

		if (err != OK)
			return err;
		text.data += len;
		text.len -= len;
	}
	return OK;
}

struct repeat_share repeat_share(const struct repeat *repeat, struct slice sentence)
{
	struct gram_walk walk = walk_of(sentence);
	struct repeat_share share = { .words = 0 };
	uint64_t gram;

	while (next_gram(&walk, &gram)) {
		share.grams++;
		if (repeat->size > 0 && repeat->counts[place_of(repeat, gram)] > 0)
			share.known++;
	}
	share.words = walk.n_words;
	return share;
}

enum err repeat_is_circling(struct slice text, bool *ret_is_circling)
{
	struct gram_walk walk = walk_of(text);
	struct repeat seen;
	size_t grams = 0;
	uint64_t gram;
	enum err err;

	repeat_init(&seen);
	err = reserve(&seen, text.len / 2 + 1);
	if (err != OK)
		return err;
	while (next_gram(&walk, &gram)) {
		grams++;
		count_up(&seen, gram, 1);
	}
	*ret_is_circling = walk.n_words >= CIRCLING_WORDS_MIN && seen.used * 2 < grams;
	repeat_release(&seen);
	return OK;
}

uint64_t repeat_fingerprint(struct slice sentence)
{
	struct gram_walk walk = walk_of(sentence);
	uint64_t hash, print = fnv_basis;
	bool is_one_char;

	while (next_word(&walk, &hash, &is_one_char))
		print = (print ^ hash) * fnv_prime;
	return print;
}
