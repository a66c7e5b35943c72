#include <string.h>
#include "base/text.h"
#include "loop/http_handle.h"

/* Stops libcurl; the reason is told to the caller instead of libcurl's "write error". */
static size_t stop(struct http_call_handle *handle, enum err why)
{
	if (handle->failure == OK)
		handle->failure = why;
	return CURL_WRITEFUNC_ERROR;
}

/* "HTTP/1.1 200 OK"; 0: not one. */
static int parse_status(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	int status = 0;

	if (len < 5 || memcmp(line, "HTTP/", 5) != 0 || space == NULL)
		return 0;
	for (const char *at = space + 1; at < line + len && *at >= '0' && *at <= '9'; at++)
		status = status < 1000 ? status * 10 + (*at - '0') : status;
	return status;
}

/* Lines that go on ("obs-fold") become one; the end is always CR LF. */
static enum err add_header_line(struct buf *head, const char *line, size_t len)
{
	enum err err;

	if ((*line == ' ' || *line == '\t') && head->len >= 2) {
		buf_truncate(head, head->len - 2);
		while (len > 1 && (line[1] == ' ' || line[1] == '\t')) {
			line++;
			len--;
		}
	}
	err = buf_append(head, line, len);
	return err != OK ? err : buf_append(head, "\r\n", 2);
}

static size_t end_of_head(struct http_call_handle *handle)
{
	struct http_call *call = handle->call;

	if (call->status < 200) { /* informational: the answer is yet to come */
		call->status = 0;
		return OK;
	}
	handle->is_head_done = true;
	if (handle->gathered != NULL) /* it went with the head of the request */
		http_request_drop_body(handle);
	call->is_body_taken = http_request_is_body_taken(handle);
	if (call->on_head != NULL)
		call->on_head(call);
	return handle->call == NULL ? stop(handle, ERR_CANCELED) : OK;
}

static void on_first_byte(struct http_call_handle *handle)
{
	http_deadline_start(handle, HTTP_READING);
	handle->call->first_byte_at_ms = handle->since_ms;
}

static size_t take_header_line(struct http_call_handle *handle, const char *line, size_t len)
{
	struct http_call *call = handle->call;
	int status = parse_status(line, len);
	enum err err;

	if (status != 0 && call->status == 0) {
		buf_clear(&call->head);
		call->status = status;
		if (status >= 200)
			on_first_byte(handle);
		return OK;
	}
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len == 0)
		return end_of_head(handle);
	err = add_header_line(&call->head, line, len);
	return err != OK ? stop(handle, err) : OK;
}

/* CURLOPT_HEADERFUNCTION: line by line, of every answer, and trailers. */
static size_t on_header(char *line, size_t size, size_t count, void *user)
{
	struct http_call_handle *handle = user;
	size_t len = size * count;
	size_t stopped = OK;

	if (handle->call == NULL)
		return stop(handle, ERR_CANCELED);
	if (!handle->is_head_done && len > 0)
		stopped = take_header_line(handle, line, len);
	return stopped != OK ? stopped : len;
}

/* CURLOPT_WRITEFUNCTION. */
static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct http_call_handle *handle = user;
	struct http_call *call = handle->call;
	size_t len = size * count;

	if (call == NULL)
		return stop(handle, ERR_CANCELED);
	if (!handle->is_head_done)
		return stop(handle, ERR_BROKEN);
	http_deadline_touch(handle);
	/* A cancel would have ended the call, so it is paused: libcurl keeps these bytes. */
	if (!stream_op_push(&call->stream, data, len))
		return CURL_WRITEFUNC_PAUSE;
	return handle->call == NULL ? stop(handle, ERR_CANCELED) : len;
}

enum err http_answer_set_up(struct http_call_handle *handle)
{
	CURL *easy = handle->easy;
	bool failed = false;

	failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle) != CURLE_OK;
	return failed ? ERR_NO_MEMORY : OK;
}

void http_answer_reset(struct http_call_handle *handle)
{
	struct http_call *call = handle->call;

	handle->is_head_done = false;
	handle->failure = OK;
	call->status = 0;
	call->connected_ms = 0;
	call->first_byte_at_ms = 0;
	buf_release(&call->head);
	buf_init(&call->head, handle->header_bytes_max);
}

struct slice http_call_header(const struct http_call *call, const char *name)
{
	size_t name_len = strlen(name);
	const char *line = buf_str(&call->head);

	while (*line != '\0') {
		const char *end = strstr(line, "\r\n");

		if (end == NULL)
			break;
		if (text_starts_nocase(line, name) && line[name_len] == ':') {
			line += name_len + 1;
			return text_trim(line, (size_t)(end - line));
		}
		line = end + 2;
	}
	return (struct slice){ .data = NULL };
}
