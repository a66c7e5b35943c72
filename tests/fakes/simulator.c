#include "fakes/simulator.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "fakes/sim_store.h"
#include "job/event_codec.h"
#include "job/event_log.h"

enum {
	PROCESSES = 3,
	TEXT_BYTES = 300, /* the job's target */
	SEEN_BYTES = 4096,
	SESSIONS = 200,
	CHAOS_MS = 250,
	CALM_MS = 20000,
	LEASE_MS = 30,
	LAG_MS = 20,   /* of the replica */
	KEEP_MS = 150, /* a log stays after its end; longer than lag and freezes */
};

static const char id[] = "0123456789abcdef0123456789abcdef";

static const struct event_log_options log_options = { 3, 200, 12, 3, 12, 2000 };

/* A log in a process, from its beginning or adoption to its release, and what its reader saw. */
struct session {
	char seen[SEEN_BYTES];
	size_t len;
	bool has_done, was_told; /* of an error, or killed with its process */
};

struct process {
	unsigned name;
	struct fake_reactor loop;
	struct sim_client client;
	uint64_t frozen_until_ms, reconnect_ms; /* 0: not */
	uint64_t frozen_since_ms;

	struct event_log log;
	bool has_log;
	struct reader reader;
	struct session *session;
	unsigned said;
	uint64_t ended_ms;

	struct claim claim;
	bool is_claiming;
};

struct world {
	struct simulation *simulation;
	struct sim_server server;
	struct process processes[PROCESSES];
	struct session sessions[SESSIONS];
	size_t n_sessions;
	bool has_dropped; /* the store lost something that it had acknowledged */
	/* The server was emptied, and its log is claimed meanwhile, or was before, and not every
	 * owner has heard of it: the copies differ. */
	bool is_emptied, is_contested;
};

static struct world world;

static void say(const char *what, unsigned who, const char *more)
{
	if (world.simulation->is_loud)
		(void)printf("%6llu p%u %s %s\n", (unsigned long long)world.server.net.now_ms, who,
			     what, more);
}

static uint64_t chance(uint64_t below)
{
	return sim_random(&world.server, below);
}

static void wrong(const char *why)
{
	if (world.simulation->why[0] == '\0')
		(void)snprintf(world.simulation->why, sizeof(world.simulation->why),
			       "seed %llu: %s", (unsigned long long)world.simulation->seed, why);
}

/* ---- a process that writes ---- */

static void on_events(struct reader *reader)
{
	struct process *process = container_of(reader, struct process, reader);
	struct session *session = process->session;
	const struct event *event;

	while ((event = reader_next(reader)) != NULL) {
		session->has_done = session->has_done || event_is_end(event->kind);
		if (event->kind != EVENT_TEXT)
			continue;
		if (event->at_byte != session->len)
			wrong("a reader's text has a gap");
		MUST(session->len + event->text_len < SEEN_BYTES);
		memcpy(session->seen + session->len, event->text, event->text_len);
		session->len += event->text_len;
	}
}

static void on_moved(struct event_log *log)
{
	struct process *process = container_of(log, struct process, log);

	if (log->error != OK)
		process->session->was_told = true;
}

static void append(struct process *process, enum event_kind kind, const char *text)
{
	const struct event *appended;
	struct event event;
	struct slice slice = { text, text != NULL ? strlen(text) : 0 };

	MUST(event_init(&event, kind, 0, slice, NULL) == OK);
	(void)!event_log_append(&process->log, &event, &appended);
}

static void open_log(struct process *process)
{
	MUST(world.n_sessions < SESSIONS);
	process->session = &world.sessions[world.n_sessions++];
	*process->session = (struct session){ .len = 0 };
	process->has_log = true;
	process->ended_ms = 0;
	event_log_init(&process->log, &process->loop.base, &process->client.port, &log_options, id);
	process->log.on_moved = on_moved;
}

static void attach(struct process *process)
{
	reader_attach(&process->reader, &process->log, on_events);
	on_events(&process->reader);
}

static bool has_ended(const struct event_log *log)
{
	return event_is_end(log->events[log->n_events - 1].kind);
}

