/* cursor - a request's log_cursor, and what the client is told when it can read no more. */
#ifndef LONGHAND_API_CURSOR_H
#define LONGHAND_API_CURSOR_H
#include "api/api.h"
#include "job/log_cursor.h"

/* log_cursor_new(), with the request's own key for the job if it has to be taken up. NULL: memory
 * is out. */
struct log_cursor *api_cursor_new(struct api *api, const struct request *request,
				  const struct log_cursor_options *options, struct job *job,
				  const char *id);
/* `error`: of log_cursor_options.fail. */
void api_cursor_fault(const char *id, enum err error, struct api_fault *fault);
#endif
