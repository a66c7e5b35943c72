/* redis_calls - calls over redis_conn as tests make them: a loop, a connection, and what came. */
#ifndef LONGHAND_FAKES_REDIS_CALLS_H
#define LONGHAND_FAKES_REDIS_CALLS_H
#include "loop/redis_conn.h"

enum { TEST_REPLIES_MAX = 4, TEST_REPLY_BYTES = 256 };

struct redis_world {
	struct reactor_uv *loop;
	struct reactor *reactor;
	struct redis_conn *conn;
	unsigned changes;
};

/* Times in which nothing happens by accident on a busy machine. */
extern const struct redis_conn_options patient_redis;

/* No connection yet. */
void redis_world_open(struct redis_world *world);
void redis_world_connect(struct redis_world *world, const char *url,
			 const struct redis_conn_options *options);
void redis_world_close(struct redis_world *world);
void redis_world_turn_for(struct redis_world *world, uint64_t ms);
/* Turn until that is so. */
void redis_world_wait_up(struct redis_world *world);
void redis_world_wait_down(struct redis_world *world);
void redis_world_wait_failures(struct redis_world *world, unsigned failures);

struct redis_ask {
	struct redis_call call;
	unsigned dones;
	enum err result;
	bool is_sent;
	unsigned n_replies;
	enum redis_kind kinds[TEST_REPLIES_MAX];
	char texts[TEST_REPLIES_MAX][TEST_REPLY_BYTES]; /* integers in digits */
	bool is_inside;
};

void redis_ask_init(struct redis_ask *ask, struct redis_world *world, uint64_t deadline_ms);
/* Words separated by spaces. */
void redis_ask_add(struct redis_ask *ask, const char *words);
void redis_ask_start(struct redis_ask *ask, struct redis_world *world);
void redis_ask_wait(struct redis_ask *ask, struct redis_world *world);
/* All of it, for one command, without a deadline. */
void redis_ask_run(struct redis_ask *ask, struct redis_world *world, const char *words);
#endif
