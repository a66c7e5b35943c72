#include <string.h>
#include "base/mem.h"
#include "base/text.h"
#include "loop/http_handle.h"

enum {
	/* Bodies in parts up to this size are copied together: cheaper than the second send() that
	 * reading them part by part costs. */
	GATHER_BYTES_MAX = 16 * 1024,
	STREAM_BUFFER_BYTES = 2048, /* one per open stream: see the memory figures */
	ANSWER_BUFFER_BYTES = 16 * 1024,
	UPLOAD_BUFFER_BYTES = 16 * 1024, /* the least there is */
	/* libcurl asks leave for bodies above 1 MiB, unless it is told not to; each header more
	 * costs a look at each request. */
	EXPECT_ABOVE_BYTES = 512 * 1024,
	USER_AGENT_BYTES_MAX = 1024,
};

static size_t body_len(const struct http_call *call)
{
	size_t len = 0;

	for (size_t i = 0; i < HTTP_BODY_PARTS_MAX; i++)
		len += call->body[i].len;
	return len;
}

/* CURLOPT_READFUNCTION. */
static size_t read_body(char *out, size_t size, size_t count, void *user)
{
	struct http_call_handle *handle = user;
	size_t room = size * count;
	size_t done = 0;

	if (handle->call == NULL)
		return CURL_READFUNC_ABORT;
	while (done < room && handle->part < HTTP_BODY_PARTS_MAX) {
		const struct slice *part = &handle->call->body[handle->part];
		size_t len = part->len - handle->part_at;

		if (len > room - done)
			len = room - done;
		if (len > 0)
			memcpy(out + done, part->data + handle->part_at, len);
		done += len;
		handle->part_at += len;
		if (handle->part_at == part->len) {
			handle->part++;
			handle->part_at = 0;
		}
	}
	return done;
}

void http_request_rewind(struct http_call_handle *handle)
{
	handle->part = handle->gathered != NULL ? HTTP_BODY_PARTS_MAX : 0;
	handle->part_at = 0;
}

/* CURLOPT_SEEKFUNCTION: libcurl rewinds when a kept connection turns out to be dead. */
static int seek_body(void *user, curl_off_t offset, int origin)
{
	struct http_call_handle *handle = user;

	if (offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	http_request_rewind(handle);
	return CURL_SEEKFUNC_OK;
}

enum err http_request_set_up(struct http_call_handle *handle)
{
	CURL *easy = handle->easy;
	long buffer_bytes = handle->is_stream ? STREAM_BUFFER_BYTES : ANSWER_BUFFER_BYTES;
	bool failed = false;

	failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, handle) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
	failed |=
		curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK; /* not even by environment */
	failed |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) !=
		  CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) != CURLE_OK;
	/* The deadlines are ours; libcurl's own would be 300 s. */
	failed |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 86400L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, buffer_bytes) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES) !=
		  CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_READDATA, handle) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_SEEKDATA, handle) != CURLE_OK;
	return failed ? ERR_NO_MEMORY : OK;
}

static enum err add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return ERR_NO_MEMORY;
	*list = longer;
	return OK;
}

/* "Name:" asks libcurl to drop a header; one without a value is written "Name;". */
static enum err add_header(struct curl_slist **list, const char *line)
{
	const char *colon = strchr(line, ':');
	char *empty;
	enum err err;

	if (colon == NULL || colon == line || strpbrk(line, "\r\n") != NULL)
		return ERR_INVALID;
	if (colon[1 + strspn(colon + 1, " \t")] != '\0')
		return add_line(list, line);
	empty = mem_copy(line, (size_t)(colon - line) + 1);
	if (empty == NULL)
		return ERR_NO_MEMORY;
	empty[colon - line] = ';';
	err = add_line(list, empty);
	mem_free(empty);
	return err;
}

/* Every request's every header is looked at: the first letter tells most apart. */
static bool is_header(const char *line, const char *name)
{
	return ((line[0] ^ name[0]) & ~0x20) == 0 && text_starts_nocase(line, name);
}

/* The length is ours to say, and "Expect" would hold bodies back for a second. */
static bool is_dropped(const char *line)
{
	static const char *const names[] = { "Expect:", "Content-Length:", "Transfer-Encoding:" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_header(line, names[i]))
			return true;
	}
	return false;
}

/* The option costs for each request, also where a header says another one. */
static enum err add_user_agent(struct curl_slist **list, const char *user_agent)
{
	struct buf line;
	enum err err;

	buf_init(&line, USER_AGENT_BYTES_MAX);
	err = buf_printf(&line, "User-Agent: %s", user_agent);
	if (err == OK)
		err = add_line(list, line.data);
	buf_release(&line);
	return err;
}

static bool is_said(const char *const *headers, const char *name)
{
	for (; headers != NULL && *headers != NULL; headers++)
		if (is_header(*headers, name))
			return true;
	return false;
}

