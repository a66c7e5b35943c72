/* The messages of one call: the half of prompt.h that fills the templates in. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "writing/prompt.h"
#include "writing/prompt_template.h"
#include "writing/subject.h"

enum {
	PROMPT_BYTES_MAX = 64 << 20,
	FULL_WORDS = 6000, /* of memory, by default */
	BOUNDED_WORDS = 850,
	TAIL_WORDS = 300,
	TAIL_WORDS_MIN = 40,
	MEMORY_STEP_MIN = 20, /* a memory of fewer words is none */
	RATE_BYTES = 20000,   /* of the text, to see how many tokens its words take */
	MESSAGE_TOKENS = 8,   /* role and separators */
	ROLE_TOKENS = 4,      /* the longest of the roles' names */
	PART_TOKENS = 1000    /* an image, a file, a tool call */
};

/* How much of the plan the prompt lists. */
enum plan_level { PLAN_POINTS, PLAN_TITLES, PLAN_NEIGHBOURS };

struct build {
	const struct prompt_input *input;
	const struct spec *spec;
	const char *template;
	struct memory_source memory; /* what stands before this section */
	bool is_chinese;
	long history_tokens;
	/* how far it has been made to fit */
	long memory_words;
	long tail_words;
	enum plan_level plan_level;
	/* the parts of the user's message */
	struct buf plan, summary, recent;
	char numbers[4][24];
	/* the result */
	struct buf user, assistant;
};

static struct slice slice_of(const char *text)
{
	return (struct slice){ .data = text, .len = text != NULL ? strlen(text) : 0 };
}

/* In twelfths of a token, by what tokenizers do at their worst. */
static long code_cost(uint32_t code)
{
	if (code < 0x80)
		return text_is_letter(code) || code == ' ' ? 4 : 8;
	if (text_is_han(code) || text_is_kana(code))
		return 18;
	return text_is_letter(code) ? 12 : 24;
}

long prompt_tokens(const char *text, size_t len)
{
	const char *at = text;
	const char *end = text + len;
	long cost = 0;

	while (at < end)
		cost += code_cost(text_next(&at, end));
	return cost / 12 + (cost % 12 != 0 ? 1 : 0);
}

static long value_tokens(const json_t *value)
{
	return json_is_string(value)
		       ? prompt_tokens(json_string_value(value), json_string_length(value))
		       : 0;
}

static long content_tokens(const json_t *content)
{
	long tokens = value_tokens(content);

	for (size_t i = 0; i < json_array_size(content); i++) {
		const json_t *text = json_object_get(json_array_get(content, i), "text");

		tokens += text != NULL ? value_tokens(text) : PART_TOKENS;
	}
	return tokens;
}

static long message_tokens(json_t *message)
{
	long tokens = MESSAGE_TOKENS;
	const char *key;
	json_t *value;

	json_object_foreach(message, key, value)
	{
		if (strcmp(key, "content") == 0)
			tokens += content_tokens(value);
		else if (strcmp(key, "tool_calls") == 0)
			tokens += PART_TOKENS * (long)json_array_size(value);
		else
			tokens += value_tokens(value);
	}
	return tokens;
}

long prompt_messages_tokens(const json_t *messages)
{
	long tokens = MESSAGE_TOKENS;

	for (size_t i = 0; i < json_array_size(messages); i++)
		tokens += message_tokens(json_array_get(messages, i));
	return tokens;
}

static size_t count_sections(const struct build *build)
{
	return build->input->plan != NULL ? build->input->plan->n_sections : 0;
}

/* The section to write; NULL without a plan. */
static const struct plan_section *section_of(const struct build *build)
{
	size_t index = build->input->section;

	return index < count_sections(build) ? &build->input->plan->sections[index] : NULL;
}

static bool is_blank(const struct plan_section *section)
{
	return section->title[0] == '\0' && section->point[0] == '\0';
}

/* The title of the section; of one that continues another, that one's; "" for none. */
static const char *title_of(const struct build *build)
{
	const struct plan_section *sections;
	size_t index = build->input->section;

	if (section_of(build) == NULL)
		return "";
	sections = build->input->plan->sections;
	while (is_blank(&sections[index]) && index > 0)
		index--;
	return sections[index].title;
}

