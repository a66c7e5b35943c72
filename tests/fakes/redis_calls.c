#include "fakes/redis_calls.h"
#include "check.h"
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 16 };

const struct redis_conn_options patient_redis = {
	.connect_ms = 60000,
	.silence_ms = 60000,
	.ping_ms = 60000,
	.backoff_ms = 1,
	.backoff_cap_ms = 20,
	.queue_bytes_max = 1 << 20,
	.reply_bytes_max = 1 << 20,
};

void redis_world_open(struct redis_world *world)
{
	*world = (struct redis_world){ .conn = NULL };
	assert_int_equal(reactor_uv_new(&world->loop), OK);
	world->reactor = reactor_uv_base(world->loop);
}

static void on_change(struct redis_conn *conn, void *context)
{
	struct redis_world *world = context;

	(void)conn;
	world->changes++;
}

void redis_world_connect(struct redis_world *world, const char *url,
			 const struct redis_conn_options *options)
{
	struct redis_conn_options own = *options;
	struct redis_url parsed;
	const char *fault;

	own.on_change = on_change;
	own.context = world;
	assert_int_equal(redis_url_parse(url, &parsed, &fault), OK);
	assert_int_equal(redis_conn_new(world->loop, &parsed, &own, &world->conn), OK);
}

void redis_world_close(struct redis_world *world)
{
	redis_conn_free(world->conn);
	reactor_uv_free(world->loop);
}

static void stop_waiting(struct timer *timer)
{
	(void)timer;
}

void redis_world_turn_for(struct redis_world *world, uint64_t ms)
{
	struct timer end = { .fire = NULL };

	world->reactor->timer_start(world->reactor, &end, ms, stop_waiting);
	while (end.fire != NULL)
		reactor_uv_turn(world->loop);
}

void redis_world_wait_up(struct redis_world *world)
{
	while (!redis_conn_is_up(world->conn))
		reactor_uv_turn(world->loop);
}

void redis_world_wait_down(struct redis_world *world)
{
	while (redis_conn_is_up(world->conn))
		reactor_uv_turn(world->loop);
}

void redis_world_wait_failures(struct redis_world *world, unsigned failures)
{
	while (redis_conn_failures(world->conn) < failures)
		reactor_uv_turn(world->loop);
}

static void on_done(struct op *op)
{
	struct redis_ask *ask = container_of(op, struct redis_ask, call.op);

	assert_false(ask->is_inside);
	assert_null(ask->call.record);
	ask->dones++;
	ask->result = op->result;
	ask->is_sent = ask->call.is_sent;
	ask->n_replies = ask->call.n_replies;
	for (unsigned i = 0; i < ask->n_replies && i < TEST_REPLIES_MAX; i++) {
		const struct redis_reply *reply = ask->call.replies[i];

		ask->kinds[i] = reply->kind;
		if (reply->kind == REDIS_KIND_INTEGER)
			(void)snprintf(ask->texts[i], TEST_REPLY_BYTES, "%lld",
				       (long long)reply->integer);
		else if (reply->text.data != NULL)
			(void)snprintf(ask->texts[i], TEST_REPLY_BYTES, "%s", reply->text.data);
	}
}

void redis_ask_init(struct redis_ask *ask, struct redis_world *world, uint64_t deadline_ms)
{
	*ask = (struct redis_ask){ .dones = 0 };
	redis_call_prepare(&ask->call, world->reactor, deadline_ms, on_done);
}

void redis_ask_add(struct redis_ask *ask, const char *words)
{
	struct slice args[WORDS_MAX];
	size_t n = 0;

	while (*words != '\0' && n < WORDS_MAX) {
		size_t len = strcspn(words, " ");

		args[n++] = (struct slice){ words, len };
		words += len + (words[len] == ' ');
	}
	redis_call_add(&ask->call, args, n);
}

void redis_ask_start(struct redis_ask *ask, struct redis_world *world)
{
	ask->is_inside = true;
	redis_conn_start(world->conn, &ask->call);
	ask->is_inside = false;
}

void redis_ask_wait(struct redis_ask *ask, struct redis_world *world)
{
	while (ask->dones == 0)
		reactor_uv_turn(world->loop);
	assert_int_equal(ask->dones, 1);
}

void redis_ask_run(struct redis_ask *ask, struct redis_world *world, const char *words)
{
	redis_ask_init(ask, world, 0);
	redis_ask_add(ask, words);
	redis_ask_start(ask, world);
	redis_ask_wait(ask, world);
}
