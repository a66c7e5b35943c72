/* file_flush - what one batch of changes does to the files: on a thread, one batch at a time.
 *
 *   each file: open, cut what is torn, write, close ─► sync the file system       (many files)
 *   each file of a group: open, cut, write ─► sync each ─► close ─► sync jobs/    (few files)
 *
 * A sync costs a flush of the disk, some ms, however little is written: 50 files one by one cost
 * 50 of them, the file system as a whole one, but then whatever others have written there is waited
 * for. The times that both took last decide.
 *
 * At most FILE_FLUSH_OPEN_MAX files are open at once. A target that failed is left as it was
 * before, as far as that can be done; what cannot, the next write to it, or the next start, cuts
 * off. */
#ifndef LONGHAND_STORE_FILE_FLUSH_H
#define LONGHAND_STORE_FILE_FLUSH_H
#include "async/work.h"
#include "base/buf.h"
#include "store/file_ops.h"

enum { FILE_FLUSH_OPEN_MAX = 64, FILE_NAME_BYTES = 40 };

struct file_target { /* one file */
	struct list node;
	char name[FILE_NAME_BYTES];
	enum { TARGET_WRITE, TARGET_NEW, TARGET_REMOVE } kind;
	uint64_t offset;  /* where the file ends now */
	struct buf bytes; /* to be written there */

	/* The thread's; read them when it is over. */
	int fd;
	int error;    /* errno, or 0: done, and there for good */
	bool is_lost; /* the file, or a part that had been written, is gone */
};

struct file_flush {
	struct work work; /* prepared with file_flush_run */
	const struct file_ops *ops;
	int jobs_fd;
	struct list targets;
	/* What a sync of one file and of all took, moving averages; 0: not known. Kept from batch
	 * to batch, as is the kernel's answer. */
	uint64_t each_us, all_us;
	bool cannot_sync_all;
	bool has_probe; /* find out whether anything can be written */
	int probe_error;
};

void file_flush_run(struct work *work);
#endif
