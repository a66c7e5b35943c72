/* What a request is about. */
#include "check.h"
#include <string.h>
#include "writing/subject.h"

static void the_subject_stands_behind_about(void **state)
{
	static const struct {
		const char *request;
		const char *subject;
	} rows[] = {
		{ "Write a 1,000-word article about coffee.", "coffee" },
		{ "Write an article about green tea in about 600 words.", "green tea" },
		{ "Write about the history of China in 3,000 words", "the history of China" },
		{ "Write an essay of 1000 words on climate change, please", "climate change" },
		{ "A text explaining how bees live! Thanks", "how bees live" },
		{ "Write about 600 words", "" },
		{ "Write about 600 words on tea", "tea" },
		{ "Tell me a story.", "" },
		{ "Write a post about Python 3.11 and its speed", "Python 3.11 and its speed" },
		{ "写一篇关于茶的历史的文章，1000字", "茶的历史" },
		{ "Write a poem ABOUT Rain\nIt must rhyme", "Rain" },
		{ "", "" },
		{ "about", "" },
		{ " about ", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice subject = subject_of(
			(struct slice){ .data = rows[i].request, .len = strlen(rows[i].request) });

		if (subject.len != strlen(rows[i].subject))
			fail_msg("%s: '%.*s'", rows[i].request, (int)subject.len, subject.data);
		assert_memory_equal(subject.data, rows[i].subject, subject.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_subject_stands_behind_about) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
