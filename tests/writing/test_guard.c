/* One sentence, judged by where it stands. */
#include "check.h"

#include <string.h>

#include "writing/guard.h"

#define FRONT .unit = 0, .is_section_start = true
#define MIDDLE .unit = 9
#define TITLE .title = "The Quiet Harbour"

static const struct {
	struct guard_place place;
	const char *sentence;
	bool is_line;
	enum guard_verdict verdict;
	enum repair_kind kind;
	size_t skip_bytes;
} cases[] = {
	{ { TITLE, FRONT }, "Sure, here is the section:", true, GUARD_DROP, REPAIR_META, 0 },
	{ { TITLE, MIDDLE }, "Sure, here is the plan, he said.", false, GUARD_KEEP, 0, 0 },
	{ { TITLE, FRONT },
	  "I'm sorry, but I can't help with that.",
	  true,
	  GUARD_REDO,
	  REPAIR_REFUSAL,
	  0 },
	{ { TITLE, MIDDLE },
	  "As an AI language model, I cannot know.",
	  false,
	  GUARD_REDO,
	  REPAIR_REFUSAL,
	  0 },
	{ { TITLE, MIDDLE }, "I hope this helps!", true, GUARD_DROP, REPAIR_META, 0 },
	{ { TITLE, MIDDLE, .is_letter = true }, "I hope this helps!", true, GUARD_KEEP, 0, 0 },
	{ { TITLE, MIDDLE }, "In conclusion, it was so.", false, GUARD_DROP, REPAIR_META, 0 },
	{ { TITLE, MIDDLE, .is_last_section = true },
	  "In conclusion, it was so.",
	  false,
	  GUARD_KEEP,
	  0,
	  0 },
	{ { TITLE, FRONT }, "The Quiet Harbour", true, GUARD_DROP, REPAIR_MARK, 0 },
	{ { TITLE, FRONT }, "**The Quiet Harbour**", true, GUARD_DROP, REPAIR_MARK, 0 },
	{ { TITLE, FRONT, .has_headings = true },
	  "## The Quiet Harbour",
	  true,
	  GUARD_DROP,
	  REPAIR_MARK,
	  0 },
	{ { TITLE, FRONT }, "Section 3: The Quiet Harbour", true, GUARD_DROP, REPAIR_MARK, 0 },
	{ { TITLE, MIDDLE, .has_headings = true }, "### Boats", true, GUARD_KEEP, 0, 0 },
	{ { TITLE, MIDDLE }, "### Boats", true, GUARD_DROP, REPAIR_MARK, 0 },
	{ { TITLE, MIDDLE, .has_headings = true }, "Chapter 4", true, GUARD_DROP, REPAIR_MARK, 0 },
	{ { .title = "", FRONT, .is_single = true }, "# My Text", true, GUARD_KEEP, 0, 0 },
	{ { TITLE, FRONT }, "---", true, GUARD_DROP, REPAIR_MARK, 0 },
	{ { TITLE, MIDDLE }, "* * *", true, GUARD_KEEP, 0, 0 },
	{ { TITLE, FRONT }, "Section 3: The boats went out.", false, GUARD_KEEP, REPAIR_MARK, 11 },
	{ { TITLE, FRONT }, "Part two of the plan failed.", false, GUARD_KEEP, 0, 0 },
	{ { TITLE, FRONT }, "The harbour was quiet.", true, GUARD_KEEP, 0, 0 },
	{ { TITLE, FRONT, .script = SCRIPT_LATIN },
	  "港口在清晨很安静，没有一个人在那里。",
	  true,
	  GUARD_REDO,
	  REPAIR_LANGUAGE,
	  0 },
	{ { TITLE, FRONT, .script = SCRIPT_HAN },
	  "The harbour was quiet in the morning and nobody was there.",
	  true,
	  GUARD_REDO,
	  REPAIR_LANGUAGE,
	  0 },
	{ { TITLE, FRONT, .script = SCRIPT_HAN },
	  "他说：“OK, let's go to the harbour。”",
	  true,
	  GUARD_KEEP,
	  0,
	  0 },
	{ { TITLE, MIDDLE, .is_direct = true, .script = SCRIPT_LATIN },
	  "In this article, I will tell more.",
	  false,
	  GUARD_DROP,
	  REPAIR_META,
	  0 },
	{ { TITLE, MIDDLE, .is_direct = true, .script = SCRIPT_LATIN },
	  "A line without an end",
	  true,
	  GUARD_DROP,
	  REPAIR_MARK,
	  0 },
	{ { TITLE, FRONT, .is_direct = true, .script = SCRIPT_LATIN },
	  "The Quiet Harbour: it lies in the north of it all.",
	  true,
	  GUARD_DROP,
	  REPAIR_MARK,
	  0 },
};

static void test_verdicts(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice sentence = { cases[i].sentence, strlen(cases[i].sentence) };
		struct guard_finding found =
			guard_judge(&cases[i].place, sentence, cases[i].is_line);

		if (found.verdict != cases[i].verdict || found.skip_bytes != cases[i].skip_bytes)
			print_error("%zu: %s\n", i, cases[i].sentence);
		assert_int_equal(found.verdict, cases[i].verdict);
		assert_int_equal(found.skip_bytes, cases[i].skip_bytes);
		if (found.verdict != GUARD_KEEP || found.skip_bytes > 0)
			assert_int_equal(found.kind, cases[i].kind);
	}
}

static void test_lead_ins_are_no_end(void **unused)
{
	static const struct {
		const char *sentence;
		bool is_lead_in;
	} leads[] = {
		{ "There are three reasons:", true },
		{ "原因有三：", true },
		{ "### Boats", true },
		{ "**Boats**", true },
		{ "* * *", true },
		{ "The boats went out.", false },
		{ "**Boats** went out.", false },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(leads); i++)
		assert_int_equal(guard_is_lead_in((struct slice){ leads[i].sentence,
								  strlen(leads[i].sentence) }),
				 leads[i].is_lead_in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_lead_ins_are_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
