/* Schedules of the simulator over the real Redis store: event_log and claim on store_redis, its
 * session and its lines, on connections that are made up here (redis_conn's functions, and those of
 * sim_store that the simulator calls, are this file's). `make simulate` runs SIMULATE of them. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/logging.h"
#include "base/mem.h"
#include "base/must.h"
#include "fakes/sim_redis.h"
#include "fakes/simulator.h"
#include "store/redis_task.h"

enum { SCHEDULES = 2000, SIDES = 3, LEASE_MS = 60, STOP_MS = 20 };

static struct sim_redis model;

/* One call on its way. It outlives the call, as late copies do. */
struct trip {
	struct list node;
	struct side *side;
	struct redis_call *call; /* NULL: given up */
	struct timer timer;	 /* of the net */
	char *bytes;
	size_t len;
	uint64_t incarnation;
	enum sim_fate fate;
	bool is_back;
	struct redis_reply *replies[REDIS_CALL_COMMANDS_MAX];
	unsigned n_replies;
};

struct redis_conn {
	struct redis_conn_options options;
	bool is_up;
	uint64_t connection;
	uint64_t incarnation; /* of the server that it is connected to */
};

/* A process's end of all. */
struct side {
	struct sim_client *client; /* NULL: free */
	struct redis_conn conn;
	struct store_redis *store;
	struct list trips;
	bool is_stopped;
};

static struct side sides[SIDES];

static struct side *side_of_conn(struct redis_conn *conn)
{
	return container_of(conn, struct side, conn);
}

static struct side *side_of_port(const struct store *port)
{
	const struct sim_client *client = container_of(port, struct sim_client, port);

	for (size_t i = 0; i < SIDES; i++)
		if (sides[i].client == client)
			return &sides[i];
	abort();
}

/* ---- calls on their way ---- */

static struct reactor *net_of(const struct side *side)
{
	return &side->client->server->net.base;
}

static void free_trip(struct trip *trip)
{
	net_of(trip->side)->timer_stop(net_of(trip->side), &trip->timer);
	for (unsigned i = 0; i < trip->n_replies; i++)
		redis_reply_free(trip->replies[i]);
	list_remove(&trip->node);
	free(trip->bytes);
	free(trip);
}

static void end_call(struct trip *trip, enum err result)
{
	struct redis_call *call = trip->call;

	trip->call = NULL;
	if (call == NULL)
		return;
	call->is_sent = true;
	if (result == OK) {
		memcpy(call->replies, trip->replies, sizeof(call->replies));
		call->n_replies = trip->n_replies;
		trip->n_replies = 0;
	}
	op_finish(&call->op, result);
}

static void on_trip(struct timer *timer);

static void travel(struct trip *trip)
{
	struct sim_client *client = trip->side->client;

	net_of(trip->side)
		->timer_start(net_of(trip->side), &trip->timer,
			      1 + sim_random(client->server, client->delay_max_ms), on_trip);
}

/* What is lost is heard of no more: the asker's deadline tells. */
static void on_trip(struct timer *timer)
{
	struct trip *trip = container_of(timer, struct trip, timer);

	if (trip->incarnation != trip->side->client->server->incarnation) {
		end_call(trip, ERR_BROKEN);
		free_trip(trip);
	} else if (!trip->is_back && trip->fate != SIM_LOSE) {
		trip->n_replies = sim_redis_serve(&model, trip->bytes, trip->len, trip->replies);
		trip->is_back = true;
		travel(trip);
	} else if (trip->fate == SIM_LAND || trip->call == NULL) {
		end_call(trip, OK);
		free_trip(trip);
	}
}

static void on_cancel(struct op *op)
{
	struct trip *trip = op->provider;

	trip->call = NULL;
	if (trip->timer.fire == NULL)
		free_trip(trip);
	op_finish(op, ERR_CANCELED);
}

