#include "model/limiter.h"
#include "base/metrics.h"
#include "base/must.h"
#include <string.h>

enum { MS_PER_S = 1000 };

static const enum metric waiting_metrics[LIMITER_QUEUES] = {
	[LIMITER_PASSTHROUGH] = METRIC_CALLS_WAITING_PASSTHROUGH,
	[LIMITER_JOB] = METRIC_CALLS_WAITING_JOB,
};

/* ---- the last minute ---- */

static void window_move(struct limiter_window *window, uint64_t now_s)
{
	uint64_t steps = now_s - window->newest_s;

	if (now_s <= window->newest_s)
		return;
	for (uint64_t i = 0; i < steps && i < LIMITER_SLOTS; i++) {
		long *slot = &window->spent[(now_s - i) % LIMITER_SLOTS];

		window->sum -= *slot;
		*slot = 0;
	}
	window->newest_s = now_s;
}

static uint64_t window_wait_ms(struct limiter_window *window, long amount, uint64_t now_ms)
{
	long sum;

	if (window->max == 0)
		return 0;
	window_move(window, now_ms / MS_PER_S);
	sum = window->sum;
	/* From the oldest span on: when the nth has gone, is there room? */
	for (uint64_t i = 0; i <= LIMITER_SLOTS; i++) {
		if (sum <= 0 || sum + amount <= window->max)
			return i == 0 ? 0 : (window->newest_s + i) * MS_PER_S - now_ms;
		sum -= window->spent[(window->newest_s + i + 1) % LIMITER_SLOTS];
	}
	return MS_PER_S;
}

static void window_spend(struct limiter_window *window, long amount, uint64_t now_s)
{
	window_move(window, now_s);
	window->spent[now_s % LIMITER_SLOTS] += amount;
	window->sum += amount;
}

/* What was spent then was `delta` more. */
static void window_correct(struct limiter_window *window, uint64_t then_s, long delta)
{
	if (then_s + LIMITER_SLOTS <= window->newest_s)
		return;
	window->spent[then_s % LIMITER_SLOTS] += delta;
	window->sum += delta;
}

/* ---- what the backend said ---- */

static uint64_t allowance_wait_ms(struct limiter_allowance *allowance, long amount, uint64_t now_ms)
{
	if (!allowance->is_known || amount <= allowance->left)
		return 0;
	if (now_ms < allowance->until_ms)
		return allowance->until_ms - now_ms;
	allowance->is_known = false;
	return 0;
}

static void allowance_take(struct limiter_allowance *allowance, const struct rate_allowance *said,
			   long unanswered, uint64_t now_ms)
{
	uint64_t reset_ms = said->reset_ms;

	if (!said->is_said)
		return;
	if (reset_ms > LIMITER_NEWS_MS_MAX)
		reset_ms = LIMITER_NEWS_MS_MAX;
	*allowance = (struct limiter_allowance){ true, said->left - unanswered, now_ms + reset_ms };
}

/* ---- who may go ---- */

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* As if nobody waited. */
static uint64_t room_wait_ms(struct limiter *limiter, enum limiter_queue queue, long tokens)
{
	const struct limiter_options *options = &limiter->options;
	uint64_t now_ms = limiter->reactor->now_ms(limiter->reactor);
	size_t jobs = limiter->in_flight[LIMITER_JOB];
	uint64_t wait_ms = 0;

	if (options->in_flight_max > 0 &&
	    jobs + limiter->in_flight[LIMITER_PASSTHROUGH] >= options->in_flight_max)
		return LIMITER_WAIT_UNKNOWN;
	if (queue == LIMITER_JOB && options->jobs_in_flight_max > 0 &&
	    jobs >= options->jobs_in_flight_max)
		return LIMITER_WAIT_UNKNOWN;
	if (limiter->paused_until_ms > now_ms)
		wait_ms = limiter->paused_until_ms - now_ms;
	wait_ms = longer(wait_ms, window_wait_ms(&limiter->requests, 1, now_ms));
	wait_ms = longer(wait_ms, window_wait_ms(&limiter->tokens, tokens, now_ms));
	wait_ms = longer(wait_ms, allowance_wait_ms(&limiter->requests_left, 1, now_ms));
	return longer(wait_ms, allowance_wait_ms(&limiter->tokens_left, tokens, now_ms));
}

static bool is_behind_others(const struct limiter *limiter, enum limiter_queue queue)
{
	return limiter->waiting[LIMITER_PASSTHROUGH] > 0 || limiter->waiting[queue] > 0;
}

uint64_t limiter_wait_ms(struct limiter *limiter, enum limiter_queue queue, long tokens)
{
	uint64_t wait_ms = room_wait_ms(limiter, queue, tokens);

	return wait_ms == 0 && is_behind_others(limiter, queue) ? LIMITER_WAIT_UNKNOWN : wait_ms;
}

size_t limiter_waiting(const struct limiter *limiter)
{
	return limiter->waiting[LIMITER_PASSTHROUGH] + limiter->waiting[LIMITER_JOB];
}

static void admit(struct limiter *limiter, struct limiter_ticket *ticket)
{
	uint64_t now_s = limiter->reactor->now_ms(limiter->reactor) / MS_PER_S;

	ticket->is_admitted = true;
	ticket->admitted_s = now_s;
	limiter->in_flight[ticket->queue]++;
	limiter->unanswered++;
	limiter->unanswered_tokens += ticket->tokens;
	limiter->requests_left.left--;
	limiter->tokens_left.left -= ticket->tokens;
	if (limiter->requests.max > 0)
		window_spend(&limiter->requests, 1, now_s);
	if (limiter->tokens.max > 0)
		window_spend(&limiter->tokens, ticket->tokens, now_s);
}

