#include "store/file_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PID_BYTES = 24, DIRECTORY_MODE = 0700, LOCK_MODE = 0600 };

static enum err say(struct buf *message, const char *path, const char *what, int error)
{
	enum err err = buf_printf(message, "%s: %s: %s", path, what, strerror(error));

	return err == OK ? ERR_IO : err;
}

static int open_directory(int at_fd, const char *path)
{
	return openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Opens it, and makes it first if need be: for good, where the parent is ours. -1 and errno. */
static int make_directory(int at_fd, const char *path)
{
	if (mkdirat(at_fd, path, DIRECTORY_MODE) == 0) {
		if (at_fd != AT_FDCWD && fsync(at_fd) != 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return open_directory(at_fd, path);
}

static enum err say_holder(int lock_fd, const char *path, struct buf *message)
{
	char pid[PID_BYTES] = "";
	ssize_t n = pread(lock_fd, pid, sizeof(pid) - 1, 0);
	enum err err;

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	err = buf_printf(message,
			 "%s: process %s uses it; each longhandd needs a directory of its own",
			 path, pid[0] != '\0' ? pid : "(unknown)");
	return err == OK ? ERR_BUSY : err;
}

static enum err take_lock(struct file_dir *dir, int fd, const char *path, struct buf *message)
{
	char pid[PID_BYTES];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	dir->lock_fd = openat(fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
	if (dir->lock_fd < 0)
		return say(message, path, "its lock cannot be opened", errno);
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? say_holder(dir->lock_fd, path, message)
					    : say(message, path, "it cannot be locked", errno);
	/* For people; the lock holds without it, on a full disk too. */
	if (ftruncate(dir->lock_fd, 0) != 0 || pwrite(dir->lock_fd, pid, (size_t)len, 0) != len)
		return OK;
	return OK;
}

enum err file_dir_open(struct file_dir *dir, const char *path, struct buf *message)
{
	int fd = make_directory(AT_FDCWD, path);
	enum err err;

	*dir = (struct file_dir){ .lock_fd = -1, .jobs_fd = -1 };
	if (fd < 0)
		return say(message, path, "the directory cannot be made or opened", errno);
	err = take_lock(dir, fd, path, message);
	if (err == OK) {
		dir->jobs_fd = make_directory(fd, "jobs");
		if (dir->jobs_fd < 0)
			err = say(message, path, "jobs/ cannot be made or opened in it", errno);
	}
	(void)close(fd);
	if (err != OK)
		file_dir_close(dir);
	return err;
}

void file_dir_close(struct file_dir *dir)
{
	if (dir->jobs_fd >= 0)
		(void)close(dir->jobs_fd);
	if (dir->lock_fd >= 0)
		(void)close(dir->lock_fd);
	*dir = (struct file_dir){ .lock_fd = -1, .jobs_fd = -1 };
}

/* The directory that `path` would be made in. */
static enum err check_parent(const char *path, struct buf *message)
{
	size_t len = strlen(path);
	enum err err;
	struct buf parent;

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	buf_init(&parent, len + 2);
	err = len > 0 ? buf_append(&parent, path, len) : buf_append_str(&parent, ".");
	if (err == OK && access(buf_str(&parent), W_OK | X_OK) != 0)
		err = say(message, path, "the directory is not there and cannot be made", errno);
	buf_release(&parent);
	return err;
}

enum err file_dir_check(const char *path, struct buf *message)
{
	int fd = open_directory(AT_FDCWD, path);
	enum err err = OK;

	if (fd < 0 && errno == ENOENT)
		return check_parent(path, message);
	if (fd < 0)
		return say(message, path, "the directory cannot be opened", errno);
	if (faccessat(fd, ".", W_OK | X_OK, 0) != 0)
		err = say(message, path, "nothing can be written there", errno);
	else if (faccessat(fd, "jobs", R_OK | W_OK | X_OK, 0) != 0 && errno != ENOENT)
		err = say(message, path, "nothing can be written to its jobs/", errno);
	(void)close(fd);
	return err;
}
