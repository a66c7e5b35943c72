#include "fakes/store_world.h"
#include "check.h"
#include <stdio.h>
#include <string.h>

const struct store_times TEST_TIMES = { .retention_ms = 60000, .park_ms = 90000 };

static void on_news(void *context, enum store_redis_news news, const char *where,
		    const char *detail)
{
	struct store_world *world = context;

	assert_non_null(strstr(where, "127.0.0.1"));
	world->told[news]++;
	(void)snprintf(world->news[news], WORLD_DETAIL_BYTES, "%s", detail);
}

void store_world_start(struct store_world *world, const char *url)
{
	struct store_redis_options options = {
		.prefix = "longhand:",
		.lease_ms = TEST_LEASE_MS,
		.times = TEST_TIMES,
		.on_news = on_news,
		.context = world,
	};
	struct redis_url parsed;
	const char *fault;

	*world = (struct store_world){ .store = NULL };
	assert_int_equal(reactor_uv_new(&world->loop), OK);
	world->reactor = reactor_uv_base(world->loop);
	assert_int_equal(redis_url_parse(url, &parsed, &fault), OK);
	assert_int_equal(store_redis_new(world->loop, &parsed, &options, &world->store), OK);
	world->port = store_redis_port(world->store);
	buf_init(&world->read.entries, WORLD_TEXT_BYTES);
}

void store_world_open(struct store_world *world, const char *url)
{
	store_world_start(world, url);
	store_world_wait_up(world);
}

static void on_stopped(void *context)
{
	struct store_world *world = context;

	world->is_done = true;
}

static void stop_waiting(struct timer *timer)
{
	(void)timer;
}

/* Never long: another world may have to turn as well. */
static void turn(struct store_world *world)
{
	struct timer end = { .fire = NULL };

	world->reactor->timer_start(world->reactor, &end, 2, stop_waiting);
	reactor_uv_turn(world->loop);
	world->reactor->timer_stop(world->reactor, &end);
}

static void turn_all(struct store_world *world)
{
	turn(world);
	if (world->other != NULL)
		turn(world->other);
}

static void wait_done(struct store_world *world)
{
	while (!world->is_done)
		turn_all(world);
}

static void free_world(struct store_world *world)
{
	store_redis_free(world->store);
	buf_release(&world->read.entries);
	reactor_uv_free(world->loop);
	*world = (struct store_world){ .store = NULL };
}

void store_world_close(struct store_world *world)
{
	if (world->store == NULL)
		return;
	world->is_done = false;
	store_redis_stop(world->store, on_stopped, world);
	wait_done(world);
	free_world(world);
}

void store_world_wait_up(struct store_world *world)
{
	while (!world->port->is_up(world->port))
		turn_all(world);
}

void store_world_settle(struct store_world *world)
{
	while (!store_redis_is_settled(world->store))
		turn_all(world);
}

void store_worlds_turn_for(struct store_world *one, struct store_world *two, uint64_t ms)
{
	struct timer end = { .fire = NULL };

	one->reactor->timer_start(one->reactor, &end, ms, stop_waiting);
	while (end.fire != NULL) {
		turn(one);
		turn(two);
	}
}

const char *store_world_news(const struct store_world *world, enum store_redis_news news)
{
	return world->news[news];
}

/* ---- operations ---- */

static void on_write(struct op *op)
{
	container_of(op, struct store_world, write.op)->is_done = true;
}

static void on_read(struct op *op)
{
	container_of(op, struct store_world, read.op)->is_done = true;
}

static void on_find(struct op *op)
{
	container_of(op, struct store_world, find.op)->is_done = true;
}

static void on_erase(struct op *op)
{
	container_of(op, struct store_world, erase.op)->is_done = true;
}

static void on_unlabel(struct op *op)
{
	container_of(op, struct store_world, unlabel.op)->is_done = true;
}

static void fill_write(struct store_world *world, const char *job, struct store_place first,
		       const char *data)
{
	struct store_write *write = &world->write;

	world->is_done = false;
	op_prepare(&write->op, world->reactor, 0, on_write);
	write->job = job;
	write->first = first;
	write->n_events = 1;
	for (const char *at = data; *at != '\0'; at++)
		write->n_events += at[0] == '\n' && at[1] != '\0';
	write->data = (struct slice){ data, strlen(data) };
	write->state = STORE_RUNNING;
	write->labels = NULL;
}

