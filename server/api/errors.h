/* errors - what clients are told when something is wrong, in OpenAI's shape:
 *
 *   {"error":{"message":"...","type":"...","param":"messages"|null,"code":"..."}}
 *
 * The table is closed; docs/api.md lists it. Messages say what to do, and quote no prompt. */
#ifndef LONGHAND_API_ERRORS_H
#define LONGHAND_API_ERRORS_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "http/reply.h"

/* X(name, status, type, code) */
#define API_ERRORS(X)                                                                              \
	X(INVALID_JSON, 400, "invalid_request_error", "invalid_json")                              \
	X(INVALID_VALUE, 400, "invalid_request_error", "invalid_value")                            \
	X(MISSING_FIELD, 400, "invalid_request_error", "missing_required_parameter")               \
	X(UNKNOWN_OPTION, 400, "invalid_request_error", "unknown_option")                          \
	X(NOT_AVAILABLE, 400, "invalid_request_error", "option_not_available")                     \
	X(NOT_COMBINABLE, 400, "invalid_request_error", "option_not_combinable")                   \
	X(NO_DEFAULT_MODEL, 400, "invalid_request_error", "model_required")                        \
	X(CONTEXT_LENGTH, 400, "invalid_request_error", "context_length_exceeded")                 \
	X(OFFSET_INSIDE, 400, "invalid_request_error", "offset_inside_character")                  \
	X(SMUGGLING, 400, "invalid_request_error", "length_and_encoding")                          \
	X(INVALID_API_KEY, 401, "invalid_request_error", "invalid_api_key")                        \
	X(NOT_FOUND, 404, "invalid_request_error", "not_found")                                    \
	X(MODEL_NOT_FOUND, 404, "invalid_request_error", "model_not_found")                        \
	X(JOB_NOT_FOUND, 404, "invalid_request_error", "job_not_found")                            \
	X(RESPONSE_NOT_FOUND, 404, "invalid_request_error", "response_not_found")                  \
	X(PREVIOUS_NOT_FOUND, 404, "invalid_request_error", "previous_response_not_found")         \
	X(METHOD_NOT_ALLOWED, 405, "invalid_request_error", "method_not_allowed")                  \
	X(JOB_ERASED, 410, "invalid_request_error", "job_erased")                                  \
	X(TOO_LARGE, 413, "invalid_request_error", "request_too_large")                            \
	X(OFFSET_BEYOND, 416, "invalid_request_error", "offset_beyond_end")                        \
	X(KEY_REUSED, 422, "invalid_request_error", "idempotency_key_reused")                      \
	X(TOO_MANY_CONNECTIONS, 429, "requests", "too_many_connections")                           \
	X(TOO_MANY_JOBS, 429, "requests", "too_many_jobs")                                         \
	X(WORDS_PER_DAY, 429, "requests", "words_per_day_reached")                                 \
	X(BACKEND_LIMIT, 429, "requests", "backend_limit")                                         \
	X(INTERNAL, 500, "server_error", "internal_error")                                         \
	X(BACKEND_UNAVAILABLE, 502, "server_error", "backend_unavailable")                         \
	X(BACKEND_FAILED, 502, "server_error", "backend_failed")                                   \
	X(BACKEND_REJECTED, 502, "server_error", "backend_rejected")                               \
	X(NO_TEXT, 502, "server_error", "no_text")                                                 \
	X(BACKEND_BUSY, 503, "server_error", "backend_busy")                                       \
	X(STORE_DOWN, 503, "server_error", "store_unavailable")                                    \
	X(SHUTTING_DOWN, 503, "server_error", "shutting_down")                                     \
	X(BACKEND_TIMEOUT, 504, "server_error", "backend_timeout")                                 \
	X(JOB_TAKEN_OVER, 500, "server_error", "job_taken_over")

enum api_error {
#define X(name, status, type, code) API_ERROR_##name,
	API_ERRORS(X)
#undef X
		API_ERROR_COUNT
};

enum { API_MESSAGE_BYTES = 1024, API_PARAM_BYTES = 128 };

/* An error on its way to the client; made where it is found, sent at the edge. */
struct api_fault {
	enum api_error error;
	int status;		     /* 0: the table's */
	char param[API_PARAM_BYTES]; /* "": null */
	char message[API_MESSAGE_BYTES];
	uint64_t retry_after_ms; /* 0: no Retry-After */
	bool is_retry_vain; /* SDKs are told not to try again by themselves; people may, then */
	const char *allow;  /* "GET, HEAD": the Allow header; NULL: none */
	const char *job;    /* X-Longhand-Job; NULL: none; borrowed until it is sent */
};

int api_error_status(enum api_error error);
const char *api_error_code(enum api_error error);
const char *api_error_type(enum api_error error);
/* By its code; API_ERROR_INTERNAL for one that is not in the table. */
enum api_error api_error_from_code(const char *code);

/* param NULL: none. */
void api_fault_set(struct api_fault *fault, enum api_error error, const char *param,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A value of the request that cannot be: "<param> <message>", "must be a number." Returns false,
 * for readers that end with it. */
bool api_fault_value(struct api_fault *fault, const char *param, const char *message);
/* Memory ran out, here and now. Returns false likewise. */
bool api_fault_set_memory(struct api_fault *fault);
/* Appends {"error":{...}}. A status of 4xx in place of the table's 5xx is the request's fault, and
 * has its type. */
MUST_CHECK enum err api_fault_render(const struct api_fault *fault, struct buf *out);
/* Answers the request by it; logs once, with the request's id. */
void api_fault_send(struct request *request, const struct api_fault *fault);
/* The same for a path that has other methods: `allow` lists them ("GET, HEAD"). */
void api_refuse_method(struct request *request, const char *allow);
/* The same for want of memory. */
void api_refuse_memory(struct request *request);
#endif
