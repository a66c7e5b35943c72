/* chat_body - a job's events as one chat.completion object: gathered as they come, rendered at the
 * end. Pure, like chat_render, whose view of the job (id, model, plan_only) it borrows. */
#ifndef LONGHAND_API_CHAT_BODY_H
#define LONGHAND_API_CHAT_BODY_H
#include "api/chat_render.h"

struct chat_body {
	struct buf content;
	struct buf thoughts; /* the plan, where it is shown */
};

void chat_body_init(struct chat_body *body);
void chat_body_release(struct chat_body *body);
/* Of every event, after `render` has seen it. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err chat_body_take(struct chat_body *body, const struct chat_render *render,
				   const struct event *event);
/* Appends the object; `done` is the event that ended the job. */
MUST_CHECK enum err chat_body_render(const struct chat_body *body,
				     const struct chat_render *render, const struct event *done,
				     struct buf *out);
#endif
