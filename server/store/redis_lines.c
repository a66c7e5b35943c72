#include "store/redis_lines.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The line of a sentence, but for its text; `id` is what the entry tells already. */
#define HEAD_FORMAT                                                                                \
	"{\"v\":1,\"id\":\"%" PRIu64 "-%" PRIu64 "\",\"kind\":\"text\",\"section\":%" PRIu64       \
	",\"at_byte\":%" PRIu64 ",\"t_ms\":%" PRIu64 ",\"text\":"
#define PACKED_FORMAT "[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ","

enum { HEAD_BYTES = 192, NUMBERS = 3 };

struct head {
	uint64_t numbers[NUMBERS]; /* section, at_byte, t_ms */
	struct slice text;	   /* the JSON string, with its quotes */
};

/* Digits at *at, which must be followed by `then`; *at is then behind that. */
static bool read_number(const char **at, const char *end, const char *then, uint64_t *ret_number)
{
	size_t then_len = strlen(then);
	const char *start = *at;

	*ret_number = 0;
	for (; *at < end && **at >= '0' && **at <= '9' && *at - start < 19; ++*at)
		*ret_number = *ret_number * 10 + (uint64_t)(**at - '0');
	if (*at == start || (size_t)(end - *at) < then_len || memcmp(*at, then, then_len) != 0)
		return false;
	*at += then_len;
	return true;
}

static bool skip(const char **at, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *at) < len || memcmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* A JSON string and `last` behind it, up to the line's end. The string is not looked into: what is
 * between its first and last quote is kept as it is; nothing but one string may be there. */
static bool read_string(const char *at, const char *end, char last, struct slice *ret_text)
{
	if (end - at < 3 || at[0] != '"' || end[-1] != last || end[-2] != '"')
		return false;
	for (const char *c = at + 1; c < end - 2; c++) {
		if (*c == '"')
			return false;
		if (*c == '\\' && ++c == end - 2)
			return false;
	}
	*ret_text = (struct slice){ at, (size_t)(end - 1 - at) };
	return true;
}

/* False: no such line, or one with more in it. */
static bool read_head(struct slice line, struct store_place place, struct head *ret_head)
{
	const char *at = line.data;
	const char *end = line.data + line.len;
	uint64_t epoch, seq;

	return skip(&at, end, "{\"v\":1,\"id\":\"") && read_number(&at, end, "-", &epoch) &&
	       read_number(&at, end, "\",\"kind\":\"text\",\"section\":", &seq) &&
	       epoch == place.epoch && seq == place.seq &&
	       read_number(&at, end, ",\"at_byte\":", &ret_head->numbers[0]) &&
	       read_number(&at, end, ",\"t_ms\":", &ret_head->numbers[1]) &&
	       read_number(&at, end, ",\"text\":", &ret_head->numbers[2]) &&
	       read_string(at, end, '}', &ret_head->text);
}

/* What it would become again: "007" would not come back. */
static size_t print_head(const struct head *head, struct store_place place,
			 char ret_text[HEAD_BYTES])
{
	return (size_t)snprintf(ret_text, HEAD_BYTES, HEAD_FORMAT, place.epoch, place.seq,
				head->numbers[0], head->numbers[1], head->numbers[2]);
}

static enum err pack_line(struct slice line, struct store_place place, struct buf *out)
{
	char text[HEAD_BYTES];
	struct head head;
	size_t len;
	enum err err;

	if (read_head(line, place, &head)) {
		len = print_head(&head, place, text);
		if (len + head.text.len + 1 == line.len && memcmp(text, line.data, len) == 0) {
			err = buf_printf(out, PACKED_FORMAT, head.numbers[0], head.numbers[1],
					 head.numbers[2]);
			if (err == OK)
				err = buf_append(out, head.text.data, head.text.len);
			return err == OK ? buf_append(out, "]\n", 2) : err;
		}
	}
	err = buf_append(out, line.data, line.len);
	return err == OK ? buf_append(out, "\n", 1) : err;
}

static enum err unpack_line(struct slice line, struct store_place place, struct buf *out)
{
	const char *at = line.data;
	const char *end = line.data + line.len;
	char text[HEAD_BYTES];
	struct head head;
	enum err err;

	if (!skip(&at, end, "[")) {
		err = buf_append(out, line.data, line.len);
		return err == OK ? buf_append(out, "\n", 1) : err;
	}
	for (size_t i = 0; i < NUMBERS; i++)
		if (!read_number(&at, end, ",", &head.numbers[i]))
			return ERR_INVALID;
	if (!read_string(at, end, ']', &head.text))
		return ERR_INVALID;
	err = buf_append(out, text, print_head(&head, place, text));
	if (err == OK)
		err = buf_append(out, head.text.data, head.text.len);
	return err == OK ? buf_append(out, "}\n", 2) : err;
}

typedef enum err (*line_fn)(struct slice line, struct store_place place, struct buf *out);

/* The last line may lack its newline, and then gets one. */
static enum err each_line(struct slice lines, struct store_place place, struct buf *out,
			  line_fn do_line)
{
	const char *end = lines.data + lines.len;
	enum err err = OK;

	for (const char *at = lines.data; at < end && err == OK; place.seq++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline != NULL ? newline : end;

		err = do_line((struct slice){ at, (size_t)(stop - at) }, place, out);
		at = newline != NULL ? newline + 1 : end;
	}
	return err;
}

enum err redis_lines_pack(struct slice lines, struct store_place first, struct buf *out)
{
	return each_line(lines, first, out, pack_line);
}

enum err redis_lines_unpack(struct slice packed, struct store_place last, uint64_t n,
			    struct buf *out)
{
	struct store_place first = { last.epoch, last.seq + 1 - n };

	return each_line(packed, first, out, unpack_line);
}
