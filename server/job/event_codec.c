#include "job/event_codec.h"
#include "base/json.h"
#include "base/mem.h"
#include <inttypes.h>

static enum err encode_members(const struct event *event, struct buf *out)
{
	enum err err =
		buf_printf(out, "{\"v\":%d,\"id\":\"%" PRIu64 "-%" PRIu64 "\",\"kind\":\"%s\"",
			   EVENT_VERSION, event->epoch, event->seq, event_kind_name(event->kind));

	if (err == OK && event->section > 0)
		err = buf_printf(out, ",\"section\":%u", event->section);
	if (err == OK)
		err = buf_printf(out, ",\"at_byte\":%" PRIu64 ",\"t_ms\":%" PRIu64, event->at_byte,
				 event->t_ms);
	if (err == OK && event->text != NULL) {
		err = buf_append_str(out, ",\"text\":");
		if (err == OK)
			err = buf_append_json(out, event->text, event->text_len);
	}
	/* Most are sentences: what says nothing would be a fifth of the log. */
	if (err == OK && event->data != NULL && json_object_size(event->data) > 0) {
		err = buf_append_str(out, ",\"data\":");
		if (err == OK)
			err = json_append(out, event->data);
	}
	return err == OK ? buf_append_str(out, "}\n") : err;
}

enum err event_encode(const struct event *event, struct buf *out)
{
	size_t before = out->len;
	enum err err = encode_members(event, out);

	if (err != OK)
		buf_truncate(out, before);
	return err;
}

/* ---- reading: a log has thousands of lines, of which no tree is needed ---- */

#define LINE_MEMBERS(X) X(v) X(id) X(kind) X(section) X(at_byte) X(t_ms) X(text) X(data)

enum line_member {
#define X(name) LINE_##name,
	LINE_MEMBERS(X)
#undef X
		LINE_MEMBER_COUNT
};

static const char *const line_names[] = {
#define X(name) #name,
	LINE_MEMBERS(X)
#undef X
};

enum { UINT_DIGITS_MAX = 19, SECTION_MAX = 1000000 };

/* Digits at the front of a range, which are taken off. */
static bool cut_uint(struct slice *from, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < from->len && n < UINT_DIGITS_MAX && from->data[n] >= '0' && from->data[n] <= '9')
		value = value * 10 + (uint64_t)(from->data[n++] - '0');
	from->data += n;
	from->len -= n;
	*ret_value = value;
	return n > 0 && value <= INT64_MAX;
}

static bool read_uint(struct slice value, uint64_t *ret_value)
{
	return value.data != NULL && cut_uint(&value, ret_value) && value.len == 0;
}

/* "<epoch>-<seq>" */
static bool read_place(struct slice id, struct event *event)
{
	if (id.data == NULL || id.len < 2 || id.data[0] != '"')
		return false;
	id = (struct slice){ id.data + 1, id.len - 2 };
	if (!cut_uint(&id, &event->epoch) || id.len == 0 || id.data[0] != '-')
		return false;
	id = (struct slice){ id.data + 1, id.len - 1 };
	return cut_uint(&id, &event->seq) && id.len == 0;
}

static bool read_kind(struct slice value, enum event_kind *ret_kind)
{
	for (enum event_kind kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		if (json_scan_is(value, event_kind_name(kind))) {
			*ret_kind = kind;
			return true;
		}
	}
	return false;
}

static bool read_section(struct slice value, unsigned *ret_section)
{
	uint64_t section = 0;

	if (value.data != NULL && (!read_uint(value, &section) || section > SECTION_MAX))
		return false;
	*ret_section = (unsigned)section;
	return true;
}

/* All but text and data. */
static bool read_head(const struct slice members[], struct event *event)
{
	uint64_t version;

	return read_uint(members[LINE_v], &version) && version <= EVENT_VERSION &&
	       read_kind(members[LINE_kind], &event->kind) && read_place(members[LINE_id], event) &&
	       read_section(members[LINE_section], &event->section) &&
	       read_uint(members[LINE_at_byte], &event->at_byte) &&
	       read_uint(members[LINE_t_ms], &event->t_ms);
}

static enum err read_data(struct slice value, json_t **ret_data)
{
	json_t *data = NULL;
	enum err err = OK;

	if (value.data != NULL && !json_scan_is_null(value))
		err = json_parse(value, &data, NULL);
	if (err == OK && data != NULL && !json_is_object(data))
		err = ERR_INVALID;
	if (err != OK || json_object_size(data) == 0) {
		json_decref(data);
		data = NULL;
	}
	*ret_data = data;
	return err;
}

/* The event's text, terminated. */
static enum err read_text(struct slice value, struct event *event)
{
	struct buf text;
	enum err err;

	buf_init(&text, value.len + 1);
	err = json_scan_string(value, &text);
	if (err == OK) {
		event->text = mem_copy(buf_str(&text), text.len);
		event->text_len = text.len;
		err = event->text != NULL ? OK : ERR_NO_MEMORY;
	}
	buf_release(&text);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err event_decode(const char *line, size_t len, struct event *ret_event)
{
	struct slice members[LINE_MEMBER_COUNT];
	struct json_scan_error error;
	struct event event = { .kind = EVENT_CREATED };
	enum err err = json_scan((struct slice){ line, len }, line_names, members,
				 LINE_MEMBER_COUNT, &error);

	if (err == OK && !read_head(members, &event))
		err = ERR_INVALID;
	if (err == OK)
		err = read_text(members[LINE_text], &event);
	if (err == OK)
		err = read_data(members[LINE_data], &event.data);
	if (err != OK) {
		event_release(&event);
		return err;
	}
	*ret_event = event;
	return OK;
}
