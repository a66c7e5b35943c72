#include "writing/plan_check.h"
#include <stdint.h>
#include <string.h>
#include "base/text.h"
#include "writing/plan_marks.h"
#include "writing/words.h"

enum {
	TITLE_WORDS_MAX = 20,
	TITLE_HAN_MAX = 40,
	TOKENS_MAX = 64,	   /* of a title; 300 bytes rarely hold more */
	REQUEST_TOKENS_MAX = 1024, /* of the request: its subject stands at its start or end */
	ECHO_TOKENS_MIN = 4,
	STRICT_BYTES_MAX = 60
};

static const double SAME_SHARE = 0.75; /* of the shorter title's words: two titles of one thing */
static const double STRICT_SHARE = 0.5;
static const double ECHO_SHARE = 0.7; /* of the request's words: the request as a title */

/* The words of a text as hashes: letter runs without case and plural, pairs of Han characters. */
struct tokens {
	uint64_t *hashes;
	size_t n;
	size_t max;
};

static uint64_t hash_bytes(uint64_t hash, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) { /* FNV-1a */
		unsigned char byte = (unsigned char)data[i];

		hash ^= byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
		hash *= 0x100000001b3u;
	}
	return hash;
}

static const uint64_t HASH_START = 0xcbf29ce484222325u;

static bool ends_in(struct slice word, const char *ending)
{
	size_t len = strlen(ending);

	return word.len > len && memcmp(word.data + word.len - len, ending, len) == 0;
}

static uint64_t hash_word(struct slice word)
{
	uint64_t hash;

	if (word.len > 4 && ends_in(word, "ies")) {
		hash = hash_bytes(HASH_START, word.data, word.len - 3);
		return hash_bytes(hash, "y", 1);
	}
	if (ends_in(word, "sses") || ends_in(word, "xes") || ends_in(word, "ches") ||
	    ends_in(word, "shes"))
		word.len -= 2;
	else if (word.len > 3 && ends_in(word, "s") && !ends_in(word, "ss") && !ends_in(word, "us"))
		word.len -= 1;
	return hash_bytes(HASH_START, word.data, word.len);
}

/* Words that say nothing of what a title is about. */
static bool is_stop_word(struct slice word)
{
	static const char *const words[] = { "a",   "an",  "the",  "of",   "in",  "on",	   "to",
					     "and", "or",  "for",  "with", "by",  "at",	   "from",
					     "as",  "is",  "are",  "be",   "its", "their", "your",
					     "our", "how", "what", "why",  "it",  "this",  "that" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == word.len && text_starts_nocase(word.data, words[i]))
			return true;
	return false;
}

static void tokens_add(struct tokens *tokens, uint64_t hash)
{
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->hashes[i] == hash)
			return;
	if (tokens->n < tokens->max)
		tokens->hashes[tokens->n++] = hash;
}

static bool has_token(const struct tokens *tokens, uint64_t hash)
{
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->hashes[i] == hash)
			return true;
	return false;
}

/* The next word or pair of Han characters at *at; false at the end. */
static bool next_token(const char **at, const char *end, bool with_stops, uint64_t *ret_hash)
{
	while (*at < end) {
		const char *start = *at;
		uint32_t code = text_next(at, end);
		struct slice word = { .data = start };

		if (text_is_han(code)) {
			const char *next = *at;

			if (next >= end || !text_is_han(text_next(&next, end)))
				continue;
			*ret_hash = hash_bytes(HASH_START, start, (size_t)(next - start));
			return true;
		}
		if (!text_is_letter(code) && !text_is_digit(code))
			continue;
		while (*at < end) {
			const char *next = *at;

			code = text_next(&next, end);
			if (text_is_han(code) || (!text_is_letter(code) && !text_is_digit(code)))
				break;
			*at = next;
		}
		word.len = (size_t)(*at - start);
		*ret_hash = hash_word(word);
		if (with_stops || !is_stop_word(word))
			return true;
	}
	return false;
}

