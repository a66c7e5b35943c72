/* file_dir - the file store's directory: that it is there, and ours alone.
 *
 *   DIR/lock           locked as long as a process uses DIR, with that process's id
 *   DIR/jobs/ID.log    one log each, see file_format.h
 *
 * Directories are made 0700, files 0600. */
#ifndef LONGHAND_STORE_FILE_DIR_H
#define LONGHAND_STORE_FILE_DIR_H
#include "base/buf.h"

struct file_dir {
	int lock_fd, jobs_fd; /* -1: not open */
};

/* Makes DIR (not its parents) and what is in it where it is not there, and takes the lock.
 * ERR_BUSY: another process has it; ERR_IO, ERR_NO_MEMORY. `message`: a sentence for people. */
MUST_CHECK enum err file_dir_open(struct file_dir *dir, const char *path, struct buf *message);
void file_dir_close(struct file_dir *dir); /* idempotent, but not on a zeroed one */
/* Could file_dir_open() do it? Changes nothing; a lock that is held is no error. */
MUST_CHECK enum err file_dir_check(const char *path, struct buf *message);
#endif
