#include "loop/reactor_uv.h"
#include <poll.h>
#include <sys/random.h>
#include <time.h>
#include <uv.h>
#include "async/defer_queue.h"
#include "async/timer_heap.h"
#include "base/mem.h"
#include "base/must.h"

/* One turn of the loop:
 *
 *   prepare   how long may we sleep: not at all with deferreds waiting, else until the next timer
 *   poll      sockets
 *   check     due timers, then what was deferred before this point
 *
 * Both run from snapshots: what they start or defer waits for the next turn, after the sockets. */
struct reactor_uv {
	struct reactor base;
	uv_loop_t loop;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;	  /* active: do not sleep */
	uv_timer_t alarm; /* only ends the sleep; the heap is what fires */
	struct timer_heap timers;
	struct defer_queue deferreds;
	uint64_t random_state;
	bool is_stopping;
};

static struct reactor_uv *from_base(struct reactor *base)
{
	return container_of(base, struct reactor_uv, base);
}

static uint64_t get_now_ms(struct reactor *base)
{
	return uv_now(&from_base(base)->loop);
}

static uint64_t get_wall_ms(struct reactor *base)
{
	struct timespec now;

	(void)base;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* splitmix64 (Steele, Lea, Flood 2014): for jitter, not for secrets. */
static uint64_t get_random(struct reactor *base)
{
	uint64_t bits = from_base(base)->random_state += UINT64_C(0x9e3779b97f4a7c15);

	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
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
	uint64_t now_ms = get_now_ms(base);
	uint64_t due_ms = after_ms < UINT64_MAX - now_ms ? now_ms + after_ms : UINT64_MAX;

	timer_heap_add(&from_base(base)->timers, timer, due_ms, fire);
}

static void stop_timer(struct reactor *base, struct timer *timer)
{
	timer_heap_remove(&from_base(base)->timers, timer);
}

static void on_alarm(uv_timer_t *alarm)
{
	(void)alarm;
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle;
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct reactor_uv *reactor = container_of(prepare, struct reactor_uv, prepare);
	struct timer *first = timer_heap_first(&reactor->timers);
	uint64_t now_ms = uv_now(&reactor->loop);

	if (!defer_queue_is_empty(&reactor->deferreds))
		uv_idle_start(&reactor->idle, on_idle);
	else
		uv_idle_stop(&reactor->idle);
	if (first == NULL)
		uv_timer_stop(&reactor->alarm);
	else
		uv_timer_start(&reactor->alarm, on_alarm,
			       first->due_ms > now_ms ? first->due_ms - now_ms : 0, 0);
}

static void on_check(uv_check_t *check)
{
	struct reactor_uv *reactor = container_of(check, struct reactor_uv, check);

	(void)timer_heap_run(&reactor->timers, uv_now(&reactor->loop));
	(void)defer_queue_run(&reactor->deferreds);
}

enum err reactor_uv_new(struct reactor_uv **ret_reactor)
{
	struct reactor_uv *reactor = mem_alloc(sizeof(*reactor));

	if (reactor == NULL)
		return ERR_NO_MEMORY;
	if (uv_loop_init(&reactor->loop) != 0) {
		mem_free(reactor);
		return ERR_IO;
	}
	reactor->base = (struct reactor){
		.now_ms = get_now_ms,
		.wall_ms = get_wall_ms,
		.random = get_random,
		.defer = defer,
		.undefer = undefer,
		.timer_start = start_timer,
		.timer_stop = stop_timer,
	};
	defer_queue_init(&reactor->deferreds);
	if (getrandom(&reactor->random_state, sizeof(reactor->random_state), 0) < 0)
		reactor->random_state = get_wall_ms(&reactor->base);
	/* None of these can fail: libuv only writes fields. */
	uv_prepare_init(&reactor->loop, &reactor->prepare);
	uv_check_init(&reactor->loop, &reactor->check);
	uv_idle_init(&reactor->loop, &reactor->idle);
	uv_timer_init(&reactor->loop, &reactor->alarm);
	uv_prepare_start(&reactor->prepare, on_prepare);
	uv_check_start(&reactor->check, on_check);
	*ret_reactor = reactor;
	return OK;
}

void reactor_uv_free(struct reactor_uv *reactor)
{
	if (reactor == NULL)
		return;
	MUST(defer_queue_is_empty(&reactor->deferreds));
	MUST(reactor->timers.count == 0);
	uv_close((uv_handle_t *)&reactor->prepare, NULL);
	uv_close((uv_handle_t *)&reactor->check, NULL);
	uv_close((uv_handle_t *)&reactor->idle, NULL);
	uv_close((uv_handle_t *)&reactor->alarm, NULL);
	/* Handles of others that were closed but not yet reported end here too, and so does the
	 * look-up of a name that nobody waits for any more, which no cancel can end; a handle that
	 * is still open is somebody's bug. */
	do
		(void)uv_run(&reactor->loop, UV_RUN_NOWAIT);
	while (reactor->loop.active_reqs.count > 0 && poll(NULL, 0, 1) == 0);
	MUST(uv_loop_close(&reactor->loop) == 0);
	mem_free(reactor);
}

struct reactor *reactor_uv_base(struct reactor_uv *reactor)
{
	return &reactor->base;
}

void reactor_uv_turn(struct reactor_uv *reactor)
{
	(void)uv_run(&reactor->loop, UV_RUN_ONCE);
}

void reactor_uv_run(struct reactor_uv *reactor)
{
	while (!reactor->is_stopping || !defer_queue_is_empty(&reactor->deferreds))
		reactor_uv_turn(reactor);
	reactor->is_stopping = false;
}

void reactor_uv_stop(struct reactor_uv *reactor)
{
	reactor->is_stopping = true;
}

void *reactor_uv_loop(struct reactor_uv *reactor)
{
	return &reactor->loop;
}