/* Only what jobs ask for is lost: a session that is never ready shows nothing. */
static enum sim_fate fate_of(struct sim_client *client, const struct buf *out)
{
	uint64_t chance = sim_random(client->server, 100);
	bool is_jobs =
		strstr(buf_str(out), "EVALSHA") != NULL || strstr(buf_str(out), "XRANGE") != NULL;

	if (!is_jobs || chance >= 2 * client->lose_percent)
		return SIM_LAND;
	return chance < client->lose_percent ? SIM_LOSE : SIM_LOSE_ANSWER;
}

void redis_conn_start(struct redis_conn *conn, struct redis_call *call)
{
	struct side *side = side_of_conn(conn);
	struct trip *trip;

	if (!op_begin(&call->op, on_cancel))
		return;
	if (call->fault != OK || !conn->is_up) {
		op_finish(&call->op, call->fault != OK ? call->fault : ERR_REFUSED);
		return;
	}
	trip = calloc(1, sizeof(*trip));
	MUST(trip != NULL);
	*trip = (struct trip){ .side = side,
			       .call = call,
			       .len = call->out.len,
			       .incarnation = conn->incarnation,
			       .fate = fate_of(side->client, &call->out) };
	trip->bytes = malloc(trip->len + 1);
	MUST(trip->bytes != NULL);
	memcpy(trip->bytes, buf_str(&call->out), trip->len + 1);
	call->op.provider = trip;
	list_append(&side->trips, &trip->node);
	travel(trip);
}

/* ---- the connection ---- */

enum err redis_conn_new(struct reactor_uv *loop, struct redis_url *url,
			const struct redis_conn_options *options, struct redis_conn **ret_conn)
{
	struct side *side = sides;

	(void)url;
	while (side->client == NULL || side->client->reactor != (struct reactor *)(void *)loop ||
	       side->store != NULL)
		MUST(++side < sides + SIDES);
	side->conn = (struct redis_conn){ .options = *options };
	*ret_conn = &side->conn;
	return OK;
}

void redis_conn_free(struct redis_conn *conn)
{
	conn->is_up = false;
}

bool redis_conn_is_up(const struct redis_conn *conn)
{
	return conn->is_up;
}

uint64_t redis_conn_connection(const struct redis_conn *conn)
{
	return conn->connection;
}

const char *redis_conn_failure(const struct redis_conn *conn)
{
	return conn->is_up ? "" : "it is simulated";
}

const char *redis_conn_shown(const struct redis_conn *conn)
{
	(void)conn;
	return "simulated";
}

unsigned redis_conn_failures(const struct redis_conn *conn)
{
	return conn->is_up ? 0 : 1;
}

size_t redis_conn_queued_bytes(const struct redis_conn *conn)
{
	(void)conn;
	return 0;
}

size_t redis_conn_awaited(const struct redis_conn *conn)
{
	(void)conn;
	return 0;
}

/* The loop that store_redis is given is the process's fake reactor. */
struct reactor *reactor_uv_base(struct reactor_uv *loop)
{
	return (struct reactor *)(void *)loop;
}

/* Copies of what was sent may still arrive where the server is the same. */
static void drop(struct side *side)
{
	LIST_EACH (node, &side->trips) {
		struct trip *trip = container_of(node, struct trip, node);

		end_call(trip, ERR_BROKEN);
		if (trip->timer.fire == NULL)
			free_trip(trip);
	}
	side->conn.is_up = false;
}

static void come_up(struct side *side)
{
	side->conn.is_up = true;
	side->conn.connection++;
	side->conn.incarnation = side->client->server->incarnation;
	side->conn.options.on_change(&side->conn, side->conn.options.context);
}

void sim_client_reconnect(struct sim_client *client)
{
	struct side *side = side_of_port(&client->port);

	drop(side);
	side->conn.options.on_change(&side->conn, side->conn.options.context);
	come_up(side);
}

/* ---- the simulator's client ---- */

