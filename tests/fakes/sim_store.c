#include "fakes/sim_store.h"
#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_above(struct store_place place, struct store_place other)
{
	return place.epoch != other.epoch ? place.epoch > other.epoch : place.seq > other.seq;
}

static struct store_place last_of(const struct sim_log *log)
{
	return log->entries[log->n_entries - 1].last;
}

static void add_entry(struct sim_server *server, struct sim_log *log, struct sim_trip *trip)
{
	struct sim_entry *entry = &log->entries[log->n_entries++];

	MUST(log->n_entries < SIM_ENTRIES);
	*entry = (struct sim_entry){ .first = trip->write.first,
				     .last = trip->write.first,
				     .state = trip->write.state,
				     .data = trip->data,
				     .len = trip->write.data.len,
				     .landed_ms = server->net.now_ms };
	entry->last.seq += trip->write.n_events - 1;
	trip->data = NULL;
	server->n_claims += entry->first.seq == 0;
	trip->write.outcome = STORE_LANDED;
	trip->result = OK;
}

static void refuse(struct sim_trip *trip, enum store_outcome outcome, enum err result)
{
	trip->write.outcome = outcome;
	trip->result = result;
}

static void create(struct sim_server *server, struct sim_trip *trip)
{
	struct sim_log *log = sim_server_log(server, trip->id);

	if (log == NULL) {
		MUST(server->n_logs < SIM_LOGS);
		log = &server->logs[server->n_logs++];
		*log = (struct sim_log){ .n_entries = 0 };
		memcpy(log->id, trip->id, sizeof(log->id));
	}
	log->n_labels = trip->n_labels;
	if (log->n_entries > 0)
		refuse(trip, STORE_CONFLICT, ERR_EXISTS);
	else if (log->is_dead)
		refuse(trip, STORE_CONFLICT, ERR_CONFLICT);
	else
		add_entry(server, log, trip);
}

static void append(struct sim_server *server, struct sim_trip *trip)
{
	struct sim_log *log = sim_server_live_log(server, trip->id);
	struct sim_log *any = sim_server_log(server, trip->id);
	uint64_t generation = trip->write.generation;

	if (log != NULL && is_above(trip->write.first, last_of(log)))
		add_entry(server, log, trip);
	else if (log == NULL && (any == NULL || !any->is_dead) && generation != 0 &&
		 generation != server->generation)
		refuse(trip, STORE_LOST, ERR_CONFLICT);
	else
		refuse(trip, STORE_CONFLICT, ERR_CONFLICT);
}

/* The answer is made now, and comes later: what lands meanwhile is not in it. */
static void read_log(struct sim_server *server, struct sim_trip *trip)
{
	struct sim_log *log = sim_server_live_log(server, trip->id);
	struct store_read *read = trip->read;

	trip->result = log != NULL ? OK : ERR_NOT_FOUND;
	if (trip->op == NULL || log == NULL)
		return;
	read->is_more = false;
	read->last = trip->after;
	for (size_t i = 0; i < log->n_entries; i++) {
		struct sim_entry *entry = &log->entries[i];

		if (!is_above(entry->last, trip->after))
			continue;
		read->is_more = read->entries.len >= trip->bytes_max;
		if (read->is_more)
			break;
		trip->result = buf_append(&read->entries, entry->data, entry->len);
		if (trip->result != OK)
			break;
		read->last = entry->last;
	}
}

static void serve(struct sim_server *server, struct sim_trip *trip)
{
	if (trip->kind == SIM_CREATE)
		create(server, trip);
	else if (trip->kind == SIM_APPEND)
		append(server, trip);
	else
		read_log(server, trip);
}

/* ---- the way ---- */

static void end_trip(struct sim_trip *trip)
{
	free(trip->data);
	*trip = (struct sim_trip){ .client = NULL };
}

static void answer(struct sim_trip *trip, enum err result)
{
	struct op *op = trip->op;

	if (op != NULL && trip->answer_to != NULL)
		trip->answer_to->outcome = trip->write.outcome;
	end_trip(trip);
	if (op != NULL)
		op_finish(op, result);
}

static void go_on_trip(struct sim_trip *trip);

static void on_trip(struct timer *timer)
{
	go_on_trip(container_of(timer, struct sim_trip, timer));
}

static void travel(struct sim_trip *trip)
{
	struct fake_reactor *net = &trip->client->server->net;
	uint64_t delay_ms = 1 + sim_random(trip->client->server, trip->client->delay_max_ms);

	net->base.timer_start(&net->base, &trip->timer, delay_ms, on_trip);
}

/* A lost question or answer is heard of no more: the asker's deadline tells. A server that is gone
 * is noticed. */
