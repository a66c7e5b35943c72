#include "api/cursor.h"
#include "base/mem.h"

struct log_cursor *api_cursor_new(struct api *api, const struct request *request,
				  const struct log_cursor_options *options, struct job *job,
				  const char *id)
{
	struct log_cursor *cursor = log_cursor_new(options, job, id);
	char *authorization;

	if (cursor == NULL)
		return NULL;
	authorization = auth_line_to_pass(&api->options->auth, request);
	if (log_cursor_authorize(cursor, authorization) != OK) {
		log_cursor_free(cursor);
		cursor = NULL;
	}
	mem_free(authorization);
	return cursor;
}

void api_cursor_fault(const char *id, enum err error, struct api_fault *fault)
{
	switch (error) {
	case ERR_NOT_FOUND:
		api_fault_set(fault, API_ERROR_JOB_ERASED, NULL, "The job %s was erased.", id);
		break;
	case ERR_CANCELED:
		api_fault_set(fault, API_ERROR_SHUTTING_DOWN, NULL,
			      "The server is shutting down, and keeps the text: read on from "
			      "/v1/longhand/jobs/%s/chat?offset=BYTES, BYTES being those of the "
			      "content that you have.",
			      id);
		break;
	case ERR_CONFLICT:
		api_fault_set(fault, API_ERROR_JOB_TAKEN_OVER, NULL,
			      "The job %s can not be read on: a part of its log is missing. Ask "
			      "for it again.",
			      id);
		break;
	default:
		api_fault_set(fault, API_ERROR_INTERNAL, NULL,
			      "The job %s can not be read on: %s. Ask for it again.", id,
			      err_text(error));
		break;
	}
}
