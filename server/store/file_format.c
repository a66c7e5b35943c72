#include "store/file_format.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/crc32c.h"

/* What ends each line of our own: ,"crc":"xxxxxxxx"}\n */
#define SUM_BEFORE ",\"crc\":\""
#define SUM_AFTER "\"}\n"
enum { SUM_DIGITS = 8 };
enum { TAIL_BYTES = sizeof(SUM_BEFORE) - 1 + SUM_DIGITS + sizeof(SUM_AFTER) - 1 };

static const char *const state_names[] = { "running", "parked", "offered", "ended" };

enum { STATES = sizeof(state_names) / sizeof(state_names[0]) };

static enum err put_sum(struct buf *out, size_t start, struct slice data)
{
	uint32_t sum = crc32c(0, out->data + start, out->len - start);

	sum = crc32c(sum, data.data, data.len);
	return buf_printf(out, SUM_BEFORE "%08" PRIx32 SUM_AFTER, sum);
}

enum err file_head_put(struct buf *out, const struct file_record *head)
{
	size_t start = out->len;
	enum err err = buf_printf(out, "{\"log\":%u,\"job\":\"%s\",\"labels\":[",
				  (unsigned)FILE_FORMAT_VERSION, head->job);

	for (unsigned i = 0; err == OK && i < head->n_labels; i++)
		err = buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", head->labels[i]);
	if (err == OK)
		err = buf_printf(out, "],\"t_ms\":%" PRIu64, head->t_ms);
	return err == OK ? put_sum(out, start, (struct slice){ "", 0 }) : err;
}

enum err file_entry_put(struct buf *out, const struct file_record *entry, struct slice data)
{
	size_t start = out->len;
	enum err err = buf_printf(out, "{\"entry\":\"%" PRIu64 "-%" PRIu64 "\",\"events\":%u",
				  entry->place.epoch, entry->place.seq, entry->n_events);

	if (err == OK)
		err = buf_printf(out, ",\"state\":\"%s\",\"hidden\":%u,\"t_ms\":%" PRIu64,
				 state_names[entry->state], entry->hidden, entry->t_ms);
	if (err == OK)
		err = buf_printf(out, ",\"bytes\":%zu", data.len);
	return err == OK ? put_sum(out, start, data) : err;
}

enum err file_unlabel_put(struct buf *out, const struct file_record *unlabel)
{
	size_t start = out->len;
	enum err err = buf_printf(out, "{\"unlabel\":%u,\"t_ms\":%" PRIu64, unlabel->hidden,
				  unlabel->t_ms);

	return err == OK ? put_sum(out, start, (struct slice){ "", 0 }) : err;
}

/* ---- reading: the text up to the sum, terminated, moved through from left to right ---- */

static bool skip(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* Digits only, no more than fit. */
static bool read_number(const char **at, uint64_t max, uint64_t *ret_value)
{
	const char *start = *at;
	uint64_t value = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');

		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return *at > start;
}

static bool read_small(const char **at, unsigned *ret_value)
{
	uint64_t value;

	if (!read_number(at, UINT32_MAX, &value))
		return false;
	*ret_value = (unsigned)value;
	return true;
}

/* A string without escapes, up to its quote. */
static bool read_name(const char **at, char *out, size_t out_bytes)
{
	size_t len = strcspn(*at, "\"\\");

	if ((*at)[len] != '"' || len >= out_bytes)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + 1;
	return true;
}

static bool read_time(const char **at, struct file_record *record)
{
	return skip(at, ",\"t_ms\":") && read_number(at, UINT64_MAX, &record->t_ms);
}

static bool read_labels(const char **at, struct file_record *head)
{
	while (skip(at, head->n_labels > 0 ? ",\"" : "\"")) {
		if (head->n_labels == STORE_LABELS_MAX ||
		    !read_name(at, head->labels[head->n_labels], STORE_LABEL_BYTES))
			return false;
		head->n_labels++;
	}
	return skip(at, "]");
}

static bool read_head(const char *at, struct file_record *head)
{
	head->kind = FILE_HEAD;
	if (!skip(&at, "{\"log\":") || !read_small(&at, &head->version) ||
	    !skip(&at, ",\"job\":\"") || !read_name(&at, head->job, sizeof(head->job)))
		return false;
	if (head->version != FILE_FORMAT_VERSION)
		return true;
	return skip(&at, ",\"labels\":[") && read_labels(&at, head) && read_time(&at, head) &&
	       *at == '\0';
}

static bool read_state(const char **at, enum store_state *ret_state)
{
	char name[16];

	if (!skip(at, ",\"state\":\"") || !read_name(at, name, sizeof(name)))
		return false;
	for (unsigned i = 0; i < STATES; i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*ret_state = (enum store_state)i;
			return true;
		}
	}
	return false;
}

static bool read_place(const char **at, struct store_place *ret_place)
{
	return read_number(at, UINT64_MAX, &ret_place->epoch) && skip(at, "-") &&
	       read_number(at, UINT64_MAX, &ret_place->seq) && skip(at, "\"");
}

static bool read_entry(const char *at, struct file_record *entry)
{
	uint64_t data_bytes;

	entry->kind = FILE_ENTRY;
	if (!skip(&at, "{\"entry\":\"") || !read_place(&at, &entry->place) ||
	    !skip(&at, ",\"events\":") || !read_small(&at, &entry->n_events) ||
	    !read_state(&at, &entry->state))
		return false;
	if (!skip(&at, ",\"hidden\":") || !read_small(&at, &entry->hidden) ||
	    !read_time(&at, entry) || !skip(&at, ",\"bytes\":") ||
	    !read_number(&at, SIZE_MAX / 2, &data_bytes))
		return false;
	entry->data_bytes = (size_t)data_bytes;
	return *at == '\0';
}

static bool read_unlabel(const char *at, struct file_record *unlabel)
{
	unlabel->kind = FILE_UNLABEL;
	return skip(&at, "{\"unlabel\":") && read_small(&at, &unlabel->hidden) &&
	       read_time(&at, unlabel) && *at == '\0';
}

bool file_line_read(struct slice line, struct file_record *ret_record)
{
	char text[FILE_LINE_BYTES_MAX];
	size_t len = line.len - TAIL_BYTES;

	if (line.len <= TAIL_BYTES || line.len > FILE_LINE_BYTES_MAX ||
	    memchr(line.data, '\0', line.len) != NULL ||
	    memcmp(line.data + len, SUM_BEFORE, sizeof(SUM_BEFORE) - 1) != 0 ||
	    memcmp(line.data + line.len - 3, SUM_AFTER, 3) != 0)
		return false;
	memcpy(text, line.data, len);
	text[len] = '\0';
	*ret_record = (struct file_record){ .kind = FILE_HEAD };
	if (strncmp(text, "{\"entry\"", 8) == 0)
		return read_entry(text, ret_record);
	if (strncmp(text, "{\"unlabel\"", 10) == 0)
		return read_unlabel(text, ret_record);
	return read_head(text, ret_record);
}

bool file_sum_is_right(struct slice line, struct slice data)
{
	uint32_t sum = crc32c(0, line.data, line.len - TAIL_BYTES);
	char digits[SUM_DIGITS + 1];

	sum = crc32c(sum, data.data, data.len);
	(void)snprintf(digits, sizeof(digits), "%08" PRIx32, sum);
	return memcmp(digits, line.data + line.len - TAIL_BYTES + sizeof(SUM_BEFORE) - 1,
		      SUM_DIGITS) == 0;
}
