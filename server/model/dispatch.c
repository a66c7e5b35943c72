#include "model/dispatch.h"
#include "base/metrics.h"
#include "model/describe.h"
#include <string.h>

enum { PROBE_POLL_MS = 250, RETRY_AFTER_MS_MIN = 1000 };

static const char waits_for_limit[] = "backend_limit";
static const char waits_for_breaker[] = "backend_breaker";

struct choice { /* the best so far of those that may take it */
	struct backend *backend;
	const char *model;
	uint64_t wait_ms;
	size_t waiting;
};

static void step(struct dispatch *dispatch);

/* ---- what is shown ---- */

/* The limiter counts those who wait for it. */
static void count_breaker_wait(struct dispatch *dispatch, bool is_one)
{
	if (is_one && !dispatch->is_counted)
		metric_inc(METRIC_CALLS_WAITING_JOB);
	else if (!is_one && dispatch->is_counted)
		metric_dec(METRIC_CALLS_WAITING_JOB);
	dispatch->is_counted = is_one;
}

static void set_wait(struct dispatch *dispatch, const char *what)
{
	struct model_wait *wait = dispatch->wait;

	count_breaker_wait(dispatch, what == waits_for_breaker);
	dispatch->is_waiting = what != NULL;
	if (wait == NULL)
		return;
	if (what != NULL && wait->what == NULL)
		wait->since_ms = dispatch->reactor->now_ms(dispatch->reactor);
	wait->what = what;
}

static void go(struct dispatch *dispatch)
{
	set_wait(dispatch, NULL);
	dispatch->is_open = true;
	metric_inc(METRIC_UPSTREAM_OPEN);
	dispatch->on_go(dispatch);
}

static void refuse(struct dispatch *dispatch, enum err err, uint64_t retry_after_ms)
{
	set_wait(dispatch, NULL);
	dispatch->retry_after_ms = retry_after_ms > 0 && retry_after_ms < RETRY_AFTER_MS_MIN
					   ? RETRY_AFTER_MS_MIN
					   : retry_after_ms;
	dispatch->on_refused(dispatch, err);
}

/* ---- who has the model ---- */

static size_t primary_of(const struct dispatch *dispatch)
{
	const char *name = dispatch->wanted->backend;

	for (size_t i = 0; name != NULL && i < dispatch->n_backends; i++)
		if (strcmp(dispatch->backends[i].options->name, name) == 0)
			return i;
	return 0;
}

/* Its name there; NULL: it may not stand in. */
static const char *stand_in_model(const struct dispatch *dispatch, const struct backend *backend)
{
	if (dispatch->wanted->id == NULL ||
	    (dispatch->is_prefilled && !backend->options->dialect->can_continue))
		return NULL;
	return backend_model(backend, dispatch->wanted->id);
}

static uint64_t bit_of(const struct dispatch *dispatch, const struct backend *backend)
{
	return UINT64_C(1) << (backend - dispatch->backends);
}

/* Until its breaker lets a call through; 0: now. */
static uint64_t closed_for_ms(const struct dispatch *dispatch, const struct backend *backend)
{
	const struct breaker *breaker = &backend->breaker;
	uint64_t wait_ms = breaker_wait_ms(breaker, dispatch->reactor->now_ms(dispatch->reactor));

	if (wait_ms == 0 && breaker->is_open && breaker->is_probing)
		return PROBE_POLL_MS;
	return wait_ms;
}

static uint64_t limit_wait_ms(const struct dispatch *dispatch, struct backend *backend)
{
	if (dispatch->is_unlimited)
		return 0;
	return limiter_wait_ms(&backend->limiter, dispatch->queue, dispatch->tokens);
}

static void consider(const struct dispatch *dispatch, struct backend *backend, const char *model,
		     struct choice *best)
{
	uint64_t wait_ms = limit_wait_ms(dispatch, backend);
	size_t waiting = limiter_waiting(&backend->limiter);
	bool is_better = best->backend == NULL || wait_ms < best->wait_ms ||
			 (wait_ms == best->wait_ms && wait_ms > 0 && waiting < best->waiting);

	if (is_better)
		*best = (struct choice){ backend, model, wait_ms, waiting };
}

static bool is_avoided(const struct dispatch *dispatch, const struct backend *backend)
{
	return dispatch->avoid != NULL && strcmp(dispatch->avoid, backend->options->name) == 0;
}

/* Those that are to be avoided, or those that are not: the wanted one, then in order. */
static void look_among(const struct dispatch *dispatch, bool are_avoided, struct choice *best,
		       uint64_t *closed_ms)
{
	size_t primary = primary_of(dispatch);

	for (size_t n = 0; n < dispatch->n_backends; n++) {
		size_t i = n == 0 ? primary : n <= primary ? n - 1 : n;
		struct backend *backend = &dispatch->backends[i];
		const char *model = n == 0 ? dispatch->wanted->model
					   : stand_in_model(dispatch, backend);
		uint64_t wait_ms = closed_for_ms(dispatch, backend);

		if ((n > 0 && model == NULL) || is_avoided(dispatch, backend) != are_avoided ||
		    (dispatch->tried & bit_of(dispatch, backend)) != 0)
			continue;
		if (wait_ms == 0)
			consider(dispatch, backend, model, best);
		else if (*closed_ms == 0 || wait_ms < *closed_ms)
			*closed_ms = wait_ms;
	}
}

/* ret_closed_ms: until the first breaker opens up; 0: none is in the way. */
static struct choice choose(const struct dispatch *dispatch, uint64_t *ret_closed_ms)
{
	struct choice best = { .backend = NULL };

	*ret_closed_ms = 0;
	look_among(dispatch, false, &best, ret_closed_ms);
	look_among(dispatch, true, &best, ret_closed_ms);
	return best;
}