static enum err append_line(struct build *build, size_t index)
{
	const struct plan_section *section = &build->input->plan->sections[index];
	const char *title = section->title;
	bool has_point =
		section->point[0] != '\0' && (build->plan_level == PLAN_POINTS || title[0] == '\0');

	if (is_blank(section) && index == 0)
		return OK; /* a text in one piece: there is nothing to say of its plan */
	if (is_blank(section))
		title = build->is_chinese ? "（承接上一节）" : "(continues the section before it)";
	return buf_printf(&build->plan, "%s%zu. %s%s%s", build->plan.len > 0 ? "\n" : "", index + 1,
			  title, has_point && title[0] != '\0' ? ": " : "",
			  has_point ? section->point : "");
}

static enum err compose_plan(struct build *build)
{
	size_t n = count_sections(build);
	size_t from = 0;
	enum err err = OK;

	buf_clear(&build->plan);
	if (build->plan_level == PLAN_NEIGHBOURS && build->input->role >= PROMPT_SECTION) {
		from = build->input->section > 0 ? build->input->section - 1 : 0;
		n = n < build->input->section + 2 ? n : build->input->section + 2;
	}
	for (size_t i = from; err == OK && i < n; i++)
		err = append_line(build, i);
	return err;
}

static enum err compose_memory(struct build *build)
{
	enum err err;

	buf_clear(&build->summary);
	buf_clear(&build->recent);
	if (build->input->role < PROMPT_SECTION || build->input->role == PROMPT_SINGLE)
		return OK;
	build->memory.words_max = build->memory_words;
	err = memory_summary(&build->memory, &build->summary);
	while (err == OK && build->summary.len > 0 &&
	       build->summary.data[build->summary.len - 1] == '\n')
		buf_truncate(&build->summary, build->summary.len - 1);
	return err == OK ? memory_recent(&build->memory, &build->recent) : err;
}

static struct slice number(struct build *build, size_t slot, long value)
{
	int len = 0;

	if (value > 0)
		len = snprintf(build->numbers[slot], sizeof(build->numbers[slot]), "%ld", value);
	return (struct slice){ .data = build->numbers[slot], .len = len > 0 ? (size_t)len : 0 };
}

static struct slice whole(const struct buf *buf)
{
	return (struct slice){ .data = buf_str(buf), .len = buf->len };
}

static struct slice tail_of(const struct build *build)
{
	return memory_tail(build->input->tail, build->tail_words);
}

static bool is_prefilled(const struct build *build)
{
	const struct prompt_input *input = build->input;

	return build->spec->traits.can_continue && template_has_assistant(build->template) &&
	       (input->role < PROMPT_SECTION || tail_of(build).len > 0);
}

static void fill_values(struct build *build, struct slice *values)
{
	const struct prompt_input *input = build->input;
	const struct plan_section *section = section_of(build);
	size_t n = count_sections(build);
	struct slice request = slice_of(build->spec->request);

	values[VALUE_REQUEST] = request;
	values[VALUE_PLAN] = whole(&build->plan);
	values[VALUE_SUMMARY] = whole(&build->summary);
	values[VALUE_RECENT] = whole(&build->recent);
	values[VALUE_TAIL] = tail_of(build);
	values[VALUE_TITLE] = slice_of(title_of(build));
	values[VALUE_POINT] = slice_of(section != NULL ? section->point : NULL);
	if (section != NULL && input->section + 1 < n)
		values[VALUE_NEXT] = slice_of(input->plan->sections[input->section + 1].title);
	values[VALUE_SECTION] = number(build, 0, (long)input->section + 1);
	values[VALUE_SECTIONS] = number(build, 1, (long)n);
	values[VALUE_TITLES] = number(build, 2, (long)input->n_titles);
	values[VALUE_WORDS] = number(build, 3, input->words);
	if (request.len > 0)
		values[VALUE_SUBJECT] = subject_of(request);
	if (input->is_retry)
		values[VALUE_FAULT] = slice_of(input->fault);
}

