/* dispatch - which backend takes a call, and when.
 *
 * The one that the call names comes first; if the call says by which id it was asked for, every
 * other backend that has that id (alias, configured or listed model) may stand in, in the order of
 * the configuration. Passed over are those whose breaker is open and those that this call has
 * tried. Of the rest the first whose limits have room takes it, else it waits where that is
 * soonest. Backends that have never said which models they have are asked, but only when nobody
 * else is left.
 *
 *   dispatch_start() --> on_go: the call goes to `backend`, as `model`; then dispatch_next() if
 *                        another may try, and dispatch_leave() in any case
 *                   \--> on_refused: ERR_BUSY  breakers are open (retry_after_ms)
 *                                    ERR_LIMIT wait_max_ms was not enough (retry_after_ms)
 *                                    ERR_NOT_FOUND nobody is left to try
 *                                    or why it was cancelled; nothing is held any more
 *
 * Both may run inside dispatch_start(), _next() and _cancel(), and may call this header's
 * functions. Embedded in the call; on_go or on_refused comes once for each start or next. */
#ifndef LONGHAND_MODEL_DISPATCH_H
#define LONGHAND_MODEL_DISPATCH_H
#include "model/backend.h"
#include "model/model.h"

struct dispatch {
	/* Set by the user. */
	struct reactor *reactor;
	struct backend *backends;
	size_t n_backends;
	const struct model_target *wanted;
	const char *authorization, *avoid; /* as generate_call's */
	enum limiter_queue queue;
	long tokens;		 /* estimated */
	bool is_unlimited;	 /* no work for a model: limits do not count it */
	bool is_patient;	 /* waits for open breakers too */
	bool is_prefilled;	 /* needs a backend that continues an assistant's message */
	uint64_t wait_max_ms;	 /* 0: none */
	struct model_wait *wait; /* kept true; NULL ok */
	void (*on_go)(struct dispatch *dispatch);
	void (*on_refused)(struct dispatch *dispatch, enum err err);

	/* For on_go and on_refused. */
	struct backend *backend;
	const char *model;
	uint64_t retry_after_ms;

	/* dispatch's own. */
	uint64_t tried, asked; /* a bit for each backend */
	struct limiter_ticket ticket;
	struct timer timer;
	struct describe_call describe;
	bool is_waiting; /* neither on_go nor on_refused has come */
	bool is_counted; /* among those who wait */
	bool is_open;	 /* at the backend */
};

void dispatch_start(struct dispatch *dispatch);
/* After on_go: the backend could not; somebody else? The ticket must have been left. */
void dispatch_next(struct dispatch *dispatch);
/* Whether dispatch_next() would find somebody who can take the call at once. */
bool dispatch_has_other(const struct dispatch *dispatch);
/* The call is over; tokens as limiter_leave()'s. */
void dispatch_leave(struct dispatch *dispatch, long tokens);
/* False: it is not waiting, on_go has come. True: on_refused comes, perhaps on a later turn. */
bool dispatch_cancel(struct dispatch *dispatch, enum err why);
#endif
