#include "writing/demand.h"
#include "base/text.h"
#include "writing/length.h"
#include "writing/lexicon.h"
#include "writing/request.h"
#include "writing/visible.h"
#include <string.h>

enum {
	VERBS_MAX = 20,
	ATTRIBUTE_BYTES = 48, /* "a 2000-word detailed travel guide" */
	WORDS_PER_FICTION_PAGE = 200,
	WORDS_PER_PAGE = 300,
	CHARACTERS_PER_PAGE = 500,
	MARGIN_PERCENT = 3,
	TARGET_MAX_WORDS = 10000000,
};

static const struct {
	const char *name;
	long default_words;
	bool is_fiction;
} kinds[DEMAND_KINDS] = {
	[DEMAND_OTHER] = { "text", 0, false },	     [DEMAND_ARTICLE] = { "article", 1000, false },
	[DEMAND_REPORT] = { "report", 2000, false }, [DEMAND_MANUAL] = { "manual", 4000, false },
	[DEMAND_GUIDE] = { "guide", 2000, false },   [DEMAND_STORY] = { "story", 1500, true },
	[DEMAND_NOVEL] = { "novel", 20000, true },   [DEMAND_LETTER] = { "letter", 0, false },
	[DEMAND_SPEECH] = { "speech", 800, false },  [DEMAND_POEM] = { "poem", 0, true },
	[DEMAND_ESSAY] = { "essay", 1000, false },   [DEMAND_THESIS] = { "thesis", 10000, false },
	[DEMAND_PLAN] = { "plan", 2000, false },     [DEMAND_LESSON] = { "lesson", 2000, false },
	[DEMAND_SCRIPT] = { "script", 1500, true },  [DEMAND_REVIEW] = { "review", 0, false },
	[DEMAND_POST] = { "post", 0, false },	     [DEMAND_LIST] = { "list", 0, false },
};

/* The object of the verb: in English the first noun behind it, in Chinese its
 * clause's last. */
static struct match object_of(const struct request *request, struct match verb)
{
	struct span sentence = request_sentence(request, verb.at, verb.end);

	if ((unsigned char)verb.term->text[0] < 0x80)
		return lexicon_first_noun(request->text, verb.end, sentence.to);
	return lexicon_last_noun(request->text, verb.end, request_clause_end(request, verb.end));
}

/* The noun that a length has for its own: "2000-word travel guide",
 * 三千字的报告. */
static struct match noun_behind(const struct request *request, const struct length *length)
{
	size_t end = request_clause_end(request, length->end);

	if (length->is_chinese)
		return lexicon_last_noun(request->text, length->end, end);
	if (end - length->end > ATTRIBUTE_BYTES)
		end = length->end + ATTRIBUTE_BYTES;
	return lexicon_first_noun(request->text, length->end, end);
}

/* The noun behind the length, else the object of the first verb that has one,
 * else that of the first clause, which may be a title; in a text without verbs
 * the first named at all. */
static enum demand_kind find_kind(const struct request *request, const struct length *length)
{
	struct match noun = { 0 };
	struct match verb = request->lead;

	if (length != NULL)
		noun = noun_behind(request, length);
	if (verb.term == NULL && noun.term == NULL)
		noun = lexicon_first_noun(request->text, 0, request->len);
	for (int i = 0; i < VERBS_MAX && verb.term != NULL && noun.term == NULL; i++) {
		if (verb.term->role == TERM_WRITE)
			noun = object_of(request, verb);
		verb = lexicon_first_verb(request->text, verb.end, request->len);
	}
	if (noun.term == NULL)
		noun = lexicon_last_noun(request->text, 0, request_clause_end(request, 0));
	return noun.term != NULL && noun.term->role == TERM_FORM ? noun.term->kind : DEMAND_OTHER;
}

static bool has_script(const struct request *request, bool (*is_of)(uint32_t), size_t *ret_count)
{
	const char *at = request->text;
	const char *end = at + request->len;

	*ret_count = 0;
	while (at < end)
		*ret_count += is_of(text_next(&at, end));
	return *ret_count > 0;
}

static bool is_foreign_letter(uint32_t code)
{
	return text_is_letter(code) && !text_is_han(code) && code >= 0x370;
}

static bool is_latin(uint32_t code)
{
	return code < 0x250 && text_is_letter(code);
}

static enum language find_language(const struct request *request)
{
	static const char *const english[] = { "in english", "英语作文", "用英文",   "用英语",
					       "英文写",     "英语写",	 "英文文章", "英语文章",
					       "英文版",     "英语短文", "英文短文", "英语演讲",
					       "英文演讲",   "英文邮件", "英文作文", "英语论文",
					       "英文论文",   "英语故事", NULL };
	static const char *const chinese[] = { "in chinese.",	     "in chinese,",
					       "in mandarin",	     "in simplified chinese",
					       "write in chinese",   "用中文",
					       "chinese characters", NULL };
	static const char *const others[] = {
		"in french",   "in german", "in spanish", "in italian", "in portuguese",
		"in japanese", "in korean", "in russian", "in arabic",	"in dutch",
		"in turkish",  "in hindi",  "用法语",	  "用日语",	"用日文",
		"用韩语",      "用德语",    "用西班牙语", "用俄语",	"用法文",
		"palabras",    "mots",	    "wörter",	  "parole",	"palavras",
		NULL
	};
	size_t han;
	size_t latin;
	size_t foreign;

	if (lexicon_contains(request->text, 0, request->len, english))
		return LANGUAGE_ENGLISH;
	if (lexicon_contains(request->text, 0, request->len, others))
		return LANGUAGE_OTHER;
	if (lexicon_contains(request->text, 0, request->len, chinese))
		return LANGUAGE_CHINESE;
	has_script(request, is_latin, &latin);
	has_script(request, text_is_han, &han);
	if (has_script(request, is_foreign_letter, &foreign) && foreign > latin / 4 &&
	    foreign > han / 4)
		return LANGUAGE_OTHER;
	return han * 3 > latin ? LANGUAGE_CHINESE : LANGUAGE_ENGLISH;
}

