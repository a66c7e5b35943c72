/* Titles out of points: the part of plan_marks.h that reads prose. */
#include <string.h>
#include "base/text.h"
#include "writing/plan_marks.h"

enum { POINT_WORDS_MAX = 12, POINT_HAN_MAX = 24 };

static bool is_stop(struct slice text)
{
	static const char *const stops[] = { ".",  ";",	 ":",  "?",  "!",  "。",
					     "；", "：", "，", "？", "！", "\n" };

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		size_t len = strlen(stops[i]);

		if (len <= text.len && memcmp(text.data, stops[i], len) == 0)
			return true;
	}
	return false;
}

struct slice marks_title_of_point(struct slice point)
{
	const char *end = point.data + point.len;
	const char *at = point.data;
	size_t words = 1;
	size_t han = 0;

	while (at < end) {
		const char *next = at;
		uint32_t code = text_next(&next, end);
		struct slice rest = { .data = at, .len = (size_t)(end - at) };
		bool is_inner = next < end && code == '.' && !text_is_space((unsigned char)*next);

		if (is_stop(rest) && !is_inner)
			break;
		words += text_is_space(code) ? 1 : 0;
		han += text_is_han(code) ? 1 : 0;
		if (words > POINT_WORDS_MAX || han > POINT_HAN_MAX)
			break;
		at = next;
	}
	return marks_title((struct slice){ .data = point.data, .len = (size_t)(at - point.data) });
}
