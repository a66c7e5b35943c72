#include "job/event_codec.h"
#include "base/json.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static bool read_uint(const json_t *line, const char *name, uint64_t *ret_value)
{
	const json_t *value = json_object_get(line, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret_value = (uint64_t)json_integer_value(value);
	return true;
}

static bool read_place(const json_t *line, struct event *event)
{
	const char *id = json_string_value(json_object_get(line, "id"));
	char rest;

	return id != NULL &&
	       sscanf(id, "%" SCNu64 "-%" SCNu64 "%c", &event->epoch, &event->seq, &rest) == 2;
}

static bool read_section(const json_t *line, unsigned *ret_section)
{
	uint64_t section = 0;

	if (json_object_get(line, "section") != NULL &&
	    (!read_uint(line, "section", &section) || section > 1000000))
		return false;
	*ret_section = (unsigned)section;
	return true;
}

/* What says nothing is none, as it is written. */
static json_t *read_data(const json_t *line)
{
	json_t *data = json_object_get(line, "data");

	return json_object_size(data) > 0 ? json_incref(data) : NULL;
}

static enum err read_event(const json_t *line, struct event *ret_event)
{
	const char *kind_name = json_string_value(json_object_get(line, "kind"));
	json_t *text = json_object_get(line, "text");
	struct slice prose = { json_string_value(text), json_string_length(text) };
	struct event place = { .kind = EVENT_CREATED };
	enum event_kind kind;
	uint64_t version;
	enum err err;

	if (!read_uint(line, "v", &version) || version > EVENT_VERSION || kind_name == NULL ||
	    !event_kind_from_name(kind_name, &kind) || !read_place(line, &place) ||
	    !read_section(line, &place.section) || !read_uint(line, "at_byte", &place.at_byte) ||
	    !read_uint(line, "t_ms", &place.t_ms) || (text != NULL && !json_is_string(text)))
		return ERR_INVALID;
	err = event_init(ret_event, kind, place.section, prose, read_data(line));
	if (err != OK)
		return err;
	ret_event->epoch = place.epoch;
	ret_event->seq = place.seq;
	ret_event->at_byte = place.at_byte;
	ret_event->t_ms = place.t_ms;
	return OK;
}

enum err event_decode(const char *line, size_t len, struct event *ret_event)
{
	json_t *parsed = NULL;
	enum err err = json_parse((struct slice){ line, len }, &parsed, NULL);

	if (err == OK)
		err = read_event(parsed, ret_event);
	json_decref(parsed);
	return err;
}
