/* sim_redis - Redis as the simulator's server knows it: the commands and scripts that store_redis
 * sends, on the logs of a sim_server. No process, no sockets: commands in, replies out. That the
 * scripts themselves do the same is what tests/store/test_store_redis.c shows on a real server. */
#ifndef LONGHAND_FAKES_SIM_REDIS_H
#define LONGHAND_FAKES_SIM_REDIS_H
#include "fakes/sim_store.h"
#include "loop/redis_reply.h"

/* What is beside the logs. Zero it with the server. */
struct sim_redis {
	struct sim_server *server;
	unsigned long long generation, run; /* 0: the key is not there */
	uint64_t emptied;		    /* the server's generation when that was seen last */
};

/* Carries out the commands of one call, in the protocol's bytes; returns how many replies there
 * are. They are the caller's (redis_reply_free). */
unsigned sim_redis_serve(struct sim_redis *redis, const char *bytes, size_t len,
			 struct redis_reply **ret_replies);
#endif
