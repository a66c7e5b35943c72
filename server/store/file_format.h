/* file_format - what stands in the file of one log: JSON lines throughout, for less and jq.
 *
 *   {"log":1,"job":"ID","labels":["owner:…","same:…"],"t_ms":…,"crc":"…"}           the head, once
 *   {"entry":"1-3","events":3,"state":"running","hidden":0,"t_ms":…,"bytes":514,"crc":"…"}
 *   {"v":1,"id":"1-1","kind":"created",…}                             the 514 bytes of the entry
 *   …
 *   {"unlabel":4,"t_ms":…,"crc":"…"}
 *
 * A record is such a line of our own and the bytes that it announces. `entry` is the place of the
 * entry's last event; `hidden` and `unlabel` have a bit for each label of the head that does not
 * count any more. `crc` is the CRC-32C of the line up to there and of the bytes. A record is whole
 * or it is not there; the head and the first entry are written together. Pure: no I/O. */
#ifndef LONGHAND_STORE_FILE_FORMAT_H
#define LONGHAND_STORE_FILE_FORMAT_H
#include "store/store.h"

/* Longest line of our own, its newline included. */
enum { FILE_LINE_BYTES_MAX = 1024, FILE_FORMAT_VERSION = 1 };

enum file_record_kind { FILE_HEAD, FILE_ENTRY, FILE_UNLABEL };

struct file_record {
	enum file_record_kind kind;
	uint64_t t_ms; /* wall clock, when it was written */

	/* FILE_HEAD */
	unsigned version;
	char job[STORE_ID_BYTES];
	unsigned n_labels;
	char labels[STORE_LABELS_MAX][STORE_LABEL_BYTES];

	/* FILE_ENTRY; `hidden` also FILE_UNLABEL */
	struct store_place place;
	unsigned n_events;
	enum store_state state;
	unsigned hidden;
	size_t data_bytes; /* behind the line; 0 in the others */
};

/* Appends the line; an entry's data, whose sum is in it, is appended by the caller.
 * ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err file_head_put(struct buf *out, const struct file_record *head);
MUST_CHECK enum err file_entry_put(struct buf *out, const struct file_record *entry,
				   struct slice data);
MUST_CHECK enum err file_unlabel_put(struct buf *out, const struct file_record *unlabel);

/* Reads a line of our own (with its newline). False: it is none. The sum is not looked at; a head
 * of another version has only that and its job. */
MUST_CHECK bool file_line_read(struct slice line, struct file_record *ret_record);
/* The line of a record that file_line_read() took, and its data: as they were written? */
MUST_CHECK bool file_sum_is_right(struct slice line, struct slice data);
#endif
