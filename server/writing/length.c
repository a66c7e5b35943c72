#include "writing/length.h"
#include "writing/lexicon.h"
#include "writing/numeral.h"
#include <string.h>

enum { WORDS_MIN = 20, PARTS_MAX = 500, BACK_BYTES = 120, STRIPS_MAX = 8 };

static const char *const word_units[] = { "words",	   "word",     "english words",
					  "chinese words", "palabras", "mots",
					  "wörter",	   "parole",   "palavras",
					  "woorden",	   NULL };
static const char *const char_units[] = { "字",	      "个字",	"汉字", "个汉字",
					  "个中文字", "中文字", "字符", "chinese characters",
					  "汉字符",   NULL };
static const char *const foreign_units[] = { "词",	   "个词",	 "单词",
					     "个单词",	   "个英文单词", "英文单词",
					     "个英语单词", "英语单词",	 NULL };
static const char *const page_units[] = { "page", "pages", "a4 pages", "a4 page", NULL };
static const char *const char_page_units[] = { "页", "页纸", NULL };
/* What follows a unit that is none: 字节, 字体, "words a day". */
static const char *const not_units[] = { "节",
					 "体",
					 "段",
					 "母",
					 "典",
					 "幕",
					 "号",
					 "型",
					 "a day",
					 "per day",
					 "a minute",
					 "per minute",
					 "an hour",
					 "per hour",
					 "per page",
					 "of vocabulary",
					 "of notes",
					 "in current",
					 "a week",
					 "per second",
					 "that start",
					 "that begin",
					 "that rhyme",
					 "starting with",
					 "beginning with",
					 NULL };

static const char *const floors[] = { "no less than",
				      "not less than",
				      "no fewer than",
				      "not fewer than",
				      "at least",
				      "at lease",
				      "minimum",
				      "minimum of",
				      "a minimum of",
				      "more than",
				      "over",
				      "exceeding",
				      "longer than",
				      "not under",
				      "not below",
				      "min",
				      ">=",
				      "≥",
				      ">",
				      "不少于",
				      "至少",
				      "不低于",
				      "超过",
				      "大于",
				      "不得少于",
				      "不得低于",
				      "多于",
				      "最少",
				      "不能少于",
				      "不下于",
				      "要达到",
				      "不小于",
				      NULL };
static const char *const ceilings[] = { "no more than",
					"not more than",
					"at most",
					"up to",
					"maximum",
					"maximum of",
					"a maximum of",
					"under",
					"less than",
					"fewer than",
					"within",
					"not exceed",
					"not exceeding",
					"below",
					"max",
					"not longer than",
					"no longer than",
					"not over",
					"limit",
					"limit:",
					"limited to",
					"<=",
					"≤",
					"不超过",
					"不多于",
					"最多",
					"控制在",
					"不得超过",
					"少于",
					"限",
					"不能超过",
					"不大于",
					"低于",
					"限制在",
					NULL };
static const char *const fillers[] = {
	"about",   "approximately", "around", "roughly",    "circa", "some", "nearly",
	"almost",  "approx.",	    "approx", "a total of", "of",    "is",   "be",
	"between", "exactly",	    "~",      ":",	    "：",    "(",    "（",
	"约",	   "大约",	    "大概",   "大致",	    "为",    "在",   "是",
	"要求",	   "要求：",	    "应",     "共",	    "总共",  "要",   "需",
	"一共",	   "达到",	    "from",   "介于",	    "必须",  "请",   "近",
	"should",  "must",	    "to",     NULL
};
static const char *const labels[] = {
	"word count", "wordcount", "words",  "length", "word limit", "word target",	"字数",
	"篇幅",	      "长度",	   "总字数", "全文",   "字数限制",   "number of words", NULL
};
static const char *const floors_after[] = { "or more", "minimum",   "at least", "or longer",
					    "min",     "and above", "以上",	"起",
					    "及以上",  "或以上",    "+",	NULL };
static const char *const ceilings_after[] = { "or less", "or fewer", "maximum", "max",
					      "at most", "limit",    "以内",	"以下",
					      "之内",	 "内",	     "为限",	NULL };
static const char *const loose_after[] = { "or so", "左右",   "上下",	"in length",
					   "long",  "approx", "的篇幅", NULL };
static const char *const each_after[] = { "each",	"apiece",   "per chapter", "per section",
					  "per lesson", "per part", "per story",   "per entry",
					  "every",	NULL };
