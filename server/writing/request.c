#include "writing/request.h"
#include <string.h>

/* Bounds for texts that are made to be slow: half a sentence, and lengths looked at. */
enum { SENTENCE_BYTES = 1500, LOOKED_AT_MAX = 128 };

/* Prompts that are no request to a writer: judges, agents, parsers. */
static const char *const markers[] = { "impartial judge",
				       "expert evaluator",
				       "evaluator",
				       "[question]",
				       "assistant a",
				       "assistant b",
				       "assistant's answer",
				       "response a",
				       "response b",
				       "answer a",
				       "answer b",
				       "rate the response",
				       "rate the following",
				       "scale of 1",
				       "scale from 1",
				       "from 1 to 5",
				       "from 1 to 10",
				       "the response follow",
				       "[the start of",
				       "response:",
				       "classify it",
				       "yes or no",
				       "name only",
				       "following tools",
				       "available tools",
				       "action:",
				       "observation:",
				       "json only",
				       "in json",
				       "as json",
				       "json array",
				       "json object",
				       "json format",
				       "return json",
				       "output json",
				       "valid json",
				       "解析成json",
				       "json格式",
				       "输出json",
				       "返回json",
				       "以json",
				       "以下工具",
				       "回答a",
				       "回答b",
				       "下面的回答",
				       "以下回答",
				       "【回答】",
				       "[回答]",
				       "模型的回答",
				       "哪一类",
				       NULL };

/* Bytes of the sentence end at `at`, 0 where none is. */
static size_t stop_len(const char *text, size_t at)
{
	static const char *const stops[] = { "。", "！", "？", "：", "；", NULL };

	if (text[at] == '\n')
		return 1;
	if (text[at] != '\0' && strchr(".!?:;", text[at]) != NULL)
		return text[at + 1] == '\0' || strchr(" \n\x01", text[at + 1]) != NULL ? 1 : 0;
	for (size_t i = 0; (unsigned char)text[at] >= 0x80 && stops[i] != NULL; i++)
		if (strncmp(text + at, stops[i], 3) == 0)
			return 3;
	return 0;
}

struct span request_sentence(const struct request *request, size_t at, size_t end)
{
	struct span span = { at, end };

	while (span.from > 0 && at - span.from < SENTENCE_BYTES &&
	       stop_len(request->text, span.from - 1) != 1 &&
	       !(span.from >= 3 && stop_len(request->text, span.from - 3) == 3))
		span.from--;
	while (span.to < request->len && span.to - end < SENTENCE_BYTES &&
	       stop_len(request->text, span.to) == 0)
		span.to++;
	span.to += span.to < request->len ? stop_len(request->text, span.to) : 0;
	return span;
}

size_t request_clause_end(const struct request *request, size_t at)
{
	static const char *const ends[] = { "，", "。", "：", "；", "\n", ",", ".", NULL };

	while (at < request->len && !lexicon_begins_with(request->text, at, ends, &(size_t){ 0 }))
		at++;
	return at;
}

static bool ends_sentence_with(const struct request *request, struct span span, const char *a,
			       const char *b)
{
	const char *const marks[] = { a, b, NULL };

	return lexicon_strip(request->text, span.from, span.to, marks) < span.to;
}

static bool contains(const struct request *request, struct span span, const char *const *phrases)
{
	return lexicon_contains(request->text, span.from, span.to, phrases);
}

static bool begins(const struct request *request, struct span span, const char *const *phrases)
{
	size_t end;
	size_t at = span.from;

	while (at < span.to && strchr(" \n\x01-*#", request->text[at]) != NULL)
		at++;
	return lexicon_begins_with(request->text, at, phrases, &end);
}

