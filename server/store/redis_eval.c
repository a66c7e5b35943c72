#include "store/redis_eval.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/must.h"

enum { ARG_KEYS = 2 };

static void add(struct redis_eval *eval, struct slice arg)
{
	MUST(eval->n_args < EVAL_ARGS_MAX);
	eval->args[eval->n_args++] = arg;
}

__attribute__((format(printf, 2, 3))) static void add_printed(struct redis_eval *eval,
							      const char *format, ...)
{
	char *at = eval->pool + eval->pool_len;
	size_t room = sizeof(eval->pool) - eval->pool_len;
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(at, room, format, list);
	va_end(list);
	MUST(len >= 0 && (size_t)len < room); /* ids, labels and the prefix are bounded */
	eval->pool_len += (size_t)len + 1;
	add(eval, (struct slice){ at, (size_t)len });
}

void redis_eval_command(struct redis_eval *eval, const struct redis_session *session,
			const char *name)
{
	eval->session = session;
	eval->n_args = eval->n_keys = eval->pool_len = 0;
	redis_eval_text(eval, name);
}

void redis_eval_init(struct redis_eval *eval, const struct redis_session *session,
		     enum redis_script script)
{
	redis_eval_command(eval, session, "EVALSHA");
	redis_eval_text(eval, session->sha[script]);
	redis_eval_text(eval, ""); /* the number of keys */
}

void redis_eval_key(struct redis_eval *eval, const char *kind, const char *name)
{
	add_printed(eval, "%s%s%s", eval->session->prefix, kind, name);
	eval->n_keys++;
}

void redis_eval_shard_key(struct redis_eval *eval, unsigned shard)
{
	add_printed(eval, "%srunning:%u", eval->session->prefix, shard);
	eval->n_keys++;
}

/* FNV-1a: any process finds the same one. */
void redis_eval_running_key(struct redis_eval *eval, const char *job)
{
	uint32_t hash = 2166136261u;

	for (; *job != '\0'; job++)
		hash = (hash ^ (unsigned char)*job) * 16777619u;
	redis_eval_shard_key(eval, (hash >> 8) % REDIS_SHARDS);
}

void redis_eval_bytes(struct redis_eval *eval, struct slice bytes)
{
	add(eval, bytes);
}

void redis_eval_text(struct redis_eval *eval, const char *text)
{
	add(eval, (struct slice){ text, strlen(text) });
}

void redis_eval_number(struct redis_eval *eval, uint64_t number)
{
	add_printed(eval, "%llu", (unsigned long long)number);
}

void redis_eval_place(struct redis_eval *eval, const char *before, struct store_place place)
{
	add_printed(eval, "%s%llu-%llu", before, (unsigned long long)place.epoch,
		    (unsigned long long)place.seq);
}

void redis_eval_add(struct redis_eval *eval, struct redis_call *call)
{
	bool is_script = strcmp(eval->args[0].data, "EVALSHA") == 0;

	if (is_script)
		eval->args[ARG_KEYS] =
			(struct slice){ eval->keys_text,
					(size_t)snprintf(eval->keys_text, sizeof(eval->keys_text),
							 "%zu", eval->n_keys) };
	redis_call_add(call, eval->args, eval->n_args);
}
