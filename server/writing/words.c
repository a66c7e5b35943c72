#include "writing/words.h"
#include <string.h>

enum { SURPLUS_SLOPE = 3, SHORTFALL_SLOPE = 2 };

static bool is_ascii_letter(uint32_t code)
{
	return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
}

/* Python's \w on str: letters, every kind of number, and the underscore; marks
 * are not in it. */
static bool is_python_word(uint32_t code)
{
	return code == '_' || text_is_number(code) || (text_is_letter(code) && !text_is_mark(code));
}

static void natural_ascii(struct word_counter *counter, uint32_t code)
{
	bool opens = is_ascii_letter(code) || (code >= '0' && code <= '9');

	if (code == ' ' || (code >= '\t' && code <= '\r'))
		counter->is_natural_open = false;
	else if (opens && !counter->is_natural_open) {
		counter->closed.natural++;
		counter->is_natural_open = true;
	}
}

static void natural_step(struct word_counter *counter, uint32_t code)
{
	if (text_is_mark(code)) /* belongs to the character before it */
		return;
	if (text_is_han(code) || text_is_kana(code)) {
		counter->closed.natural++;
		counter->is_natural_open = false;
	} else if (text_is_space(code)) {
		counter->is_natural_open = false;
	} else if (!counter->is_natural_open && (text_is_letter(code) || text_is_digit(code))) {
		counter->closed.natural++;
		counter->is_natural_open = true;
	}
}

static void benchmark_step(struct word_counter *counter, uint32_t code)
{
	if (code >= 0x4e00 && code <= 0x9fff)
		counter->closed.benchmark++;
	if (is_ascii_letter(code)) {
		if (counter->run == RUN_NONE)
			counter->run = RUN_LETTERS;
	} else if (is_python_word(code)) {
		counter->run = RUN_OTHER;
	} else {
		if (counter->run == RUN_LETTERS)
			counter->closed.benchmark++;
		counter->run = RUN_NONE;
	}
}

static void count_whole(struct word_counter *counter, const char *text, size_t len)
{
	const char *at = text;
	const char *end = text + len;

	while (at < end) {
		uint32_t code = text_next(&at, end);

		/* Most of all text; and it is counted again whenever a log is read. */
		if (code < 0x80)
			natural_ascii(counter, code);
		else
			natural_step(counter, code);
		benchmark_step(counter, code);
	}
}

void word_counter_init(struct word_counter *counter)
{
	*counter = (struct word_counter){ 0 };
}

/* Ends the pending code point with the bytes it lacks; returns how many it
 * took. */
static size_t feed_pending(struct word_counter *counter, const char *text, size_t len)
{
	size_t taken = 0;

	while (counter->pending_len > 0 && taken < len) {
		size_t whole;

		counter->pending[counter->pending_len++] = text[taken++];
		whole = text_whole(counter->pending, counter->pending_len);
		count_whole(counter, counter->pending, whole);
		counter->pending_len -= whole;
		memmove(counter->pending, counter->pending + whole, counter->pending_len);
	}
	return taken;
}

void word_counter_feed(struct word_counter *counter, const char *text, size_t len)
{
	size_t taken = feed_pending(counter, text, len);
	size_t whole = text_whole(text + taken, len - taken);

	count_whole(counter, text + taken, whole);
	if (taken + whole == len)
		return;
	counter->pending_len = len - taken - whole; /* at most 3: text_whole() keeps the rest */
	memcpy(counter->pending, text + taken + whole, counter->pending_len);
}

struct word_count word_counter_total(const struct word_counter *counter)
{
	struct word_count total = counter->closed;

	if (counter->run == RUN_LETTERS)
		total.benchmark++;
	return total;
}

struct word_count words_count_both(const char *text, size_t len)
{
	struct word_counter counter;

	word_counter_init(&counter);
	count_whole(&counter, text, len);
	return word_counter_total(&counter);
}

long words_count(enum word_rule rule, const char *text, size_t len)
{
	struct word_count count = words_count_both(text, len);

	return rule == WORDS_NATURAL ? count.natural : count.benchmark;
}

double words_score(long asked, long written)
{
	double ratio;
	double score;

	if (asked <= 0 || written <= 0)
		return 0;
	ratio = (double)written / (double)asked;
	score = ratio > 1 ? 1 - (ratio - 1) / SURPLUS_SLOPE : 1 - (1 / ratio - 1) / SHORTFALL_SLOPE;
	return score > 0 ? 100 * score : 0;
}
