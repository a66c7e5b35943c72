#include "writing/plan.h"
#include <stdint.h>
#include <string.h>
#include "base/mem.h"
#include "base/text.h"

void plan_init(struct plan *plan)
{
	*plan = (struct plan){ 0 };
}

static void section_release(struct plan_section *section)
{
	mem_free(section->title);
	mem_free(section->point);
}

void plan_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_sections; i++)
		section_release(&plan->sections[i]);
	mem_free(plan->sections);
	mem_free(plan->title);
	plan_init(plan);
}

/* What a title or point may hold: UTF-8 of at most bytes_max, no control characters. */
static char *copy_clean(struct slice text, size_t bytes_max, bool is_one_line)
{
	struct slice trimmed = text_trim(text.data != NULL ? text.data : "", text.len);
	const char *at = trimmed.data;
	const char *end = trimmed.data + trimmed.len;
	struct buf out;
	enum err err = OK;

	buf_init(&out, bytes_max);
	while (err == OK && at < end) {
		uint32_t code = text_next(&at, end);
		char bytes[4];

		if ((code < 0x20 && (is_one_line || code != '\n')) || code == 0x7f)
			code = ' ';
		err = buf_append(&out, bytes, text_put(bytes, code));
	}
	if (err == ERR_NO_MEMORY) {
		buf_release(&out);
		return NULL;
	}
	return buf_steal(&out); /* ERR_TOO_LARGE: cut, on a code point */
}

static enum err replace(char **place, struct slice text, size_t bytes_max, bool is_one_line)
{
	char *copy = copy_clean(text, bytes_max, is_one_line);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	mem_free(*place);
	*place = copy;
	return OK;
}

enum err plan_set_title(struct plan *plan, struct slice title)
{
	return replace(&plan->title, title, PLAN_TITLE_BYTES_MAX, true);
}

enum err plan_section_set_title(struct plan_section *section, struct slice title)
{
	return replace(&section->title, title, PLAN_TITLE_BYTES_MAX, true);
}

enum err plan_section_set_point(struct plan_section *section, struct slice point)
{
	return replace(&section->point, point, PLAN_POINT_BYTES_MAX, false);
}

enum err plan_section_append_point(struct plan_section *section, struct slice point)
{
	struct buf joined;
	enum err err;

	if (section->point[0] == '\0')
		return plan_section_set_point(section, point);
	buf_init(&joined, (size_t)2 * PLAN_POINT_BYTES_MAX);
	err = buf_printf(&joined, "%s; %.*s", section->point,
			 (int)text_whole(point.data, point.len < PLAN_POINT_BYTES_MAX
							     ? point.len
							     : PLAN_POINT_BYTES_MAX - 2),
			 point.data);
	if (err == OK)
		err = plan_section_set_point(
			section, (struct slice){ .data = joined.data, .len = joined.len });
	buf_release(&joined);
	return err;
}

static long clamp_words(long words)
{
	if (words < 0)
		return 0;
	return words < PLAN_WORDS_MAX ? words : PLAN_WORDS_MAX;
}

enum err plan_insert(struct plan *plan, size_t index, struct slice title, struct slice point,
		     long words)
{
	struct plan_section section = { .words = clamp_words(words) };
	struct plan_section *sections;
	size_t n = plan->n_sections;

	if (n >= PLAN_SECTIONS_MAX)
		return ERR_LIMIT;
	if (plan_section_set_title(&section, title) != OK ||
	    plan_section_set_point(&section, point) != OK)
		goto no_memory;
	sections = mem_realloc(plan->sections, (n + 1) * sizeof(*sections));
	if (sections == NULL)
		goto no_memory;
	memmove(sections + index + 1, sections + index, (n - index) * sizeof(*sections));
	sections[index] = section;
	plan->sections = sections;
	plan->n_sections++;
	return OK;
no_memory:
	section_release(&section);
	return ERR_NO_MEMORY;
}

enum err plan_add(struct plan *plan, struct slice title, struct slice point, long words)
{
	return plan_insert(plan, plan->n_sections, title, point, words);
}

void plan_remove(struct plan *plan, size_t index)
{
	struct plan_section *at = &plan->sections[index];

	section_release(at);
	plan->n_sections--;
	memmove(at, at + 1, (plan->n_sections - index) * sizeof(*at));
}

static struct slice slice_of(const char *text)
{
	return (struct slice){ .data = text, .len = strlen(text) };
}