static void fill_conditions(const struct build *build, const struct slice *values, bool *conditions)
{
	const struct plan_section *section = section_of(build);
	bool has_title = values[VALUE_TITLE].len > 0;
	bool is_last = build->input->section + 1 >= count_sections(build);

	conditions[CONDITION_FIRST] = build->input->section == 0;
	conditions[CONDITION_LATER] = build->input->section > 0;
	conditions[CONDITION_MIDDLE] = !is_last;
	conditions[CONDITION_LAST] = is_last;
	conditions[CONDITION_TITLED] = has_title && section->title[0] != '\0';
	conditions[CONDITION_UNTITLED] = has_title && section->title[0] == '\0';
	conditions[CONDITION_NAMELESS] = !has_title;
	conditions[CONDITION_PREFILLED] = is_prefilled(build);
	conditions[CONDITION_NOT_PREFILLED] = !is_prefilled(build);
	conditions[CONDITION_HEADINGS] = spec_has_headings(build->spec);
	conditions[CONDITION_NO_HEADINGS] = !spec_has_headings(build->spec);
	conditions[CONDITION_HAS_SUBJECT] = values[VALUE_SUBJECT].len > 0;
	conditions[CONDITION_NO_SUBJECT] = values[VALUE_SUBJECT].len == 0;
}

/* As a message; 0 for an empty one, which there will not be. */
static long buf_tokens(const struct buf *buf)
{
	return buf->len > 0 ? prompt_tokens(buf->data, buf->len) + MESSAGE_TOKENS + ROLE_TOKENS : 0;
}

/* Fills the template in; ret_tokens: of all messages. */
static enum err compose(struct build *build, long *ret_tokens)
{
	struct template_input input = { .values = { { 0 } } };
	enum err err = compose_plan(build);

	if (err == OK)
		err = compose_memory(build);
	if (err != OK)
		return err;
	fill_values(build, input.values);
	fill_conditions(build, input.values, input.conditions);
	buf_clear(&build->user);
	buf_clear(&build->assistant);
	err = template_render(build->template, &input, &build->user, &build->assistant);
	/* measured: without it the small model ends the text instead of beginning a sentence */
	if (err == OK && build->assistant.len > 0 && build->memory.context == CONTEXT_DIRECT &&
	    build->input->role >= PROMPT_SECTION)
		err = buf_append_str(&build->assistant, " ");
	*ret_tokens =
		build->history_tokens + buf_tokens(&build->user) + buf_tokens(&build->assistant);
	return err;
}

/* The next smaller prompt without memory; false: there is none. */
static bool shrink(struct build *build)
{
	if (build->plan_level < PLAN_NEIGHBOURS) {
		build->plan_level++;
		return true;
	}
	build->tail_words /= 2;
	return build->tail_words >= TAIL_WORDS_MIN;
}

/* How many words of the text so far go into `tokens`. */
static long words_for(const struct build *build, long tokens)
{
	struct slice text = build->memory.text;
	size_t len = text.len < RATE_BYTES ? text.len : text_whole(text.data, RATE_BYTES);
	long words = words_count(WORDS_NATURAL, text.data, len);

	if (words == 0)
		return 0;
	return tokens * words / (prompt_tokens(text.data, len) + 1);
}

/* Gives the memory back what is left in the window. */
static enum err fit_memory(struct build *build, long wanted_words, long room, long tokens_max)
{
	long words = words_for(build, room);
	long tokens = LONG_MAX;
	enum err err = OK;

	if (words > wanted_words)
		words = wanted_words;
	while (err == OK && words >= MEMORY_STEP_MIN && tokens > tokens_max) {
		build->memory_words = words;
		err = compose(build, &tokens);
		words = words * 3 / 4;
	}
	if (err != OK || tokens <= tokens_max)
		return err;
	build->memory_words = 0;
	return compose(build, &tokens);
}

