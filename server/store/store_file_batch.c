#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "store/store_file_parts.h"

enum { FRAMED_BYTES_MAX = 128 << 20 };

static struct change *of_node(struct list *node)
{
	return container_of(node, struct change, node);
}

bool store_file_is_write(const struct change *change)
{
	return change->kind == CHANGE_CREATE || change->kind == CHANGE_APPEND;
}

void store_file_end_change(struct change *change, enum err result, enum store_outcome outcome)
{
	list_remove(&change->node);
	if (change->op != NULL) {
		if (store_file_is_write(change))
			change->write->outcome = outcome;
		op_finish(change->op, result);
	}
	mem_free(change);
}

struct change *store_file_add_change(struct store_file *store, enum change_kind kind,
				     const char *job, struct op *op)
{
	struct change *change = mem_alloc(sizeof(*change));

	if (change == NULL)
		return NULL;
	change->store = store;
	change->kind = kind;
	change->op = op;
	change->since_ms = store->reactor->now_ms(store->reactor);
	(void)snprintf(change->job, sizeof(change->job), "%s", job);
	list_append(&store->queue, &change->node);
	store_file_plan_batch(store);
	return change;
}

/* ---- taking: from the queue into the batch ---- */

static struct batch_target *target_of(struct store_file *store, struct file_log *log)
{
	struct batch_target *target = log->target;

	if (target != NULL)
		return target;
	target = mem_alloc(sizeof(*target));
	if (target == NULL)
		return NULL;
	target->log = log;
	list_init(&target->changes);
	target->place = log->place;
	target->hidden = log->hidden;
	target->file.kind = log->is_created ? TARGET_WRITE : TARGET_NEW;
	target->file.offset = log->size_bytes;
	buf_init(&target->file.bytes, FRAMED_BYTES_MAX);
	store_file_name(target->file.name, log->id);
	list_append(&store->flush.targets, &target->file.node);
	log->target = target;
	return target;
}

void store_file_free_target(struct batch_target *target)
{
	if (target->log != NULL)
		target->log->target = NULL;
	list_remove(&target->file.node);
	buf_release(&target->file.bytes);
	mem_free(target);
}

static void join(struct batch_target *target, struct change *change)
{
	change->target = target;
	list_append(&target->changes, &change->node);
}

/* False: no memory; the target is as it was. */
static bool put_entry(struct store_file *store, struct batch_target *target, struct change *change)
{
	const struct store_write *write = change->write;
	struct buf *bytes = &target->file.bytes;
	size_t before = bytes->len;
	struct file_record entry = { .kind = FILE_ENTRY,
				     .t_ms = store->reactor->wall_ms(store->reactor),
				     .place = write->first,
				     .n_events = write->n_events,
				     .state = write->state,
				     .hidden = target->hidden };

	entry.place.seq += write->n_events - 1;
	if (file_entry_put(bytes, &entry, write->data) != OK ||
	    buf_append(bytes, write->data.data, write->data.len) != OK) {
		buf_truncate(bytes, before);
		return false;
	}
	change->place = target->place = entry.place;
	change->state = write->state;
	change->hidden = target->hidden;
	join(target, change);
	return true;
}

static void fill_head(struct store_file *store, const struct store_write *write,
		      struct file_record *head)
{
	*head = (struct file_record){ .kind = FILE_HEAD,
				      .t_ms = store->reactor->wall_ms(store->reactor) };
	(void)snprintf(head->job, sizeof(head->job), "%s", write->job);
	for (; write->labels != NULL && write->labels[head->n_labels] != NULL; head->n_labels++)
		(void)snprintf(head->labels[head->n_labels], STORE_LABEL_BYTES, "%s",
			       write->labels[head->n_labels]);
}

static void take_create(struct store_file *store, struct change *change)
{
	struct batch_target *target = NULL;
	struct file_record head;
	struct file_log *log;

	if (file_index_get(&store->index, change->job) != NULL) {
		store_file_end_change(change, ERR_EXISTS, STORE_CONFLICT);
		return;
	}
	fill_head(store, change->write, &head);
	log = file_index_add(&store->index, &head);
	if (log != NULL) {
		log->store = store;
		target = target_of(store, log);
	}
	if (target != NULL && file_head_put(&target->file.bytes, &head) == OK &&
	    put_entry(store, target, change))
		return;
	if (target != NULL)
		store_file_free_target(target);
	if (log != NULL)
		file_index_remove(&store->index, log);
	store_file_end_change(change, ERR_NO_MEMORY, STORE_CONFLICT);
}

