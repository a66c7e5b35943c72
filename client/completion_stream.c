#include "completion_stream.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "model/sse_parser.h"

enum { EVENT_BYTES_MAX = 64 << 20, ERROR_BODY_BYTES_MAX = 64 << 10, URL_BYTES_MAX = 4096 };
static const long idle_s = 120; /* heartbeats come every 10 s */

struct transfer {
	struct completion_stream *stream;
	CURL *curl;
	struct sse_parser sse;
	struct buf error_body;
	bool is_done; /* [DONE] */
};

static void set_error(struct completion_stream *stream, const char *what, const char *detail)
{
	if (stream->error[0] == '\0')
		(void)snprintf(stream->error, sizeof(stream->error), "%s%s%s", what,
			       detail[0] != '\0' ? ": " : "", detail);
}

static void take_error(struct completion_stream *stream, const json_t *answer)
{
	const char *message =
		json_string_value(json_object_get(json_object_get(answer, "error"), "message"));

	set_error(stream, "the server says", message != NULL ? message : "an error without words");
}

static void take_piece(const json_t *delta, const char *member, void *context,
		       void (*take)(void *context, const char *text, size_t len))
{
	const json_t *text = json_object_get(delta, member);

	if (take != NULL && json_string_length(text) > 0)
		take(context, json_string_value(text), json_string_length(text));
}

static void take_chunk(struct transfer *transfer, const json_t *chunk)
{
	struct completion_stream *stream = transfer->stream;
	const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
	const json_t *delta = json_object_get(choice, "delta");
	const json_t *longhand = json_object_get(chunk, "longhand");
	const char *finish = json_string_value(json_object_get(choice, "finish_reason"));

	if (json_object_get(chunk, "error") != NULL) {
		take_error(stream, chunk);
		return;
	}
	take_piece(delta, "reasoning_content", stream->context, stream->on_reasoning);
	take_piece(delta, "content", stream->context, stream->on_content);
	if (longhand != NULL && stream->on_longhand != NULL)
		stream->on_longhand(stream->context, longhand);
	if (finish != NULL)
		(void)snprintf(stream->finish_reason, sizeof(stream->finish_reason), "%s", finish);
}

static void on_event(void *context, const char *data, size_t len)
{
	struct transfer *transfer = context;
	json_t *chunk;

	if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
		transfer->is_done = true;
		return;
	}
	chunk = json_loadb(data, len, 0, NULL);
	if (json_is_object(chunk))
		take_chunk(transfer, chunk);
	else
		set_error(transfer->stream, "a chunk is not JSON", "");
	json_decref(chunk);
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;

	(void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &transfer->stream->status);
	if (transfer->stream->status == 200)
		return sse_parser_feed(&transfer->sse, data, len) == OK ? len : 0;
	(void)!buf_append(&transfer->error_body, data, len);
	return len;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
	static const char name[] = "x-longhand-job:";
	struct transfer *transfer = context;
	size_t len = size * count;

	if (len > sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0)
		(void)sscanf(data + sizeof(name) - 1, " %39[0-9a-f]", transfer->stream->job);
	return len;
}

static struct curl_slist *make_headers(const char *key)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	char line[1024];

	headers = curl_slist_append(headers, "Expect:");
	if (key == NULL)
		return headers;
	(void)snprintf(line, sizeof(line), "Authorization: Bearer %s", key);
	return curl_slist_append(headers, line);
}

static void explain_end(struct transfer *transfer, CURLcode code, const char *detail)
{
	struct completion_stream *stream = transfer->stream;
	json_t *answer;

	(void)!sse_parser_end(&transfer->sse);
	if (stream->status != 200 && transfer->error_body.len > 0) {
		answer = json_loadb(transfer->error_body.data, transfer->error_body.len, 0, NULL);
		take_error(stream, answer);
		json_decref(answer);
	} else if (code != CURLE_OK) {
		set_error(stream, curl_easy_strerror(code), detail);
	} else if (!transfer->is_done || stream->finish_reason[0] == '\0') {
		set_error(stream, "the stream ended before the text did", "");
	}
}

static CURLcode perform(struct transfer *transfer, const char *body)
{
	CURL *curl = transfer->curl;
	struct curl_slist *headers = make_headers(transfer->stream->key);
	char url[URL_BYTES_MAX];
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code;

	(void)snprintf(url, sizeof(url), "%s/chat/completions", transfer->stream->server);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, idle_s);
	code = curl_easy_perform(curl);
	explain_end(transfer, code, detail);
	curl_slist_free_all(headers);
	return code;
}

enum err completion_stream_run(struct completion_stream *stream, const char *body)
{
	struct transfer transfer = { .stream = stream, .curl = curl_easy_init() };

	if (transfer.curl == NULL)
		return ERR_NO_MEMORY;
	sse_parser_init(&transfer.sse, EVENT_BYTES_MAX, on_event, &transfer);
	buf_init(&transfer.error_body, ERROR_BODY_BYTES_MAX);
	(void)perform(&transfer, body);
	sse_parser_release(&transfer.sse);
	buf_release(&transfer.error_body);
	curl_easy_cleanup(transfer.curl);
	return stream->error[0] == '\0' ? OK : ERR_UPSTREAM;
}