static void write_on(struct process *process)
{
	const struct event_log *log = &process->log;
	char text[40];

	if (log->error != OK || has_ended(log) || event_log_is_full(log))
		return;
	if (process->log.content_bytes >= TEXT_BYTES) {
		append(process, EVENT_DONE, NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "p%ue%llu:%u ", process->name,
		       (unsigned long long)process->log.epoch, process->said++);
	append(process, chance(8) == 0 ? EVENT_NOTED : EVENT_TEXT, text);
}

static void close_log(struct process *process)
{
	reader_detach(&process->reader);
	event_log_release(&process->log);
	process->has_log = false;
	say("closes", process->name, process->session->was_told ? "with an error" : "");
}

static void look_after_log(struct process *process)
{
	struct event_log *log = &process->log;
	uint64_t now_ms = process->loop.now_ms;

	if (chance(3) == 0)
		write_on(process);
	if (chance(4) == 0)
		event_log_check(log);
	if (!event_log_is_settled(log))
		return;
	if (process->ended_ms == 0 && has_ended(log))
		process->ended_ms = now_ms;
	if (log->error != OK || (has_ended(log) && now_ms > process->ended_ms + KEEP_MS))
		close_log(process);
}

/* ---- claims ---- */

static void on_claimed(struct op *op)
{
	struct claim *claim = container_of(op, struct claim, op);
	struct process *process = container_of(claim, struct process, claim);

	say("claim is over:", process->name, err_text(op->result));
	process->is_claiming = false;
	world.simulation->claims += op->result == OK;
	world.simulation->conflicts += op->result == ERR_CONFLICT;
	if (op->result == ERR_BROKEN || op->result == ERR_INVALID)
		wrong("a claim finds a broken log");
	world.is_contested = world.is_contested || world.is_emptied;
	if (op->result == OK) {
		open_log(process);
		event_log_adopt(&process->log, claim);
		attach(process);
	}
	claim_release(claim);
}

static void start_claim(struct process *process)
{
	struct claim_options options = { .reactor = &process->loop.base,
					 .store = &process->client.port,
					 .id = id,
					 .store_ms = 12,
					 .again_ms = 3 };

	say("claims", process->name, "");
	process->is_claiming = true;
	claim_init(&process->claim, &options);
	op_prepare(&process->claim.op, &process->loop.base, 0, on_claimed);
	claim_start(&process->claim);
}

/* ---- chaos ---- */

static void freeze(struct process *process)
{
	process->frozen_since_ms = world.server.net.now_ms;
	process->frozen_until_ms = process->frozen_since_ms + 2 + chance(100);
	world.simulation->freezes++;
	say("freezes", process->name, "");
}

/* What is under way may still arrive. */
static void kill_process(struct process *process)
{
	say("dies", process->name, "");
	world.simulation->kills++;
	op_cancel(&process->claim.op, ERR_CANCELED);
	if (!process->has_log)
		return;
	process->session->was_told = process->session->was_told || !process->session->has_done;
	event_log_abandon(&process->log, ERR_CANCELED);
}

static void lose_connections(void)
{
	for (size_t i = 0; i < PROCESSES; i++)
		world.processes[i].reconnect_ms = world.server.net.now_ms + 1 + chance(15);
}

static void fail_over(void)
{
	struct sim_log *log = sim_server_log(&world.server, id);
	size_t before = log != NULL ? log->n_entries : 0;

	sim_server_fail_over(&world.server, id, chance(4), LAG_MS);
	world.has_dropped = world.has_dropped || (log != NULL && log->n_entries < before);
	world.simulation->failovers++;
	lose_connections();
	say("the server fails over", 9, "");
}

static unsigned count_owners(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < PROCESSES; i++)
		n += world.processes[i].has_log && world.processes[i].log.error == OK;
	return n;
}

static void empty(void)
{
	world.is_contested = world.is_contested || count_owners() > 1;
	sim_server_empty(&world.server);
	world.has_dropped = world.is_emptied = true;
	world.simulation->empties++;
	lose_connections();
	say("the server is emptied", 9, "");
}

static void disturb_store(void)
{
	struct process *process = &world.processes[chance(PROCESSES)];

	switch (chance(200)) {
	case 0:
		fail_over();
		break;
	case 1:
		process->reconnect_ms = world.server.net.now_ms + 1 + chance(5);
		break;
	case 2:
		if (chance(6) == 0)
			empty();
		break;
	default:
		break;
	}
}

static void disturb_process(struct process *process)
{
	bool is_frozen = process->frozen_until_ms > 0;
	uint64_t what = chance(200);

	if (what < 2 && !is_frozen)
		freeze(process);
	else if (what == 2)
		kill_process(process);
	else if (what == 3)
		op_cancel(&process->claim.op, ERR_CANCELED);
	else if (what < 7 && !process->has_log && !process->is_claiming && !is_frozen)
		start_claim(process);
}

/* ---- time ---- */

static void run_process(struct process *process)
{
	uint64_t now_ms = world.server.net.now_ms;

	if (process->frozen_until_ms > now_ms)
		return;
	if (process->frozen_until_ms > 0 && now_ms > process->frozen_since_ms + LEASE_MS)
		process->client.doubt++; /* its lease has run out */
	process->frozen_until_ms = 0;
	if (process->reconnect_ms > 0 && process->reconnect_ms <= now_ms) {
		process->reconnect_ms = 0;
		sim_client_reconnect(&process->client);
	}
	fake_reactor_advance(&process->loop, now_ms - process->loop.now_ms);
	if (process->has_log)
		look_after_log(process);
}

static void run_ms(void)
{
	fake_reactor_advance(&world.server.net, 1);
	for (size_t i = 0; i < PROCESSES; i++)
		run_process(&world.processes[i]);
}

