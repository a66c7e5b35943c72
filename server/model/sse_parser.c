#include "model/sse_parser.h"
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

void sse_parser_init(struct sse_parser *parser, size_t event_bytes_max, sse_data_fn on_data,
		     void *context)
{
	*parser = (struct sse_parser){ .on_data = on_data, .context = context };
	buf_init(&parser->line, event_bytes_max);
	buf_init(&parser->data, event_bytes_max);
}

void sse_parser_release(struct sse_parser *parser)
{
	buf_release(&parser->line);
	buf_release(&parser->data);
}

static void emit_event(struct sse_parser *parser)
{
	if (parser->has_data)
		parser->on_data(parser->context, buf_str(&parser->data), parser->data.len);
	parser->has_data = false;
	buf_clear(&parser->data);
}

static enum err take_data(struct sse_parser *parser, const char *value, size_t len)
{
	enum err err = parser->has_data ? buf_append(&parser->data, "\n", 1) : OK;

	if (err == OK)
		err = buf_append(&parser->data, value, len);
	parser->has_data = true;
	return err;
}

static enum err take_line(struct sse_parser *parser, const char *line, size_t len)
{
	if (!parser->is_past_start && len >= 3 && memcmp(line, byte_order_mark, 3) == 0) {
		line += 3;
		len -= 3;
	}
	parser->is_past_start = true;
	if (len == 0) {
		emit_event(parser);
		return OK;
	}
	if (len == 4 && memcmp(line, "data", 4) == 0)
		return take_data(parser, "", 0);
	if (len < 5 || memcmp(line, "data:", 5) != 0)
		return OK;
	if (len > 5 && line[5] == ' ')
		return take_data(parser, line + 6, len - 6);
	return take_data(parser, line + 5, len - 5);
}

/* The end of the line in [at, end), or NULL. */
static const char *line_end(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));
	const char *cr = memchr(at, '\r', (size_t)((lf != NULL ? lf : end) - at));

	return cr != NULL ? cr : lf;
}

/* A whole line in the bytes is taken where it stands; only a line in pieces is copied. */
static enum err take_line_at(struct sse_parser *parser, const char *at, const char *stop)
{
	enum err err;

	if ((size_t)(stop - at) > parser->line.max_bytes)
		return ERR_TOO_LARGE; /* as it is when it comes in pieces */
	if (parser->line.len == 0)
		return take_line(parser, at, (size_t)(stop - at));
	err = buf_append(&parser->line, at, (size_t)(stop - at));
	if (err == OK)
		err = take_line(parser, parser->line.data, parser->line.len);
	buf_clear(&parser->line);
	return err;
}

enum err sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t len)
{
	const char *at = bytes;
	const char *end = bytes + len;
	enum err err = OK;

	while (err == OK && at < end) {
		const char *stop;

		if (parser->was_cr && *at == '\n') {
			parser->was_cr = false;
			at++;
			continue;
		}
		parser->was_cr = false;
		stop = line_end(at, end);
		if (stop == NULL)
			return buf_append(&parser->line, at, (size_t)(end - at));
		parser->was_cr = *stop == '\r';
		err = take_line_at(parser, at, stop);
		at = stop + 1;
	}
	return err;
}

enum err sse_parser_end(struct sse_parser *parser)
{
	enum err err = OK;

	if (parser->line.len > 0)
		err = take_line_at(parser, "", "");
	if (err == OK)
		emit_event(parser);
	return err;
}