/* ---- asking who has it ---- */

static void on_described(struct op *op)
{
	struct describe_call *describe = container_of(op, struct describe_call, op);
	struct dispatch *dispatch = container_of(describe, struct dispatch, describe);

	if (op->canceled != OK)
		refuse(dispatch, op->canceled, 0);
	else
		step(dispatch);
}

/* The next one that has never said what it has. False: all have, or were asked. */
static bool ask_next(struct dispatch *dispatch)
{
	for (size_t i = 0; dispatch->wanted->id != NULL && i < dispatch->n_backends; i++) {
		struct backend *backend = &dispatch->backends[i];
		uint64_t bit = bit_of(dispatch, backend);

		if (backend->models != NULL || ((dispatch->asked | dispatch->tried) & bit) != 0 ||
		    i == primary_of(dispatch) || closed_for_ms(dispatch, backend) > 0 ||
		    backend_model(backend, dispatch->wanted->id) != NULL)
			continue;
		dispatch->asked |= bit;
		dispatch->is_waiting = true;
		dispatch->describe =
			(struct describe_call){ .authorization = dispatch->authorization };
		op_prepare(&dispatch->describe.op, dispatch->reactor, 0, on_described);
		describe_start(backend, 1, &dispatch->describe);
		return true;
	}
	return false;
}

/* ---- waiting ---- */

static void stop_waiting(struct dispatch *dispatch)
{
	dispatch->reactor->timer_stop(dispatch->reactor, &dispatch->timer);
	limiter_leave(&dispatch->ticket, 0);
}

static void on_reopened(struct timer *timer)
{
	step(container_of(timer, struct dispatch, timer));
}

static void on_bound(struct timer *timer)
{
	struct dispatch *dispatch = container_of(timer, struct dispatch, timer);
	uint64_t wait_ms = limit_wait_ms(dispatch, dispatch->backend);

	stop_waiting(dispatch);
	refuse(dispatch, ERR_LIMIT,
	       wait_ms == LIMITER_WAIT_UNKNOWN ? dispatch->wait_max_ms : wait_ms);
}

static void on_admitted(struct limiter_ticket *ticket)
{
	struct dispatch *dispatch = container_of(ticket, struct dispatch, ticket);

	dispatch->reactor->timer_stop(dispatch->reactor, &dispatch->timer);
	if (closed_for_ms(dispatch, dispatch->backend) == 0) {
		go(dispatch);
		return;
	}
	limiter_leave(ticket, 0);
	step(dispatch);
}

static void take(struct dispatch *dispatch, const struct choice *choice)
{
	bool is_known = choice->wait_ms != LIMITER_WAIT_UNKNOWN;
	uint64_t wait_max_ms = dispatch->wait_max_ms;

	dispatch->backend = choice->backend;
	dispatch->model = choice->model;
	if (dispatch->is_unlimited) {
		go(dispatch);
		return;
	}
	if (wait_max_ms > 0 && is_known && choice->wait_ms > wait_max_ms) {
		refuse(dispatch, ERR_LIMIT, choice->wait_ms);
		return;
	}
	dispatch->ticket.queue = dispatch->queue;
	dispatch->ticket.tokens = dispatch->tokens;
	dispatch->ticket.on_admitted = on_admitted;
	if (limiter_ask(&choice->backend->limiter, &dispatch->ticket)) {
		go(dispatch);
		return;
	}
	set_wait(dispatch, waits_for_limit);
	if (wait_max_ms > 0)
		dispatch->reactor->timer_start(dispatch->reactor, &dispatch->timer, wait_max_ms,
					       on_bound);
}

static void step(struct dispatch *dispatch)
{
	uint64_t closed_ms;
	struct choice best = choose(dispatch, &closed_ms);

	if (best.backend != NULL && !is_avoided(dispatch, best.backend)) {
		take(dispatch, &best);
	} else if (ask_next(dispatch)) {
		return;
	} else if (best.backend != NULL) {
		take(dispatch, &best);
	} else if (closed_ms == 0) {
		refuse(dispatch, ERR_NOT_FOUND, 0);
	} else if (dispatch->is_patient && dispatch->tried == 0) {
		set_wait(dispatch, waits_for_breaker);
		dispatch->asked = 0;
		dispatch->reactor->timer_start(dispatch->reactor, &dispatch->timer, closed_ms,
					       on_reopened);
	} else {
		refuse(dispatch, ERR_BUSY, closed_ms);
	}
}

/* ---- calls ---- */

void dispatch_start(struct dispatch *dispatch)
{
	step(dispatch);
}

void dispatch_next(struct dispatch *dispatch)
{
	dispatch->tried |= bit_of(dispatch, dispatch->backend);
	step(dispatch);
}

bool dispatch_has_other(const struct dispatch *dispatch)
{
	struct dispatch next = *dispatch;
	uint64_t closed_ms;
	struct choice best;

	next.tried |= bit_of(dispatch, dispatch->backend);
	best = choose(&next, &closed_ms);
	return best.backend != NULL && best.wait_ms == 0;
}

void dispatch_leave(struct dispatch *dispatch, long tokens)
{
	if (dispatch->is_open)
		metric_dec(METRIC_UPSTREAM_OPEN);
	dispatch->is_open = false;
	limiter_leave(&dispatch->ticket, tokens);
}

bool dispatch_cancel(struct dispatch *dispatch, enum err why)
{
	if (!dispatch->is_waiting)
		return false;
	if (op_is_live(&dispatch->describe.op)) {
		op_cancel(&dispatch->describe.op, why);
		return true;
	}
	stop_waiting(dispatch);
	refuse(dispatch, why, 0);
	return true;
}
