#include "fakes/faulty_files.h"
#include <errno.h>

static int next_call(struct faulty_files *files)
{
	unsigned times = files->fail_for > 0 ? files->fail_for : 1;

	files->calls++;
	if (files->fail_at == 0 || files->calls < files->fail_at ||
	    files->calls - files->fail_at >= times)
		return 0;
	return files->error;
}

static int faulty_open(void *context, int dir_fd, const char *name, int flags, int *ret_fd)
{
	struct faulty_files *files = context;
	int error = next_call(files);

	if (error == 0)
		error = file_ops_real.open(NULL, dir_fd, name, flags, ret_fd);
	files->opens++;
	files->open_now += error == 0;
	if (files->open_now > files->open_peak)
		files->open_peak = files->open_now;
	return error;
}

/* A failing write gets half of it done. */
static int faulty_write(void *context, int fd, uint64_t offset, const void *data, size_t len)
{
	struct faulty_files *files = context;
	int error = next_call(files);
	size_t part = error != 0 ? len / 2 : len;
	int real;

	if (part > files->room_bytes) {
		part = (size_t)files->room_bytes;
		error = ENOSPC;
	}
	if (files->room_bytes != UINT64_MAX)
		files->room_bytes -= part;
	real = file_ops_real.write(NULL, fd, offset, data, part);
	return real != 0 ? real : error;
}

static int faulty_read(void *context, int fd, uint64_t offset, void *data, size_t *len)
{
	(void)context;
	return file_ops_real.read(NULL, fd, offset, data, len);
}

static int faulty_size(void *context, int fd, uint64_t *ret_bytes)
{
	(void)context;
	return file_ops_real.size(NULL, fd, ret_bytes);
}

static int faulty_truncate(void *context, int fd, uint64_t size_bytes)
{
	int error = next_call(context);

	return error != 0 ? error : file_ops_real.truncate(NULL, fd, size_bytes);
}

static int faulty_sync(void *context, int fd)
{
	struct faulty_files *files = context;

	(void)fd;
	files->syncs++;
	return next_call(files);
}

static int faulty_sync_all(void *context, int dir_fd)
{
	struct faulty_files *files = context;

	(void)dir_fd;
	if (files->has_no_sync_all)
		return ENOSYS;
	files->syncs++;
	return next_call(files);
}

static int faulty_remove(void *context, int dir_fd, const char *name)
{
	int error = next_call(context);

	return error != 0 ? error : file_ops_real.remove(NULL, dir_fd, name);
}

static void faulty_close(void *context, int fd)
{
	struct faulty_files *files = context;

	files->open_now--;
	file_ops_real.close(NULL, fd);
}

void faulty_files_init(struct faulty_files *files)
{
	*files = (struct faulty_files){ .ops = { .context = files,
						 .open = faulty_open,
						 .write = faulty_write,
						 .read = faulty_read,
						 .size = faulty_size,
						 .truncate = faulty_truncate,
						 .sync = faulty_sync,
						 .sync_all = faulty_sync_all,
						 .remove = faulty_remove,
						 .close = faulty_close },
					.room_bytes = UINT64_MAX };
}

void faulty_files_fail(struct faulty_files *files, unsigned nth, unsigned times, int error)
{
	files->calls = 0;
	files->fail_at = nth;
	files->fail_for = times;
	files->error = error;
}
