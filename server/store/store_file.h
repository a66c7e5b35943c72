/* store_file - logs in a directory of this machine (file_dir.h, file_format.h): there again after
 * kill -9 and after a power cut, with everything that was acknowledged.
 *
 *   create, append, unlabel, erase ─► queue ─┐                       ┌─► ops end, index
 *                                            └─► one batch, a thread ┘    (next batch)
 *   read ─► a thread (two at once)
 *
 * Nothing on the loop waits for the disk. Everything that came while a batch was written goes
 * into the next one, so that syncs are shared. Acknowledged is what has been synced.
 *
 * Where the disk fails or is full, writes end with STORE_UNKNOWN and the file is as it was; the
 * writer tries again, and the store itself tries each second whether it goes again: is_up() and
 * on_trouble() say so. A file that somebody removed is STORE_LOST. reach is STORE_DURABLE:
 * orphans() has what a process that died left running. */
#ifndef LONGHAND_STORE_STORE_FILE_H
#define LONGHAND_STORE_STORE_FILE_H
#include "async/work.h"
#include "store/file_ops.h"
#include "store/store.h"

struct store_file;

struct store_file_options {
	const char *dir; /* borrowed, as long as store_file_new() takes */
	struct store_times times;
	struct work_port *pool;
	const struct file_ops *ops; /* borrowed; NULL: file_ops_real */
	/* When it begins to fail (errno), and when all goes again (0). NULL: nobody cares. */
	void (*on_trouble)(void *context, int error);
	void *context;
};

/* What was found at the start. */
struct store_file_found {
	size_t logs, orphans;
	size_t repaired; /* their end was torn, and has been cut off */
	size_t removed;	 /* files in which nothing had been acknowledged */
	size_t ignored;	 /* files that cannot be read; they are left alone */
};

/* Takes the directory's lock and reads what is there; blocks for that. ERR_BUSY: another process
 * has it. `message`: a sentence for people on an error. */
MUST_CHECK enum err store_file_new(struct reactor *reactor,
				   const struct store_file_options *options, struct buf *message,
				   struct store_file **ret_store);
/* For logs that end or park from now on. */
void store_file_set_times(struct store_file *store, const struct store_times *times);
/* Nothing is begun by itself any more (logs whose time is over stay for the next start). */
void store_file_stop(struct store_file *store);
/* Nothing waits, is written or read: the condition for store_file_free(). */
bool store_file_is_idle(const struct store_file *store);
void store_file_free(struct store_file *store); /* NULL ok */
struct store *store_file_port(struct store_file *store);
size_t store_file_logs(const struct store_file *store);
struct store_file_found store_file_found(const struct store_file *store);
#endif