static enum err fit(struct build *build, long tokens_max)
{
	long wanted_words = build->memory_words;
	long tokens;
	enum err err = compose(build, &tokens);

	if (err != OK || tokens <= tokens_max)
		return err;
	build->memory_words = 0;
	err = compose(build, &tokens);
	while (err == OK && tokens > tokens_max) {
		if (!shrink(build))
			return ERR_TOO_LARGE;
		err = compose(build, &tokens);
	}
	return err == OK ? fit_memory(build, wanted_words, tokens_max - tokens, tokens_max) : err;
}

static const char *find_template(const struct prompt_set *set, const struct build *build,
				 enum context context)
{
	static const char *const roles[] = { "plan",	 "plan_more", "section",
					     "continue", "closing",   "single" };
	char name[64];

	(void)snprintf(name, sizeof(name), "%s%s%s", roles[build->input->role],
		       context == CONTEXT_DIRECT ? "_direct" : "", build->is_chinese ? "_zh" : "");
	return prompt_set_text(set, name);
}

/* The memory ends where this section begins: what there is of it is the tail. */
static struct memory_source memory_before(const struct prompt_input *input, enum context context)
{
	struct memory_source memory = input->memory;

	memory.context = context;
	if (memory.text.data == NULL)
		memory.text = (struct slice){ .data = "", .len = 0 };
	if (input->section >= memory.n_sections)
		return memory;
	memory.n_sections = input->section;
	if (memory.sections[input->section].at_byte < memory.text.len)
		memory.text.len = memory.sections[input->section].at_byte;
	return memory;
}

static void build_init(struct build *build, const struct prompt_set *set,
		       const struct prompt_input *input)
{
	enum context context = spec_context(input->spec);

	*build = (struct build){ .input = input, .spec = input->spec, .tail_words = TAIL_WORDS };
	build->is_chinese = input->spec->demand.language == LANGUAGE_CHINESE;
	build->template = find_template(set, build, context);
	build->memory = memory_before(input, context);
	build->memory_words = input->memory.words_max;
	if (build->memory_words <= 0)
		build->memory_words = context == CONTEXT_FULL ? FULL_WORDS : BOUNDED_WORDS;
	build->history_tokens = prompt_messages_tokens(input->spec->history);
	buf_init(&build->plan, PROMPT_BYTES_MAX);
	buf_init(&build->summary, PROMPT_BYTES_MAX);
	buf_init(&build->recent, PROMPT_BYTES_MAX);
	buf_init(&build->user, PROMPT_BYTES_MAX);
	buf_init(&build->assistant, PROMPT_BYTES_MAX);
}

static void build_release(struct build *build)
{
	buf_release(&build->plan);
	buf_release(&build->summary);
	buf_release(&build->recent);
	buf_release(&build->user);
	buf_release(&build->assistant);
}

static bool append_message(json_t *messages, const char *role, const struct buf *content)
{
	return json_array_append_new(messages, json_pack("{s:s, s:s%}", "role", role, "content",
							 buf_str(content), content->len)) == 0;
}

static json_t *make_messages(const struct build *build)
{
	const json_t *history = build->spec->history;
	json_t *messages = history != NULL ? json_copy((json_t *)history) : json_array();

	if (messages == NULL)
		return NULL;
	if (append_message(messages, "user", &build->user) &&
	    (build->assistant.len == 0 || append_message(messages, "assistant", &build->assistant)))
		return messages;
	json_decref(messages);
	return NULL;
}

enum err prompt_build(const struct prompt_set *set, const struct prompt_input *input,
		      long reply_tokens, json_t **ret_messages, bool *ret_is_prefilled)
{
	long window_tokens = input->spec->traits.window_tokens;
	struct build build;
	enum err err;

	build_init(&build, set, input);
	err = fit(&build, window_tokens > 0 ? window_tokens - reply_tokens : LONG_MAX);
	if (err == OK) {
		*ret_messages = make_messages(&build);
		*ret_is_prefilled = build.assistant.len > 0;
		if (*ret_messages == NULL)
			err = ERR_NO_MEMORY;
	}
	build_release(&build);
	return err;
}
