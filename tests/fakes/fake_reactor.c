#include "fakes/fake_reactor.h"
#include "base/must.h"

enum { TURNS_MAX = 10000000 };

static struct fake_reactor *from_base(struct reactor *base)
{
	return container_of(base, struct fake_reactor, base);
}

static uint64_t get_now_ms(struct reactor *base)
{
	return from_base(base)->now_ms;
}

static uint64_t get_wall_ms(struct reactor *base)
{
	return from_base(base)->wall_ms;
}

static uint64_t get_random(struct reactor *base)
{
	struct fake_reactor *fake = from_base(base);
	uint64_t random = fake->random;

	fake->random += fake->random_step;
	return random;
}

static void defer(struct reactor *base, struct deferred *deferred, deferred_fn run)
{
	defer_queue_add(&from_base(base)->deferreds, deferred, run);
}

static void undefer(struct reactor *base, struct deferred *deferred)
{
	(void)base;
	defer_queue_remove(deferred);
}

static void start_timer(struct reactor *base, struct timer *timer, uint64_t after_ms,
			timer_fn fire)
{
	struct fake_reactor *fake = from_base(base);
	uint64_t left_ms = UINT64_MAX - fake->now_ms;

	timer_heap_add(&fake->timers, timer,
		       after_ms < left_ms ? fake->now_ms + after_ms : UINT64_MAX, fire);
}

static void stop_timer(struct reactor *base, struct timer *timer)
{
	timer_heap_remove(&from_base(base)->timers, timer);
}

void fake_reactor_init(struct fake_reactor *fake)
{
	*fake = (struct fake_reactor){
		.base = { .now_ms = get_now_ms,
			  .wall_ms = get_wall_ms,
			  .random = get_random,
			  .defer = defer,
			  .undefer = undefer,
			  .timer_start = start_timer,
			  .timer_stop = stop_timer },
		.now_ms = 1000,
		.wall_ms = UINT64_C(1700000000000),
	};
	defer_queue_init(&fake->deferreds);
}

/* Whether anything ran at the present time. */
static bool turn_now(struct fake_reactor *fake)
{
	size_t fired = timer_heap_run(&fake->timers, fake->now_ms);

	return defer_queue_run(&fake->deferreds) + fired > 0;
}

static void move_clock(struct fake_reactor *fake, uint64_t to_ms)
{
	if (to_ms <= fake->now_ms)
		return;
	fake->wall_ms += to_ms - fake->now_ms;
	fake->now_ms = to_ms;
}

bool fake_reactor_turn(struct fake_reactor *fake)
{
	struct timer *first;

	if (turn_now(fake))
		return true;
	first = timer_heap_first(&fake->timers);
	if (first == NULL)
		return false;
	move_clock(fake, first->due_ms);
	return turn_now(fake);
}

void fake_reactor_settle(struct fake_reactor *fake)
{
	size_t turns = 0;

	while (turn_now(fake))
		MUST(++turns < TURNS_MAX);
}

void fake_reactor_run_until_idle(struct fake_reactor *fake)
{
	size_t turns = 0;

	while (fake_reactor_turn(fake))
		MUST(++turns < TURNS_MAX);
}

void fake_reactor_advance(struct fake_reactor *fake, uint64_t ms)
{
	uint64_t end_ms = fake->now_ms + ms;
	struct timer *first;

	fake_reactor_settle(fake);
	while ((first = timer_heap_first(&fake->timers)) != NULL && first->due_ms <= end_ms) {
		move_clock(fake, first->due_ms);
		fake_reactor_settle(fake);
	}
	move_clock(fake, end_ms);
}

bool fake_reactor_is_idle(const struct fake_reactor *fake)
{
	return fake->timers.count == 0 && defer_queue_is_empty(&fake->deferreds);
}
