#include "writing/phrases.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

enum { FOLDED_BYTES_MAX = 400 };

struct phrase {
	enum phrase_kind kind;
	const char *start; /* of the folded sentence */
	const char *needs; /* one of these further on, parted by '|'; NULL: nothing */
	bool has_colon;	   /* and a colon at its end: prose may begin with these words too */
};

#define TEXT_NOUNS                                                                                 \
	"section|paragraph|essay|article|story|chapter|passage|draft|report|continuation|"         \
	"version|outline|letter|speech|poem|the text|-word|words|guide|piece|introduction|"        \
	"conclusion"
#define TEXT_NOUNS_ZH "段|章|节|文章|内容|部分|正文|续写|故事|报告|全文|作文|小说|范文|撰写|："
#define OFFERS "here|i'll|i will|i can|i'd be|i would|i have|let me|below"

static const struct phrase phrases[] = {
	{ PHRASE_OPENING, "sure", OFFERS "|sure!|sure.|sure thing", false },
	{ PHRASE_OPENING, "certainly", OFFERS "|certainly!|certainly.", false },
	{ PHRASE_OPENING, "of course", "here is|here's|i'll|i will|i can|i'd be|of course!",
	  false },
	{ PHRASE_OPENING, "absolutely", "here is|here's|i'll|i will|i can|i'd be|absolutely!",
	  false },
	{ PHRASE_OPENING, "okay, ", "here is|here's|i'll write|let me write|let's write", false },
	{ PHRASE_OPENING, "ok, ", "here is|here's|i'll write|let me write|let's write", false },
	{ PHRASE_OPENING, "great! ", "here is|here's|i'll", false },
	{ PHRASE_OPENING, "here is the ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "here is a ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "here is an ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "here is your ", NULL, false },
	{ PHRASE_OPENING, "here's the ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "here's a ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "here's an ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "here's your ", NULL, false },
	{ PHRASE_OPENING, "here are the ", "words:|section:|paragraphs:", false },
	{ PHRASE_OPENING, "below is ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "the following is ", TEXT_NOUNS, true },
	{ PHRASE_OPENING, "as requested", NULL, false },
	{ PHRASE_OPENING, "i'll write", NULL, false },
	{ PHRASE_OPENING, "i'll continue", NULL, false },
	{ PHRASE_OPENING, "i will write", TEXT_NOUNS, false },
	{ PHRASE_OPENING, "i will now", TEXT_NOUNS, false },
	{ PHRASE_OPENING, "let's write", NULL, false },
	{ PHRASE_OPENING, "let me write", NULL, false },
	{ PHRASE_OPENING, "let me continue", NULL, false },
	{ PHRASE_OPENING, "continuing from", NULL, false },
	{ PHRASE_OPENING, "continuing with", TEXT_NOUNS, false },
	{ PHRASE_OPENING, "in this section, i", NULL, false },
	{ PHRASE_OPENING, "thank you for your request", NULL, false },
	{ PHRASE_OPENING, "好的", "以下|下面|这是|为您|为你|我来|我将|我会|好的！|好的。", false },
	{ PHRASE_OPENING, "当然", "以下是|下面是|这是为|为您|我可以|我来|当然可以！|当然！",
	  false },
	{ PHRASE_OPENING, "没问题", "以下|下面|这是|为您|我来", false },
	{ PHRASE_OPENING, "以下是", TEXT_NOUNS_ZH, true },
	{ PHRASE_OPENING, "以下为", TEXT_NOUNS_ZH, true },
	{ PHRASE_OPENING, "下面是", TEXT_NOUNS_ZH, true },
	{ PHRASE_OPENING, "这是为您", NULL, false },
	{ PHRASE_OPENING, "根据您的要求", NULL, false },
	{ PHRASE_OPENING, "根据你的要求", NULL, false },
	{ PHRASE_OPENING, "我将为您", NULL, false },
	{ PHRASE_OPENING, "我来为您", NULL, false },

	{ PHRASE_REFUSAL, "i'm sorry, but", "can't|cannot|unable|not able", false },
	{ PHRASE_REFUSAL, "i am sorry, but", "can't|cannot|unable|not able", false },
	{ PHRASE_REFUSAL, "sorry, i can't", NULL, false },
	{ PHRASE_REFUSAL, "sorry, but i", "can't|cannot|unable|not able", false },
	{ PHRASE_REFUSAL, "i apologize, but", "can't|cannot|unable|not able", false },
	{ PHRASE_REFUSAL, "i can't ",
	  "assist|fulfill|comply|that request|this request|help with|"
	  "create content|generate",
	  false },
	{ PHRASE_REFUSAL, "i cannot ",
	  "assist|fulfill|comply|that request|this request|help with|"
	  "create content|generate",
	  false },
	{ PHRASE_REFUSAL, "i'm unable to",
	  "assist|fulfill|comply|request|help with|create|generate|"
	  "write",
	  false },
	{ PHRASE_REFUSAL, "i am unable to",
	  "assist|fulfill|comply|request|help with|create|"
	  "generate|write",
	  false },
	{ PHRASE_REFUSAL, "抱歉", "我无法|我不能|不便", false },
	{ PHRASE_REFUSAL, "很抱歉", "我无法|我不能|不便", false },
	{ PHRASE_REFUSAL, "对不起",
	  "我无法提供|我无法完成|我无法协助|我不能提供|我不能协助|我无法满足", false },
	{ PHRASE_REFUSAL, "我无法", "您的请求|你的请求|该请求|提供此类|生成此类|协助", false },

	{ PHRASE_MODEL, "as an ai language model", NULL, false },
	{ PHRASE_MODEL, "as an ai model", NULL, false },
	{ PHRASE_MODEL, "as an ai assistant", NULL, false },
	{ PHRASE_MODEL, "as an ai, i", NULL, false },
	{ PHRASE_MODEL, "as an ai i ", NULL, false },
	{ PHRASE_MODEL, "as a language model", NULL, false },
	{ PHRASE_MODEL, "as a large language model", NULL, false },
	{ PHRASE_MODEL, "作为一个人工智能", "我", false },
	{ PHRASE_MODEL, "作为人工智能", "我", false },
	{ PHRASE_MODEL, "作为一个ai", "我", false },
	{ PHRASE_MODEL, "作为ai", "我", false },
	{ PHRASE_MODEL, "作为一个语言模型", NULL, false },
	{ PHRASE_MODEL, "作为一名ai", "我", false },

	{ PHRASE_COUNT, "word count", NULL, false },
	{ PHRASE_COUNT, "total word", "count|words:", false },
	{ PHRASE_COUNT, "words: ", "0|1|2|3|4|5|6|7|8|9", false },
	{ PHRASE_COUNT, "approximately ", "words)|words]", false },
	{ PHRASE_COUNT, "approx. ", "words)|words]", false },
	{ PHRASE_COUNT, "main point:", NULL, false },
	{ PHRASE_COUNT, "end of section", NULL, false },
	{ PHRASE_COUNT, "end of chapter", NULL, false },
	{ PHRASE_COUNT, "end of part", NULL, false },
	{ PHRASE_COUNT, "end of paragraph", NULL, false },
	{ PHRASE_COUNT, "end of article", NULL, false },
	{ PHRASE_COUNT, "to be continued", NULL, false },
	{ PHRASE_COUNT, "continued in the next", NULL, false },
	{ PHRASE_COUNT, "字数：", NULL, false },
	{ PHRASE_COUNT, "字数:", NULL, false },
	{ PHRASE_COUNT, "字数统计", NULL, false },
	{ PHRASE_COUNT, "全文约", "字", false },
	{ PHRASE_COUNT, "全文共", "字", false },
	{ PHRASE_COUNT, "本文共", "字", false },
	{ PHRASE_COUNT, "本节完", NULL, false },
	{ PHRASE_COUNT, "本章完", NULL, false },
	{ PHRASE_COUNT, "未完待续", NULL, false },
	{ PHRASE_COUNT, "待续", NULL, false },

	{ PHRASE_CLOSING, "i hope this",
	  "helps|section|essay|story|article|meets|text|piece|"
	  "information|report|guide",
	  false },
	{ PHRASE_CLOSING, "i hope that helps", NULL, false },
	{ PHRASE_CLOSING, "let me know if you", "need|have any|want me|want any|would like|'d like",
	  false },
	{ PHRASE_CLOSING, "let me know if this", NULL, false },
	{ PHRASE_CLOSING, "let me know if there", NULL, false },
	{ PHRASE_CLOSING, "please let me know if", NULL, false },
	{ PHRASE_CLOSING, "feel free to ask", NULL, false },
	{ PHRASE_CLOSING, "feel free to let me know", NULL, false },
	{ PHRASE_CLOSING, "feel free to reach out", NULL, false },
	{ PHRASE_CLOSING, "if you need further", "help|assistance|information|changes|anything",
	  false },
	{ PHRASE_CLOSING, "if you have any", "questions|further|other requests", false },
	{ PHRASE_CLOSING, "would you like me to", NULL, false },
	{ PHRASE_CLOSING, "shall i continue", NULL, false },
	{ PHRASE_CLOSING, "should i continue", NULL, false },
	{ PHRASE_CLOSING, "do you want me to", NULL, false },
	{ PHRASE_CLOSING, "note: this", TEXT_NOUNS, false },
	{ PHRASE_CLOSING, "this section has", "words", false },
	{ PHRASE_CLOSING, "in the next section, we", NULL, false },
	{ PHRASE_CLOSING, "希望",
	  "对你有帮助|对您有帮助|对你有所帮助|对您有所帮助|能帮到你|能帮到您|"
	  "满足您的|满足你的|符合您的|符合你的",
	  false },
	{ PHRASE_CLOSING, "如果您有", "需要|请|欢迎|告诉我", false },
	{ PHRASE_CLOSING, "如果你有任何", "需要|请|欢迎|告诉我|随时", false },
	{ PHRASE_CLOSING, "如需", "请告诉我|随时|请告知", false },
	{ PHRASE_CLOSING, "需要我继续", NULL, false },
	{ PHRASE_CLOSING, "您需要我", NULL, false },

	{ PHRASE_CONCLUSION, "in conclusion", NULL, false },
	{ PHRASE_CONCLUSION, "to conclude,", NULL, false },
	{ PHRASE_CONCLUSION, "in summary,", NULL, false },
	{ PHRASE_CONCLUSION, "to sum up", NULL, false },
	{ PHRASE_CONCLUSION, "to summarize,", NULL, false },
	{ PHRASE_CONCLUSION, "in closing,", NULL, false },
	{ PHRASE_CONCLUSION, "all in all,", NULL, false },
	{ PHRASE_CONCLUSION, "综上所述", NULL, false },
	{ PHRASE_CONCLUSION, "总而言之", NULL, false },
	{ PHRASE_CONCLUSION, "总的来说", NULL, false },
	{ PHRASE_CONCLUSION, "总之，", NULL, false },
};

/* Emphasis, heading, quote and bracket marks before the first word are not part of it. */
static bool is_skipped_at_front(char byte)
{
	return memchr("*_#> ([\t\n\r-", byte, 11) != NULL;
}

static size_t put_folded(char *out, uint32_t code)
{
	if (code >= 'A' && code <= 'Z')
		code += 'a' - 'A';
	if (code == 0x2019 || code == 0x2018)
		code = '\'';
	if (code < 0x80 && text_is_space(code))
		code = ' ';
	return text_put(out, code);
}

static void fold(struct slice sentence, char folded[FOLDED_BYTES_MAX + 1])
{
	const char *at = sentence.data, *end = sentence.data + sentence.len;
	size_t len = 0;

	while (at < end) {
		bool is_wide =
			end - at >= 3 && (memcmp(at, "（", 3) == 0 || memcmp(at, "【", 3) == 0);

		if (!is_wide && !is_skipped_at_front(*at))
			break;
		at += is_wide ? 3 : 1;
	}
	while (at < end && len + 4 <= FOLDED_BYTES_MAX) {
		uint32_t code = text_next(&at, end);

		if (code == '*')
			continue;
		len += put_folded(folded + len, code);
	}
	folded[len] = '\0';
}

static bool has_one_of(const char *text, const char *alternatives)
{
	while (*alternatives != '\0') {
		size_t len = strcspn(alternatives, "|");

		if (memmem(text, strlen(text), alternatives, len) != NULL)
			return true;
		alternatives += len;
		alternatives += *alternatives == '|';
	}
	return false;
}

static bool ends_in_colon(const char *folded)
{
	size_t len = strlen(folded);

	return len >= 3 && (folded[len - 1] == ':' || strcmp(folded + len - 3, "：") == 0);
}

/* "(400 words)" alone: a count whatever the digits. */
static bool is_bare_count(const char *folded)
{
	size_t digits = strspn(folded, "0123456789,. ");
	const char *rest = folded + digits;

	if (digits == 0)
		return false;
	return strcmp(rest, "words)") == 0 || strcmp(rest, "words]") == 0 ||
	       strcmp(rest, "words") == 0 || strcmp(rest, "字）") == 0 || strcmp(rest, "字)") == 0;
}

static void trim_end(char *folded)
{
	size_t len = strlen(folded);

	while (len > 0 && (folded[len - 1] == ' ' || folded[len - 1] == '_'))
		folded[--len] = '\0';
}

enum phrase_kind phrase_kind(struct slice sentence)
{
	char folded[FOLDED_BYTES_MAX + 1];

	fold(sentence, folded);
	trim_end(folded);
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		const struct phrase *phrase = &phrases[i];

		if (strncmp(folded, phrase->start, strlen(phrase->start)) != 0)
			continue;
		if (phrase->has_colon && !ends_in_colon(folded))
			continue;
		if (phrase->needs == NULL || has_one_of(folded, phrase->needs))
			return phrase->kind;
	}
	return is_bare_count(folded) ? PHRASE_COUNT : PHRASE_NONE;
}
