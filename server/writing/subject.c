#include "writing/subject.h"
#include <string.h>
#include "base/text.h"

enum { SUBJECT_BYTES_MAX = 200 };

static bool stands_at(struct slice text, size_t at, const char *word)
{
	return text_starts_within(text.data + at, text.data + text.len, word);
}

static size_t find(struct slice text, const char *word)
{
	for (size_t at = 0; at < text.len; at++)
		if (stands_at(text, at, word))
			return at;
	return text.len;
}

/* " in 600 words", " of about 1,000 words" at `at`. */
static bool is_length(struct slice text, size_t at)
{
	static const char *const links[] = { " in ", " of ", " with " };
	static const char *const abouts[] = { "about ", "around ", "exactly ", "at least " };
	size_t from = 0;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (stands_at(text, at, links[i]))
			from = at + strlen(links[i]);
	if (from == 0)
		return false;
	for (size_t i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++)
		if (stands_at(text, from, abouts[i]))
			from += strlen(abouts[i]);
	return from < text.len && text.data[from] >= '0' && text.data[from] <= '9';
}

static bool is_end(struct slice text, size_t at)
{
	static const char *const stops[] = { "。", "，",     "；",     "！",
					     "？", "的文章", "的报告", "的故事" };
	char byte = text.data[at];

	if (strchr("?!;\n", byte) != NULL)
		return true;
	/* "3.5", "1,000" go on */
	if ((byte == '.' || byte == ',') &&
	    (at + 1 == text.len || text.data[at + 1] == ' ' || text.data[at + 1] == '\n'))
		return true;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if (stands_at(text, at, stops[i]))
			return true;
	return is_length(text, at);
}

struct slice subject_of(struct slice request)
{
	static const char *const words[] = { " about ", " on ", " explaining ", "关于" };
	struct slice rest = { .data = request.data, .len = 0 };
	size_t len = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && rest.len == 0; i++) {
		size_t at = find(request, words[i]);

		if (at == request.len)
			continue;
		rest.data = request.data + at + strlen(words[i]);
		rest.len = request.len - at - strlen(words[i]);
		/* " about 600 words" is no subject */
		if (rest.len > 0 && rest.data[0] >= '0' && rest.data[0] <= '9')
			rest.len = 0;
	}
	while (len < rest.len && !is_end(rest, len))
		len++;
	rest = text_trim(rest.data, len);
	if (rest.len > SUBJECT_BYTES_MAX)
		rest.len = 0; /* not a name of anything */
	return rest;
}
