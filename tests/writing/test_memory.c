/* What a section's prompt says of the text so far: bounded, whole sentences, nothing twice. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "writing/memory.h"

static struct slice text(const char *data)
{
	return (struct slice){ .data = data, .len = strlen(data) };
}

static void a_tail_begins_with_a_sentence(void **state)
{
	static const struct {
		const char *text;
		long words;
		const char *tail;
	} rows[] = {
		{ "One two three. Four five six. Seven eight.", 2, "Seven eight." },
		{ "One two three. Four five six. Seven eight.", 4, "Seven eight." },
		{ "One two three. Four five six. Seven eight.", 5, "Four five six. Seven eight." },
		{ "One two three. Four five six. Seven eight.", 100,
		  "One two three. Four five six. Seven eight." },
		{ "One two three four five six seven", 3, "five six seven" },
		{ "一二三。四五六。七八。", 3, "七八。" },
		{ "一二三。四五六。七八。", 5, "四五六。七八。" },
		{ "First one.\n\nSecond one.\n", 2, "Second one." },
		{ "Dr. Who came in. He sat.", 3, "He sat." },
		{ "One two.", 0, "" },
		{ "", 10, "" },
		{ "  \n", 10, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice tail = memory_tail(text(rows[i].text), rows[i].words);

		assert_int_equal(tail.len, strlen(rows[i].tail));
		assert_memory_equal(tail.data, rows[i].tail, tail.len);
	}
	assert_int_equal(memory_tail((struct slice){ 0 }, 5).len, 0);
}

/* Any bytes, any number: a tail is an end of the text and never more words than asked. */
static void any_text_has_a_tail(void **state)
{
	unsigned seed = 5;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		static const char *const bits[] = { "a",  "bc ",  ". ",	     "\n",   "茶",
						    "。", "\xff", "é",	     "\n\n", "3.5",
						    "“",  "I",	  "\xe8\x8c" };
		char bytes[200];
		size_t len = 0;
		struct slice tail;
		long words;

		while (len < sizeof(bytes) - 4) {
			const char *bit;

			seed = seed * 1664525u + 1013904223u;
			bit = bits[(seed >> 8) % COUNT_OF(bits)];
			memcpy(bytes + len, bit, strlen(bit));
			len += strlen(bit);
		}
		words = (long)((seed >> 8) % 60);
		tail = memory_tail((struct slice){ .data = bytes, .len = len }, words);
		assert_true(tail.data >= bytes && tail.data + tail.len <= bytes + len);
		assert_true(words_count(WORDS_NATURAL, tail.data, tail.len) <= words);
	}
}

static const char tale[] =
	"Old Anna Weber went to the Red Mill at dawn. She was tired. The road was long.\n\n"
	"Then came Karl, whom Anna Weber knew. He had a cart, and the cart had Karl in it. "
	"They said that Red Mill was lost.\n\n"
	"Nobody spoke for a while, and Karl looked at Anna Weber.";

static const struct memory_section parts[] = {
	{ "The Mill", 0, 80 },
	{ "The Cart", 80, 196 },
	{ "Silence", 196, sizeof(tale) - 1 },
};

static void remember(const struct memory_source *source, struct buf *summary, struct buf *recent)
{
	buf_init(summary, 1 << 16);
	buf_init(recent, 1 << 16);
	assert_int_equal(memory_summary(source, summary), OK);
	assert_int_equal(memory_recent(source, recent), OK);
}

static void bounded_memory_sums_up_and_names(void **state)
{
	struct memory_source source = { .text = text(tale),
					.sections = parts,
					.n_sections = 3,
					.context = CONTEXT_BOUNDED,
					.words_max = 600 };
	struct buf text_long;
	struct memory_section sections[3];
	struct buf summary;
	struct buf recent;

	(void)state;
	buf_init(&text_long, 1 << 16);
	assert_int_equal(buf_append_str(&text_long, tale), OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_append_str(&text_long, " It was very quiet."), OK);
	memcpy(sections, parts, sizeof(parts));
	sections[2].end_byte = text_long.len;
	source.text = (struct slice){ .data = text_long.data, .len = text_long.len };
	source.sections = sections;
	remember(&source, &summary, &recent);
	assert_non_null(strstr(summary.data,
			       "1. The Mill: Old Anna Weber went to the Red Mill at dawn.\n"));
	assert_non_null(strstr(summary.data, "2. The Cart: Then came Karl"));
	assert_non_null(strstr(summary.data, "Names so far: "));
	assert_non_null(strstr(summary.data, "Anna Weber"));
	assert_non_null(strstr(summary.data, "Red Mill"));
	assert_true(words_count(WORDS_NATURAL, recent.data, recent.len) <= 250);
	assert_memory_equal(recent.data, "It was very quiet.", 18);
	buf_release(&text_long);
	buf_release(&summary);
	buf_release(&recent);
}