static void take_append(struct store_file *store, struct change *change)
{
	struct file_log *log = file_index_get(&store->index, change->job);
	struct batch_target *target;
	struct store_place place;

	if (log == NULL || log->is_leaving) {
		store_file_end_change(change, ERR_CONFLICT, STORE_CONFLICT);
		return;
	}
	place = log->target != NULL ? log->target->place : log->place;
	if (!store_place_is_above(change->write->first, place)) {
		store_file_end_change(change, ERR_CONFLICT, STORE_CONFLICT);
		return;
	}
	target = target_of(store, log);
	if (target == NULL || !put_entry(store, target, change))
		store_file_end_change(change, ERR_NO_MEMORY, STORE_CONFLICT);
}

static void take_unlabel(struct store_file *store, struct change *change)
{
	struct file_log *log = file_index_get(&store->index, change->job);
	unsigned bit = log != NULL ? file_log_label_bit(log, change->unlabel->label) : 0;
	struct file_record unlabel = { .kind = FILE_UNLABEL };
	struct batch_target *target;

	if (bit == 0 || log->is_leaving || (log->hidden & bit) != 0) {
		store_file_end_change(change, OK, STORE_LANDED); /* it is as it should be */
		return;
	}
	target = target_of(store, log);
	unlabel.t_ms = store->reactor->wall_ms(store->reactor);
	if (target != NULL)
		unlabel.hidden = target->hidden | bit;
	if (target == NULL || file_unlabel_put(&target->file.bytes, &unlabel) != OK) {
		store_file_end_change(change, ERR_NO_MEMORY, STORE_UNKNOWN);
		return;
	}
	target->hidden = change->hidden = unlabel.hidden;
	join(target, change);
}

/* Also for what expires. What this batch was to write there first is not worth writing. */
static void take_erase(struct store_file *store, struct change *change)
{
	struct file_log *log = file_index_get(&store->index, change->job);
	bool is_written_to = log != NULL && (log->target != NULL || log->expiry.fire != NULL);
	struct batch_target *target;

	if (log == NULL || log->is_leaving || (change->kind == CHANGE_EXPIRE && is_written_to)) {
		store_file_end_change(change, ERR_NOT_FOUND, STORE_CONFLICT);
		return;
	}
	target = target_of(store, log);
	if (target == NULL) {
		store_file_end_change(change, ERR_NO_MEMORY, STORE_UNKNOWN);
		return;
	}
	LIST_EACH (node, &target->changes)
		store_file_end_change(of_node(node), ERR_CONFLICT, STORE_CONFLICT);
	buf_clear(&target->file.bytes);
	target->file.kind = TARGET_REMOVE;
	log->is_leaving = true;
	join(target, change);
}

static void take(struct store_file *store, struct change *change)
{
	list_remove(&change->node);
	switch (change->kind) {
	case CHANGE_CREATE:
		take_create(store, change);
		break;
	case CHANGE_APPEND:
		take_append(store, change);
		break;
	case CHANGE_UNLABEL:
		take_unlabel(store, change);
		break;
	case CHANGE_ERASE:
	case CHANGE_EXPIRE:
		take_erase(store, change);
		break;
	}
}

/* ---- one batch after the other ---- */

static void start_batch(struct store_file *store)
{
	struct file_flush *flush = &store->flush;

	while (!list_is_empty(&store->queue))
		take(store, of_node(store->queue.next));
	if (list_is_empty(&flush->targets) && !store->wants_probe)
		return;
	flush->ops = store->ops;
	flush->jobs_fd = store->dir.jobs_fd;
	flush->has_probe = store->wants_probe;
	flush->probe_error = 0;
	store->wants_probe = false;
	store->is_flushing = true;
	work_prepare(&flush->work, store->reactor, 0, file_flush_run, store_file_on_flushed);
	store->pool->start(store->pool, &flush->work);
}

static void on_take(struct deferred *deferred)
{
	struct store_file *store = container_of(deferred, struct store_file, take);

	if (!store->is_flushing)
		start_batch(store);
}

void store_file_plan_batch(struct store_file *store)
{
	if (!store->is_flushing && (store->wants_probe || !list_is_empty(&store->queue)))
		store->reactor->defer(store->reactor, &store->take, on_take);
}

void store_file_cancel_change(struct change *change)
{
	if (change->target == NULL) {
		store_file_end_change(change, ERR_CANCELED, STORE_UNKNOWN);
		return;
	}
	if (store_file_is_write(change))
		change->write->outcome = STORE_UNKNOWN;
	op_finish(change->op, ERR_CANCELED);
	change->op = NULL;
	change->target->is_abandoned = true;
}
