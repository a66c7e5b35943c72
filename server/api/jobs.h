/* jobs - /v1/longhand/jobs/ID (state, plan, words, report), .../text (the prose so far, plain),
 * POST .../cancel (stop, keep the text). Jobs that this process no longer holds are read back from
 * the store. */
#ifndef LONGHAND_API_JOBS_H
#define LONGHAND_API_JOBS_H
#include "api/api.h"

/* `rest`: what follows /v1/longhand/jobs/. */
void jobs_get(struct api *api, struct request *request, const char *rest);
void jobs_post(struct api *api, struct request *request, const char *rest);
#endif
