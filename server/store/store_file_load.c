#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "store/file_scan.h"
#include "store/store_file_parts.h"

#define SUFFIX ".log"

/* Logs as they are found, before they are put in the order of their creation. */
struct finds {
	struct find {
		struct file_log *log;
		uint64_t written_ms;
	} * finds;
	size_t n, room;
};

static enum err say(struct buf *message, const char *path, const char *what, const char *why)
{
	enum err err = buf_printf(message, "%s: %s: %s", path, what, why);

	return err == OK ? ERR_IO : err;
}

/* "ID.log" to ID. */
static bool read_name(const char *name, char ret_job[STORE_ID_BYTES])
{
	size_t len = strlen(name), suffix = sizeof(SUFFIX) - 1;

	if (len <= suffix || len - suffix >= STORE_ID_BYTES ||
	    strcmp(name + len - suffix, SUFFIX) != 0)
		return false;
	memcpy(ret_job, name, len - suffix);
	ret_job[len - suffix] = '\0';
	return true;
}

static enum err make_room(struct finds *finds)
{
	size_t room = finds->room > 0 ? finds->room * 2 : 256;
	struct find *more;

	if (finds->n < finds->room)
		return OK;
	more = mem_realloc(finds->finds, room * sizeof(*more));
	if (more == NULL)
		return ERR_NO_MEMORY;
	finds->finds = more;
	finds->room = room;
	return OK;
}

static enum err add(struct store_file *store, const struct file_found *found, struct finds *finds)
{
	struct file_log *log;

	if (make_room(finds) != OK)
		return ERR_NO_MEMORY;
	log = file_index_add(&store->index, &found->head);
	if (log == NULL)
		return ERR_NO_MEMORY;
	log->store = store;
	log->hidden = found->hidden;
	log->size_bytes = found->size_bytes;
	log->place = found->last.place;
	log->state = found->last.state;
	finds->finds[finds->n++] = (struct find){ log, found->last.t_ms };
	return OK;
}

/* Cuts off what is torn. errno. */
static int repair(struct store_file *store, int fd, const struct file_found *found,
		  uint64_t file_bytes)
{
	const struct file_ops *ops = store->ops;
	int error;

	if (found->size_bytes == file_bytes)
		return 0;
	store->found.repaired++;
	error = ops->truncate(ops->context, fd, found->size_bytes);
	return error == 0 ? ops->sync(ops->context, fd) : error;
}

static int load_open(struct store_file *store, int fd, const char *job, struct finds *finds)
{
	const struct file_ops *ops = store->ops;
	struct file_found found = { .finding = FILE_NOTHING };
	char name[FILE_NAME_BYTES];
	uint64_t file_bytes = 0;
	int error = ops->size(ops->context, fd, &file_bytes);

	if (error == 0)
		error = file_find_log(ops, fd, file_bytes, job, &found);
	if (error != 0)
		return error;
	if (found.finding == FILE_LOG) {
		error = repair(store, fd, &found, file_bytes);
		return error == 0 && add(store, &found, finds) != OK ? ENOMEM : error;
	}
	if (found.finding != FILE_NOTHING) {
		store->found.ignored++;
		return 0;
	}
	store->found.removed++;
	store_file_name(name, job);
	return ops->remove(ops->context, store->dir.jobs_fd, name);
}

static int load_one(struct store_file *store, const char *name, struct finds *finds)
{
	const struct file_ops *ops = store->ops;
	char job[STORE_ID_BYTES];
	int fd, error;

	if (!read_name(name, job))
		return 0;
	error = ops->open(ops->context, store->dir.jobs_fd, name, O_RDWR, &fd);
	if (error != 0)
		return error;
	error = load_open(store, fd, job, finds);
	ops->close(ops->context, fd);
	return error;
}

static enum err load_all(struct store_file *store, DIR *names, struct finds *finds,
			 struct buf *message)
{
	const struct dirent *entry;
	int error;

	for (;;) {
		errno = 0;
		entry = readdir(names);
		if (entry == NULL)
			break;
		error = load_one(store, entry->d_name, finds);
		if (error == ENOMEM)
			return ERR_NO_MEMORY;
		if (error != 0)
			return say(message, entry->d_name, "this log cannot be read or repaired",
				   strerror(error));
	}
	return errno == 0 ? OK : say(message, "jobs/", "it cannot be listed", strerror(errno));
}

static int by_creation(const void *a, const void *b)
{
	const struct find *first = a, *second = b;

	if (first->log->created_ms != second->log->created_ms)
		return first->log->created_ms < second->log->created_ms ? -1 : 1;
	return strcmp(first->log->id, second->log->id);
}

/* Each becomes the newest in turn. */
static void publish(struct store_file *store, struct finds *finds)
{
	uint64_t now_ms = store->reactor->wall_ms(store->reactor);

	if (finds->n > 1)
		qsort(finds->finds, finds->n, sizeof(*finds->finds), by_creation);
	for (size_t i = 0; i < finds->n; i++) {
		struct file_log *log = finds->finds[i].log;
		uint64_t written_ms = finds->finds[i].written_ms;

		file_index_publish(&store->index, log);
		if (log->state == STORE_RUNNING || log->state == STORE_OFFERED) {
			file_log_set_orphan(&store->index, log, true);
			store->found.orphans++;
		}
		store_file_start_expiry(store, log, now_ms > written_ms ? now_ms - written_ms : 0);
	}
	store->found.logs = finds->n;
}

enum err store_file_load(struct store_file *store, const char *path, struct buf *message)
{
	struct finds finds = { .n = 0 };
	int fd = dup(store->dir.jobs_fd);
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
	enum err err;

	if (names == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return say(message, path, "jobs/ cannot be listed", strerror(errno));
	}
	err = load_all(store, names, &finds, message);
	(void)closedir(names);
	if (err == OK)
		publish(store, &finds);
	mem_free(finds.finds);
	return err;
}
