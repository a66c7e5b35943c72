#include "writing/visible.h"
#include "base/text.h"
#include <string.h>

enum {
	QUOTE_MAX_BYTES = 2000, /* a longer "quotation" is two stray marks */
	TAG_MAX_BYTES = 40,
	TAGS_LOOKED_UP = 40, /* unclosed tags each cost a search to the end */
	DASHES_MIN = 5,
	HEAD_BYTES = VISIBLE_MAX_BYTES / 2,
};

struct reader {
	struct visible *out;
	const char *start;
	const char *end;
	int tags_looked_up;
};

/* Wrappers that hold the request itself. */
static const char *const open_tags[] = { "user_query",	"query",	"task",
					 "instruction", "instructions", "question",
					 "user_input",	"user_message", "message" };

static const struct {
	uint32_t open;
	uint32_t close;
} quotes[] = { { '"', '"' },	   { 0x201c, 0x201d }, { 0xab, 0xbb },
	       { 0x300c, 0x300d }, { 0x300e, 0x300f }, { 0x300a, 0x300b } };

/* Traditional characters of the words the demand is read by, each before its
 * simplified form. */
static const char traditional[] =
	"請请寫写兩两萬万個个說说書书論论報报記记評评詩诗劇剧講讲計计劃划總总結结譯"
	"译詞词數数於于過过"
	"紹绍編编創创擬拟擴扩續续導导課课節节頁页約约內内話话題题為为這这給给幫帮標"
	"标閱阅讀读縮缩"
	"潤润檢检設设調调業业學学現现對对談谈單单語语開开發发達达敘叙場场專专實实點"
	"点";

static bool has(const char *at, const char *end, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}

static const char *find(const char *at, const char *end, const char *what)
{
	return memmem(at, (size_t)(end - at), what, strlen(what));
}

/* When full, a quarter goes from the middle: the beginning and the end stay. */
static void put_bytes(struct visible *out, const char *bytes, size_t len)
{
	if (out->len + len > VISIBLE_MAX_BYTES) {
		char *middle = out->text + HEAD_BYTES;
		size_t drop = HEAD_BYTES / 2;

		while (drop < HEAD_BYTES && ((unsigned char)middle[drop] & 0xc0) == 0x80)
			drop++;
		memmove(middle, middle + drop, out->len - HEAD_BYTES - drop);
		out->len -= drop;
		*middle = '\n'; /* no sentence reaches over the hole */
	}
	memcpy(out->text + out->len, bytes, len);
	out->len += len;
}

static uint32_t plain_code(uint32_t code)
{
	/* Full width; the Chinese colon, semicolon and question mark stay. */
	if (code >= 0xff10 && code <= 0xff5a && code != 0xff1a && code != 0xff1b && code != 0xff1f)
		code -= 0xfee0;
	if (code >= 'A' && code <= 'Z')
		return code - 'A' + 'a';
	if (code == 0x2019)
		return '\'';
	if (code == 0xa0 || code == 0x202f || code == 0x3000 || code == '\t')
		return ' ';
	return code;
}

static void put_code(struct visible *out, uint32_t code)
{
	char bytes[4];
	size_t len = text_put(bytes, plain_code(code));

	if (len == 3) {
		for (const char *at = traditional; at < traditional + sizeof(traditional) - 1;
		     at += 6)
			if (memcmp(at, bytes, 3) == 0)
				memcpy(bytes, at + 3, 3);
	}
	put_bytes(out, bytes, len);
}

static void put_gap(struct visible *out)
{
	put_bytes(out, "\x01", 1);
}

static bool at_line_start(const struct reader *reader, const char *at)
{
	return at == reader->start || at[-1] == '\n';
}

static const char *line_end(const char *at, const char *end)
{
	const char *found = memchr(at, '\n', (size_t)(end - at));

	return found == NULL ? end : found;
}

static const char *skip_code(const struct reader *reader, const char *at)
{
	const char *close;

	if (has(at, reader->end, "```")) {
		close = find(at + 3, reader->end, "```");
		return close == NULL ? reader->end : close + 3;
	}
	close = memchr(at + 1, '`', (size_t)(line_end(at, reader->end) - at - 1));
	return close == NULL ? at : close + 1;
}

/* Behind the quotation that begins at `at`, or `at` where none does. */
static const char *skip_quote(const struct reader *reader, const char *at)
{
	const char *close = at;
	uint32_t open = text_next(&close, reader->end);
	const char *limit =
		reader->end - close > QUOTE_MAX_BYTES ? close + QUOTE_MAX_BYTES : reader->end;
	uint32_t want = 0;

	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++)
		if (quotes[i].open == open)
			want = quotes[i].close;
	if (want == 0 || (open == '"' && text_is_digit(text_before(reader->start, at))))
		return at; /* 5" is an inch mark */
	while (close < limit && !has(close, limit, "\n\n"))
		if (text_next(&close, limit) == want)
			return close;
	return at;
}

