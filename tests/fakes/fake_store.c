#include "fakes/fake_store.h"
#include "base/must.h"
#include <stdlib.h>
#include <string.h>

/* One operation on its way: after the delay it is done on the memory store, or meets its fate. */
struct trip {
	struct timer timer;
	struct fake_store *fake;
	struct store_write *write; /* or */
	struct store_read *read;
	enum fate fate;
	bool is_create, is_over;
	union {
		struct store_write inner_write;
		struct store_read inner_read;
	};
};

enum { TRIPS = 64 };
static struct trip trips[TRIPS];

static struct op *op_of(struct trip *trip)
{
	return trip->write != NULL ? &trip->write->op : &trip->read->op;
}

static void end_trip(struct trip *trip, enum err result)
{
	struct op *op = op_of(trip);

	trip->fake->live--;
	trip->is_over = true;
	trip->fake = NULL;
	op_finish(op, result);
}

static void on_inner_write(struct op *op)
{
	struct store_write *inner = container_of(op, struct store_write, op);
	struct trip *trip = container_of(inner, struct trip, inner_write);

	trip->write->outcome = trip->fate == FATE_LOST_ACK ? STORE_UNKNOWN : inner->outcome;
	end_trip(trip, trip->fate == FATE_LOST_ACK ? ERR_UNKNOWN : op->result);
}

static void write_through(struct trip *trip)
{
	struct store *memory = store_memory_port(trip->fake->memory);

	trip->inner_write = (struct store_write){ .job = trip->write->job,
						  .first = trip->write->first,
						  .n_events = trip->write->n_events,
						  .state = trip->write->state,
						  .labels = trip->write->labels,
						  .data = trip->write->data };
	op_prepare(&trip->inner_write.op, trip->fake->reactor, 0, on_inner_write);
	if (trip->is_create)
		memory->create(memory, &trip->inner_write);
	else
		memory->append(memory, &trip->inner_write);
}

static void on_write_time(struct timer *timer)
{
	struct trip *trip = container_of(timer, struct trip, timer);

	switch (trip->fate) {
	case FATE_LAND:
	case FATE_LOST_ACK:
		write_through(trip);
		break;
	case FATE_LOST:
		trip->write->outcome = STORE_UNKNOWN;
		end_trip(trip, ERR_UNKNOWN);
		break;
	case FATE_CONFLICT:
		trip->write->outcome = STORE_CONFLICT;
		end_trip(trip, ERR_CONFLICT);
		break;
	case FATE_FAIL:
		trip->write->outcome = STORE_CONFLICT;
		end_trip(trip, ERR_NO_MEMORY);
		break;
	case FATE_HANG:
		break;
	}
}

static void on_inner_read(struct op *op)
{
	struct store_read *inner = container_of(op, struct store_read, op);
	struct trip *trip = container_of(inner, struct trip, inner_read);

	trip->read->entries = inner->entries;
	trip->read->last = inner->last;
	trip->read->is_more = inner->is_more;
	end_trip(trip, op->result);
}

static void on_read_time(struct timer *timer)
{
	struct trip *trip = container_of(timer, struct trip, timer);
	struct store *memory = store_memory_port(trip->fake->memory);

	if (trip->fake->reads_failing > 0) {
		trip->fake->reads_failing--;
		end_trip(trip, ERR_TIMEOUT);
		return;
	}
	trip->inner_read = (struct store_read){ .job = trip->read->job,
						.after = trip->read->after,
						.bytes_max = trip->read->bytes_max,
						.entries = trip->read->entries };
	op_prepare(&trip->inner_read.op, trip->fake->reactor, 0, on_inner_read);
	memory->read(memory, &trip->inner_read);
}

static void on_cancel(struct op *op)
{
	for (size_t i = 0; i < TRIPS; i++) {
		struct trip *trip = &trips[i];

		if (trip->fake == NULL || op_of(trip) != op)
			continue;
		if (trip->timer.fire == NULL && trip->fate != FATE_HANG)
			return; /* inside the memory store: it answers in a moment */
		trip->fake->reactor->timer_stop(trip->fake->reactor, &trip->timer);
		end_trip(trip, ERR_CANCELED);
		return;
	}
}

static struct trip *trip_new(struct fake_store *fake)
{
	size_t i = 0;

	while (i < TRIPS && trips[i].fake != NULL)
		i++;
	MUST(i < TRIPS);
	trips[i] = (struct trip){ .fake = fake };
	fake->live++;
	return &trips[i];
}

