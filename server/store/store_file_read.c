#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/mem.h"
#include "store/file_scan.h"
#include "store/store_file_parts.h"

/* The provider of its op; what is below `work` belongs to the thread while that runs. */
struct reading {
	struct list node; /* of those that wait, or of those that run */
	struct store_file *store;
	struct store_read *read; /* NULL: nobody waits (any more) */
	bool is_running;
	char job[STORE_ID_BYTES];

	struct work work;
	const struct file_ops *ops;
	int jobs_fd;
	char name[FILE_NAME_BYTES];
	struct file_mark from, reached;
	uint64_t end; /* of what has been acknowledged */
	struct store_place after, last;
	size_t bytes_max;
	struct buf entries;
	bool is_more;
	enum err result;
};

static void reading_free(struct reading *reading)
{
	list_remove(&reading->node);
	buf_release(&reading->entries);
	mem_free(reading);
}

/* ---- on the thread ---- */

static enum err err_of(int error)
{
	if (error == ENOMEM)
		return ERR_NO_MEMORY;
	return error == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

/* False: that is all that is wanted, or no memory. */
static bool take_entry(struct reading *reading, const struct file_scan *scan)
{
	const struct file_record *record = &scan->record;

	if (!store_place_is_above(record->place, reading->after))
		return true;
	if (reading->entries.len >= reading->bytes_max) {
		reading->is_more = true;
		return false;
	}
	reading->result = buf_append(&reading->entries, scan->data.data, scan->data.len);
	if (reading->result == OK)
		reading->last = record->place;
	return reading->result == OK;
}

static void read_entries(struct reading *reading, struct file_scan *scan)
{
	while (file_scan_next(scan)) {
		if (scan->record.kind == FILE_ENTRY) {
			if (!take_entry(reading, scan))
				return;
			reading->reached.place = scan->record.place;
		}
		reading->reached.offset = file_scan_offset(scan);
	}
	/* All of it has been acknowledged once: what cannot be read has been damaged since. */
	if (scan->error != 0)
		reading->result = err_of(scan->error);
	else if (file_scan_offset(scan) != reading->end)
		reading->result = ERR_BROKEN;
}

static void run(struct work *work)
{
	struct reading *reading = container_of(work, struct reading, work);
	const struct file_ops *ops = reading->ops;
	struct file_scan scan;
	int fd;
	int error = ops->open(ops->context, reading->jobs_fd, reading->name, O_RDONLY, &fd);

	if (error != 0) {
		reading->result = err_of(error);
		return;
	}
	file_scan_init(&scan, ops, fd, reading->from.offset, reading->end);
	read_entries(reading, &scan);
	file_scan_release(&scan);
	ops->close(ops->context, fd);
}

/* ---- on the loop ---- */

static void finish(struct reading *reading, enum err result)
{
	struct store_read *read = reading->read;

	reading->read = NULL;
	if (read != NULL)
		op_finish(&read->op, result);
}

static void hand_over(struct reading *reading)
{
	struct store_read *read = reading->read;

	if (read == NULL)
		return;
	if (read->entries.len == 0) {
		buf_release(&read->entries);
		read->entries = reading->entries;
		reading->entries = (struct buf){ .max_bytes = 0 };
	} else if (reading->result == OK) {
		reading->result = buf_append(&read->entries, buf_str(&reading->entries),
					     reading->entries.len);
	}
	read->last = reading->last;
	read->is_more = reading->is_more;
}

static void on_read(struct op *op)
{
	struct work *work = container_of(op, struct work, op);
	struct reading *reading = container_of(work, struct reading, work);
	struct store_file *store = reading->store;
	struct file_log *log = file_index_get(&store->index, reading->job);

	store->n_reads--;
	if (!work->has_run) {
		finish(reading, ERR_NO_MEMORY);
	} else {
		if (log != NULL)
			file_log_add_mark(log, reading->reached);
		hand_over(reading);
		finish(reading, log != NULL && !log->is_leaving ? reading->result : ERR_NOT_FOUND);
	}
	reading_free(reading);
	store_file_start_reads(store);
}

static void start(struct reading *reading, const struct file_log *log)
{
	struct store_file *store = reading->store;

	list_remove(&reading->node);
	list_append(&store->reads_running, &reading->node);
	store->n_reads++;
	reading->is_running = true;
	reading->ops = store->ops;
	reading->jobs_fd = store->dir.jobs_fd;
	store_file_name(reading->name, log->id);
	reading->from = reading->reached = file_log_mark(log, reading->after);
	reading->end = log->size_bytes;
	work_prepare(&reading->work, store->reactor, 0, run, on_read);
	store->pool->start(store->pool, &reading->work);
}

/* Whoever gave up a write and looks for it has to wait until nobody can write it any more. */
static bool has_to_wait(const struct file_log *log)
{
	return log != NULL && log->target != NULL && log->target->is_abandoned;
}

void store_file_start_reads(struct store_file *store)
{
	LIST_EACH (node, &store->reads_waiting) {
		struct reading *reading = container_of(node, struct reading, node);
		struct file_log *log;

		if (store->n_reads >= FILE_READS_MAX)
			return;
		log = file_index_get(&store->index, reading->job);
		if (has_to_wait(log))
			continue;
		if (log == NULL || !log->is_created || log->is_leaving) {
			finish(reading, ERR_NOT_FOUND);
			reading_free(reading);
		} else if (!store_place_is_above(log->place, reading->after)) {
			finish(reading, OK); /* a follower: the file is not asked each time */
			reading_free(reading);
		} else {
			start(reading, log);
		}
	}
}

static void cancel(struct op *op)
{
	struct store_read *read = container_of(op, struct store_read, op);
	struct reading *reading = read->provider;

	finish(reading, ERR_CANCELED);
	if (!reading->is_running)
		reading_free(reading);
}

void store_file_read(struct store *port, struct store_read *read)
{
	struct store_file *store = container_of(port, struct store_file, port);
	struct reading *reading;

	if (!op_begin(&read->op, cancel))
		return;
	read->is_more = false;
	read->last = read->after;
	reading = mem_alloc(sizeof(*reading));
	if (reading == NULL || strlen(read->job) >= STORE_ID_BYTES) {
		op_finish(&read->op, reading == NULL ? ERR_NO_MEMORY : ERR_NOT_FOUND);
		mem_free(reading);
		return;
	}
	reading->store = store;
	reading->read = read;
	memcpy(reading->job, read->job, strlen(read->job) + 1);
	reading->after = reading->last = read->after;
	reading->bytes_max = read->bytes_max;
	buf_init(&reading->entries, read->entries.max_bytes);
	read->provider = reading;
	list_append(&store->reads_waiting, &reading->node);
	store_file_start_reads(store);
}
