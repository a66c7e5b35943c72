/* redis_eval - one call of a script, or of a command, with its keys and arguments: what store_redis
 * puts into a redis_call. Lives on the stack; the call copies. */
#ifndef LONGHAND_STORE_REDIS_EVAL_H
#define LONGHAND_STORE_REDIS_EVAL_H
#include "store/redis_session.h"

enum { EVAL_ARGS_MAX = 40, EVAL_POOL_BYTES = 4096 };

struct redis_eval {
	const struct redis_session *session;
	struct slice args[EVAL_ARGS_MAX];
	size_t n_args;
	size_t n_keys;
	char keys_text[8];
	char pool[EVAL_POOL_BYTES]; /* of keys and numbers */
	size_t pool_len;
};

/* Keys come first. */
void redis_eval_init(struct redis_eval *eval, const struct redis_session *session,
		     enum redis_script script);
/* For a plain command, "XADD" or so. */
void redis_eval_command(struct redis_eval *eval, const struct redis_session *session,
			const char *name);
void redis_eval_key(struct redis_eval *eval, const char *kind, const char *name);
/* The key of the shard of running jobs that this job is in. */
void redis_eval_running_key(struct redis_eval *eval, const char *job);
void redis_eval_shard_key(struct redis_eval *eval, unsigned shard);
void redis_eval_text(struct redis_eval *eval, const char *text); /* borrowed until add */
void redis_eval_bytes(struct redis_eval *eval, struct slice bytes);
void redis_eval_number(struct redis_eval *eval, uint64_t number);
/* "epoch-seq", with something before it. */
void redis_eval_place(struct redis_eval *eval, const char *before, struct store_place place);
void redis_eval_add(struct redis_eval *eval, struct redis_call *call);

enum { REDIS_SHARDS = 16 };
#endif