bool request_is_question(const struct request *request, struct span sentence)
{
	static const char *const interrogatives[] = { "how",   "what",	"why",	"which",  "when",
						      "where", "who",	"is",	"are",	  "does",
						      "do",    "did",	"can",	"should", "what's",
						      "could", "would", "will", NULL };
	static const char *const polite[] = { "can you",       "could you", "would you",
					      "will you",      "can i get", "could i get",
					      "may i ask you", NULL };
	static const char *const polite_chinese[] = { "帮我",	  "请",	  "能否", "能不能",
						      "可不可以", "你能", "可以", NULL };
	bool has_mark = ends_sentence_with(request, sentence, "?", "？");

	if (begins(request, sentence, polite))
		return false;
	if (begins(request, sentence, interrogatives))
		return true;
	if (!has_mark || contains(request, sentence, polite_chinese))
		return false;
	return begins(request, sentence, (const char *const[]){ "please", "write", NULL }) == false;
}

/* Whether the length is one of a text that exists, or of the subject: "my
 * 2,000-word essay", "titles for a 2,000-word article", "the essay is 1,500
 * words". */
static bool is_of_existing(const struct request *request, const struct length *length,
			   size_t sentence_from)
{
	static const char *const owners[] = {
		"my",	    "this",  "that",  "your",	"his",	    "her",	"their",
		"our",	    "these", "whole", "entire", "existing", "original", "following",
		"attached", "above", "has",   "have",	"had",	    "contains", "was",
		"were",	    "这篇",  "那篇",  "这份",	"那份",	    "该",	"我的",
		"你的",	    "这个",  "这部",  "这",	"有",	    "写了",	"以下",
		"下面",	    NULL
	};
	static const char *const articles[] = { "a", "an", NULL };
	static const char *const abouts[] = { "about", "of", "for", "from", "on", "with", NULL };
	static const char *const definites[] = { "the", "my", "our", NULL };
	static const char *const writes[] = { "write",	  "draft",   "compose", "create",
					      "generate", "produce", NULL };
	static const char *const receives[] = { "looking for a", "help me with a", "help with a",
						NULL };
	static const char *const receivers[] = { "给",	   "对",     "为",     "给一篇",
						 "为一篇", "给一部", "为一份", "给一份",
						 "为一部", "对一篇", NULL };
	static const char *const statements[] = { "is", "是", NULL };
	const char *text = request->text;
	size_t at = length->before;
	size_t article = lexicon_strip(text, sentence_from, at, articles);
	size_t definite = lexicon_strip(text, sentence_from, at, definites);

	if (length->has_label || lexicon_strip(text, sentence_from, at, receives) < at)
		return false;
	if (definite < at)
		return lexicon_strip(text, sentence_from, definite, writes) == definite;
	if (lexicon_strip(text, sentence_from, at, owners) < at ||
	    lexicon_strip(text, sentence_from, at, receivers) < at)
		return true;
	if (article < at && lexicon_strip(text, sentence_from, article, abouts) < article)
		return true;
	if (lexicon_contains(text, length->at, length->end, (const char *const[]){ "-", NULL }) &&
	    lexicon_strip(text, sentence_from, at, abouts) < at)
		return true; /* "ideas for 2000-word essays" */
	return length->bound == DEMAND_ABOUT &&
	       lexicon_contains(text, length->before, length->at, statements);
}

bool request_is_for_machine(const struct request *request, struct match verb, size_t to)
{
	static const char *const abouts[] = { "关于", "有关", "介绍", "讲解", NULL };
	static const char *const clause_ends[] = { "，", "。", "、", "：", "；", "\n", NULL };
	const char *text = request->text;
	struct match noun;
	struct match next;
	size_t end = verb.end;

	if (verb.term == NULL)
		return false;
	if ((unsigned char)verb.term->text[0] < 0x80) {
		noun = lexicon_first_noun(text, verb.end, to);
		if (noun.term == NULL || noun.term->role != TERM_CODE)
			return false;
		next = lexicon_first_noun(text, noun.end, to); /* "class essay" is none */
		return next.term == NULL || next.term->role == TERM_CODE || next.at > noun.end + 1;
	}
	while (end < to && !lexicon_begins_with(text, end, clause_ends, &(size_t){ 0 }))
		end++;
	noun = lexicon_last_noun(text, verb.end, end);
	return noun.term != NULL && noun.term->role == TERM_CODE &&
	       !lexicon_contains(text, verb.end, end, abouts);
}

