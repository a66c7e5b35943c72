/* What models say that is not the text, and what only sounds like it. */
#include "check.h"

#include <string.h>

#include "writing/phrases.h"
#include "writing/self_talk.h"

static const struct {
	const char *sentence;
	enum phrase_kind kind;
} cases[] = {
	{ "Sure, here is the section:", PHRASE_OPENING },
	{ "Sure! Here\xe2\x80\x99s a 500-word essay about tea:", PHRASE_OPENING },
	{ "Certainly!", PHRASE_OPENING },
	{ "**Certainly! Here is the next part.**", PHRASE_OPENING },
	{ "Of course! Here is the letter:", PHRASE_OPENING },
	{ "Here is the section you asked for:", PHRASE_OPENING },
	{ "Below is the second chapter:", PHRASE_OPENING },
	{ "好的，以下是第三部分的正文：", PHRASE_OPENING },
	{ "当然可以！", PHRASE_OPENING },
	{ "以下是这一节的内容：", PHRASE_OPENING },
	{ "I'm sorry, but I can't help with that.", PHRASE_REFUSAL },
	{ "I cannot fulfill this request.", PHRASE_REFUSAL },
	{ "抱歉，我无法完成您的请求。", PHRASE_REFUSAL },
	{ "As an AI language model, I do not have feelings.", PHRASE_MODEL },
	{ "作为一个人工智能，我没有感情。", PHRASE_MODEL },
	{ "(Word count: 412)", PHRASE_COUNT },
	{ "**Word Count: 412**", PHRASE_COUNT },
	{ "(400 words)", PHRASE_COUNT },
	{ "[End of section 3]", PHRASE_COUNT },
	{ "（全文约800字）", PHRASE_COUNT },
	{ "To be continued...", PHRASE_COUNT },
	{ "I hope this helps!", PHRASE_CLOSING },
	{ "Let me know if you need anything else.", PHRASE_CLOSING },
	{ "Would you like me to go on?", PHRASE_CLOSING },
	{ "希望这篇文章对您有帮助！", PHRASE_CLOSING },
	{ "In conclusion, the sea is deep.", PHRASE_CONCLUSION },
	{ "综上所述，海很深。", PHRASE_CONCLUSION },
	/* prose */
	{ "Here is the harbour where the boats come in.", PHRASE_NONE },
	{ "Sure enough, the tide turned.", PHRASE_NONE },
	{ "Of course the sea was cold that day.", PHRASE_NONE },
	{ "\"Let me know if you need anything,\" she said.", PHRASE_NONE },
	{ "\"I'm sorry, but I can't,\" he said.", PHRASE_NONE },
	{ "I can't help but smile at the thought.", PHRASE_NONE },
	{ "I hope this winter will be mild.", PHRASE_NONE },
	{ "Let me know the hour.", PHRASE_NONE },
	{ "As an airline pilot, I saw it often.", PHRASE_NONE },
	{ "当然，海是冷的。", PHRASE_NONE },
	{ "“好的，我们走吧。”他说。", PHRASE_NONE },
	{ "希望像灯一样亮着。", PHRASE_NONE },
	{ "抱歉的话他说不出口。", PHRASE_NONE },
	{ "400 words are not many.", PHRASE_NONE },
	{ "", PHRASE_NONE },
	{ "***", PHRASE_NONE },
};

static void test_kinds(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice sentence = { cases[i].sentence, strlen(cases[i].sentence) };

		if (phrase_kind(sentence) != cases[i].kind)
			print_error("%s: %d\n", cases[i].sentence, (int)phrase_kind(sentence));
		assert_int_equal(phrase_kind(sentence), cases[i].kind);
	}
}

static const struct {
	const char *sentence;
	bool is_personal, is_talk;
} talks[] = {
	{ "In this article, we look at coffee.", false, true },
	{ "This captivating article explores coffee.", false, true },
	{ "Here's a 1,000-word text.", false, true },
	{ "160 words: 10 facts about coffee.", false, true },
	{ "In 50 words, coffee is a drink.", false, true },
	{ "English has taken 300 words from it.", true, false },
	{ "A 500-word look at coffee.", false, true },
	{ "Title: The Art of Coffee.", false, true },
	{ "In conclusion, coffee is good.", false, true },
	{ "I love coffee.", false, true },
	{ "I love coffee.", true, false },
	{ "Here are the facts.", false, true },
	{ "The harvest begins in May.", false, false },
	{ "Coffee houses printed articles and news.", false, false },
	{ "Here and there a cup was left.", false, false },
	{ "The author of the tale is unknown.", false, true },
};

static void test_self_talk(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(talks); i++) {
		struct slice sentence = { talks[i].sentence, strlen(talks[i].sentence) };

		if (is_self_talk(sentence, talks[i].is_personal) != talks[i].is_talk)
			print_error("%s\n", talks[i].sentence);
		assert_int_equal(is_self_talk(sentence, talks[i].is_personal), talks[i].is_talk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_self_talk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
