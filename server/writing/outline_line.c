#include "writing/outline_line.h"
#include <string.h>
#include "base/text.h"

enum { HEADING_LEVELS = 6, HEADING_INDENT_BYTES = 2 };

bool outline_begins(const char *at, const char *end, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(end - at) >= len && strncmp(at, with, len) == 0;
}

bool outline_begins_nocase(const char *at, const char *end, const char *with)
{
	return text_starts_within(at, end, with);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *outline_skip_blank(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || outline_begins(at, end, "\xe3\x80\x80")))
		at += *at == ' ' || *at == '\t' ? 1 : 3;
	return at;
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

static const char *skip_chinese_number(const char *at, const char *end)
{
	static const char digits[] = "一二三四五六七八九十";
	bool is_more = true;

	while (is_more && end - at >= 3) {
		is_more = false;
		for (const char *digit = digits; *digit != '\0'; digit += 3)
			is_more = is_more || memcmp(at, digit, 3) == 0;
		at += is_more ? 3 : 0;
	}
	return at;
}

const char *outline_skip_sign(const char *at, const char *end, const char *const *signs)
{
	for (size_t i = 0; signs[i] != NULL; i++)
		if (outline_begins(at, end, signs[i]))
			return at + strlen(signs[i]);
	return NULL;
}

/* "1." and its like; *ret_body is behind it. */
static enum outline_mark read_number(const char *at, const char *end, const char **ret_body)
{
	static const char *const openers[] = { "(", "（", NULL };
	static const char *const closers[] = {
		". ", ".\t", ") ", ")", "、", "）", "．", ".", NULL
	};
	const char *open = outline_skip_sign(at, end, openers);
	const char *from = open != NULL ? open : at;
	const char *digits = skip_digits(from, end);
	const char *chinese = skip_chinese_number(from, end);
	const char *number_end = digits > from ? digits : chinese;
	const char *close = number_end > from ? outline_skip_sign(number_end, end, closers) : NULL;

	if (close == NULL || number_end - from > 9)
		return OUTLINE_NONE;
	if (close < end && close[-1] == '.' && is_digit(*close))
		return OUTLINE_NONE; /* 1.5 */
	*ret_body = close;
	return digits > from ? OUTLINE_NUMBER : OUTLINE_CHINESE;
}

/* "Chapter 3", 第三章, 第三段; *ret_body is behind it. */
static enum outline_mark read_label(const char *at, const char *end, const char **ret_body)
{
	static const char *const english[] = { "chapter ", "section ", "part ", NULL };
	static const char *const chapters[] = { "章", "节", "部分", "回", "幕", NULL };
	static const char *const paragraphs[] = { "段", "自然段", NULL };
	static const char *const leads[] = { "导语：", "导语:",	 "引言：", "开头：",
					     "结尾：", "结语：", NULL };
	const char *number;

	for (size_t i = 0; english[i] != NULL; i++) {
		number = at + strlen(english[i]);
		if (!outline_begins_nocase(at, end, english[i]) || number == end || *number == ' ')
			continue;
		while (number < end && (is_digit(*number) || strchr("IVX", *number) != NULL))
			number++;
		*ret_body = number;
		return number > at + strlen(english[i]) ? OUTLINE_CHAPTER : OUTLINE_NONE;
	}
	if (outline_skip_sign(at, end, leads) != NULL) {
		*ret_body = at; /* its name says what it is for */
		return OUTLINE_PARAGRAPH;
	}
	if (!outline_begins(at, end, "第"))
		return OUTLINE_NONE;
	number = skip_digits(skip_chinese_number(at + 3, end), end);
	*ret_body = outline_skip_sign(number, end, paragraphs);
	if (*ret_body != NULL)
		return OUTLINE_PARAGRAPH;
	*ret_body = outline_skip_sign(number, end, chapters);
	return *ret_body != NULL ? OUTLINE_CHAPTER : OUTLINE_NONE;
}

/* "## Title"; what it is below counts like an indent. */
static void read_heading(struct outline_line *line, const char *at)
{
	const char *from = at;

	while (from < line->end && *from == '#')
		from++;
	if (from == at || from - at > HEADING_LEVELS || from == line->end || *from != ' ')
		return;
	line->mark = OUTLINE_HEADING;
	line->indent_bytes = (size_t)(from - at) * HEADING_INDENT_BYTES;
}

struct outline_line outline_read_line(const char *at, const char *text_end)
{
	static const char *const bullets[] = { "- ", "* ", "+ ", "• ", "•", "· ", "●", NULL };
	const char *end = memchr(at, '\n', (size_t)(text_end - at));
	struct outline_line line = { .start = at, .end = end == NULL ? text_end : end };
	const char *from = outline_skip_blank(at, line.end);
	const char *bullet = outline_skip_sign(from, line.end, bullets);

	line.indent_bytes = (size_t)(from - at);
	line.body = from;
	while (from < line.end && (*from == '#' || outline_begins(from, line.end, "**")))
		from += *from == '#' ? 1 : 2;
	from = outline_skip_blank(from, line.end);
	line.mark = read_number(from, line.end, &line.body);
	if (line.mark == OUTLINE_NONE)
		line.mark = read_label(from, line.end, &line.body);
	if (line.mark == OUTLINE_NONE && bullet != NULL) {
		line.mark = OUTLINE_BULLET;
		line.body = bullet;
	} else if (line.mark == OUTLINE_NONE) {
		line.body = from;
		read_heading(&line, line.start);
	}
	return line;
}
