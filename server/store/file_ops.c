#include "store/file_ops.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static int real_open(void *context, int dir_fd, const char *name, int flags, int *ret_fd)
{
	int fd;

	(void)context;
	do
		fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (fd < 0 && errno == EINTR);
	*ret_fd = fd;
	return fd < 0 ? errno : 0;
}

static int real_write(void *context, int fd, uint64_t offset, const void *data, size_t len)
{
	const char *at = data;

	(void)context;
	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int real_read(void *context, int fd, uint64_t offset, void *data, size_t *len)
{
	size_t wanted = *len;
	char *at = data;

	(void)context;
	*len = 0;
	while (*len < wanted) {
		ssize_t n = pread(fd, at + *len, wanted - *len, (off_t)(offset + *len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		*len += (size_t)n;
	}
	return 0;
}

static int real_size(void *context, int fd, uint64_t *ret_bytes)
{
	struct stat status;

	(void)context;
	if (fstat(fd, &status) != 0)
		return errno;
	*ret_bytes = (uint64_t)status.st_size;
	return 0;
}

static int real_truncate(void *context, int fd, uint64_t size_bytes)
{
	int result;

	(void)context;
	do
		result = ftruncate(fd, (off_t)size_bytes);
	while (result != 0 && errno == EINTR);
	return result != 0 ? errno : 0;
}

/* fdatasync keeps what is needed to find the data again, the size included. */
static int real_sync(void *context, int fd)
{
	int result;

	(void)context;
	do
		result = fdatasync(fd);
	while (result != 0 && errno == EINTR);
	return result != 0 ? errno : 0;
}

/* Before 5.8, syncfs() did not tell of errors. */
static bool tells_of_errors(void)
{
	struct utsname name;
	unsigned major, minor;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 8));
}

static int real_sync_all(void *context, int dir_fd)
{
	(void)context;
	if (!tells_of_errors())
		return ENOSYS;
	return syncfs(dir_fd) != 0 ? errno : 0;
}

static int real_remove(void *context, int dir_fd, const char *name)
{
	(void)context;
	return unlinkat(dir_fd, name, 0) != 0 ? errno : 0;
}

static void real_close(void *context, int fd)
{
	(void)context;
	(void)close(fd); /* what had to be kept has been synced */
}

const struct file_ops file_ops_real = { .open = real_open,
					.write = real_write,
					.read = real_read,
					.size = real_size,
					.truncate = real_truncate,
					.sync = real_sync,
					.sync_all = real_sync_all,
					.remove = real_remove,
					.close = real_close };
