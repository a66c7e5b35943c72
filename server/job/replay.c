#include "job/replay.h"
#include "base/mem.h"

enum { READ_BYTES = 1 << 20, READ_BYTES_MAX = 128 << 20 };

static void read_more(struct replay *replay);

static enum err note_origin(struct replay *replay, const struct event *event)
{
	const char *owner = json_string_value(json_object_get(event->data, "owner"));
	const char *model = json_string_value(json_object_get(event->data, "model"));

	labels_from_json(json_object_get(event->data, "labels"), &replay->labels);
	replay->owner = mem_strdup(owner != NULL ? owner : "");
	replay->model_id = mem_strdup(model != NULL ? model : "");
	replay->response = json_incref(json_object_get(event->data, "response"));
	return replay->owner != NULL && replay->model_id != NULL ? OK : ERR_NO_MEMORY;
}

static enum err apply_entries(struct replay *replay)
{
	struct slice data = { buf_str(&replay->read.entries), replay->read.entries.len };
	struct event event;
	enum err err = OK;

	entries_feed(&replay->entries, data);
	while (err == OK) {
		err = entries_next(&replay->entries, &event);
		if (err != OK)
			break;
		if (event.kind == EVENT_CREATED && replay->owner == NULL)
			err = note_origin(replay, &event);
		if (err == OK)
			err = state_apply(&replay->state, &event);
		event_release(&event);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static void on_read_done(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct replay *replay = container_of(read, struct replay, read);
	enum err err = op->result == OK ? apply_entries(replay) : op->result;
	bool is_whole = read->after.epoch == 0 && !read->is_more;

	if (err == OK && is_whole) {
		replay->whole = read->entries;
		buf_init(&read->entries, READ_BYTES_MAX);
	}
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
	read->after = replay->entries.last;
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
	replay->response = NULL;
	replay->labels = (struct labels){ .owner = "" };
	replay->read = (struct store_read){ .job = job };
	buf_init(&replay->whole, READ_BYTES_MAX);
	entries_init(&replay->entries);
	if (op_begin(&replay->op, on_cancel))
		read_more(replay);
}

void replay_release(struct replay *replay)
{
	state_release(&replay->state);
	mem_free(replay->owner);
	mem_free(replay->model_id);
	buf_release(&replay->whole);
	json_decref(replay->response);
	replay->response = NULL;
	replay->owner = replay->model_id = NULL;
}
