/* file_index - what the file store knows of each log without opening its file: labels, place,
 * state, size. Found by id, by label (newest first), and the orphans.
 *
 * The index owns its logs. A log that is still being created is found by its id only. */
#ifndef LONGHAND_STORE_FILE_INDEX_H
#define LONGHAND_STORE_FILE_INDEX_H
#include "async/reactor.h"
#include "store/file_format.h"

enum { FILE_INDEX_BUCKETS = 4096, FILE_MARK_EVERY_BYTES = 64 << 10 };

struct file_label {
	struct list node; /* of its bucket; idle: hidden */
	struct file_log *log;
	uint32_t hash;
	const char *text;
};

/* The record at `offset` begins behind `place`. */
struct file_mark {
	struct store_place place;
	uint64_t offset;
};

struct batch_target;

struct file_log {
	struct list node;   /* of its bucket */
	struct list orphan; /* of the orphans */
	struct timer expiry;
	void *store; /* for the timer */
	struct store_place place;
	enum store_state state;
	unsigned hidden; /* labels, a bit each */
	uint64_t size_bytes;
	uint64_t created_ms;
	bool is_created;	     /* its file is there */
	bool is_leaving;	     /* it is being erased: nobody finds it any more */
	struct batch_target *target; /* in the batch that is being made or written */
	struct file_mark *marks;     /* rising, about every FILE_MARK_EVERY_BYTES */
	size_t n_marks, marks_room;
	unsigned n_labels;
	struct file_label labels[STORE_LABELS_MAX];
	char id[STORE_ID_BYTES];
	char label_text[]; /* of all, terminated each */
};

struct file_index {
	size_t n_logs;
	struct list orphans; /* newest first */
	struct list ids[FILE_INDEX_BUCKETS];
	struct list labels[FILE_INDEX_BUCKETS]; /* newest first each */
};

void file_index_init(struct file_index *index);
/* A log by its head, not created yet; NULL: no memory. */
struct file_log *file_index_add(struct file_index *index, const struct file_record *head);
struct file_log *file_index_get(struct file_index *index, const char *id);
/* Its expiry must not run. */
void file_index_remove(struct file_index *index, struct file_log *log);
/* Its file is there: it is found by the labels that are not hidden, as the newest. */
void file_index_publish(struct file_index *index, struct file_log *log);
/* The bit of a label, 0 when the log does not have it. */
unsigned file_log_label_bit(const struct file_log *log, const char *label);
void file_log_hide(struct file_log *log, unsigned hidden);
/* What an entry that has landed makes of it. */
void file_log_enter(struct file_index *index, struct file_log *log, struct store_place place,
		    enum store_state state);
void file_log_set_orphan(struct file_index *index, struct file_log *log, bool is_orphan);
void file_index_find(struct file_index *index, struct store_find *find);
void file_index_orphans(struct file_index *index, struct store_find *find);

/* Where reading may begin for what is above a place: the last mark at or below it, or 0. */
struct file_mark file_log_mark(const struct file_log *log, struct store_place after);
/* Remembers it when it is far enough behind the last one. Without memory it does not. */
void file_log_add_mark(struct file_log *log, struct file_mark mark);
bool store_place_is_above(struct store_place place, struct store_place other);
#endif
