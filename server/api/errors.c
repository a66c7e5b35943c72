#include "api/errors.h"
#include "base/logging.h"
#include "base/metrics.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_AFTER_S_MAX = 59 }; /* SDKs ignore what is longer, and try at once */

static const struct {
	int status;
	const char *type;
	const char *code;
} errors[] = {
#define X(name, status, type, code) [API_ERROR_##name] = { status, type, code },
	API_ERRORS(X)
#undef X
};

int api_error_status(enum api_error error)
{
	return errors[error].status;
}

const char *api_error_code(enum api_error error)
{
	return errors[error].code;
}

const char *api_error_type(enum api_error error)
{
	return errors[error].type;
}

enum api_error api_error_from_code(const char *code)
{
	for (size_t i = 0; code != NULL && i < API_ERROR_COUNT; i++)
		if (strcmp(errors[i].code, code) == 0)
			return (enum api_error)i;
	return API_ERROR_INTERNAL;
}

void api_fault_set(struct api_fault *fault, enum api_error error, const char *param,
		   const char *format, ...)
{
	va_list args;

	*fault = (struct api_fault){ .error = error };
	(void)snprintf(fault->param, sizeof(fault->param), "%s", param != NULL ? param : "");
	va_start(args, format);
	(void)vsnprintf(fault->message, sizeof(fault->message), format, args);
	va_end(args);
}

bool api_fault_value(struct api_fault *fault, const char *param, const char *message)
{
	api_fault_set(fault, API_ERROR_INVALID_VALUE, param, "%s %s", param, message);
	return false;
}

bool api_fault_set_memory(struct api_fault *fault)
{
	api_fault_set(fault, API_ERROR_INTERNAL, NULL, "The server is out of memory.");
	return false;
}

static int fault_status(const struct api_fault *fault)
{
	return fault->status > 0 ? fault->status : errors[fault->error].status;
}

static const char *fault_type(const struct api_fault *fault)
{
	bool is_clients = fault_status(fault) < 500 && errors[fault->error].status >= 500;

	return errors[is_clients ? API_ERROR_INVALID_VALUE : fault->error].type;
}

enum err api_fault_render(const struct api_fault *fault, struct buf *out)
{
	enum err err = buf_append_str(out, "{\"error\":{\"message\":");

	if (err == OK)
		err = buf_append_json(out, fault->message, strlen(fault->message));
	if (err == OK)
		err = buf_printf(out, ",\"type\":\"%s\",\"param\":", fault_type(fault));
	if (err == OK && fault->param[0] != '\0')
		err = buf_append_json(out, fault->param, strlen(fault->param));
	else if (err == OK)
		err = buf_append_str(out, "null");
	if (err == OK)
		err = buf_printf(out, ",\"code\":\"%s\"}}", errors[fault->error].code);
	return err;
}

void api_fault_send(struct request *request, const struct api_fault *fault)
{
	uint64_t wait_s = (fault->retry_after_ms + 999) / 1000;
	char retry_after[32];
	char allow[64];
	char job[64];
	const char *headers[] = {
		"Content-Type: application/json", NULL, NULL, NULL, NULL, NULL, NULL
	};
	size_t n_headers = 1;
	struct buf body;

	log_info("request_refused", "request=%s status=%d code=%s param=%s", request->id,
		 fault_status(fault), errors[fault->error].code, fault->param);
	if (wait_s > RETRY_AFTER_S_MAX && !fault->is_retry_vain)
		wait_s = RETRY_AFTER_S_MAX;
	if (wait_s > 0) {
		(void)snprintf(retry_after, sizeof(retry_after), "Retry-After: %" PRIu64, wait_s);
		headers[n_headers++] = retry_after;
	}
	if (fault->is_retry_vain)
		headers[n_headers++] = "x-should-retry: false";
	if (fault->allow != NULL) {
		(void)snprintf(allow, sizeof(allow), "Allow: %s", fault->allow);
		headers[n_headers++] = allow;
	}
	if (fault->error == API_ERROR_INVALID_API_KEY)
		headers[n_headers++] = "WWW-Authenticate: Bearer";
	if (fault->job != NULL) {
		(void)snprintf(job, sizeof(job), "X-Longhand-Job: %s", fault->job);
		headers[n_headers++] = job;
	}
	buf_init(&body, 16 << 10);
	if (api_fault_render(fault, &body) != OK)
		buf_clear(&body);
	metric_inc(fault_status(fault) < 500 ? METRIC_RESPONSES_4XX : METRIC_RESPONSES_5XX);
	reply_send(request, fault_status(fault), headers, &body);
}

void api_refuse_method(struct request *request, const char *allow)
{
	struct api_fault fault;

	api_fault_set(&fault, API_ERROR_METHOD_NOT_ALLOWED, NULL,
		      "%s is not a method of %.200s: use %s.", request->method, request->path,
		      allow);
	fault.allow = allow;
	api_fault_send(request, &fault);
}

void api_refuse_memory(struct request *request)
{
	struct api_fault fault;

	api_fault_set_memory(&fault);
	api_fault_send(request, &fault);
}
