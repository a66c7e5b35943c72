/* The server of the simulator: its logs, and what happens to them. */
#include "fakes/sim_store.h"
#include "base/must.h"
#include <stdlib.h>
#include <string.h>

/* splitmix64. */
uint64_t sim_random(struct sim_server *server, uint64_t below)
{
	uint64_t x = server->random += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (x ^ (x >> 31)) % below;
}

/* ---- the server ---- */

void sim_server_init(struct sim_server *server, uint64_t seed)
{
	*server = (struct sim_server){ .generation = 1, .incarnation = 1, .random = seed };
	fake_reactor_init(&server->net);
}

static void drop_entries(struct sim_log *log, size_t keep)
{
	while (log->n_entries > keep)
		free(log->entries[--log->n_entries].data);
}

void sim_server_release(struct sim_server *server)
{
	for (size_t i = 0; i < server->n_logs; i++)
		drop_entries(&server->logs[i], 0);
	server->n_logs = 0;
}

struct sim_log *sim_server_log(struct sim_server *server, const char *id)
{
	for (size_t i = 0; i < server->n_logs; i++)
		if (strcmp(server->logs[i].id, id) == 0)
			return &server->logs[i];
	return NULL;
}

struct sim_log *sim_server_live_log(struct sim_server *server, const char *id)
{
	struct sim_log *log = sim_server_log(server, id);

	return log != NULL && log->n_entries > 0 ? log : NULL;
}

char *sim_server_text(struct sim_server *server, const char *id)
{
	struct sim_log *log = sim_server_live_log(server, id);
	size_t len = 0;
	char *text;

	if (log == NULL)
		return NULL;
	for (size_t i = 0; i < log->n_entries; i++)
		len += log->entries[i].len;
	text = malloc(len + 1);
	MUST(text != NULL);
	len = 0;
	for (size_t i = 0; i < log->n_entries; i++) {
		memcpy(text + len, log->entries[i].data, log->entries[i].len);
		len += log->entries[i].len;
	}
	text[len] = '\0';
	return text;
}

void sim_server_fail_over(struct sim_server *server, const char *id, size_t n_dropped,
			  uint64_t lag_ms)
{
	struct sim_log *log = sim_server_log(server, id);
	size_t keep = log != NULL ? log->n_entries : 0;

	server->incarnation++;
	for (; n_dropped > 0 && keep > 0; n_dropped--, keep--)
		if (log->entries[keep - 1].landed_ms + lag_ms < server->net.now_ms ||
		    log->entries[keep - 1].state == STORE_ENDED)
			break;
	if (log != NULL)
		drop_entries(log, keep);
}

void sim_server_empty(struct sim_server *server)
{
	server->incarnation++;
	server->generation++;
	for (size_t i = 0; i < server->n_logs; i++) {
		drop_entries(&server->logs[i], 0);
		server->logs[i].is_dead = false;
	}
}

void sim_server_erase(struct sim_server *server, const char *id)
{
	struct sim_log *log = sim_server_log(server, id);

	if (log == NULL)
		return;
	drop_entries(log, 0);
	log->is_dead = true;
}
