#include "job/replay.h"
#include "base/mem.h"
#include "job/event_codec.h"
#include <string.h>

enum { READ_BYTES = 1 << 20, READ_BYTES_MAX = 128 << 20 };

static void read_more(struct replay *replay);

static enum err note_origin(struct replay *replay, const struct event *event)
{
	const char *owner = json_string_value(json_object_get(event->data, "owner"));
	const char *model = json_string_value(json_object_get(event->data, "model"));

	replay->owner = mem_strdup(owner != NULL ? owner : "");
	replay->model_id = mem_strdup(model != NULL ? model : "");
	return replay->owner != NULL && replay->model_id != NULL ? OK : ERR_NO_MEMORY;
}

static enum err apply_line(struct replay *replay, const char *line, size_t len)
{
	struct event event;
	enum err err = event_decode(line, len, &event);

	if (err != OK)
		return err;
	if (event.kind == EVENT_CREATED && replay->owner == NULL)
		err = note_origin(replay, &event);
	if (err == OK)
		err = state_apply(&replay->state, &event);
	event_release(&event);
	return err;
}

static enum err apply_entries(struct replay *replay)
{
	const char *at = buf_str(&replay->read.entries);
	const char *end = at + replay->read.entries.len;
	enum err err = OK;

	while (err == OK && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline != NULL ? newline : end;

		err = apply_line(replay, at, (size_t)(stop - at));
		at = stop + 1;
	}
	return err;
}

static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct replay *replay = container_of(read, struct replay, read);
	enum err err = op->result == OK ? apply_entries(replay) : op->result;

	buf_release(&read->entries);
	if (err == OK && read->is_more && replay->op.canceled == OK)
		read_more(replay);
	else
		op_finish(&replay->op, err);
}

static void read_more(struct replay *replay)
{
	struct store_read *read = &replay->read;

	op_prepare(&read->op, replay->op.reactor, replay->store_ms, on_read_done);
	read->after = read->last;
	read->bytes_max = READ_BYTES;
	buf_init(&read->entries, READ_BYTES_MAX);
	replay->store->read(replay->store, read);
}

static void on_cancel(struct op *op)
{
	op_cancel(&container_of(op, struct replay, op)->read.op, op->canceled);
}

void replay_start(struct replay *replay, struct store *store, const char *job, uint64_t store_ms)
{
	state_init(&replay->state);
	replay->store = store;
	replay->store_ms = store_ms;
	replay->owner = replay->model_id = NULL;
	replay->read = (struct store_read){ .job = job };
	if (op_begin(&replay->op, on_cancel))
		read_more(replay);
}

void replay_release(struct replay *replay)
{
	state_release(&replay->state);
	mem_free(replay->owner);
	mem_free(replay->model_id);
	replay->owner = replay->model_id = NULL;
}
