#include "writing/think.h"

#include <string.h>
#include <strings.h>

static const char *const tags[] = { "think", "thinking", "thought", "reasoning" };

enum tag_kind { TAG_NONE, TAG_MAYBE, TAG_OPEN, TAG_CLOSE };

void think_init(struct think *think)
{
	*think = (struct think){ .tag_len = 0 };
}

static enum tag_kind tag_kind(const char *text, size_t len)
{
	bool is_close = len > 1 && text[1] == '/';
	const char *name = text + (is_close ? 2 : 1);
	size_t name_len = len - (is_close ? 2 : 1);

	if (name_len == 0)
		return TAG_MAYBE;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		size_t tag_len = strlen(tags[i]);

		if (name_len <= tag_len && strncasecmp(name, tags[i], name_len) == 0)
			return TAG_MAYBE;
		if (name_len == tag_len + 1 && name[tag_len] == '>' &&
		    strncasecmp(name, tags[i], tag_len) == 0)
			return is_close ? TAG_CLOSE : TAG_OPEN;
	}
	return TAG_NONE;
}

static enum err pass_on(struct think *think, struct buf *out)
{
	size_t len = think->tag_len;

	think->tag_len = 0;
	return think->is_inside ? OK : buf_append(out, think->tag, len);
}

static void take_tag(struct think *think, enum tag_kind kind, const struct buf *out)
{
	think->tag_len = 0;
	think->has_found = true;
	if (kind == TAG_CLOSE && !think->is_inside) {
		think->has_unopened = true;
		think->out_bytes = out->len;
	}
	think->is_inside = kind == TAG_OPEN;
}

static enum err feed_byte(struct think *think, char byte, struct buf *out)
{
	enum err err = OK;
	enum tag_kind kind;

	if (think->tag_len > 0 && byte == '<')
		err = pass_on(think, out);
	if (err != OK)
		return err;
	if (think->tag_len == 0 && byte != '<')
		return think->is_inside ? OK : buf_append(out, &byte, 1);
	think->tag[think->tag_len++] = byte;
	kind = tag_kind(think->tag, think->tag_len);
	if (kind == TAG_NONE)
		return pass_on(think, out);
	if (kind != TAG_MAYBE)
		take_tag(think, kind, out);
	return OK;
}

/* The bytes up to the next '<' need no look at each of them. */
static size_t plain_bytes(const struct think *think, const char *text, size_t len)
{
	const char *tag = memchr(text, '<', len);

	if (think->tag_len > 0)
		return 0;
	return tag != NULL ? (size_t)(tag - text) : len;
}

enum err think_feed(struct think *think, const char *text, size_t len, struct buf *out)
{
	enum err err = OK;

	while (len > 0 && err == OK) {
		size_t plain = plain_bytes(think, text, len);

		if (plain > 0 && !think->is_inside)
			err = buf_append(out, text, plain);
		if (plain == 0) {
			err = feed_byte(think, *text, out);
			plain = 1;
		}
		text += plain;
		len -= plain;
	}
	return err;
}

enum err think_finish(struct think *think, struct buf *out)
{
	return pass_on(think, out);
}