enum err plan_copy(const struct plan *plan, struct plan *ret_plan)
{
	enum err err = OK;

	if (plan->title != NULL)
		err = plan_set_title(ret_plan, slice_of(plan->title));
	for (size_t i = 0; err == OK && i < plan->n_sections; i++) {
		const struct plan_section *from = &plan->sections[i];

		err = plan_add(ret_plan, slice_of(from->title), slice_of(from->point), from->words);
		if (err != OK)
			break;
		ret_plan->sections[i].is_title_users = from->is_title_users;
		ret_plan->sections[i].is_words_users = from->is_words_users;
	}
	if (err != OK)
		plan_release(ret_plan);
	return err;
}

size_t plan_count_for(long target_words, long per_section_words, size_t sections_max)
{
	long count;

	if (per_section_words < 1)
		per_section_words = 1;
	count = target_words / per_section_words;
	if (target_words % per_section_words > (per_section_words - 1) / 2)
		count++;
	if (count < 1)
		count = 1;
	return (size_t)count < sections_max ? (size_t)count : (sections_max > 0 ? sections_max : 1);
}

/* Which sections a distribution is over. */
enum group { GROUP_ALL, GROUP_OURS };

static bool is_in(const struct plan_section *section, enum group group)
{
	return group == GROUP_ALL || !section->is_words_users;
}

struct sums {
	double wishes; /* of those that have one */
	size_t n_wishes;
	size_t n;
};

static struct sums sums_of(const struct plan *plan, enum group group)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < plan->n_sections; i++) {
		const struct plan_section *section = &plan->sections[i];

		if (!is_in(section, group))
			continue;
		sums.n++;
		if (section->words > 0) {
			sums.wishes += (double)section->words;
			sums.n_wishes++;
		}
	}
	return sums;
}

/* Rounding the running total, not each share, makes the sum exact. */
static void share_out(struct plan *plan, long words, enum group group)
{
	struct sums sums = sums_of(plan, group);
	double without = sums.n_wishes > 0 ? sums.wishes / (double)sums.n_wishes : 1;
	double all = sums.wishes + without * (double)(sums.n - sums.n_wishes);
	double running = 0;
	size_t left = sums.n;
	long given = 0;

	for (size_t i = 0; i < plan->n_sections; i++) {
		struct plan_section *section = &plan->sections[i];
		long until;

		if (!is_in(section, group))
			continue;
		running += section->words > 0 ? (double)section->words : without;
		left--;
		until = left == 0 ? words : (long)((double)words * running / all + 0.5);
		section->words = until - given;
		given = until;
	}
}

static struct plan_section *longest_of(struct plan *plan, enum group group)
{
	struct plan_section *longest = NULL;

	for (size_t i = 0; i < plan->n_sections; i++) {
		struct plan_section *section = &plan->sections[i];

		if (is_in(section, group) && (longest == NULL || section->words > longest->words))
			longest = section;
	}
	return longest;
}

/* A section with nothing to say takes a word from the longest. */
static void raise_empty(struct plan *plan, enum group group)
{
	for (size_t i = 0; i < plan->n_sections; i++) {
		struct plan_section *section = &plan->sections[i];

		while (is_in(section, group) && section->words < 1) {
			longest_of(plan, group)->words--;
			section->words++;
		}
	}
}

void plan_distribute(struct plan *plan, long target_words)
{
	long users = 0;
	size_t n_ours = 0;
	enum group group = GROUP_ALL;

	for (size_t i = 0; i < plan->n_sections; i++) {
		if (plan->sections[i].is_words_users && plan->sections[i].words > 0)
			users += plan->sections[i].words;
		else
			plan->sections[i].is_words_users = false;
		n_ours += plan->sections[i].is_words_users ? 0 : 1;
	}
	if (target_words < (long)plan->n_sections) {
		for (size_t i = 0; i < plan->n_sections; i++)
			plan->sections[i].words = 1;
		return;
	}
	if (n_ours > 0 && users <= target_words - (long)n_ours)
		group = GROUP_OURS;
	share_out(plan, group == GROUP_OURS ? target_words - users : target_words, group);
	raise_empty(plan, group);
}

long plan_words(const struct plan *plan)
{
	long words = 0;

	for (size_t i = 0; i < plan->n_sections; i++)
		words += plan->sections[i].words;
	return words;
}
