/* sim_store - a store that several processes share over connections that go wrong: late copies,
 * lost questions, lost answers, reconnections, a failover that drops the tail, a server that was
 * emptied. Each process has a clock of its own, so that one can be frozen; the net has another.
 *
 *   process --(delay)--> server --(delay)--> process
 *
 * A question whose asker has given up may still arrive, unless the server it was sent to is gone
 * (failover). A client whose server is gone answers ERR_UNKNOWN until it has found the new one; its
 * doubt changes then. */
#ifndef LONGHAND_FAKES_SIM_STORE_H
#define LONGHAND_FAKES_SIM_STORE_H
#include "fakes/fake_reactor.h"
#include "store/store.h"

enum { SIM_LOGS = 4, SIM_TRIPS = 64, SIM_ENTRIES = 1024 };

struct sim_entry {
	struct store_place first, last;
	enum store_state state;
	char *data;
	size_t len;
	uint64_t landed_ms;
};

struct sim_log {
	char id[STORE_ID_BYTES];
	struct sim_entry entries[SIM_ENTRIES];
	size_t n_entries;
	unsigned n_labels;
	bool is_dead; /* erased */
};

struct sim_server {
	struct fake_reactor net;
	struct sim_log logs[SIM_LOGS];
	size_t n_logs;
	uint64_t generation;  /* another one: it was emptied */
	uint64_t incarnation; /* another one: a failover, or a restart */
	uint64_t random;
	unsigned n_claims; /* that landed */
};

enum sim_fate { SIM_LAND, SIM_LOSE, SIM_LOSE_ANSWER };

struct sim_trip {
	struct timer timer;
	struct sim_client *client; /* NULL: free */
	struct op *op;		   /* NULL: its asker has given up */
	struct store_write write;  /* a copy; its op is not used */
	struct store_read *read;   /* NULL: a write */
	struct store_write *answer_to;
	struct store_place after;
	size_t bytes_max;
	char id[STORE_ID_BYTES];
	char *data;
	enum { SIM_CREATE, SIM_APPEND, SIM_READ } kind;
	enum sim_fate fate;
	unsigned n_labels;
	uint64_t incarnation;
	enum err result;
	bool is_back; /* it has been at the server */
};

struct sim_client { /* of one process */
	struct store port;
	struct sim_server *server;
	struct reactor *reactor; /* the process's */
	uint64_t doubt;
	uint64_t incarnation, generation; /* of the server that it is connected to */
	unsigned delay_max_ms;		  /* of each way; from 1 */
	unsigned lose_percent;		  /* questions, and as many answers */
	struct sim_trip trips[SIM_TRIPS];
};

void sim_server_init(struct sim_server *server, uint64_t seed);
void sim_server_release(struct sim_server *server);
uint64_t sim_random(struct sim_server *server, uint64_t below);
/* NULL: there is none. */
struct sim_log *sim_server_log(struct sim_server *server, const char *id);
/* The same for one that has no entry. */
struct sim_log *sim_server_live_log(struct sim_server *server, const char *id);
/* All entries' data as a text; the caller frees it with free(). */
char *sim_server_text(struct sim_server *server, const char *id);
/* The last entries are gone, as are all questions under way; but for those older than `lag_ms`, and
 * what ended the log: its writer waits for the replicas then. */
void sim_server_fail_over(struct sim_server *server, const char *id, size_t n_dropped,
			  uint64_t lag_ms);
void sim_server_empty(struct sim_server *server);
void sim_server_erase(struct sim_server *server, const char *id);

void sim_client_init(struct sim_client *client, struct sim_server *server, struct reactor *reactor);
/* Whatever is under way is forgotten; no op may be live. */
void sim_client_release(struct sim_client *client);
/* Finds the server again; its doubt changes. */
void sim_client_reconnect(struct sim_client *client);
#endif
