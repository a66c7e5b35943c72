#include "writing/guard.h"

#include <string.h>

#include "base/text.h"
#include "writing/phrases.h"
#include "writing/plan_check.h"
#include "writing/plan_marks.h"
#include "writing/self_talk.h"
#include "writing/sentence.h"
#include "writing/words.h"

enum {
	FRONT_UNITS = 3, /* how many sentences count as an answer's front */
	TITLE_BYTES_MAX = 300,
	DIRECT_WORDS_MIN = 4,
	FLIP_LETTERS_MIN = 40,
	FLIP_HAN_MIN = 12
};
static const double same_title_share = 0.75;

static const char *const kind_names[REPAIR_KIND_COUNT] = {
#define X(name, text) [REPAIR_##name] = text,
	REPAIR_KINDS(X)
#undef X
};
static const char *const action_names[ACTION_COUNT] = {
#define X(name, text) [ACTION_##name] = text,
	REPAIR_ACTIONS(X)
#undef X
};

const char *repair_kind_name(enum repair_kind kind)
{
	return kind_names[kind];
}

const char *repair_action_name(enum repair_action action)
{
	return action_names[action];
}

static struct guard_finding found(enum guard_verdict verdict, enum repair_kind kind)
{
	return (struct guard_finding){ .verdict = verdict, .kind = kind };
}

static const struct guard_finding keep = { .verdict = GUARD_KEEP };

