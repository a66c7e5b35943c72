/* limiter - keeps the calls to one backend within its limits: how many at once, how many requests
 * and tokens a minute, and what the backend itself says in its answers' headers.
 *
 *   limiter_ask() --true------------------------> admitted --limiter_leave()--> over
 *        \--false--> waiting --on_admitted()----/
 *                       \--limiter_leave()--> over
 *
 * Two queues, each first come first served: what passes through goes before the calls of long
 * texts. Who waits at the head of a queue holds up those behind it, and passthrough holds up long
 * texts. A minute is any 60 seconds: within no such span more is admitted than the limit. A call's
 * tokens are estimated when it is admitted and put right when it leaves; one that alone is above
 * the limit goes when nothing else was spent.
 *
 * The ticket is embedded in the call, and its memory is the caller's until limiter_leave().
 * on_admitted() runs on a turn of its own, never inside a function of this header, and may call
 * all of them. Pure but for the reactor's time. */
#ifndef LONGHAND_MODEL_LIMITER_H
#define LONGHAND_MODEL_LIMITER_H
#include "async/reactor.h"
#include "model/rate_news.h"

enum limiter_queue { LIMITER_PASSTHROUGH, LIMITER_JOB, LIMITER_QUEUES };

/* What a backend's own headers can keep calls waiting for at most, before one tries again. */
enum { LIMITER_NEWS_MS_MAX = 60000 };
/* The spans of a second in which what was spent is kept: one more than a minute has, so that any
 * 60 seconds lie within them. */
enum { LIMITER_SLOTS = 61 };

#define LIMITER_WAIT_UNKNOWN UINT64_MAX

/* 0: no such limit. */
struct limiter_options {
	size_t in_flight_max;
	size_t jobs_in_flight_max; /* of these, the calls of long texts */
	long requests_per_minute;
	long tokens_per_minute;
};

struct limiter_window {
	long max; /* 0: none */
	long sum;
	uint64_t newest_s;
	long spent[LIMITER_SLOTS];
};

struct limiter_allowance { /* by the backend's last answer */
	bool is_known;
	long left;
	uint64_t until_ms;
};

struct limiter {
	struct reactor *reactor;
	struct limiter_options options;
	struct list queues[LIMITER_QUEUES];
	size_t waiting[LIMITER_QUEUES];
	size_t in_flight[LIMITER_QUEUES];
	size_t unanswered; /* of those in flight: the backend's news do not count them yet */
	long unanswered_tokens;
	struct limiter_window requests, tokens;
	struct limiter_allowance requests_left, tokens_left;
	uint64_t paused_until_ms;
	struct timer timer;
	struct deferred pump;
};

struct limiter_ticket {
	/* Set by the caller. */
	enum limiter_queue queue;
	long tokens; /* estimated */
	void (*on_admitted)(struct limiter_ticket *ticket);
	/* The limiter's. */
	struct limiter *limiter; /* NULL: neither waiting nor admitted */
	struct list node;
	bool is_admitted, is_answered;
	uint64_t admitted_s;
};

void limiter_init(struct limiter *limiter, struct reactor *reactor,
		  const struct limiter_options *options);
/* Illegal while anybody has a ticket. */
void limiter_release(struct limiter *limiter);
/* True: it may go now. False: it waits. The ticket must be idle. */
MUST_CHECK bool limiter_ask(struct limiter *limiter, struct limiter_ticket *ticket);
/* How long one more call would wait at least: 0 for not at all, LIMITER_WAIT_UNKNOWN where that
 * depends on calls in flight or in the queue. */
uint64_t limiter_wait_ms(struct limiter *limiter, enum limiter_queue queue, long tokens);
size_t limiter_waiting(const struct limiter *limiter);
/* The call's answer has begun, with this news of the backend. Once for a ticket; later ones do
 * nothing. */
void limiter_note(struct limiter_ticket *ticket, const struct rate_news *news);
/* The call is over, or gives up waiting. tokens: what it used; below 0: as estimated. Does nothing
 * to an idle ticket. */
void limiter_leave(struct limiter_ticket *ticket, long tokens);
#endif