static enum err create(struct store_world *world)
{
	world->port->create(world->port, &world->write);
	assert_false(world->is_done);
	wait_done(world);
	assert_int_equal(world->write.op.result == OK, world->write.outcome == STORE_LANDED);
	return world->write.op.result;
}

enum err world_create(struct store_world *world, const char *job, const char *data)
{
	fill_write(world, job, AT(1, 1), data);
	return create(world);
}

enum err world_create_labelled(struct store_world *world, const char *job,
			       const char *const *labels)
{
	fill_write(world, job, AT(1, 1), "a\n");
	world->write.labels = labels;
	return create(world);
}

enum store_outcome world_append(struct store_world *world, const char *job,
				struct store_place first, const char *data, enum store_state state)
{
	fill_write(world, job, first, data);
	world->write.state = state;
	world->port->append(world->port, &world->write);
	assert_false(world->is_done);
	wait_done(world);
	assert_int_equal(world->write.op.result == OK, world->write.outcome == STORE_LANDED);
	return world->write.outcome;
}

static void start_read(struct store_world *world, const char *job, struct store_place after)
{
	world->is_done = false;
	op_prepare(&world->read.op, world->reactor, 0, on_read);
	world->read.job = job;
	world->read.after = after;
	world->read.bytes_max = 10000;
	world->port->read(world->port, &world->read);
	assert_false(world->is_done);
}

enum err world_try_read(struct store_world *world, const char *job)
{
	buf_clear(&world->read.entries);
	start_read(world, job, AT(0, 0));
	wait_done(world);
	return world->read.op.result;
}

const char *world_read(struct store_world *world, const char *job)
{
	static char text[WORLD_TEXT_BYTES];
	size_t len = 0;
	struct store_place after = { 0, 0 };

	do {
		buf_clear(&world->read.entries);
		start_read(world, job, after);
		wait_done(world);
		assert_int_equal(world->read.op.result, OK);
		memcpy(text + len, buf_str(&world->read.entries), world->read.entries.len + 1);
		len += world->read.entries.len;
		after = world->read.last;
	} while (world->read.is_more);
	return text;
}

enum err world_read_cancelled(struct store_world *world, const char *job, unsigned turns)
{
	buf_clear(&world->read.entries);
	start_read(world, job, AT(0, 0));
	for (unsigned i = 0; i < turns && !world->is_done; i++)
		reactor_uv_turn(world->loop);
	op_cancel(&world->read.op, ERR_CANCELED);
	wait_done(world);
	return world->read.op.result;
}

enum err world_erase(struct store_world *world, const char *job)
{
	world->is_done = false;
	op_prepare(&world->erase.op, world->reactor, 0, on_erase);
	world->erase.job = job;
	world->port->erase(world->port, &world->erase);
	wait_done(world);
	return world->erase.op.result;
}

enum err world_unlabel(struct store_world *world, const char *job, const char *label)
{
	world->is_done = false;
	op_prepare(&world->unlabel.op, world->reactor, 0, on_unlabel);
	world->unlabel.job = job;
	world->unlabel.label = label;
	world->port->unlabel(world->port, &world->unlabel);
	wait_done(world);
	return world->unlabel.op.result;
}

enum err world_try_find(struct store_world *world, const char *label, char found[128])
{
	world->is_done = false;
	op_prepare(&world->find.op, world->reactor, 0, on_find);
	world->find.label = label;
	if (label != NULL)
		world->port->find(world->port, &world->find);
	else
		world->port->orphans(world->port, &world->find);
	wait_done(world);
	found[0] = '\0';
	for (size_t i = 0; i < world->find.n_ids; i++) {
		size_t len = strlen(found);

		(void)snprintf(found + len, 128 - len, "%s ", world->find.ids[i]);
	}
	return world->find.op.result;
}

const char *world_find(struct store_world *world, const char *label, char found[128])
{
	assert_int_equal(world_try_find(world, label, found), OK);
	return found;
}
