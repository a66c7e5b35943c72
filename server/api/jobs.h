/* jobs - /v1/longhand/jobs (the asker's own, newest first), .../ID (state, plan, words, report),
 * .../ID/text (the prose so far, plain), .../ID/chat?offset=BYTES and .../ID/events (streams), POST
 * .../ID/cancel (stop, keep the text), DELETE .../ID (stop and erase). Jobs that this process no
 * longer holds are read back from the store. For another owner's job the answer is the one for no
 * job at all. */
#ifndef LONGHAND_API_JOBS_H
#define LONGHAND_API_JOBS_H
#include "api/api.h"

void jobs_list(struct api *api, struct request *request, const char *rest, const char *owner);
/* One job, by any of the methods. `rest`: what follows /v1/longhand/jobs/. */
void jobs_one(struct api *api, struct request *request, const char *rest, const char *owner);
#endif