/* ---- the queues ---- */

static struct limiter_ticket *first_waiting(struct limiter *limiter, enum limiter_queue queue)
{
	struct list *head = &limiter->queues[queue];

	return list_is_empty(head) ? NULL : container_of(head->next, struct limiter_ticket, node);
}

static void stop_waiting(struct limiter_ticket *ticket)
{
	list_remove(&ticket->node);
	ticket->limiter->waiting[ticket->queue]--;
	metric_dec(waiting_metrics[ticket->queue]);
}

/* Lets in whoever may go. Returns how long the first of the queue has to wait yet. */
static uint64_t let_in(struct limiter *limiter, enum limiter_queue queue)
{
	struct limiter_ticket *ticket;
	uint64_t wait_ms = 0;

	while ((ticket = first_waiting(limiter, queue)) != NULL) {
		wait_ms = room_wait_ms(limiter, queue, ticket->tokens);
		if (wait_ms > 0)
			return wait_ms;
		stop_waiting(ticket);
		admit(limiter, ticket);
		ticket->on_admitted(ticket);
	}
	return LIMITER_WAIT_UNKNOWN;
}

static void pump_now(struct limiter *limiter);

static void on_pump(struct deferred *deferred)
{
	pump_now(container_of(deferred, struct limiter, pump));
}

static void on_timer(struct timer *timer)
{
	pump_now(container_of(timer, struct limiter, timer));
}

static void pump_now(struct limiter *limiter)
{
	uint64_t wait_ms = let_in(limiter, LIMITER_PASSTHROUGH);

	if (limiter->waiting[LIMITER_PASSTHROUGH] == 0)
		wait_ms = let_in(limiter, LIMITER_JOB);
	if (limiter_waiting(limiter) > 0 && wait_ms != LIMITER_WAIT_UNKNOWN)
		limiter->reactor->timer_start(limiter->reactor, &limiter->timer, wait_ms, on_timer);
}

static void pump_later(struct limiter *limiter)
{
	if (limiter_waiting(limiter) > 0)
		limiter->reactor->defer(limiter->reactor, &limiter->pump, on_pump);
}

/* ---- calls ---- */

void limiter_init(struct limiter *limiter, struct reactor *reactor,
		  const struct limiter_options *options)
{
	*limiter = (struct limiter){ .reactor = reactor, .options = *options };
	limiter->requests.max = options->requests_per_minute;
	limiter->tokens.max = options->tokens_per_minute;
	for (int i = 0; i < LIMITER_QUEUES; i++)
		list_init(&limiter->queues[i]);
}

void limiter_release(struct limiter *limiter)
{
	MUST(limiter_waiting(limiter) == 0);
	if (limiter->reactor == NULL)
		return;
	limiter->reactor->timer_stop(limiter->reactor, &limiter->timer);
	limiter->reactor->undefer(limiter->reactor, &limiter->pump);
}

bool limiter_ask(struct limiter *limiter, struct limiter_ticket *ticket)
{
	MUST(ticket->limiter == NULL);
	ticket->limiter = limiter;
	ticket->is_admitted = ticket->is_answered = false;
	if (limiter_wait_ms(limiter, ticket->queue, ticket->tokens) == 0) {
		admit(limiter, ticket);
		return true;
	}
	list_append(&limiter->queues[ticket->queue], &ticket->node);
	limiter->waiting[ticket->queue]++;
	metric_inc(waiting_metrics[ticket->queue]);
	pump_later(limiter);
	return false;
}

static void answer(struct limiter_ticket *ticket)
{
	if (ticket->is_answered)
		return;
	ticket->is_answered = true;
	ticket->limiter->unanswered--;
	ticket->limiter->unanswered_tokens -= ticket->tokens;
}

void limiter_note(struct limiter_ticket *ticket, const struct rate_news *news)
{
	struct limiter *limiter = ticket->limiter;
	uint64_t pause_ms = news->pause_ms;
	uint64_t now_ms;

	if (limiter == NULL || !ticket->is_admitted || ticket->is_answered)
		return;
	answer(ticket);
	now_ms = limiter->reactor->now_ms(limiter->reactor);
	allowance_take(&limiter->requests_left, &news->requests, (long)limiter->unanswered, now_ms);
	allowance_take(&limiter->tokens_left, &news->tokens, limiter->unanswered_tokens, now_ms);
	if (pause_ms > LIMITER_NEWS_MS_MAX)
		pause_ms = LIMITER_NEWS_MS_MAX;
	limiter->paused_until_ms = longer(limiter->paused_until_ms, now_ms + pause_ms);
	pump_later(limiter);
}

void limiter_leave(struct limiter_ticket *ticket, long tokens)
{
	struct limiter *limiter = ticket->limiter;

	if (limiter == NULL)
		return;
	if (!ticket->is_admitted) {
		stop_waiting(ticket);
	} else {
		answer(ticket);
		limiter->in_flight[ticket->queue]--;
		if (tokens >= 0 && limiter->tokens.max > 0)
			window_correct(&limiter->tokens, ticket->admitted_s,
				       tokens - ticket->tokens);
	}
	ticket->limiter = NULL;
	pump_later(limiter);
}