static void start_write(struct fake_store *fake, struct store_write *write, bool is_create)
{
	struct trip *trip;

	if (!op_begin(&write->op, on_cancel))
		return;
	fake->writes++;
	trip = trip_new(fake);
	trip->write = write;
	trip->is_create = is_create;
	trip->fate = fake->next_fate < fake->n_fates ? fake->fates[fake->next_fate++] : fake->every;
	fake->reactor->timer_start(fake->reactor, &trip->timer, fake->delay_ms, on_write_time);
}

static void fake_create(struct store *port, struct store_write *write)
{
	start_write(container_of(port, struct fake_store, port), write, true);
}

static void fake_append(struct store *port, struct store_write *write)
{
	start_write(container_of(port, struct fake_store, port), write, false);
}

static void fake_read(struct store *port, struct store_read *read)
{
	struct fake_store *fake = container_of(port, struct fake_store, port);
	struct trip *trip;

	if (!op_begin(&read->op, on_cancel))
		return;
	fake->reads++;
	trip = trip_new(fake);
	trip->read = read;
	fake->reactor->timer_start(fake->reactor, &trip->timer, fake->delay_ms, on_read_time);
}

static struct store *memory_of(struct store *port)
{
	return store_memory_port(container_of(port, struct fake_store, port)->memory);
}

static void fake_erase(struct store *port, struct store_erase *erase)
{
	memory_of(port)->erase(memory_of(port), erase);
}

static void on_find_time(struct timer *timer)
{
	struct fake_store *fake = container_of(timer, struct fake_store, finding);

	op_finish(&fake->find->op, ERR_TIMEOUT);
}

static void on_find_cancel(struct op *op)
{
	struct store_find *find = container_of(op, struct store_find, op);
	struct fake_store *fake = op->provider;

	if (fake->find == find)
		fake->reactor->timer_stop(fake->reactor, &fake->finding);
	op_finish(op, op->canceled);
}

/* A delayed one is not answered, whenever it is given up. */
static void fake_find(struct store *port, struct store_find *find)
{
	struct fake_store *fake = container_of(port, struct fake_store, port);

	if (fake->find_ms == 0) {
		memory_of(port)->find(memory_of(port), find);
		return;
	}
	find->op.provider = fake;
	if (!op_begin(&find->op, on_find_cancel))
		return;
	fake->find = find;
	fake->reactor->timer_start(fake->reactor, &fake->finding, fake->find_ms, on_find_time);
}

static void fake_unlabel(struct store *port, struct store_unlabel *unlabel)
{
	memory_of(port)->unlabel(memory_of(port), unlabel);
}

static void fake_orphans(struct store *port, struct store_find *find)
{
	memory_of(port)->orphans(memory_of(port), find);
}

static uint64_t fake_doubt(const struct store *port)
{
	return container_of(port, struct fake_store, port)->doubt;
}

static bool fake_is_up(const struct store *port)
{
	return !container_of(port, struct fake_store, port)->is_down;
}

void fake_store_init(struct fake_store *fake, struct reactor *reactor)
{
	static const struct store_times times = { 1000000000, 1000000000 };

	*fake = (struct fake_store){ .port = { .reach = STORE_HERE,
					       .create = fake_create,
					       .append = fake_append,
					       .read = fake_read,
					       .erase = fake_erase,
					       .find = fake_find,
					       .unlabel = fake_unlabel,
					       .orphans = fake_orphans,
					       .doubt = fake_doubt,
					       .is_up = fake_is_up },
				     .reactor = reactor,
				     .delay_ms = 2 };
	MUST(store_memory_new(reactor, &times, &fake->memory) == OK);
}

void fake_store_release(struct fake_store *fake)
{
	MUST(fake->live == 0);
	store_memory_free(fake->memory);
}

static bool has_text;

static void on_text_read(struct op *op)
{
	(void)op;
	has_text = true;
}

char *fake_store_text(struct fake_store *fake, struct fake_reactor *loop, const char *job)
{
	struct store *memory = store_memory_port(fake->memory);
	struct store_read read = { .job = job, .bytes_max = SIZE_MAX };
	char *text = NULL;

	has_text = false;
	buf_init(&read.entries, 64 << 20);
	op_prepare(&read.op, fake->reactor, 0, on_text_read);
	memory->read(memory, &read);
	while (!has_text)
		(void)fake_reactor_turn(loop);
	if (read.op.result == OK)
		text = strdup(buf_str(&read.entries));
	buf_release(&read.entries);
	return text;
}