static void sim_create(struct store *port, struct store_write *write)
{
	struct store *inner = store_redis_port(side_of_port(port)->store);

	inner->create(inner, write);
}

static void sim_append(struct store *port, struct store_write *write)
{
	struct store *inner = store_redis_port(side_of_port(port)->store);

	inner->append(inner, write);
}

static void sim_read(struct store *port, struct store_read *read)
{
	struct store *inner = store_redis_port(side_of_port(port)->store);

	inner->read(inner, read);
}

/* Leases run by the machine's clock, which does not move here: the simulator counts those that
 * have run out. */
static uint64_t sim_doubt(const struct store *port)
{
	struct store *inner = store_redis_port(side_of_port(port)->store);

	return inner->doubt(inner) + container_of(port, struct sim_client, port)->doubt;
}

static bool sim_is_up(const struct store *port)
{
	struct store *inner = store_redis_port(side_of_port(port)->store);

	return inner->is_up(inner);
}

void sim_client_init(struct sim_client *client, struct sim_server *server, struct reactor *reactor)
{
	struct store_redis_options options = { .prefix = "longhand:", .lease_ms = LEASE_MS };
	struct redis_url url = { .user = NULL };
	struct side *side = sides;

	while (side->client != NULL)
		MUST(++side < sides + SIDES);
	*client = (struct sim_client){ .port = { .reach = STORE_SHARED,
						 .create = sim_create,
						 .append = sim_append,
						 .read = sim_read,
						 .doubt = sim_doubt,
						 .is_up = sim_is_up },
				       .server = server,
				       .reactor = reactor,
				       .delay_max_ms = 3 };
	if (side == sides)
		model = (struct sim_redis){ .server = server, .emptied = server->generation };
	*side = (struct side){ .client = client };
	list_init(&side->trips);
	MUST(store_redis_new((struct reactor_uv *)(void *)reactor, &url, &options, &side->store) ==
	     OK);
	come_up(side);
}

static void on_stopped(void *context)
{
	struct side *side = context;

	side->is_stopped = true;
}

void sim_client_release(struct sim_client *client)
{
	struct side *side = side_of_port(&client->port);
	struct fake_reactor *loop = container_of(client->reactor, struct fake_reactor, base);

	drop(side);
	fake_reactor_advance(loop, 1);
	store_redis_stop(side->store, on_stopped, side);
	fake_reactor_advance(loop, STOP_MS);
	MUST(side->is_stopped);
	store_redis_free(side->store);
	LIST_EACH (node, &side->trips)
		free_trip(container_of(node, struct trip, node));
	side->client = NULL;
}

/* ---- the test ---- */

static uint64_t number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : fallback;
}

static void one_text_whatever_happens(void **state)
{
	struct simulation simulation = { .seed = number("SEED", 0) };
	uint64_t schedules = number("SIMULATE", SCHEDULES);
	unsigned failed = 0;

	(void)state;
	if (simulation.seed > 0) {
		simulation.is_loud = true;
		if (!simulate(&simulation))
			fail_msg("%s", simulation.why);
		return;
	}
	while (simulation.seed++ < schedules) {
		if (!simulate(&simulation) && ++failed <= 10)
			print_message("%s\n", simulation.why);
	}
	print_message("%llu schedules over store_redis: %u claims, %u conflicts, %u failovers, "
		      "%u emptied, %u frozen, %u killed, %u jobs gone with an emptied server\n",
		      (unsigned long long)schedules, simulation.claims, simulation.conflicts,
		      simulation.failovers, simulation.empties, simulation.freezes,
		      simulation.kills, simulation.lost_jobs);
	assert_int_equal(failed, 0);
	assert_true(simulation.claims > schedules / 2 && simulation.failovers > schedules / 2);
	assert_true(simulation.freezes > schedules && simulation.empties > schedules / 20);
	assert_true(simulation.lost_jobs < schedules / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_whatever_happens),
	};

	mem_init();
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