/* "2000 words …" and "A 2000-word …" at the head of the sentence. */
static bool is_at_start(const struct request *request, const struct length *length,
			struct span sentence)
{
	static const char *const articles[] = { "a", "an", NULL };

	return lexicon_strip(request->text, sentence.from, length->before, articles) <=
	       sentence.from + 1;
}

/* A length that stands by itself, as specifications do: "…, 600 words",
 * "（2000字）", "It should be at least 1000 words", "Word count: 500". */
static bool is_specification(const struct request *request, const struct length *length,
			     struct span sentence)
{
	static const char *const modals[] = { "should",	 "must",    "needs", "need", "has to",
					      "have to", "length",  "limit", "aim",  "target",
					      "make it", "minimum", "字数",  "篇幅", "要求",
					      "长度",	 NULL };
	static const char *const openers[] = { ",",  ";",  "(",	 "[",	 "|",	 "，",
					       "、", "（", "；", "。",	 "\x01", "-",
					       ".",  ":",  "in", "with", NULL };
	static const char *const closers[] = { ".",  ",",  ";", ")",  "]", "\n", "。", "，",
					       "）", "；", "!", "！", "|", "、", NULL };
	const char *text = request->text;
	bool is_last = text[length->end] == '\0' ||
		       lexicon_begins_with(text, length->end, closers, &(size_t){ 0 });

	static const char *const brackets[] = { "(", "（", NULL };

	if (length->has_label || contains(request, sentence, modals) ||
	    lexicon_contains(text, length->before, length->at, brackets))
		return true;
	if (lexicon_strip(text, sentence.from, length->before,
			  (const char *const[]){ "\n", NULL }) < length->before)
		return true;
	if (is_at_start(request, length, sentence) ||
	    lexicon_strip(text, sentence.from, length->before, openers) < length->before)
		return true;
	return is_last && (length->is_chinese || length->is_english_unit);
}

/* Behind a verb that tells of something, a length must specify the answer, not
 * be what it tells of: "explain … in 600 words", not "explain what a 5000-word
 * essay is". */
static bool is_told_of(const struct request *request, const struct length *length, size_t from)
{
	static const char *const openers[] = { "in",   "with", "using", "within", "as",
					       "into", ",",    ";",	"to",	  "\x01",
					       "、",   "，",   "；",	".",	  NULL };
	static const char *const articles[] = { "a", "an", NULL };
	static const char *const of[] = { "的", NULL };
	const char *text = request->text;
	size_t before = length->before;
	size_t article = lexicon_strip(text, from, before, articles);

	if (length->is_chinese)
		return lexicon_begins_with(text, length->end, of, &(size_t){ 0 });
	return lexicon_strip(text, from, article, openers) == article &&
	       !lexicon_contains(text, before, length->at, (const char *const[]){ "(", ",", NULL });
}

/* 写一篇3000字论文的建议: advice about a text, not the text. */
static bool is_advice(const struct request *request, const struct length *length)
{
	static const char *const advice[] = { "的建议", "的方法", "的技巧", "的步骤",
					      "的经验", "的区别", "的思路", NULL };

	return lexicon_contains(request->text, length->end,
				request_clause_end(request, length->end), advice);
}

/* Reducing names its result: "down to 300 words", 缩写成200字. */
static bool is_result(const struct request *request, const struct length *length)
{
	static const char *const results[] = { "to", "in", "into",  "in about", "成", "为",
					       "到", "至", "under", "within",	"用", NULL };
	const char *text = request->text;
	size_t from = length->before > 8 ? length->before - 8 : 0;

	return lexicon_contains(text, from, length->at, results) || length->bound == DEMAND_AT_MOST;
}

enum verdict { VERDICT_NONE, VERDICT_LENGTH, VERDICT_WRITING };