static const char *const each_before[] = { "each", "every", "per", "每", "各", NULL };
static const char *const total_before[] = { "total", "overall", "altogether", "in all",
					    "全文",  "总字数",	"总共",	      "一共",
					    "全书",  "共计",	"总计",	      NULL };
static const char *const total_after[] = { "in total",	 "total",  "overall",
					   "altogether", "in all", NULL };
static const char *const separators[] = { "-", "–", "—", "~", "～", "to", "至", "到", "－", NULL };
static const char *const separators_between[] = { "and", "和", "与", NULL };
static const char *const between[] = { "between", "介于", NULL };

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Whether a number may begin here: not inside a word, another number, a price,
 * an ordinal. */
static bool can_begin(const char *text, size_t at)
{
	char c = text[at];
	char before = at > 0 ? text[at - 1] : ' ';

	if (!is_word_char(c)) {
		static const char *const vague[] = { "第", "几", "数", "上", NULL };

		return (unsigned char)c >= 0xe3 && lexicon_strip(text, 0, at, vague) == at;
	}
	if (is_word_char(before) || before == '$' || before == '#')
		return false;
	return !((before == '.' || before == ',') && at > 1 && is_word_char(text[at - 2]));
}

static bool read_unit(const char *text, size_t at, struct length *length)
{
	static const struct {
		const char *const *names;
		enum length_unit unit;
		bool is_chinese;
		bool is_english_unit;
	} units[] = {
		{ char_units, LENGTH_WORDS, true, false },
		{ foreign_units, LENGTH_WORDS, false, true },
		{ word_units, LENGTH_WORDS, false, false },
		{ page_units, LENGTH_PAGES, false, false },
		{ char_page_units, LENGTH_PAGES, true, false },
	};
	size_t end;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!lexicon_begins_with(text, at, units[i].names, &end))
			continue;
		length->end = end;
		length->unit = units[i].unit;
		length->is_chinese = units[i].is_chinese;
		length->is_english_unit = units[i].is_english_unit;
		return !lexicon_begins_with(text, end, not_units, &end);
	}
	return false;
}

static size_t back_limit(const char *text, size_t at)
{
	size_t from = at;

	while (from > 0 && text[from - 1] != '\n' && at - from < BACK_BYTES)
		from--;
	return from;
}

/* Reads bounds, fillers and a label backwards from the number. */
static void read_before(const char *text, struct length *length)
{
	size_t from = back_limit(text, length->at);
	size_t at = length->at;

	for (int i = 0; i < STRIPS_MAX; i++) {
		size_t floor = lexicon_strip(text, from, at, floors);
		size_t ceiling = lexicon_strip(text, from, at, ceilings);
		size_t filler = lexicon_strip(text, from, at, fillers);
		size_t next = floor < ceiling ? floor : ceiling;

		if (next < at && next <= filler && length->bound == DEMAND_ABOUT)
			length->bound = floor < ceiling ? DEMAND_AT_LEAST : DEMAND_AT_MOST;
		next = filler < next ? filler : next;
		if (next == at)
			break;
		at = next;
	}
	length->before = at;
	length->has_label = lexicon_strip(text, from, at, labels) < at;
}

static void read_after(const char *text, struct length *length)
{
	size_t end;

	for (int i = 0; i < STRIPS_MAX; i++) {
		size_t at = length->end;

		if (lexicon_begins_with(text, at, loose_after, &end))
			length->end = end;
		else if (lexicon_begins_with(text, at, floors_after, &end))
			length->bound = DEMAND_AT_LEAST, length->end = end;
		else if (lexicon_begins_with(text, at, ceilings_after, &end))
			length->bound = DEMAND_AT_MOST, length->end = end;
		else if (lexicon_begins_with(text, at, each_after, &end))
			length->is_each = true, length->end = end;
		else if (lexicon_begins_with(text, at, total_after, &end))
			length->is_total = true, length->end = end;
		else
			break;
	}
}

/* The clause before a length: "each chapter should be about". */
static void read_clause(const char *text, struct length *length)
{
	size_t from = back_limit(text, length->at);
	size_t at = length->at;

	while (at > from && strchr(".;,:(\n", text[at - 1]) == NULL &&
	       !(at >= from + 3 &&
		 (strncmp(text + at - 3, "，", 3) == 0 || strncmp(text + at - 3, "。", 3) == 0 ||
		  strncmp(text + at - 3, "（", 3) == 0)))
		at--;
	if (lexicon_contains(text, at, length->at, each_before))
		length->is_each = true;
	if (lexicon_contains(text, at, length->at, total_before))
		length->is_total = true;
	if (length->is_total)
		length->is_each = false;
}

