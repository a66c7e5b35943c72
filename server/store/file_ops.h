/* file_ops - what the file store asks of the kernel, as a table, so that a test can make any of it
 * fail, write short or find the disk full. All of it blocks, and may be called on any thread.
 *
 * Each returns 0 or an errno; calls that a signal interrupted are made again. */
#ifndef LONGHAND_STORE_FILE_OPS_H
#define LONGHAND_STORE_FILE_OPS_H
#include <stddef.h>
#include <stdint.h>

struct file_ops {
	void *context; /* the test's own */
	/* `flags` as open(2), O_CLOEXEC by itself; new files are 0600. */
	int (*open)(void *context, int dir_fd, const char *name, int flags, int *ret_fd);
	/* All of it; on an error any part of it may have been written. */
	int (*write)(void *context, int fd, uint64_t offset, const void *data, size_t len);
	/* Up to *len bytes; *len then says how many, less only at the end of the file. */
	int (*read)(void *context, int fd, uint64_t offset, void *data, size_t *len);
	int (*size)(void *context, int fd, uint64_t *ret_bytes);
	int (*truncate)(void *context, int fd, uint64_t size_bytes);
	/* A file's data and size, or a directory's entries, are there after a power cut. */
	int (*sync)(void *context, int fd);
	/* The same for everything in the file system of `dir_fd`, by one flush of the disk. ENOSYS
	 * where the kernel does not say whether that failed. */
	int (*sync_all)(void *context, int dir_fd);
	int (*remove)(void *context, int dir_fd, const char *name);
	void (*close)(void *context, int fd);
};

/* The kernel's. */
extern const struct file_ops file_ops_real;
#endif