static bool is_busy(void)
{
	for (size_t i = 0; i < PROCESSES; i++)
		if (world.processes[i].has_log || world.processes[i].is_claiming)
			return true;
	return false;
}

static bool is_finished(void)
{
	struct sim_log *log = sim_server_log(&world.server, id);

	return log != NULL && log->n_entries > 0 &&
	       log->entries[log->n_entries - 1].state == STORE_ENDED;
}

/* Nothing goes wrong any more: whoever writes ends it, else somebody claims it. */
static void calm_down(void)
{
	struct sim_log *log;
	unsigned ms = 0;

	for (size_t i = 0; i < PROCESSES; i++) {
		world.processes[i].client.lose_percent = 0;
		world.processes[i].frozen_until_ms = 0;
	}
	say("it is calm", 9, "");
	for (; is_busy() || !is_finished(); ms++) {
		if (ms >= CALM_MS) {
			(void)fprintf(stderr, "seed %llu does not come to an end\n",
				      (unsigned long long)world.simulation->seed);
			abort();
		}
		run_ms();
		log = sim_server_log(&world.server, id);
		if (is_busy())
			continue;
		if (log == NULL || log->n_entries == 0)
			return; /* nobody had a copy when the server was emptied */
		if (!is_finished())
			start_claim(&world.processes[chance(PROCESSES)]);
	}
}

/* ---- what must hold ---- */

struct result {
	char text[SEEN_BYTES];
	size_t len;
	unsigned dones;
};

static void take_event(struct result *result, const struct event *event)
{
	result->dones += event->kind == EVENT_DONE;
	if (event->kind != EVENT_TEXT)
		return;
	MUST(result->len + event->text_len < SEEN_BYTES);
	memcpy(result->text + result->len, event->text, event->text_len);
	result->len += event->text_len;
}

static void read_result(struct result *result, const char *text)
{
	struct entries entries;
	struct event event;
	enum err err;

	entries_init(&entries);
	entries_feed(&entries, (struct slice){ text, strlen(text) });
	while ((err = entries_next(&entries, &event)) == OK) {
		take_event(result, &event);
		event_release(&event);
	}
	if (err != ERR_NOT_FOUND)
		wrong("the log has a gap");
	if (!entries.has_ended)
		wrong("the log has no end");
}

/* Lines as they are: a second end would be skipped by every reader, but must not be there. */
static unsigned count_dones(const char *text)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, "\"kind\":\"done\"")) != NULL; at++)
		n++;
	return n;
}

static void check_session(const struct session *session, const struct result *result)
{
	bool is_prefix = session->len <= result->len &&
			 memcmp(session->seen, result->text, session->len) == 0;

	if ((session->was_told && world.has_dropped) || world.is_contested)
		return;
	if (!is_prefix)
		wrong("a reader saw text that is not in the log");
	if (session->has_done && session->len != result->len)
		wrong("a reader saw the end of another text");
}

static void check(void)
{
	char *text = sim_server_text(&world.server, id);
	struct result result = { .len = 0 };

	if (text == NULL) {
		for (size_t i = 0; i < world.n_sessions; i++)
			if ((world.sessions[i].len > 0 && !world.has_dropped) ||
			    (!world.sessions[i].was_told && !world.sessions[i].has_done))
				wrong("the log is gone, and its reader was not told");
		world.simulation->lost_jobs++;
		return;
	}
	read_result(&result, text);
	if (result.dones != 1 || count_dones(text) != 1)
		wrong("not one end");
	for (size_t i = 0; i < world.n_sessions; i++)
		check_session(&world.sessions[i], &result);
	free(text);
}

bool simulate(struct simulation *simulation)
{
	world.simulation = simulation;
	world.n_sessions = 0;
	world.has_dropped = world.is_emptied = world.is_contested = false;
	simulation->why[0] = '\0';
	sim_server_init(&world.server, simulation->seed);
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct process *process = &world.processes[i];

		*process = (struct process){ .name = i };
		fake_reactor_init(&process->loop);
		process->loop.random_step = 0x9e3779b97f4a7c15u;
		sim_client_init(&process->client, &world.server, &process->loop.base);
		process->client.delay_max_ms = 1 + (unsigned)chance(6);
		process->client.lose_percent = (unsigned)chance(12);
	}
	open_log(&world.processes[0]);
	append(&world.processes[0], EVENT_CREATED, NULL);
	attach(&world.processes[0]);
	for (unsigned ms = 0; ms < CHAOS_MS; ms++) {
		disturb_store();
		disturb_process(&world.processes[chance(PROCESSES)]);
		run_ms();
	}
	calm_down();
	check();
	for (size_t i = 0; i < PROCESSES; i++)
		sim_client_release(&world.processes[i].client);
	sim_server_release(&world.server);
	return simulation->why[0] == '\0';
}