static void tokens_of(struct slice text, bool with_stops, struct tokens *ret_tokens)
{
	const char *at = text.data;
	const char *end = text.data + text.len;
	uint64_t hash;

	ret_tokens->n = 0;
	while (ret_tokens->n < ret_tokens->max && next_token(&at, end, with_stops, &hash))
		tokens_add(ret_tokens, hash);
}

/* Without stop words, or with them where nothing else is there. */
static void title_tokens(const char *title, struct tokens *ret_tokens)
{
	struct slice text = { .data = title, .len = strlen(title) };

	tokens_of(text, false, ret_tokens);
	if (ret_tokens->n == 0)
		tokens_of(text, true, ret_tokens);
}

static double overlap(const struct tokens *a, const struct tokens *b)
{
	const struct tokens *less = a->n <= b->n ? a : b;
	const struct tokens *more = less == a ? b : a;
	size_t common = 0;

	for (size_t i = 0; i < less->n; i++)
		common += has_token(more, less->hashes[i]) ? 1 : 0;
	return less->n > 0 ? (double)common / (double)less->n : 0;
}

double plan_title_overlap(const char *a, const char *b)
{
	uint64_t hashes[2][TOKENS_MAX];
	struct tokens tokens_a = { .hashes = hashes[0], .max = TOKENS_MAX };
	struct tokens tokens_b = { .hashes = hashes[1], .max = TOKENS_MAX };

	title_tokens(a, &tokens_a);
	title_tokens(b, &tokens_b);
	return overlap(&tokens_a, &tokens_b);
}

static void drop_common(struct tokens *tokens, const struct tokens *request)
{
	size_t kept = 0;

	for (size_t i = 0; i < tokens->n; i++)
		if (!has_token(request, tokens->hashes[i]))
			tokens->hashes[kept++] = tokens->hashes[i];
	tokens->n = kept;
}

/* Whether two titles would make the same section. The request's own words are its subject and
 * stand in many titles: they count only between titles that have no others. */
static bool is_same(const char *a, const char *b, const struct tokens *request)
{
	uint64_t hashes[2][TOKENS_MAX];
	struct tokens tokens_a = { .hashes = hashes[0], .max = TOKENS_MAX };
	struct tokens tokens_b = { .hashes = hashes[1], .max = TOKENS_MAX };

	if (strcasecmp(a, b) == 0)
		return true;
	title_tokens(a, &tokens_a);
	title_tokens(b, &tokens_b);
	if (tokens_a.n == tokens_b.n && tokens_a.n > 0 && overlap(&tokens_a, &tokens_b) == 1)
		return true;
	drop_common(&tokens_a, request);
	drop_common(&tokens_b, request);
	if (tokens_a.n == 0 && tokens_b.n == 0)
		return plan_title_overlap(a, b) >= SAME_SHARE;
	if (tokens_a.n < 2 || tokens_b.n < 2) /* "History" and "Modern history" are two things */
		return tokens_a.n == tokens_b.n && overlap(&tokens_a, &tokens_b) == 1;
	return overlap(&tokens_a, &tokens_b) >= SAME_SHARE;
}

/* The same for a small model's titles, which turn a few words over and over: whether more than half
 * of the own words of `title` stand in the earlier one. */
static bool is_half_same(const char *title, const char *earlier, const struct tokens *request)
{
	uint64_t hashes[2][TOKENS_MAX];
	struct tokens own = { .hashes = hashes[0], .max = TOKENS_MAX };
	struct tokens other = { .hashes = hashes[1], .max = TOKENS_MAX };
	size_t common = 0;

	title_tokens(title, &own);
	title_tokens(earlier, &other);
	drop_common(&own, request);
	for (size_t i = 0; i < own.n; i++)
		common += has_token(&other, own.hashes[i]) ? 1 : 0;
	return (double)common > STRICT_SHARE * (double)own.n;
}

