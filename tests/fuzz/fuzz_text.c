/* Any bytes as text: counts, sentences and normal form keep their promises. */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "writing/repeat.h"
#include "writing/sentence.h"
#include "writing/words.h"

static void check_counts(struct slice text)
{
	struct word_count whole = words_count_both(text.data, text.len);
	struct word_counter counter;
	struct word_count pieces;
	size_t step = text.len > 0 ? 1 + (unsigned char)text.data[0] % 7 : 1;

	MUST(whole.natural == words_count(WORDS_NATURAL, text.data, text.len));
	MUST(whole.benchmark == words_count(WORDS_BENCHMARK, text.data, text.len));
	MUST(whole.natural >= 0 && whole.benchmark >= 0);
	word_counter_init(&counter);
	for (size_t at = 0; at < text.len; at += step)
		word_counter_feed(&counter, text.data + at,
				  text.len - at < step ? text.len - at : step);
	pieces = word_counter_total(&counter);
	MUST(pieces.natural == whole.natural && pieces.benchmark == whole.benchmark);
}

/* A text is exactly its sentences in a row; what is complete early is so in the end too. */
static void check_sentences(struct slice text)
{
	struct repeat seen;

	repeat_init(&seen);
	while (text.len > 0) {
		size_t early = sentence_end(text.data, text.len, false);
		size_t len = sentence_end(text.data, text.len, true);
		struct slice sentence = { text.data, len };

		MUST(len > 0 && len <= text.len && (early == 0 || early == len));
		(void)sentence_is_finished(text.data, len);
		(void)repeat_share(&seen, sentence);
		MUST(repeat_add(&seen, sentence) == OK);
		text.data += len;
		text.len -= len;
	}
	MUST(sentence_end(text.data, 0, true) == 0);
	repeat_release(&seen);
}

/* Normal form: valid, its own normal form, and of the same natural count. */
static void check_normal_form(struct slice text)
{
	struct buf once, twice;

	buf_init(&once, SIZE_MAX / 2);
	buf_init(&twice, SIZE_MAX / 2);
	MUST(text_nfc(text.data, text.len, &once) == OK);
	MUST(text_is_valid(buf_str(&once), once.len));
	MUST(text_nfc(buf_str(&once), once.len, &twice) == OK);
	MUST(once.len == twice.len);
	if (text_is_valid(text.data, text.len))
		MUST(words_count(WORDS_NATURAL, text.data, text.len) ==
		     words_count(WORDS_NATURAL, buf_str(&once), once.len));
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct slice trimmed;
	size_t whole;

	if (size == 0)
		return 0;
	check_counts(text);
	check_sentences(text);
	check_normal_form(text);
	trimmed = text_trim(text.data, text.len);
	MUST(trimmed.len <= text.len);
	whole = text_whole(text.data, text.len);
	MUST(whole <= text.len && text.len - whole < 4);
	(void)text_before(text.data, text.data + text.len);
	return 0;
}
