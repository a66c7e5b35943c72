/* store_file_parts - what the files of the file store share. For store/store_file*.c only. */
#ifndef LONGHAND_STORE_STORE_FILE_PARTS_H
#define LONGHAND_STORE_STORE_FILE_PARTS_H
#include "store/file_dir.h"
#include "store/file_flush.h"
#include "store/file_index.h"
#include "store/store_file.h"

enum { FILE_READS_MAX = 2, FILE_PROBE_MS = 1000, FILE_AGAIN_MS = 60000 };

enum change_kind { CHANGE_CREATE, CHANGE_APPEND, CHANGE_UNLABEL, CHANGE_ERASE, CHANGE_EXPIRE };

/* Waits in the queue, then belongs to a target of the batch. The provider of its op. */
struct change {
	struct list node;
	struct store_file *store;
	struct batch_target *target; /* NULL: in the queue */
	enum change_kind kind;
	struct op *op; /* NULL: nobody waits for it (any more) */
	char job[STORE_ID_BYTES];
	uint64_t since_ms; /* when it came */
	union {		   /* whose op it is; gone when that is NULL */
		struct store_write *write;
		struct store_unlabel *unlabel;
		struct store_erase *erase;
	};
	/* When taken: what it makes of the log. */
	struct store_place place;
	enum store_state state;
	unsigned hidden;
};

/* All changes of one log in one batch. */
struct batch_target {
	struct file_target file;
	struct file_log *log;
	struct list changes;
	struct store_place place; /* of the log after them */
	unsigned hidden;	  /* likewise */
	bool is_abandoned;	  /* somebody gave up waiting: who reads the log now waits */
};

struct store_file {
	struct store port;
	struct reactor *reactor;
	struct work_port *pool;
	const struct file_ops *ops;
	struct store_times times;
	void (*on_trouble)(void *context, int error);
	void *context;
	struct file_dir dir;
	struct file_index index;
	struct store_file_found found;

	struct list queue;    /* of changes */
	struct deferred take; /* makes the queue a batch, at the end of the turn */
	struct file_flush flush;
	bool is_flushing;

	struct list reads_waiting, reads_running;
	unsigned n_reads;

	int trouble;	    /* errno, or 0 */
	struct timer probe; /* while there is trouble */
	bool wants_probe;
	bool is_stopping;
};

/* store_file_load.c: fills the index. */
MUST_CHECK enum err store_file_load(struct store_file *store, const char *path,
				    struct buf *message);

/* store_file_batch.c: from the queue to the thread. */
void store_file_plan_batch(struct store_file *store); /* at the end of the turn */
/* NULL: no memory. Of the queue from now on; `op` may be NULL. */
struct change *store_file_add_change(struct store_file *store, enum change_kind kind,
				     const char *job, struct op *op);
/* Ends its op, if anybody still waits, and the change. `outcome` counts for writes. */
void store_file_end_change(struct change *change, enum err result, enum store_outcome outcome);
/* Its op ends now, though nobody knows what becomes of the change. */
void store_file_cancel_change(struct change *change);
bool store_file_is_write(const struct change *change);
void store_file_free_target(struct batch_target *target);

/* store_file_land.c: from the thread to the index and those who wait. */
void store_file_on_flushed(struct op *op);
/* Lets the log go when its time, counted from when it was last written, is over. */
void store_file_start_expiry(struct store_file *store, struct file_log *log, uint64_t age_ms);

/* store_file_read.c */
void store_file_read(struct store *port, struct store_read *read);
/* What had to wait for a batch may go on. */
void store_file_start_reads(struct store_file *store);

/* ID.log */
void store_file_name(char ret_name[FILE_NAME_BYTES], const char *job);
#endif