static bool is_strict_title(const char *title, const struct tokens *request)
{
	uint64_t hashes[TOKENS_MAX];
	struct tokens own = { .hashes = hashes, .max = TOKENS_MAX };

	tokens_of((struct slice){ .data = title, .len = strlen(title) }, false, &own);
	drop_common(&own, request);
	return own.n > 0 && strlen(title) <= STRICT_BYTES_MAX &&
	       strpbrk(title, "0123456789") == NULL;
}

static bool is_meta(const char *title)
{
	static const char *const whole[] = {
		"outline",     "plan",
		"section",     "sections",
		"title",       "titles",
		"chapter",     "chapters",
		"contents",    "table of contents",
		"word count",  "total",
		"total words", "total word count",
		"words",       "article outline",
		"大纲",	       "目录",
		"标题",	       "字数",
		"总字数",      "章节",
		"提纲",
	};
	static const char *const starts[] = { "word count",  "total word",   "write a ",
					      "write an ",   "here is ",     "here are ",
					      "sure,",	     "outline of ",  "article about ",
					      "article on ", "an article ",  "essay about ",
					      "an essay ",   "story about ", "写一篇",
					      "请写",	     "总字数",	     "以下是" };

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (text_equals_nocase(title, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (text_starts_nocase(title, starts[i]))
			return true;
	return false;
}

static bool is_too_long(const char *title)
{
	const char *at = title;
	const char *end = title + strlen(title);
	long han = 0;

	while (at < end) {
		uint32_t code = text_next(&at, end);

		han += text_is_han(code) || text_is_kana(code) ? 1 : 0;
	}
	return han > TITLE_HAN_MAX ||
	       words_count(WORDS_NATURAL, title, strlen(title)) - han > TITLE_WORDS_MAX;
}

static bool is_echo(const char *title, const struct tokens *request)
{
	uint64_t hashes[TOKENS_MAX];
	struct tokens tokens = { .hashes = hashes, .max = TOKENS_MAX };
	size_t common = 0;

	title_tokens(title, &tokens);
	for (size_t i = 0; i < tokens.n; i++)
		common += has_token(request, tokens.hashes[i]) ? 1 : 0;
	return request->n >= ECHO_TOKENS_MIN && (double)common >= ECHO_SHARE * (double)request->n;
}

/* Whether a model's title is one. */
static bool is_title(const struct plan_section *section, const struct tokens *request)
{
	const char *at = section->title;
	const char *end = at + strlen(at);
	bool has_letter = false;

	while (at < end) {
		uint32_t code = text_next(&at, end);

		has_letter = has_letter || text_is_letter(code) || text_is_digit(code);
	}
	return has_letter && !is_meta(section->title) && !is_too_long(section->title) &&
	       !is_echo(section->title, request);
}

/* In place: a title only gets shorter by this; only one made of the point needs memory. */
static void strip(struct plan_section *section)
{
	struct slice title = { .data = section->title, .len = strlen(section->title) };
	struct slice point = { .data = section->point, .len = strlen(section->point) };

	title = marks_title(title);
	memmove(section->title, title.data, title.len);
	section->title[title.len] = '\0';
	if (title.len > 0 || point.len == 0)
		return;
	if (plan_section_set_title(section, marks_title_of_point(point)) != OK)
		return; /* it stays empty and is dropped */
}

static bool is_users(const struct plan_section *section)
{
	return section->is_title_users || section->is_words_users;
}

/* Where a title goes over into a description. */
static void cut_description(char *title)
{
	static const char *const marks[] = { ": ", " - ", " – ", " — ", "：" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char *at = strstr(title, marks[i]);

		if (at != NULL && at > title)
			*at = '\0';
	}
}

static bool is_repeat(const struct plan *plan, size_t index, const struct tokens *request,
		      bool is_strict)
{
	const char *title = plan->sections[index].title;

	for (size_t i = 0; i < plan->n_sections; i++) {
		const struct plan_section *other = &plan->sections[i];

		if (i == index || (i > index && !is_users(other)))
			continue;
		if (is_same(title, other->title, request) ||
		    (is_strict && is_half_same(title, other->title, request)))
			return true;
	}
	return false;
}

/* The last one before the end that is not the user's; n_sections: none. */
static size_t surplus_of(const struct plan *plan)
{
	for (size_t i = plan->n_sections - 1; i-- > 0;)
		if (!is_users(&plan->sections[i]))
			return i;
	if (!is_users(&plan->sections[plan->n_sections - 1]))
		return plan->n_sections - 1;
	return plan->n_sections;
}

/* Whether a section that is not the user's may stay, its title put right. */
static bool repair(struct plan *plan, size_t index, const struct tokens *request, bool is_strict)
{
	struct plan_section *section = &plan->sections[index];

	strip(section);
	if (is_strict)
		cut_description(section->title);
	return is_title(section, request) &&
	       (!is_strict || is_strict_title(section->title, request)) &&
	       !is_repeat(plan, index, request, is_strict);
}

void plan_check(struct plan *plan, struct slice request, struct plan_check *check)
{
	uint64_t hashes[REQUEST_TOKENS_MAX];
	struct tokens tokens = { .hashes = hashes, .max = REQUEST_TOKENS_MAX };
	size_t i = 0;

	check->dropped = 0;
	tokens_of(request, false, &tokens);
	while (i < plan->n_sections) {
		if (is_users(&plan->sections[i]) || repair(plan, i, &tokens, check->is_strict)) {
			i++;
			continue;
		}
		plan_remove(plan, i);
		check->dropped++;
	}
	while (check->wanted > 0 && plan->n_sections > check->wanted) {
		size_t surplus = surplus_of(plan);

		if (surplus == plan->n_sections)
			break;
		plan_remove(plan, surplus);
		check->dropped++;
	}
	check->missing = plan->n_sections < check->wanted ? check->wanted - plan->n_sections : 0;
}

/* A titled section and the untitled ones that continue it. */
struct group {
	size_t first;
	size_t n;
	long words; /* 1 for a group without wishes */
};

static struct group group_at(const struct plan *plan, size_t first)
{
	struct group group = { .first = first, .n = 0, .words = 0 };

	do
		group.words += plan->sections[first + group.n++].words;
	while (first + group.n < plan->n_sections &&
	       plan->sections[first + group.n].title[0] == '\0' &&
	       plan->sections[first + group.n].point[0] == '\0');
	if (group.words < 1)
		group.words = 1;
	return group;
}

static struct group longest_group(const struct plan *plan)
{
	struct group longest = group_at(plan, 0);

	for (size_t i = longest.n; i < plan->n_sections;) {
		struct group group = group_at(plan, i);

		if (group.words * (long)longest.n > longest.words * (long)group.n)
			longest = group;
		i += group.n;
	}
	return longest;
}

static enum err split(struct plan *plan, struct group group)
{
	struct slice none = { .data = "", .len = 0 };
	size_t index = group.first;
	struct plan_section *section;
	long half;
	enum err err;

	for (size_t i = group.first; i < group.first + group.n; i++)
		if (plan->sections[i].words > plan->sections[index].words)
			index = i;
	half = plan->sections[index].words / 2;
	err = plan_insert(plan, index + 1, none, none, half);
	if (err != OK)
		return err;
	section = &plan->sections[index];
	section->words -= half;
	section[1].is_words_users = section->is_words_users && half > 0;
	return OK;
}

enum err plan_fill(struct plan *plan, size_t wanted)
{
	struct slice none = { .data = "", .len = 0 };
	enum err err = OK;

	if (wanted > PLAN_SECTIONS_MAX)
		wanted = PLAN_SECTIONS_MAX;
	if (plan->n_sections == 0 && wanted > 0)
		err = plan_add(plan, none, none, 0);
	while (err == OK && plan->n_sections < wanted)
		err = split(plan, longest_group(plan));
	return err;
}
