/* file_scan - goes through the records of one log's file (file_format.h), and finds out what a file
 * that was left by a process that died holds. Blocks; on any thread, which owns the scan. */
#ifndef LONGHAND_STORE_FILE_SCAN_H
#define LONGHAND_STORE_FILE_SCAN_H
#include "store/file_format.h"
#include "store/file_ops.h"

struct file_scan {
	const struct file_ops *ops;
	int fd;
	uint64_t offset; /* of the window's first byte */
	uint64_t end;	 /* of the bytes that count */
	char *window;
	size_t len, room; /* read, and there is place for */
	size_t used;	  /* behind the last record */
	int error;	  /* errno; ENOMEM too */

	/* The record of the last file_scan_next(), until the next one. */
	struct file_record record;
	struct slice data;
};

/* From a record's start up to `end`. */
void file_scan_init(struct file_scan *scan, const struct file_ops *ops, int fd, uint64_t offset,
		    uint64_t end);
void file_scan_release(struct file_scan *scan);
/* The next record, whole and with the right sum. False: the end, or something that is no record,
 * or `error`. */
MUST_CHECK bool file_scan_next(struct file_scan *scan);
/* Behind the last record: where the next one starts. */
uint64_t file_scan_offset(const struct file_scan *scan);

enum file_finding {
	FILE_LOG,     /* it holds a log; what is behind size_bytes is torn */
	FILE_NOTHING, /* nothing in it was ever acknowledged */
	FILE_DAMAGED, /* there are entries, but not the head: not to be touched */
	FILE_ALIEN,   /* of a later version, or not of this name */
};

struct file_found {
	enum file_finding finding;
	struct file_record head, last; /* the last entry */
	unsigned hidden;
	uint64_t size_bytes; /* up to the end of the last whole record */
};

/* Reads the head and the end of a file of `file_bytes`; the middle only where the end is torn
 * beyond a window. Returns 0 or an errno. */
MUST_CHECK int file_find_log(const struct file_ops *ops, int fd, uint64_t file_bytes,
			     const char *job, struct file_found *ret_found);
#endif
