#include "store/file_flush.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>

enum { PROBE_BYTES = 16 << 10 };

static int open_file(const struct file_flush *flush, const char *name, int flags, int *ret_fd)
{
	return flush->ops->open(flush->ops->context, flush->jobs_fd, name, flags, ret_fd);
}

static int write_at(const struct file_flush *flush, const struct file_target *target)
{
	return flush->ops->write(flush->ops->context, target->fd, target->offset,
				 target->bytes.data, target->bytes.len);
}

/* An older piece that was torn, or a file that is not what we left. */
static int cut_torn(const struct file_flush *flush, struct file_target *target)
{
	uint64_t size_bytes;
	int error = flush->ops->size(flush->ops->context, target->fd, &size_bytes);

	if (error == 0 && size_bytes < target->offset) {
		target->is_lost = true;
		return EIO;
	}
	if (error == 0 && size_bytes > target->offset)
		error = flush->ops->truncate(flush->ops->context, target->fd, target->offset);
	return error;
}

static void write_target(const struct file_flush *flush, struct file_target *target)
{
	const struct file_ops *ops = flush->ops;
	int flags = target->kind == TARGET_NEW ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY;

	target->fd = -1;
	if (target->kind == TARGET_REMOVE) {
		target->error = ops->remove(ops->context, flush->jobs_fd, target->name);
		if (target->error == ENOENT)
			target->error = 0;
		return;
	}
	target->error = open_file(flush, target->name, flags, &target->fd);
	if (target->error != 0) {
		target->is_lost = target->error == ENOENT && target->kind == TARGET_WRITE;
		return;
	}
	if (target->kind == TARGET_WRITE)
		target->error = cut_torn(flush, target);
	if (target->error == 0)
		target->error = write_at(flush, target);
}

static void close_target(const struct file_flush *flush, struct file_target *target)
{
	if (target->fd >= 0)
		flush->ops->close(flush->ops->context, target->fd);
	target->fd = -1;
}

static void undo_write(const struct file_flush *flush, struct file_target *target)
{
	const struct file_ops *ops = flush->ops;
	bool is_closed = target->fd < 0;

	if (is_closed && open_file(flush, target->name, O_WRONLY, &target->fd) != 0) {
		target->fd = -1;
		return;
	}
	(void)ops->truncate(ops->context, target->fd, target->offset);
	if (is_closed)
		close_target(flush, target);
}

static void undo(const struct file_flush *flush, struct file_target *target)
{
	if (target->kind == TARGET_NEW)
		(void)flush->ops->remove(flush->ops->context, flush->jobs_fd, target->name);
	else if (target->kind == TARGET_WRITE && !target->is_lost)
		undo_write(flush, target);
}

static struct file_target *of_node(struct list *node)
{
	return container_of(node, struct file_target, node);
}

/* ---- how long syncs take ---- */

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void note_time(uint64_t *average_us, uint64_t took_us)
{
	*average_us = *average_us == 0 ? took_us + 1 : (*average_us * 7 + took_us + 1) / 8;
}

static bool changes_names(struct file_flush *flush)
{
	bool does = false;

	LIST_EACH (node, &flush->targets)
		does = does || of_node(node)->kind != TARGET_WRITE;
	return does;
}

/* What is not chosen is thought a little cheaper each time, so that it is tried again. */
static bool is_all_cheaper(struct file_flush *flush)
{
	uint64_t n = changes_names(flush);

	LIST_EACH (node, &flush->targets)
		n += of_node(node)->kind != TARGET_REMOVE;
	if (flush->cannot_sync_all || n < 2)
		return false;
	if (flush->all_us <= n * flush->each_us || flush->all_us == 0 || flush->each_us == 0)
		return true;
	flush->all_us -= flush->all_us / 16;
	return false;
}

/* ---- one by one ---- */

static int sync_timed(struct file_flush *flush, int fd)
{
	uint64_t since_us = now_us();
	int error = flush->ops->sync(flush->ops->context, fd);

	note_time(&flush->each_us, now_us() - since_us);
	return error;
}

static void finish_target(struct file_flush *flush, struct file_target *target)
{
	if (target->fd < 0)
		return;
	if (target->error == 0)
		target->error = sync_timed(flush, target->fd);
	if (target->error != 0)
		undo(flush, target);
	close_target(flush, target);
}

/* From `node` on; returns the node behind the group. */
static struct list *run_group(struct file_flush *flush, struct list *first)
{
	struct list *node = first, *end;
	unsigned n = 0;

	for (; node != &flush->targets && n < FILE_FLUSH_OPEN_MAX; node = node->next, n++)
		write_target(flush, of_node(node));
	end = node;
	for (node = first; node != end; node = node->next)
		finish_target(flush, of_node(node));
	return end;
}

/* The error of a sync, for all that it was to keep. */
static void fail_all(struct file_flush *flush, int error, bool is_names_only)
{
	LIST_EACH (node, &flush->targets) {
		struct file_target *target = of_node(node);

		if ((is_names_only && target->kind == TARGET_WRITE) || target->error != 0)
			continue;
		target->error = error;
		undo(flush, target);
	}
}

/* New and removed names are there, or gone, for good only when their directory is. */
static void sync_names(struct file_flush *flush)
{
	int error;

	if (!changes_names(flush))
		return;
	error = sync_timed(flush, flush->jobs_fd);
	if (error != 0)
		fail_all(flush, error, true);
}

static void run_each(struct file_flush *flush)
{
	struct list *node = flush->targets.next;

	while (node != &flush->targets)
		node = run_group(flush, node);
	sync_names(flush);
}

/* ---- all at once ---- */

/* ENOSYS: they are to be synced one by one. */
static int sync_all_timed(struct file_flush *flush)
{
	uint64_t since_us = now_us();
	int error = flush->ops->sync_all(flush->ops->context, flush->jobs_fd);

	flush->cannot_sync_all = error == ENOSYS;
	note_time(&flush->all_us, now_us() - since_us);
	return error;
}

static void run_all(struct file_flush *flush)
{
	int error;

	LIST_EACH (node, &flush->targets) {
		struct file_target *target = of_node(node);

		write_target(flush, target);
		if (target->error != 0)
			undo(flush, target);
		close_target(flush, target);
	}
	error = sync_all_timed(flush);
	if (error == ENOSYS)
		run_each(flush); /* writes the same bytes once more, to the same place */
	else if (error != 0)
		fail_all(flush, error, false);
}

static int probe(struct file_flush *flush)
{
	static const char nothing[PROBE_BYTES];
	const struct file_ops *ops = flush->ops;
	int fd, error;

	error = open_file(flush, "probe", O_WRONLY | O_CREAT | O_TRUNC, &fd);
	if (error != 0)
		return error;
	error = ops->write(ops->context, fd, 0, nothing, sizeof(nothing));
	if (error == 0)
		error = ops->sync(ops->context, fd);
	ops->close(ops->context, fd);
	(void)ops->remove(ops->context, flush->jobs_fd, "probe");
	return error;
}

void file_flush_run(struct work *work)
{
	struct file_flush *flush = container_of(work, struct file_flush, work);

	if (is_all_cheaper(flush))
		run_all(flush);
	else
		run_each(flush);
	if (flush->has_probe)
		flush->probe_error = probe(flush);
}