/* Behind `<name …>…</name>`; for an open tag and one without its end, behind
 * the tag itself. */
static const char *skip_tag(struct reader *reader, const char *at)
{
	char close[TAG_MAX_BYTES + 4] = "</";
	size_t len = 0;
	const char *tag_end = memchr(at, '>', (size_t)(line_end(at, reader->end) - at));
	const char *found;

	while (at + 1 + len < reader->end && len < TAG_MAX_BYTES && at[1 + len] > ' ' &&
	       strchr("<>/=\"'", at[1 + len]) == NULL) {
		close[2 + len] = at[1 + len];
		len++;
	}
	if (len == 0 || tag_end == NULL)
		return at;
	for (size_t i = 0; i < sizeof(open_tags) / sizeof(open_tags[0]); i++)
		if (strlen(open_tags[i]) == len && text_starts_nocase(close + 2, open_tags[i]))
			return tag_end + 1;
	close[2 + len] = '>';
	if (reader->tags_looked_up++ > TAGS_LOOKED_UP)
		return tag_end + 1;
	found = find(tag_end, reader->end, close);
	return found == NULL ? tag_end + 1 : found + len + 3;
}

static bool is_dash_line(const char *at, const char *end)
{
	const char *stop = line_end(at, end);
	const char *dash = at;

	while (dash < stop && (*dash == '-' || *dash == '='))
		dash++;
	return dash == stop && dash - at >= DASHES_MIN;
}

/* Behind the second dash line, where the line before the first announces
 * somebody's text. */
static const char *skip_dashes(const struct reader *reader, const char *at)
{
	static const char *const announcers[] = { "context", "information", "document", "below",
						  "资料",    "上下文",	    "材料" };
	const char *before = at;
	bool is_announced = false;

	if (at == reader->start || !is_dash_line(at, reader->end))
		return at;
	before--;
	while (before > reader->start && before[-1] != '\n')
		before--;
	for (size_t i = 0; i < sizeof(announcers) / sizeof(announcers[0]); i++)
		is_announced = is_announced || find(before, at, announcers[i]) != NULL;
	if (!is_announced)
		return at;
	for (const char *line = line_end(at, reader->end); line < reader->end;
	     line = line_end(line + 1, reader->end))
		if (is_dash_line(line + 1, reader->end))
			return line_end(line + 1, reader->end);
	return at;
}

static const char *skip_foreign(struct reader *reader, const char *at)
{
	if (*at == '`')
		return skip_code(reader, at);
	if (*at == '<')
		return skip_tag(reader, at);
	if (at_line_start(reader, at) && *at == '>')
		return line_end(at, reader->end);
	if (at_line_start(reader, at) && (*at == '-' || *at == '='))
		return skip_dashes(reader, at);
	if (*at == '"' || (unsigned char)*at >= 0x80)
		return skip_quote(reader, at);
	return at;
}

/* "Context: … Question: …": what stands before the last question label is
 * material. */
static void drop_material(struct visible *out)
{
	static const char *const labels[] = { "\nquestion:",	  "\nquery:", "\nuser query:",
					      "\nuser question:", "\n问题：", "\n问题:" };
	static const char *const materials[] = { "context", "资料", "材料", "上下文", "文档" };
	char *end = out->text + out->len;
	char *from = NULL;
	bool is_material = false;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		char *at = out->text;

		while ((at = strstr(at, labels[i])) != NULL) {
			at += strlen(labels[i]);
			from = from == NULL || at > from ? at : from;
		}
	}
	for (size_t i = 0; from != NULL && i < sizeof(materials) / sizeof(materials[0]); i++)
		is_material = is_material || find(out->text, from, materials[i]) != NULL;
	if (!is_material)
		return;
	out->len = (size_t)(end - from);
	memmove(out->text, from, out->len + 1);
}

void visible_read(struct visible *visible, const char *text, size_t len)
{
	struct reader reader = { .out = visible, .start = text, .end = text + len };
	const char *at = text;

	visible->len = 0;
	while (at < reader.end) {
		const char *behind = skip_foreign(&reader, at);
		uint32_t code;

		if (behind > at) {
			put_gap(visible);
			at = behind;
			continue;
		}
		code = text_next(&at, reader.end);
		if (code == '*' && at < reader.end && *at == '*')
			at++;
		else if (code != 0)
			put_code(visible, code);
	}
	visible->text[visible->len] = '\0';
	drop_material(visible);
}
