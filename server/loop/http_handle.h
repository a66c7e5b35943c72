/* http_handle - a call's side of libcurl: what http_client, http_request and http_answer share.
 *
 * Lives from http_client_start() to the end of the transfer inside libcurl, which may be a little
 * after the end of the call (a call that is cancelled inside libcurl's callbacks). Kept in a pool
 * with its easy handle. */
#ifndef LONGHAND_LOOP_HTTP_HANDLE_H
#define LONGHAND_LOOP_HTTP_HANDLE_H
#include "loop/http_client.h"
#include "loop/http_shard.h"

enum http_phase { HTTP_CONNECTING, HTTP_WAITING, HTTP_READING };

struct http_call_handle {
	struct http_call *call; /* NULL once the call has ended */
	struct http_client *client;
	struct reactor *reactor;
	struct http_shard *shard;
	CURL *easy;
	bool is_stream;

	/* http_request's */
	CURLU *url;	/* parsed, of the last call; NULL: none yet */
	char *url_text; /* what it was parsed from */
	struct curl_slist *headers;
	char *gathered; /* a small body of several parts, or NULL */
	size_t part;	/* where reading the body is */
	size_t part_at;

	/* http_answer's */
	size_t header_bytes_max;
	bool is_head_done;
	enum err failure; /* why a callback of ours stopped libcurl, or OK */

	/* http_deadline's */
	struct timer deadline;
	enum http_phase phase;
	uint64_t since_ms; /* when the phase began, or the last bytes came */

	/* http_client's */
	struct list node; /* in one of the client's lists */
	bool is_added;
	bool is_retried;
};

/* http_request: the constant options of a new easy handle. */
MUST_CHECK enum err http_request_set_up(struct http_call_handle *handle);
/* The options of this call. `user_agent`: for a caller who names none; NULL: none. ERR_NO_MEMORY,
 * ERR_INVALID. */
MUST_CHECK enum err http_request_apply(struct http_call_handle *handle, const char *user_agent);
/* Before the same request is sent once more. */
void http_request_rewind(struct http_call_handle *handle);
/* A small body that was gathered is not needed any more. */
void http_request_drop_body(struct http_call_handle *handle);
/* All of the body has been given to libcurl, or there is none. */
bool http_request_is_body_taken(const struct http_call_handle *handle);
/* What a call had; the handle can have another. */
void http_request_release(struct http_call_handle *handle);
/* What the handle keeps from call to call, before it goes. */
void http_request_free(struct http_call_handle *handle);

/* http_answer: installs its callbacks in a new easy handle. */
MUST_CHECK enum err http_answer_set_up(struct http_call_handle *handle);
/* For the next try or call. */
void http_answer_reset(struct http_call_handle *handle);

/* http_deadline: the time of a phase starts now; it ends the call with ERR_TIMEOUT. */
void http_deadline_start(struct http_call_handle *handle, enum http_phase phase);
/* Something came: the phase's time starts anew. */
void http_deadline_touch(struct http_call_handle *handle);
void http_deadline_stop(struct http_call_handle *handle);

/* http_client: the call is over for its caller. Its transfer goes at once or, inside libcurl, as
 * soon as that is left. `failure` is static. */
void http_client_end_call(struct http_call_handle *handle, enum err result, const char *failure);
#endif
