/* store_redis - logs in Redis (6.2 or newer) or Valkey, for all processes that are given the same
 * one. Single server, with or without replicas; the key layout is in docs/operations.md.
 *
 * Operations fail at once with STORE_UNKNOWN while it is away; who retries is the caller. Every key
 * has a time to live from its birth. A process holds one lease, whatever it writes; when it runs
 * out, the process' running logs are orphans to the others, once those have watched leases for
 * longer than one of them lasts. The fence is not the lease but the log: see docs/decisions/0009.
 *
 * store_redis_stop() before store_redis_free(): it gives the lease back. */
#ifndef LONGHAND_STORE_STORE_REDIS_H
#define LONGHAND_STORE_STORE_REDIS_H
#include "loop/reactor_uv.h"
#include "base/redis_url.h"
#include "store/store.h"

enum { STORE_REDIS_PREFIX_BYTES = 65 };

/* What its user may want to log. `detail` is for people, without secrets. */
enum store_redis_news {
	STORE_REDIS_UP,		  /* detail: the server's version */
	STORE_REDIS_DOWN,	  /* or not reached; told once per reason */
	STORE_REDIS_TOO_OLD,	  /* detail: its version; it is not used */
	STORE_REDIS_FORBIDDEN,	  /* a command failed: permissions, memory ...; not used */
	STORE_REDIS_REFUSES,	  /* a write was refused: detail says why; it is tried again */
	STORE_REDIS_EVICTS,	  /* detail: its maxmemory-policy, which may evict logs */
	STORE_REDIS_UNREPLICATED, /* an end was not seen by any replica in time; detail: job */
};

struct store_redis_options {
	const char *prefix; /* of all keys, borrowed only while store_redis_new() runs */
	uint64_t lease_ms;
	uint64_t backoff_cap_ms; /* longest wait before it is tried again; 0: by the lease */
	struct store_times times;
	void (*on_news)(void *context, enum store_redis_news news, const char *where,
			const char *detail); /* may be NULL */
	void *context;
};

struct store_redis;

/* Takes the URL over and starts to connect; not being reached is no error. ERR_NO_MEMORY, ERR_IO,
 * ERR_INVALID (the prefix is too long). */
MUST_CHECK enum err store_redis_new(struct reactor_uv *loop, struct redis_url *url,
				    const struct store_redis_options *options,
				    struct store_redis **ret_store);
/* For jobs that end or park from now on. */
void store_redis_set_times(struct store_redis *store, const struct store_times *times);
/* No operation may be live, and none may follow; on_stopped() on a later turn, within a second. */
void store_redis_stop(struct store_redis *store, void (*on_stopped)(void *context), void *context);
/* NULL ok. */
void store_redis_free(struct store_redis *store);
struct store *store_redis_port(struct store_redis *store);
/* A missing lease means a lost writer from now on: see orphans in store.h. For tests. */
bool store_redis_is_settled(const struct store_redis *store);
#endif
