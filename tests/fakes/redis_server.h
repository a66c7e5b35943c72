/* redis_server - a real redis-server (or valkey-server, named by REDIS_SERVER) of a test's own, on
 * a free loopback port, in memory, ended with the test whatever happens to it. */
#ifndef LONGHAND_FAKES_REDIS_SERVER_H
#define LONGHAND_FAKES_REDIS_SERVER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
	pid_t pid; /* 0: not running */
	uint16_t port;
	char url[64]; /* redis://127.0.0.1:PORT/0 */
};

/* `args`: more of its command line, NULL at the end; may be NULL itself. Waits until it listens.
 * A server that ran before starts again on its port, empty. */
bool redis_server_start(struct redis_server *server, const char *const *args);
void redis_server_stop(struct redis_server *server); /* kill -9; idempotent */
void redis_server_freeze(struct redis_server *server);
void redis_server_thaw(struct redis_server *server);
/* One command over a blocking connection of its own, its answer as text: integers in digits, nil
 * as "", arrays' elements one a line. malloc'ed, the caller's. Dies when it cannot. */
char *redis_server_ask(const struct redis_server *server, const char *const *args);
#define REDIS_ASK(server, ...) redis_server_ask(server, (const char *const[]){ __VA_ARGS__, NULL })
#endif