static void go_on_trip(struct sim_trip *trip)
{
	struct sim_server *server = trip->client->server;

	if (trip->incarnation != server->incarnation) {
		trip->write.outcome = STORE_UNKNOWN;
		answer(trip, ERR_UNKNOWN);
		return;
	}
	if (!trip->is_back && trip->fate != SIM_LOSE) {
		serve(server, trip);
		trip->is_back = true;
		travel(trip);
		return;
	}
	if (trip->fate == SIM_LAND)
		answer(trip, trip->result);
	else if (trip->op == NULL)
		end_trip(trip);
}

static void on_cancel(struct op *op)
{
	struct sim_trip *trip = op->provider;

	trip->op = NULL;
	trip->read = NULL;
	if (trip->kind == SIM_READ || trip->timer.fire == NULL) {
		trip->client->server->net.base.timer_stop(&trip->client->server->net.base,
							  &trip->timer);
		end_trip(trip);
	} else {
		trip->answer_to = NULL; /* the copy is still under way */
	}
	op_finish(op, ERR_CANCELED);
}

static enum sim_fate fate_of(struct sim_client *client)
{
	uint64_t chance = sim_random(client->server, 100);

	if (chance < client->lose_percent)
		return SIM_LOSE;
	return chance < 2 * client->lose_percent ? SIM_LOSE_ANSWER : SIM_LAND;
}

static struct sim_trip *trip_new(struct sim_client *client, struct op *op, const char *id)
{
	size_t i = 0;

	while (i < SIM_TRIPS && client->trips[i].client != NULL)
		i++;
	MUST(i < SIM_TRIPS);
	client->trips[i] = (struct sim_trip){ .client = client, .op = op };
	(void)snprintf(client->trips[i].id, STORE_ID_BYTES, "%s", id);
	op->provider = &client->trips[i];
	client->trips[i].fate = fate_of(client);
	client->trips[i].incarnation = client->incarnation;
	return &client->trips[i];
}

static void send_write(struct store *port, struct store_write *write, bool is_create)
{
	struct sim_client *client = container_of(port, struct sim_client, port);
	struct sim_trip *trip;

	if (!op_begin(&write->op, on_cancel))
		return;
	if (is_create || write->generation == 0)
		write->generation = client->generation;
	trip = trip_new(client, &write->op, write->job);
	for (const char *const *label = write->labels; label != NULL && *label != NULL; label++)
		trip->n_labels++;
	trip->kind = is_create ? SIM_CREATE : SIM_APPEND;
	trip->write = *write;
	trip->answer_to = write;
	trip->data = malloc(write->data.len);
	MUST(trip->data != NULL);
	memcpy(trip->data, write->data.data, write->data.len);
	travel(trip);
}

static void sim_create(struct store *port, struct store_write *write)
{
	send_write(port, write, true);
}

static void sim_append(struct store *port, struct store_write *write)
{
	send_write(port, write, false);
}

static void sim_read(struct store *port, struct store_read *read)
{
	struct sim_client *client = container_of(port, struct sim_client, port);
	struct sim_trip *trip;

	if (!op_begin(&read->op, on_cancel))
		return;
	trip = trip_new(client, &read->op, read->job);
	trip->kind = SIM_READ;
	trip->read = read;
	trip->after = read->after;
	trip->bytes_max = read->bytes_max;
	travel(trip);
}

static uint64_t sim_doubt(const struct store *port)
{
	return container_of(port, struct sim_client, port)->doubt;
}

static bool sim_is_up(const struct store *port)
{
	const struct sim_client *client = container_of(port, struct sim_client, port);

	return client->incarnation == client->server->incarnation;
}

void sim_client_init(struct sim_client *client, struct sim_server *server, struct reactor *reactor)
{
	*client = (struct sim_client){ .port = { .reach = STORE_SHARED,
						 .create = sim_create,
						 .append = sim_append,
						 .read = sim_read,
						 .doubt = sim_doubt,
						 .is_up = sim_is_up },
				       .server = server,
				       .reactor = reactor,
				       .incarnation = server->incarnation,
				       .generation = server->generation,
				       .delay_max_ms = 3 };
}

void sim_client_release(struct sim_client *client)
{
	struct reactor *net = &client->server->net.base;

	for (size_t i = 0; i < SIM_TRIPS; i++) {
		if (client->trips[i].client == NULL)
			continue;
		MUST(client->trips[i].op == NULL);
		net->timer_stop(net, &client->trips[i].timer);
		end_trip(&client->trips[i]);
	}
}

void sim_client_reconnect(struct sim_client *client)
{
	client->incarnation = client->server->incarnation;
	client->generation = client->server->generation;
	client->doubt++;
}
