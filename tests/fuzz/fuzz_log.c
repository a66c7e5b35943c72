/* The file of one log, as a crash, a disk or anybody may have left it: what is found in it lies
 * within it, and cutting off what is torn changes nothing of what was found. */
#include <errno.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "store/file_scan.h"

static int read_bytes(void *context, int fd, uint64_t offset, void *out, size_t *len)
{
	const struct slice *file = context;
	size_t left = offset < file->len ? file->len - (size_t)offset : 0;

	(void)fd;
	if (*len > left)
		*len = left;
	if (*len > 0)
		memcpy(out, file->data + offset, *len);
	return 0;
}

static bool is_same_place(const struct file_found *a, const struct file_found *b)
{
	return a->last.place.epoch == b->last.place.epoch &&
	       a->last.place.seq == b->last.place.seq;
}

static void check_found(const struct file_ops *ops, size_t size)
{
	struct file_found found, again;

	MUST(file_find_log(ops, 0, size, "job", &found) == 0);
	if (found.finding != FILE_LOG)
		return;
	MUST(found.size_bytes <= size && found.head.n_labels <= STORE_LABELS_MAX);
	MUST(file_find_log(ops, 0, found.size_bytes, "job", &again) == 0);
	MUST(again.finding == FILE_LOG && again.size_bytes == found.size_bytes);
	MUST(is_same_place(&found, &again) && again.hidden == found.hidden);
}

static void check_records(const struct file_ops *ops, size_t size)
{
	struct file_scan scan;
	uint64_t before = 0;

	file_scan_init(&scan, ops, 0, 0, size);
	while (file_scan_next(&scan)) {
		MUST(file_scan_offset(&scan) > before && file_scan_offset(&scan) <= size);
		MUST(scan.record.kind == FILE_ENTRY || scan.data.len == 0);
		MUST(memchr(scan.record.job, '\0', sizeof(scan.record.job)) != NULL);
		before = file_scan_offset(&scan);
	}
	MUST(scan.error == 0);
	file_scan_release(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice file = { (const char *)data, size };
	struct file_ops ops = { .context = &file, .read = read_bytes };

	check_records(&ops, size);
	check_found(&ops, size);
	return 0;
}
