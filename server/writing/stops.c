#include "writing/stops.h"

#include <string.h>

enum { HELD_BYTES_MAX = 1 << 20 };

void stops_init(struct stops *stops, char *const *strings, size_t n_strings)
{
	*stops = (struct stops){ .strings = strings, .n_strings = n_strings };
	buf_init(&stops->held, HELD_BYTES_MAX);
}

void stops_release(struct stops *stops)
{
	buf_release(&stops->held);
}

/* Where the first stop string begins in `text`; its length when there is none. */
static size_t find(const struct stops *stops, const struct buf *text)
{
	size_t first = text->len;

	for (size_t i = 0; i < stops->n_strings; i++) {
		size_t len = strlen(stops->strings[i]);
		const char *at = len == 0 || text->len == 0
					 ? NULL
					 : memmem(text->data, text->len, stops->strings[i], len);

		if (at != NULL && (size_t)(at - text->data) < first)
			first = (size_t)(at - text->data);
	}
	return first;
}

/* How many bytes at the end are the beginning of a stop string. */
static size_t prefix_bytes(const struct stops *stops, const struct buf *text)
{
	size_t longest = 0;

	for (size_t i = 0; i < stops->n_strings; i++) {
		size_t len = strlen(stops->strings[i]);

		for (size_t n = len > 0 ? len - 1 : 0; n > longest; n--) {
			if (n <= text->len &&
			    memcmp(text->data + text->len - n, stops->strings[i], n) == 0)
				longest = n;
		}
	}
	return longest;
}

static enum err pass_on(struct stops *stops, size_t len, struct buf *out)
{
	enum err err = buf_append(out, stops->held.data, len);

	if (err == OK)
		buf_consume(&stops->held, len);
	return err;
}

enum err stops_feed(struct stops *stops, struct slice text, struct buf *out)
{
	size_t at;
	enum err err;

	if (stops->n_strings == 0)
		return buf_append(out, text.data, text.len);
	err = buf_append(&stops->held, text.data, text.len);
	if (err != OK)
		return err;
	at = find(stops, &stops->held);
	stops->is_found = at < stops->held.len;
	if (!stops->is_found)
		at -= prefix_bytes(stops, &stops->held);
	err = pass_on(stops, at, out);
	if (err == OK && stops->is_found)
		buf_clear(&stops->held);
	return err;
}

enum err stops_flush(struct stops *stops, struct slice next, struct buf *out)
{
	size_t len = stops->held.len, at;
	enum err err;

	if (len == 0)
		return OK;
	err = buf_append(&stops->held, next.data, next.len);
	if (err != OK)
		return err;
	at = find(stops, &stops->held);
	buf_truncate(&stops->held, len);
	stops->is_found = at < len;
	return pass_on(stops, at < len ? at : len, out);
}