static bool starts_with(struct slice text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static bool ends_with(struct slice text, const char *suffix)
{
	size_t len = strlen(suffix);

	return text.len >= len && memcmp(text.data + text.len - len, suffix, len) == 0;
}

static bool has_word(struct slice text)
{
	const char *at = text.data, *end = text.data + text.len;

	while (at < end) {
		uint32_t code = text_next(&at, end);

		if (text_is_letter(code) || text_is_digit(code) || text_is_han(code) ||
		    text_is_kana(code))
			return true;
	}
	return false;
}

/* **Title** or __Title__, nothing else in bold behind it. */
static bool is_bold_line(struct slice line)
{
	return line.len > 4 &&
	       ((starts_with(line, "**") && ends_with(line, "**")) ||
		(starts_with(line, "__") && ends_with(line, "__"))) &&
	       memmem(line.data + 2, line.len - 4, line.data, 2) == NULL;
}

static bool is_heading(struct slice line)
{
	size_t hashes = 0;

	while (hashes < line.len && line.data[hashes] == '#')
		hashes++;
	return hashes > 0 && hashes <= 6 && hashes < line.len && line.data[hashes] == ' ';
}

static bool is_same_title(struct slice line, const char *title)
{
	struct slice bare = marks_title(line);
	char copy[TITLE_BYTES_MAX + 1];

	if (title[0] == '\0' || bare.len == 0 || bare.len > TITLE_BYTES_MAX ||
	    bare.len > 2 * strlen(title) + 16)
		return false;
	memcpy(copy, bare.data, bare.len);
	copy[bare.len] = '\0';
	return strcmp(copy, title) == 0 || plan_title_overlap(copy, title) >= same_title_share;
}

/* "Section 3", "Paragraph 2 - The Storm": a line that only says which part this is. */
static bool is_part_mark(struct slice line)
{
	enum mark mark = MARK_NONE;

	marks_skip(line, &mark);
	return mark == MARK_WORD;
}

/* Marks of a heading's kind that stand at a section's front, or deeper than its sections go. */
static bool is_stray_heading(const struct guard_place *place, struct slice line)
{
	bool is_front = place->is_section_start && place->unit < FRONT_UNITS;

	if (is_heading(line))
		return is_front || !place->has_headings || !starts_with(line, "###");
	if (is_bold_line(line))
		return is_front || !place->has_headings;
	return is_front && !has_word(line);
}

/* Lines that are marks and no prose. A single piece's headings are the model's own to set. */
static bool is_mark_line(const struct guard_place *place, struct slice line)
{
	bool is_title = !sentence_is_finished(line.data, line.len) || is_bold_line(line);

	if (place->is_single)
		return false;
	if (is_title && is_part_mark(line))
		return true;
	if (is_title && place->unit < FRONT_UNITS && is_same_title(line, place->title))
		return true;
	return is_stray_heading(place, line);
}

/* "Section 3: The ship ..." in one line: the bytes up to the prose. */
static size_t mark_bytes(const struct guard_place *place, struct slice sentence)
{
	enum mark mark = MARK_NONE;
	struct slice rest = marks_skip(sentence, &mark);
	const char *before;

	if (place->is_single || mark != MARK_WORD || rest.len == 0 || !has_word(rest))
		return 0;
	before = rest.data;
	while (before > sentence.data && text_is_space(text_before(sentence.data, before)))
		before -= 1;
	/* "Part two of the plan failed." has no mark between, so it is prose. */
	if (before == sentence.data || strchr(":.-*)", before[-1]) == NULL)
		return 0;
	return (size_t)(rest.data - sentence.data);
}

static bool is_flipped(enum guard_script script, struct slice sentence)
{
	const char *at = sentence.data, *end = sentence.data + sentence.len;
	size_t latin = 0, han = 0;

	while (at < end) {
		uint32_t code = text_next(&at, end);

		if (text_is_han(code) || text_is_kana(code))
			han++;
		else if (code < 0x250 && text_is_letter(code))
			latin++;
	}
	if (script == SCRIPT_HAN)
		return latin >= FLIP_LETTERS_MIN && han * 10 < latin;
	if (script == SCRIPT_LATIN)
		return han >= FLIP_HAN_MIN && han > latin;
	return false;
}

static struct guard_finding judge_phrase(const struct guard_place *place, struct slice sentence)
{
	bool is_front = place->unit < FRONT_UNITS;

	switch (phrase_kind(sentence)) {
	case PHRASE_OPENING:
		return is_front ? found(GUARD_DROP, REPAIR_META) : keep;
	case PHRASE_REFUSAL:
		return is_front ? found(GUARD_REDO, REPAIR_REFUSAL) : keep;
	case PHRASE_MODEL:
		return found(GUARD_REDO, REPAIR_REFUSAL);
	case PHRASE_COUNT:
		return found(GUARD_DROP, REPAIR_META);
	case PHRASE_CLOSING:
		return place->is_letter ? keep : found(GUARD_DROP, REPAIR_META);
	case PHRASE_CONCLUSION:
		return place->is_last_section || place->is_single ? keep
								  : found(GUARD_DROP, REPAIR_META);
	case PHRASE_NONE:
	default:
		return keep;
	}
}

/* A title with a colon or a quotation mark behind it, at the front. */
static bool is_title_echo(const struct guard_place *place, struct slice sentence)
{
	size_t len = strlen(place->title);

	return len > 0 && place->unit < FRONT_UNITS && sentence.len > len &&
	       memcmp(sentence.data, place->title, len) == 0 &&
	       strchr(":\"", sentence.data[len]) != NULL;
}

/* What a small model writes is taken sentence by sentence, and only what is surely prose. */
static struct guard_finding judge_direct(const struct guard_place *place, struct slice sentence)
{
	if (is_self_talk(sentence, place->is_personal))
		return found(GUARD_DROP, REPAIR_META);
	if (is_title_echo(place, sentence) || !sentence_is_finished(sentence.data, sentence.len) ||
	    words_count(WORDS_NATURAL, sentence.data, sentence.len) < DIRECT_WORDS_MIN)
		return found(GUARD_DROP, REPAIR_MARK);
	return keep;
}

struct guard_finding guard_judge(const struct guard_place *place, struct slice sentence,
				 bool is_line)
{
	struct guard_finding finding = judge_phrase(place, sentence);

	if (finding.verdict != GUARD_KEEP)
		return finding;
	if (is_line && is_mark_line(place, sentence))
		return found(GUARD_DROP, REPAIR_MARK);
	if (place->is_direct && place->script == SCRIPT_LATIN)
		finding = judge_direct(place, sentence);
	if (finding.verdict != GUARD_KEEP)
		return finding;
	if (is_flipped(place->script, sentence))
		return found(GUARD_REDO, REPAIR_LANGUAGE);
	finding.skip_bytes = mark_bytes(place, sentence);
	if (finding.skip_bytes > 0)
		finding.kind = REPAIR_MARK;
	return finding;
}

bool guard_is_lead_in(struct slice sentence)
{
	return is_heading(sentence) || is_bold_line(sentence) || !has_word(sentence) ||
	       ends_with(sentence, ":") || ends_with(sentence, "：") || ends_with(sentence, ":**");
}