/* What libcurl would add of its own: nothing the caller did not say. */
static enum err add_headers(struct http_call_handle *handle, const char *user_agent)
{
	static const char *const unsaid[] = { "Accept:", "Content-Type:" };
	const char *const *headers = handle->call->headers;
	enum err err = OK;

	if (user_agent != NULL && !is_said(headers, "User-Agent:"))
		err = add_user_agent(&handle->headers, user_agent);
	for (; headers != NULL && *headers != NULL && err == OK; headers++)
		if (!is_dropped(*headers))
			err = add_header(&handle->headers, *headers);
	for (size_t i = 0; i < sizeof(unsaid) / sizeof(unsaid[0]) && err == OK; i++)
		if (!is_said(handle->call->headers, unsaid[i]))
			err = add_line(&handle->headers, unsaid[i]);
	return err;
}

/* A handle's calls mostly have the same URL: it is parsed once. What libcurl makes of a string it
 * parses, writes out and parses again for each. */
static enum err apply_url(struct http_call_handle *handle)
{
	const char *text = handle->call->url;
	CURLUcode code;

	if (handle->url_text != NULL && strcmp(handle->url_text, text) == 0)
		return OK;
	mem_free(handle->url_text);
	handle->url_text = NULL;
	if (handle->url == NULL)
		handle->url = curl_url();
	if (handle->url == NULL)
		return ERR_NO_MEMORY;
	code = curl_url_set(handle->url, CURLUPART_URL, text,
			    CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME);
	if (code != CURLUE_OK)
		return code == CURLUE_OUT_OF_MEMORY ? ERR_NO_MEMORY : ERR_INVALID;
	if (curl_easy_setopt(handle->easy, CURLOPT_CURLU, handle->url) != CURLE_OK)
		return ERR_NO_MEMORY;
	handle->url_text = mem_strdup(text);
	return handle->url_text != NULL ? OK : ERR_NO_MEMORY;
}

static enum err gather_body(struct http_call_handle *handle, size_t len)
{
	size_t at = 0;

	handle->gathered = mem_alloc(len);
	if (handle->gathered == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < HTTP_BODY_PARTS_MAX; i++) {
		const struct slice *part = &handle->call->body[i];

		if (part->len > 0)
			memcpy(handle->gathered + at, part->data, part->len);
		at += part->len;
	}
	return OK;
}

static bool apply_body(struct http_call_handle *handle, size_t len)
{
	CURL *easy = handle->easy;
	bool failed = false;

	failed |= curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, len == 0 ? "" : handle->gathered) !=
		  CURLE_OK;
	return !failed;
}

/* Every option that a call may set is set here for every call: the easy handle had others
 * before. */
static bool apply_method(struct http_call_handle *handle, size_t len)
{
	const char *method = handle->call->method;
	CURL *easy = handle->easy;
	bool has_body = len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
			strcmp(method, "PATCH") == 0;
	bool is_head = strcmp(method, "HEAD") == 0 && !has_body;
	bool ok = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;

	if (has_body)
		ok &= apply_body(handle, len);
	if (is_head)
		ok &= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	/* A server that sends a body all the same would have it read as the next call's answer. */
	ok &= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, is_head ? 1L : 0L) == CURLE_OK;
	return ok &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_head ? NULL : method) == CURLE_OK;
}

enum err http_request_apply(struct http_call_handle *handle, const char *user_agent)
{
	size_t len = body_len(handle->call);
	CURL *easy = handle->easy;
	enum err err;

	if (len > 0 && len <= GATHER_BYTES_MAX) {
		err = gather_body(handle, len);
		if (err != OK)
			return err;
	}
	http_request_rewind(handle);
	err = add_headers(handle, user_agent);
	if (err == OK && len > EXPECT_ABOVE_BYTES)
		err = add_line(&handle->headers, "Expect:");
	if (err == OK)
		err = apply_url(handle);
	if (err != OK)
		return err;
	if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, handle->headers) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L) != CURLE_OK ||
	    !apply_method(handle, len))
		return ERR_NO_MEMORY;
	return OK;
}

bool http_request_is_body_taken(const struct http_call_handle *handle)
{
	size_t part = handle->part;

	while (part < HTTP_BODY_PARTS_MAX && handle->call->body[part].len == 0)
		part++;
	return part == HTTP_BODY_PARTS_MAX;
}

void http_request_drop_body(struct http_call_handle *handle)
{
	if (handle->gathered == NULL)
		return;
	(void)curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, NULL);
	mem_free(handle->gathered);
	handle->gathered = NULL;
}

void http_request_release(struct http_call_handle *handle)
{
	(void)curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(handle->headers);
	handle->headers = NULL;
	http_request_drop_body(handle);
}

void http_request_free(struct http_call_handle *handle)
{
	curl_url_cleanup(handle->url);
	mem_free(handle->url_text);
}
