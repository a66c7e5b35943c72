#include "store/file_flush.h"
#include <errno.h>
#include <fcntl.h>

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

static void undo(const struct file_flush *flush, struct file_target *target)
{
	const struct file_ops *ops = flush->ops;

	if (target->kind == TARGET_NEW)
		(void)ops->remove(ops->context, flush->jobs_fd, target->name);
	else if (target->kind == TARGET_WRITE && !target->is_lost && target->fd >= 0)
		(void)ops->truncate(ops->context, target->fd, target->offset);
}

static void finish_target(const struct file_flush *flush, struct file_target *target)
{
	if (target->fd < 0)
		return;
	if (target->error == 0)
		target->error = flush->ops->sync(flush->ops->context, target->fd);
	if (target->error != 0)
		undo(flush, target);
	flush->ops->close(flush->ops->context, target->fd);
	target->fd = -1;
}

static struct file_target *of_node(struct list *node)
{
	return container_of(node, struct file_target, node);
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

/* New and removed names are there, or gone, for good only when their directory is. */
static void sync_names(struct file_flush *flush)
{
	bool is_needed = false;
	int error;

	LIST_EACH (node, &flush->targets)
		is_needed = is_needed ||
			    (of_node(node)->kind != TARGET_WRITE && of_node(node)->error == 0);
	if (!is_needed)
		return;
	error = flush->ops->sync(flush->ops->context, flush->jobs_fd);
	if (error == 0)
		return;
	LIST_EACH (node, &flush->targets) {
		struct file_target *target = of_node(node);

		if (target->kind == TARGET_WRITE || target->error != 0)
			continue;
		target->error = error;
		undo(flush, target);
	}
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
	struct list *node = flush->targets.next;

	while (node != &flush->targets)
		node = run_group(flush, node);
	sync_names(flush);
	if (flush->has_probe)
		flush->probe_error = probe(flush);
}