static void the_other_contexts_remember_more_or_less(void **state)
{
	static const struct {
		enum context context;
		long words_max;
		const char *recent_starts;
		bool is_empty;
	} rows[] = {
		{ CONTEXT_FULL, 1000, "Old Anna", false },
		{ CONTEXT_FULL, 20, "Nobody spoke", false },
		{ CONTEXT_FULL, 15, "Nobody spoke", false },
		{ CONTEXT_DIRECT, 1000, "Nobody spoke", false },
		{ CONTEXT_BOUNDED, 0, "", true },
		{ CONTEXT_FULL, 0, "", true },
		{ CONTEXT_DIRECT, 0, "", true },
		{ CONTEXT_BOUNDED, 12, "Nobody spoke", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct memory_source source = { .text = text(tale),
						.sections = parts,
						.n_sections = 3,
						.context = rows[i].context,
						.words_max = rows[i].words_max };
		struct buf summary;
		struct buf recent;

		remember(&source, &summary, &recent);
		assert_int_equal(summary.len, 0);
		assert_int_equal(recent.len == 0, rows[i].is_empty);
		if (strncmp(buf_str(&recent), rows[i].recent_starts,
			    strlen(rows[i].recent_starts)) != 0)
			fail_msg("row %zu: %s", i, buf_str(&recent));
		buf_release(&summary);
		buf_release(&recent);
	}
}

/* A hundred thousand words, four hundred sections: never more than what was allowed. */
static void memory_never_passes_its_bound(void **state)
{
	static struct memory_section sections[400];
	struct buf long_text;
	enum context contexts[] = { CONTEXT_FULL, CONTEXT_BOUNDED, CONTEXT_DIRECT };

	(void)state;
	buf_init(&long_text, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(sections); i++) {
		sections[i].title = "A section of it";
		sections[i].at_byte = long_text.len;
		for (int k = 0; k < 50; k++)
			assert_int_equal(buf_append_str(&long_text, "Here are five more words. "),
					 OK);
		sections[i].end_byte = long_text.len;
	}
	for (size_t c = 0; c < COUNT_OF(contexts); c++) {
		for (long words = 0; words < 3000; words = words * 2 + 1) {
			struct memory_source source = { .text = { .data = long_text.data,
								  .len = long_text.len },
							.sections = sections,
							.n_sections = COUNT_OF(sections),
							.context = contexts[c],
							.words_max = words };
			struct buf summary;
			struct buf recent;

			remember(&source, &summary, &recent);
			assert_true(words_count(WORDS_NATURAL, buf_str(&recent), recent.len) +
					    words_count(WORDS_NATURAL, buf_str(&summary),
							summary.len) <=
				    words);
			buf_release(&summary);
			buf_release(&recent);
		}
	}
	buf_release(&long_text);
}

static void every_allocation_may_fail(void **state)
{
	struct memory_source source = { .text = text(tale),
					.sections = parts,
					.n_sections = 3,
					.context = CONTEXT_FULL,
					.words_max = 300 };
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		struct buf out;

		buf_init(&out, 1 << 16);
		mem_fail_at(nth);
		err = memory_recent(&source, &out);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		buf_release(&out);
		assert_true(nth < 50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tail_begins_with_a_sentence),
		cmocka_unit_test(any_text_has_a_tail),
		cmocka_unit_test(bounded_memory_sums_up_and_names),
		cmocka_unit_test(the_other_contexts_remember_more_or_less),
		cmocka_unit_test(memory_never_passes_its_bound),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