static enum verdict judge_verb(const struct request *request, const struct length *length,
			       struct match verb)
{
	if (verb.term->role == TERM_WRITE)
		return VERDICT_WRITING;
	if (verb.term->role == TERM_INTENT)
		return VERDICT_LENGTH;
	if (verb.term->role == TERM_REDUCE && is_result(request, length))
		return VERDICT_LENGTH;
	return VERDICT_NONE;
}

/* The sentence has no verb of ours: the length specifies what the lead sentence
 * asks for. */
static enum verdict judge_bare(const struct request *request, const struct length *length,
			       struct span sentence)
{
	static const char *const statements[] = { "is",	  "are",   "was",  "were",  "has",
						  "have", "takes", "take", "means", NULL };
	if (!is_specification(request, length, sentence))
		return VERDICT_NONE;
	if (is_at_start(request, length, sentence) &&
	    lexicon_contains(request->text, length->end, sentence.to, statements))
		return VERDICT_NONE; /* "A 5000-word essay is a lot of work." */
	if (request->lead.term == NULL)
		return VERDICT_WRITING;
	if (request_is_for_machine(request, request->lead, request->lead_sentence.to))
		return VERDICT_NONE;
	return judge_verb(request, length, request->lead);
}

static enum verdict judge(const struct request *request, const struct length *length)
{
	static const char *const counted[] = {
		"how many", "how long", "多少", "多久", "几页", NULL
	};
	const char *text = request->text;
	struct span sentence = request_sentence(request, length->at, length->end);
	bool is_in_lead = sentence.from <= request->lead.at && request->lead.at < sentence.to;
	struct match verb = lexicon_last_verb(text, sentence.from, length->at);
	struct match first = lexicon_first_verb(text, sentence.from, length->at);

	if (request_is_question(request, sentence) ||
	    is_of_existing(request, length, sentence.from))
		return VERDICT_NONE;
	if (request->is_material && !is_in_lead)
		return VERDICT_NONE;
	if (verb.term == NULL)
		verb = first = lexicon_first_verb(text, length->end, sentence.to);
	if (lexicon_contains(text, sentence.from, length->at, counted))
		return VERDICT_NONE;
	if (verb.term == NULL)
		return judge_bare(request, length, sentence);
	if (request_is_for_machine(request, first, sentence.to) || is_advice(request, length))
		return VERDICT_NONE;
	if (verb.term->is_telling && verb.at < length->at &&
	    is_told_of(request, length, sentence.from))
		return VERDICT_NONE;
	return judge_verb(request, length, verb);
}

static void find_lead(struct request *request)
{
	static const char *const pointers[] = { "following", "below", "this", "these", "下面",
						"以下",	     "下列",  "这",   NULL };
	struct match lead = lexicon_first_verb(request->text, 0, request->len);

	request->lead = lead;
	if (lead.term == NULL)
		return;
	request->lead_sentence = request_sentence(request, lead.at, lead.end);
	if (lead.term->role != TERM_PROCESS && lead.term->role != TERM_REDUCE)
		return;
	request->is_material = ends_sentence_with(request, request->lead_sentence, ":", "：") ||
			       contains(request, request->lead_sentence, pointers);
}

static void find_lengths(struct request *request)
{
	size_t from = 0;
	struct length length;

	for (int i = 0; i < LOOKED_AT_MAX && request->count < REQUEST_LENGTHS_MAX; i++) {
		enum verdict verdict;

		if (!length_next(request->text, from, &length))
			break;
		verdict = judge(request, &length);
		from = length.end;
		if (verdict == VERDICT_NONE) {
			request->has_refused = true;
			continue;
		}
		if (verdict == VERDICT_WRITING)
			request->is_writing = true;
		request->lengths[request->count++] = length;
	}
}

void request_read(struct request *request, const char *text, size_t len)
{
	*request = (struct request){ .text = text, .len = len };
	find_lead(request);
	find_lengths(request);
}

bool request_is_foreign(const struct request *request)
{
	return contains(request, (struct span){ 0, request->len }, markers);
}
