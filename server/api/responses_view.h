/* responses_view - answers a request by the log of a job, as a response: its events, live, or the
 * object once it has ended.
 *
 * It owns itself until its request is closed. A response that is not stored is erased when its
 * answer ends or its reader leaves. */
#ifndef LONGHAND_API_RESPONSES_VIEW_H
#define LONGHAND_API_RESPONSES_VIEW_H
#include "api/api.h"

enum responses_answer {
	RESPONSES_STREAM,  /* events */
	RESPONSES_WHOLE,   /* the object at the end; what failed is an HTTP error */
	RESPONSES_ENDED,   /* the object at the end, however that is */
	RESPONSES_CREATED, /* the object as soon as it exists: for background */
};

struct responses_wishes {
	enum responses_answer answer;
	long long after; /* events up to this number are left out; -1: none */
	bool is_resumed; /* the job is known: the status need not wait for a success */
	bool is_erased_after;
};

/* `job` as in chat_view.h. */
void responses_view_start(struct api *api, struct request *request, struct job *job, const char *id,
			  const struct responses_wishes *wishes);
#endif
