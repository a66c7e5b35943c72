#include "store/file_scan.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"

enum { CHUNK_BYTES = 64 << 10, SMALL_WINDOW_BYTES = 4 << 10, WINDOW_BYTES = 64 << 10 };

#define ENTRY_START "{\"entry\":\""

void file_scan_init(struct file_scan *scan, const struct file_ops *ops, int fd, uint64_t offset,
		    uint64_t end)
{
	*scan = (struct file_scan){ .ops = ops, .fd = fd, .offset = offset, .end = end };
}

void file_scan_release(struct file_scan *scan)
{
	mem_free(scan->window);
	scan->window = NULL;
	scan->len = scan->used = scan->room = 0;
}

uint64_t file_scan_offset(const struct file_scan *scan)
{
	return scan->offset + scan->used;
}

static bool make_room(struct file_scan *scan, size_t bytes)
{
	char *window;

	if (scan->room >= bytes)
		return true;
	window = mem_realloc(scan->window, bytes);
	if (window == NULL) {
		scan->error = ENOMEM;
		return false;
	}
	scan->window = window;
	scan->room = bytes;
	return true;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* So many unused bytes in the window; false: there are not so many, or an error. */
static bool need(struct file_scan *scan, size_t bytes)
{
	uint64_t left = scan->end - file_scan_offset(scan);
	size_t had = scan->len - scan->used, wanted, n;

	if (had >= bytes)
		return true;
	if (left < bytes)
		return false;
	wanted = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
	if (wanted > left)
		wanted = (size_t)left;
	if (!make_room(scan, wanted))
		return false;
	if (had > 0)
		memmove(scan->window, scan->window + scan->used, had);
	scan->offset += scan->used;
	scan->used = 0;
	scan->len = had;
	n = wanted - had;
	scan->error = scan->ops->read(scan->ops->context, scan->fd, scan->offset + had,
				      scan->window + had, &n);
	if (scan->error != 0)
		return false;
	scan->len += n;
	return scan->len >= bytes;
}

static bool next_line(struct file_scan *scan, struct slice *ret_line)
{
	uint64_t left = scan->end - file_scan_offset(scan);
	size_t most = left < FILE_LINE_BYTES_MAX ? (size_t)left : FILE_LINE_BYTES_MAX;
	const char *line, *newline;

	if (most == 0 || !need(scan, most))
		return false;
	line = scan->window + scan->used;
	newline = memchr(line, '\n', most);
	if (newline == NULL)
		return false;
	*ret_line = (struct slice){ line, (size_t)(newline - line) + 1 };
	return true;
}

bool file_scan_next(struct file_scan *scan)
{
	struct slice line;
	size_t bytes;

	if (!next_line(scan, &line) || !file_line_read(line, &scan->record))
		return false;
	if (scan->record.data_bytes > scan->end - file_scan_offset(scan) - line.len)
		return false;
	bytes = line.len + scan->record.data_bytes;
	if (!need(scan, bytes))
		return false;
	line.data = scan->window + scan->used;
	scan->data = (struct slice){ line.data + line.len, scan->record.data_bytes };
	if (!file_sum_is_right(line, scan->data))
		return false;
	scan->used += bytes;
	return true;
}

/* ---- what is in a file ---- */

/* Goes on from `offset`: false when there is no entry. *ret_error: errno. */
static bool follow(const struct file_scan *from, uint64_t offset, struct file_found *found,
		   int *ret_error)
{
	struct file_scan scan;
	bool has_entry = false;

	file_scan_init(&scan, from->ops, from->fd, offset, from->end);
	while (file_scan_next(&scan) && scan.record.kind != FILE_HEAD) {
		if (scan.record.kind == FILE_ENTRY) {
			found->last = scan.record;
			has_entry = true;
		}
		if (has_entry) {
			found->hidden = scan.record.hidden;
			found->size_bytes = file_scan_offset(&scan);
		}
	}
	*ret_error = scan.error;
	file_scan_release(&scan);
	return has_entry && scan.error == 0;
}

/* The last whole entry that begins in the file's last bytes, and what is whole behind it. */
static bool find_end(struct file_scan *scan, size_t window_bytes, struct file_found *found,
		     int *ret_error)
{
	size_t bytes = scan->end < window_bytes ? (size_t)scan->end : window_bytes;
	size_t start_bytes = sizeof(ENTRY_START) - 1;

	scan->offset = scan->end - bytes;
	scan->used = scan->len = 0;
	if (!need(scan, bytes)) {
		*ret_error = scan->error;
		return false;
	}
	for (size_t at = bytes; at-- > 1;) {
		if (scan->window[at - 1] != '\n' || bytes - at < start_bytes ||
		    memcmp(scan->window + at, ENTRY_START, start_bytes) != 0)
			continue;
		if (follow(scan, scan->offset + at, found, ret_error) || *ret_error != 0)
			return *ret_error == 0;
	}
	return false;
}

static bool find_last(struct file_scan *scan, uint64_t first, struct file_found *found,
		      int *ret_error)
{
	return find_end(scan, SMALL_WINDOW_BYTES, found, ret_error) ||
	       (*ret_error == 0 && find_end(scan, WINDOW_BYTES, found, ret_error)) ||
	       (*ret_error == 0 && follow(scan, first, found, ret_error));
}

static bool read_head(struct file_scan *scan, struct file_found *found)
{
	struct slice line;

	if (!next_line(scan, &line) || !file_line_read(line, &found->head) ||
	    found->head.kind != FILE_HEAD || !file_sum_is_right(line, (struct slice){ "", 0 }))
		return false;
	scan->used = line.len;
	return true;
}

int file_find_log(const struct file_ops *ops, int fd, uint64_t file_bytes, const char *job,
		  struct file_found *ret_found)
{
	struct file_scan scan;
	bool has_head, has_entry;
	uint64_t first;
	int error = 0;

	*ret_found = (struct file_found){ .finding = FILE_NOTHING };
	file_scan_init(&scan, ops, fd, 0, smaller(FILE_LINE_BYTES_MAX, file_bytes));
	has_head = read_head(&scan, ret_found);
	error = scan.error;
	first = scan.used;
	scan.end = file_bytes;
	if (has_head && (ret_found->head.version != FILE_FORMAT_VERSION ||
			 strcmp(ret_found->head.job, job) != 0)) {
		ret_found->finding = FILE_ALIEN;
	} else if (error == 0) {
		has_entry = find_last(&scan, first, ret_found, &error);
		if (has_entry)
			ret_found->finding = has_head ? FILE_LOG : FILE_DAMAGED;
	}
	file_scan_release(&scan);
	return error;
}