static long words_of(const struct length *length, long value, enum demand_kind kind)
{
	if (length->unit == LENGTH_WORDS)
		return value;
	if (length->is_chinese)
		return value * CHARACTERS_PER_PAGE;
	return value * (kinds[kind].is_fiction ? WORDS_PER_FICTION_PAGE : WORDS_PER_PAGE);
}

/* One length for the whole: low and high in words. */
struct whole {
	long low;
	long high;
	const struct length *from;
};

static bool is_listed(const struct request *request, const struct length *length)
{
	size_t at = length->at;

	while (at > 0 && request->text[at - 1] != '\n')
		at--;
	while (request->text[at] == ' ')
		at++;
	return (request->text[at] >= '0' && request->text[at] <= '9' && at + 9 < length->at) ||
	       strchr("-*+", request->text[at]) != NULL;
}

/* "at least 1000 words but no more than 1500 words" is a range. */
static bool is_pair(const struct length *a, const struct length *b)
{
	return a->bound == DEMAND_AT_LEAST && b->bound == DEMAND_AT_MOST && a->low < b->high &&
	       b->at - a->end < ATTRIBUTE_BYTES && !a->is_each && !b->is_each;
}

static struct whole take_one(const struct request *request, const struct length *length,
			     enum demand_kind kind)
{
	struct whole whole = { words_of(length, length->low, kind),
			       words_of(length, length->high, kind), length };
	long parts = length->is_each ? length_parts(request->text, length) : 0;

	if (parts > 0) {
		whole.low *= parts;
		whole.high *= parts;
	}
	return whole;
}

/* The length of the whole out of all that are named: a total, else the sum of
 * listed parts, else the largest; from NULL: none above 0. */
static struct whole take_whole(const struct request *request, enum demand_kind kind)
{
	struct whole best = { 0 };
	struct whole sum = { 0 };
	size_t listed = 0;

	for (size_t i = 0; i < request->count; i++) {
		const struct length *length = &request->lengths[i];
		struct whole one = take_one(request, length, kind);

		if (i + 1 < request->count && is_pair(length, length + 1))
			one.high = words_of(length + 1, length[1].high, kind);
		if (length->is_total && one.high > 0)
			return one;
		if (is_listed(request, length) && !length->is_each) {
			sum.low += one.low;
			sum.high += one.high;
			sum.from = length;
			listed++;
		}
		if (one.high > best.high)
			best = one;
	}
	return listed >= 2 && listed == request->count && sum.high > 0 ? sum : best;
}

static void set_target(struct demand *demand, struct whole whole)
{
	long margin = whole.high * MARGIN_PERCENT / 100;

	demand->bound = whole.low < whole.high ? DEMAND_RANGE : whole.from->bound;
	demand->target_words = whole.high;
	if (demand->bound == DEMAND_AT_MOST || demand->bound == DEMAND_RANGE) {
		demand->at_most = whole.high;
		demand->target_words = whole.high - margin;
	}
	if (demand->bound == DEMAND_AT_LEAST || demand->bound == DEMAND_RANGE)
		demand->at_least = whole.low;
	if (demand->target_words < demand->at_least)
		demand->target_words = demand->at_least;
	if (demand->target_words > TARGET_MAX_WORDS)
		demand->target_words = TARGET_MAX_WORDS;
}

/* A long form without a number: "write a novel about …". */
static void set_default(const struct request *request, struct demand *demand)
{
	static const char *const links[] = { "on",   "about", "of", "for",  "in",  "to",
					     "from", "with",  "my", "this", "the", "your",
					     "我的", "这",    "给", NULL };
	struct match object;

	if (request->lead.term == NULL || request->lead.term->role != TERM_WRITE ||
	    request->lead.term->is_telling || request->has_refused)
		return;
	object = object_of(request, request->lead);
	if (object.term == NULL || object.term->kind != demand->kind ||
	    lexicon_contains(request->text, request->lead.end, object.at, links))
		return; /* "give me feedback on the report" */
	if (request_is_question(request, request->lead_sentence) ||
	    request_is_for_machine(request, request->lead, request->lead_sentence.to))
		return;
	demand->target_words = kinds[demand->kind].default_words;
	demand->is_writing = demand->target_words > 0;
}

void demand_read(const char *user_text, size_t len, struct demand *ret_demand)
{
	struct visible visible;
	struct request request;
	struct whole whole, again;

	visible_read(&visible, user_text, len);
	request_read(&request, visible.text, visible.len);
	*ret_demand = (struct demand){ .language = find_language(&request) };
	if (request_is_foreign(&request))
		return;
	ret_demand->kind = find_kind(&request, request.count > 0 ? &request.lengths[0] : NULL);
	whole = take_whole(&request, ret_demand->kind);
	if (whole.from == NULL) { /* none, or "0 words" */
		set_default(&request, ret_demand);
		return;
	}
	ret_demand->kind = find_kind(&request, whole.from);
	again = take_whole(&request, ret_demand->kind);
	set_target(ret_demand, again.from != NULL ? again : whole);
	ret_demand->has_number = true;
	ret_demand->is_writing = request.is_writing;
}

const char *demand_kind_name(enum demand_kind kind)
{
	return (unsigned)kind < DEMAND_KINDS ? kinds[kind].name : kinds[DEMAND_OTHER].name;
}

long demand_default_words(enum demand_kind kind)
{
	return (unsigned)kind < DEMAND_KINDS ? kinds[kind].default_words : 0;
}
