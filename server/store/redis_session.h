/* redis_session - being somebody at Redis: a connection that is ready for the store's scripts, a
 * lease that says that this process is there, and what is known of the server. For store_redis.
 *
 *   connected --> INFO --> scripts, generation, lease --> ready --every third of the lease-->
 *   lease renewed, replicas counted
 *
 * Owns its redis_conn. `news` is told from the loop, never inside a function of ours. */
#ifndef LONGHAND_STORE_REDIS_SESSION_H
#define LONGHAND_STORE_REDIS_SESSION_H
#include "base/id.h"
#include "loop/redis_conn.h"
#include "store/redis_scripts.h"
#include "store/store_redis.h"

enum { REDIS_KEY_BYTES = 256, REDIS_SHA_BYTES = 41, REDIS_GENERATION_BYTES = 64 };
/* Longer than any log stays. */
#define REDIS_GENERATION_TTL "2592000000"

struct redis_session {
	struct redis_conn *conn;
	struct reactor *reactor;
	struct store_redis_options options; /* prefix is our own copy */
	char prefix[STORE_REDIS_PREFIX_BYTES];
	char writer[ID_CHARS + 1]; /* our name */
	char lease_value[128];	   /* pid@host, for people */
	char sha[REDIS_SCRIPT_COUNT][REDIS_SHA_BYTES];
	char run_id[REDIS_SHA_BYTES]; /* of the server, "" unknown */
	char version[32], policy[32]; /* likewise; its maxmemory-policy */
	unsigned replicas;
	enum { SESSION_DOWN, SESSION_LOOKING, SESSION_PREPARING, SESSION_READY } phase;
	struct redis_call call; /* ours, one at a time */
	struct timer renewal;
	uint64_t asked_boot_ms, asked_ms; /* when the lease was asked for: by either clock */
	uint64_t lease_until_boot_ms;
	uint64_t settled_ms; /* reactor time from which a missing lease means a writer is gone */
	uint64_t doubt;
	char last_failure[160];
	bool is_bad; /* the server cannot be used, and that has been told */
	bool is_stopping;
	void (*on_stopped)(void *context);
	void *stop_context;
};

/* Embedded; takes the URL over. ERR_NO_MEMORY, ERR_IO, ERR_INVALID (the prefix is too long). */
MUST_CHECK enum err redis_session_init(struct redis_session *session, struct reactor_uv *loop,
				       struct redis_url *url,
				       const struct store_redis_options *options);
/* Stopped, or the loop has not run. */
void redis_session_release(struct redis_session *session);
/* Gives the lease back; on_stopped() on a later turn. */
void redis_session_stop(struct redis_session *session, void (*on_stopped)(void *context),
			void *context);

bool redis_session_is_ready(const struct redis_session *session);
/* Leases have been watched long enough, without trouble: who has none is gone. */
bool redis_session_is_settled(const struct redis_session *session);
uint64_t redis_session_doubt(const struct redis_session *session);
/* A value for a new generation: a random number, and the server's run. */
void redis_session_generation(const struct redis_session *session,
			      char ret_text[REDIS_GENERATION_BYTES]);
/* The scripts are not there any more (SCRIPT FLUSH): everything is prepared again. */
void redis_session_prepare_again(struct redis_session *session);
void redis_session_tell(const struct redis_session *session, enum store_redis_news news,
			const char *detail);
#endif
