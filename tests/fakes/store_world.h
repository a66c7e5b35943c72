/* store_world - a process with a Redis store, as tests have several of: a loop, the store, one
 * operation at a time, and the news it told. One that nobody turns is a process that is frozen. */
#ifndef LONGHAND_FAKES_STORE_WORLD_H
#define LONGHAND_FAKES_STORE_WORLD_H
#include "store/store_redis.h"

enum { TEST_LEASE_MS = 300, WORLD_DETAIL_BYTES = 200, WORLD_TEXT_BYTES = 1 << 20 };
extern const struct store_times TEST_TIMES;

struct store_world {
	struct reactor_uv *loop;
	struct reactor *reactor;
	struct store_redis *store;
	struct store *port;
	struct store_write write; /* keeps the generation from one to the next */
	struct store_read read;
	struct store_find find;
	struct store_erase erase;
	struct store_unlabel unlabel;
	bool is_done;
	struct store_world *other; /* turns too while we wait */
	char news[STORE_REDIS_UNREPLICATED + 1][WORLD_DETAIL_BYTES];
	unsigned told[STORE_REDIS_UNREPLICATED + 1];
};

/* Waits until it is up. */
void store_world_open(struct store_world *world, const char *url);
/* The same, without waiting. */
void store_world_start(struct store_world *world, const char *url);
void store_world_close(struct store_world *world); /* idempotent; gives the lease back */
void store_world_wait_up(struct store_world *world);
void store_world_settle(struct store_world *world);
void store_worlds_turn_for(struct store_world *one, struct store_world *two, uint64_t ms);
/* What was told last of that kind, or "". */
const char *store_world_news(const struct store_world *world, enum store_redis_news news);

/* First event 1-1. The op's result. */
enum err world_create(struct store_world *world, const char *job, const char *data);
enum err world_create_labelled(struct store_world *world, const char *job,
			       const char *const *labels);
/* As many events as lines. The outcome; checks that it fits the result. */
enum store_outcome world_append(struct store_world *world, const char *job,
				struct store_place first, const char *data, enum store_state state);
#define AT(epoch, seq) ((struct store_place){ epoch, seq })
/* All of it, in pieces; static. Asserts that it is there. */
const char *world_read(struct store_world *world, const char *job);
enum err world_try_read(struct store_world *world, const char *job);
/* Cancelled after so many turns. */
enum err world_read_cancelled(struct store_world *world, const char *job, unsigned turns);
enum err world_erase(struct store_world *world, const char *job);
enum err world_unlabel(struct store_world *world, const char *job, const char *label);
/* Ids with a space behind each; label NULL: orphans. Gives `found` back. */
const char *world_find(struct store_world *world, const char *label, char found[128]);
enum err world_try_find(struct store_world *world, const char *label, char found[128]);
#endif