/* Behind "-", "to" and the like, at the second number of a range; 0 where there
 * is none. */
static size_t second_number(const char *text, const struct length *length, size_t at,
			    struct numeral *ret_second)
{
	struct length unit = { 0 };
	size_t end = at;

	if (read_unit(text, at, &unit)) /* "800 words to 1000 words" */
		at = unit.end;
	while (text[at] == ' ')
		at++;
	if (strncmp(text + at, "-word", 5) == 0)
		return 0;
	end = at;
	if (text[at] == '-')
		end = at + 1;
	else if (!lexicon_begins_with(text, at, separators, &end) &&
		 !(lexicon_begins_with(text, at, separators_between, &end) &&
		   lexicon_contains(text, back_limit(text, length->at), length->at, between)))
		return 0;
	while (text[end] == ' ')
		end++;
	return numeral_parse(text, end, ret_second) ? ret_second->end : 0;
}

static bool read_number(const char *text, size_t at, struct length *length, size_t *ret_end)
{
	struct numeral first;
	struct numeral second;
	size_t end;

	if (!can_begin(text, at) || !numeral_parse(text, at, &first))
		return false;
	length->at = at;
	length->low = length->high = first.value;
	*ret_end = first.end;
	end = second_number(text, length, first.end, &second);
	if (end == 0 || second.value <= 0)
		return true;
	if (first.value < 10 && second.value >= 1000 && second.multiplier > 1)
		first.value *= second.multiplier; /* 3-5千字 */
	else if (first.value < 10 && second.value >= 1000)
		return true;
	if (first.value >= second.value)
		return true;
	length->low = first.value;
	length->high = second.value;
	length->bound = DEMAND_RANGE;
	*ret_end = end;
	return true;
}

/* Decides about the number at `at`. */
static bool read_length(const char *text, size_t at, struct length *length)
{
	static const char *const loose_number[] = { "or so", "more", "further", "多",
						    "余",    "来",   "plus",	NULL };
	bool has_unit;
	size_t end;

	*length = (struct length){ .bound = DEMAND_ABOUT };
	if (!read_number(text, at, length, &end))
		return false;
	if (text[end] == '+') {
		length->bound = DEMAND_AT_LEAST;
		end++;
	}
	lexicon_begins_with(text, end, loose_number, &end);
	has_unit = read_unit(text, end, length);
	if (!has_unit)
		length->end = end;
	read_before(text, length);
	if (!has_unit && (!length->has_label || is_word_char(text[end])))
		return false;
	if (length->unit == LENGTH_WORDS && length->high < WORDS_MIN)
		return false;
	read_after(text, length);
	read_clause(text, length);
	return true;
}

bool length_next(const char *text, size_t from, struct length *ret_length)
{
	for (size_t at = from; text[at] != '\0'; at++)
		if (read_length(text, at, ret_length))
			return true;
	return false;
}

/* Whether what is counted at `at` can be a part of a text: "diary entries", 篇.
 */
static bool is_part(const char *text, size_t at)
{
	static const char *const measures[] = { "篇",	"章", "节", "封", "则", "段",
						"部分", "课", "次", "首", "集", "回",
						"份",	"个", "幕", "讲", NULL };
	static const char *const others[] = { "words", "word",	 "pages",   "years",	  "minutes",
					      "hours", "days",	 "percent", "times",	  "points",
					      "weeks", "months", "people",  "characters", NULL };
	size_t end;

	if (lexicon_begins_with(text, at, measures, &end))
		return true;
	for (int i = 0; i < 4 && text[at] == ' '; i++) {
		if (lexicon_begins_with(text, at, others, &end))
			return false;
		for (at++; is_word_char(text[at]); at++)
			;
		if (text[at - 1] == 's')
			return true;
	}
	return false;
}

long length_parts(const char *text, const struct length *length)
{
	struct numeral number;
	long before = 0;

	for (size_t at = 0; text[at] != '\0'; at++) {
		if (at == length->at)
			at = length->end;
		if (text[at] == '\0')
			break;
		if (!can_begin(text, at) || !numeral_parse(text, at, &number))
			continue;
		if (number.value >= 2 && number.value <= PARTS_MAX && is_part(text, number.end)) {
			if (at > length->at)
				return before > 0 ? before : number.value;
			before = number.value;
		}
		at = number.end - 1;
	}
	return before;
}
