#include "writing/prompt_template.h"
#include <string.h>

static const char *const value_names[] = {
#define X(name, text) [VALUE_##name] = text,
	TEMPLATE_VALUES(X)
#undef X
};

static const char *const condition_names[] = {
#define X(name, text) [CONDITION_##name] = text,
	TEMPLATE_CONDITIONS(X)
#undef X
};

static const char assistant_mark[] = "{:assistant}";

/* A stretch of a template: plain text, or a mark in braces. */
struct token {
	struct slice text; /* plain text, or the name */
	char kind;	   /* 't' text, 'v' value, '?' condition, ':' part */
};

/* {name}, {?name}, {:name} at `at`: the bytes it takes; 0: no mark. */
static size_t mark_len(const char *at, const char *end)
{
	const char *name = at + 1;
	const char *stop;

	if (at == end || *at != '{')
		return 0;
	if (name < end && (*name == '?' || *name == ':'))
		name++;
	stop = name;
	while (stop < end && ((*stop >= 'a' && *stop <= 'z') || *stop == '_'))
		stop++;
	return stop > name && stop < end && *stop == '}' ? (size_t)(stop - at) + 1 : 0;
}

/* The token at *at, *at moved behind it; false at the end. */
static bool next_token(const char **at, const char *end, struct token *ret_token)
{
	const char *start = *at;
	size_t len = mark_len(start, end);

	if (start == end)
		return false;
	if (len > 0) {
		bool is_plain = start[1] != '?' && start[1] != ':';

		ret_token->kind = is_plain ? 'v' : start[1];
		ret_token->text.data = start + (is_plain ? 1 : 2);
		ret_token->text.len = len - (is_plain ? 2 : 3);
		*at = start + len;
		return true;
	}
	do
		(*at)++;
	while (*at < end && mark_len(*at, end) == 0);
	ret_token->kind = 't';
	ret_token->text = (struct slice){ .data = start, .len = (size_t)(*at - start) };
	return true;
}

/* The index of `name` in the table; -1: unknown. */
static int find_name(struct slice name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strlen(names[i]) == name.len && memcmp(names[i], name.data, name.len) == 0)
			return i;
	return -1;
}

static bool is_known(const struct token *token)
{
	switch (token->kind) {
	case 'v':
		return find_name(token->text, value_names, VALUE_COUNT) >= 0;
	case '?':
		return find_name(token->text, condition_names, CONDITION_COUNT) >= 0;
	case ':':
		return token->text.len == strlen("assistant") &&
		       memcmp(token->text.data, "assistant", token->text.len) == 0;
	default:
		return true;
	}
}

enum err template_check(const char *template, struct buf *message)
{
	const char *at = template;
	const char *end = template + strlen(template);
	struct token token;

	while (next_token(&at, end, &token)) {
		size_t line = 1;
		enum err err;

		if (is_known(&token))
			continue;
		for (const char *c = template; c < token.text.data; c++)
			line += *c == '\n' ? 1 : 0;
		err = buf_printf(message, "%zu: unknown placeholder {%s%.*s}", line,
				 token.kind == '?'   ? "?"
				 : token.kind == ':' ? ":"
						     : "",
				 (int)token.text.len, token.text.data);
		return err == OK ? ERR_INVALID : err;
	}
	return OK;
}

bool template_has_assistant(const char *template)
{
	return strstr(template, assistant_mark) != NULL;
}

/* Whether the paragraph stays: its conditions hold and its placeholders have values. */
static bool is_kept(struct slice paragraph, const struct template_input *input)
{
	const char *at = paragraph.data;
	const char *end = paragraph.data + paragraph.len;
	struct token token;

	while (next_token(&at, end, &token)) {
		int value = find_name(token.text, value_names, VALUE_COUNT);
		int condition = find_name(token.text, condition_names, CONDITION_COUNT);

		if (token.kind == 'v' && value >= 0 && input->values[value].len == 0)
			return false;
		if (token.kind == '?' && condition >= 0 && !input->conditions[condition])
			return false;
	}
	return true;
}

static enum err render_paragraph(struct slice paragraph, const struct template_input *input,
				 struct buf *out)
{
	const char *at = paragraph.data;
	const char *end = paragraph.data + paragraph.len;
	struct token token;
	enum err err = OK;

	if (!is_kept(paragraph, input))
		return OK;
	if (out->len > 0)
		err = buf_append_str(out, "\n\n");
	while (err == OK && next_token(&at, end, &token)) {
		struct slice text = token.text;

		if (token.kind == 'v')
			text = input->values[find_name(text, value_names, VALUE_COUNT)];
		if (token.kind == 't' || token.kind == 'v')
			err = buf_append(out, text.data, text.len);
	}
	return err;
}

static enum err render_part(struct slice part, const struct template_input *input, struct buf *out)
{
	const char *at = part.data;
	const char *end = part.data + part.len;
	enum err err = OK;

	while (err == OK && at < end) {
		struct slice paragraph = { .data = at };
		const char *gap;

		while (at < end && *at == '\n')
			at++;
		gap = memmem(at, (size_t)(end - at), "\n\n", 2);
		paragraph.data = at;
		at = gap != NULL ? gap : end;
		paragraph.len = (size_t)(at - paragraph.data);
		while (paragraph.len > 0 && paragraph.data[paragraph.len - 1] == '\n')
			paragraph.len--;
		if (paragraph.len > 0)
			err = render_paragraph(paragraph, input, out);
	}
	return err;
}

enum err template_render(const char *template, const struct template_input *input, struct buf *user,
			 struct buf *assistant)
{
	const char *mark = strstr(template, assistant_mark);
	struct slice part = { .data = template, .len = strlen(template) };
	enum err err;

	if (mark != NULL)
		part.len = (size_t)(mark - template);
	err = render_part(part, input, user);
	if (err != OK || mark == NULL || !input->conditions[CONDITION_PREFILLED])
		return err;
	mark += strlen(assistant_mark);
	part = (struct slice){ .data = mark, .len = strlen(mark) };
	return render_part(part, input, assistant);
}
