#include "job/entries.h"
#include "job/event_codec.h"
#include <string.h>

void entries_init(struct entries *entries)
{
	*entries = (struct entries){ .content_bytes = 0 };
}

void entries_feed(struct entries *entries, struct slice data)
{
	entries->left = data;
}

bool entries_cut(struct entries *entries, struct slice *ret_line)
{
	const char *data = entries->left.data;
	size_t left = entries->left.len;
	const char *newline = left > 0 ? memchr(data, '\n', left) : NULL;
	size_t len = newline != NULL ? (size_t)(newline - data) : left;
	size_t used = newline != NULL ? len + 1 : len;

	if (left == 0)
		return false;
	*ret_line = (struct slice){ data, len };
	entries->left = (struct slice){ data + used, left - used };
	return true;
}

static bool is_known(const struct entries *entries, const struct event *event)
{
	if (event->epoch != entries->last.epoch)
		return event->epoch < entries->last.epoch;
	return event->seq <= entries->last.seq;
}

/* A claim is written before what landed in between has been read: it does not know its byte. */
static bool follows(const struct entries *entries, const struct event *event)
{
	bool is_claim = event->kind == EVENT_CLAIMED && event->seq == 0;

	if (event->kind == EVENT_TEXT && event->at_byte != entries->content_bytes)
		return false;
	if (entries->last.epoch == 0)
		return event->epoch == 1 && event->seq == 1 && event->kind == EVENT_CREATED;
	if (event->epoch > entries->last.epoch)
		return is_claim;
	return !is_claim && event->seq == entries->last.seq + 1;
}

/* False: nothing that its reader needs. */
static bool take(struct entries *entries, const struct event *event)
{
	bool was_ended = entries->has_ended;

	entries->last = (struct store_place){ event->epoch, event->seq };
	entries->is_behind_end = was_ended;
	entries->has_ended = was_ended || event_is_end(event->kind);
	if (!was_ended && event->kind == EVENT_TEXT)
		entries->content_bytes += event->text_len;
	return !was_ended;
}

enum err entries_next(struct entries *entries, struct event *ret_event)
{
	struct slice line;

	while (entries_cut(entries, &line)) {
		enum err err = event_decode(line.data, line.len, ret_event);

		if (err != OK)
			return err;
		if (!is_known(entries, ret_event)) {
			if (!entries->has_ended && !follows(entries, ret_event)) {
				event_release(ret_event);
				return ERR_BROKEN;
			}
			if (take(entries, ret_event))
				return OK;
		}
		event_release(ret_event);
	}
	return ERR_NOT_FOUND;
}
