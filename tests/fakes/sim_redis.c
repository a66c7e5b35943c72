#include "fakes/sim_redis.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/must.h"
#include "store/redis_lines.h"

enum { ARGS_MAX = 48, TEXT_BYTES = 128, ENTRY_BYTES = 1 << 20 };

struct command {
	struct slice args[ARGS_MAX];
	size_t n_args;
};

/* ---- replies ---- */

static struct redis_reply *make(enum redis_kind kind, const char *data, size_t len)
{
	struct redis_reply *reply = mem_alloc(sizeof(*reply) + len + 1);

	MUST(reply != NULL);
	reply->kind = kind;
	memcpy(reply->elements, data, len);
	reply->text = (struct slice){ (const char *)reply->elements, len };
	return reply;
}

__attribute__((format(printf, 1, 2))) static struct redis_reply *make_text(const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return make(REDIS_KIND_TEXT, text, strlen(text));
}

static struct redis_reply *make_integer(int64_t integer)
{
	struct redis_reply *reply = make(REDIS_KIND_INTEGER, "", 0);

	reply->text = (struct slice){ NULL, 0 };
	reply->integer = integer;
	return reply;
}

static struct redis_reply *make_array(size_t n)
{
	struct redis_reply *reply = mem_alloc(sizeof(*reply) + n * sizeof(void *));

	MUST(reply != NULL);
	reply->kind = REDIS_KIND_ARRAY;
	reply->n_elements = n;
	return reply;
}

/* ---- arguments ---- */

static const char *read_count(const char *at, char sign, size_t *ret_count)
{
	char *rest;

	MUST(*at == sign);
	*ret_count = strtoul(at + 1, &rest, 10);
	MUST(rest[0] == '\r' && rest[1] == '\n');
	return rest + 2;
}

static const char *read_command(const char *at, struct command *command)
{
	size_t len;

	at = read_count(at, '*', &command->n_args);
	MUST(command->n_args > 0 && command->n_args <= ARGS_MAX);
	for (size_t i = 0; i < command->n_args; i++) {
		at = read_count(at, '$', &len);
		command->args[i] = (struct slice){ at, len };
		at += len + 2;
	}
	return at;
}

static bool is_word(const struct command *command, size_t i, const char *word)
{
	return command->args[i].len == strlen(word) &&
	       memcmp(command->args[i].data, word, strlen(word)) == 0;
}

static uint64_t number_at(const struct command *command, size_t i)
{
	return strtoull(command->args[i].data, NULL, 10);
}

/* What stands behind "log:". */
static void id_at(const struct command *command, size_t i, char ret_id[STORE_ID_BYTES])
{
	const char *colon = strstr(command->args[i].data, "log:");

	MUST(colon != NULL);
	colon += strlen("log:");
	(void)snprintf(ret_id, STORE_ID_BYTES, "%.*s",
		       (int)(command->args[i].data + command->args[i].len - colon), colon);
}

static enum store_state state_at(const struct command *command, size_t i)
{
	if (is_word(command, i, "ended"))
		return STORE_ENDED;
	if (is_word(command, i, "parked"))
		return STORE_PARKED;
	return is_word(command, i, "offered") ? STORE_OFFERED : STORE_RUNNING;
}

/* ---- scripts ---- */

static void see_emptied(struct sim_redis *redis)
{
	if (redis->emptied != redis->server->generation)
		redis->generation = 0;
	redis->emptied = redis->server->generation;
}

static void set_generation(struct sim_redis *redis, struct slice value)
{
	const char *colon = memchr(value.data, ':', value.len);

	MUST(colon != NULL);
	redis->generation = strtoull(value.data, NULL, 10);
	redis->run = strtoull(colon + 1, NULL, 10);
}

static struct redis_reply *answer(const struct sim_redis *redis, const char *word)
{
	struct redis_reply *reply = make_array(2);

	reply->elements[0] = make_text("%s", word);
	reply->elements[1] = make_text("%llu:%llu", redis->generation, redis->run);
	return reply;
}

/* EVAL script 1 key generation ttl run */
static struct redis_reply *begin(struct sim_redis *redis, const struct command *command)
{
	if (redis->generation == 0 || redis->run != number_at(command, 6))
		set_generation(redis, command->args[4]);
	return make_text("%llu:%llu", redis->generation, redis->run);
}

static void add_entry(struct sim_redis *redis, struct sim_log *log, struct sim_entry entry,
		      struct slice packed)
{
	uint64_t n = entry.last.seq - entry.first.seq + 1;
	struct buf lines;

	MUST(log->n_entries < SIM_ENTRIES);
	buf_init(&lines, ENTRY_BYTES);
	MUST(redis_lines_unpack(packed, entry.last, n, &lines) == OK);
	entry.data = malloc(lines.len);
	MUST(entry.data != NULL);
	memcpy(entry.data, buf_str(&lines), lines.len);
	entry.len = lines.len;
	entry.landed_ms = redis->server->net.now_ms;
	buf_release(&lines);
	log->entries[log->n_entries++] = entry;
	redis->server->n_claims += entry.first.seq == 0;
	log->is_dead = log->is_dead || entry.state == STORE_ENDED; /* its tombstone */
}

static struct sim_log *log_named(struct sim_server *server, const char *id)
{
	struct sim_log *log = sim_server_log(server, id);

	if (log != NULL)
		return log;
	MUST(server->n_logs < SIM_LOGS);
	log = &server->logs[server->n_logs++];
	*log = (struct sim_log){ .n_entries = 0 };
	memcpy(log->id, id, STORE_ID_BYTES);
	return log;
}

static void ensure_generation(struct sim_redis *redis, struct slice value)
{
	if (redis->generation == 0)
		set_generation(redis, value);
}

/* `argv` is the index of ARGV[1]. */
static struct redis_reply *create(struct sim_redis *redis, const struct command *command,
				  size_t argv)
{
	struct sim_entry entry = { .state = state_at(command, argv + 4) };
	char id[STORE_ID_BYTES];
	struct sim_log *log;
	char *rest;

	ensure_generation(redis, command->args[argv + 8]);
	id_at(command, 3, id);
	log = log_named(redis->server, id);
	if (log->is_dead)
		return answer(redis, "dead");
	if (log->n_entries > 0)
		return answer(redis, "exists");
	entry.last.epoch = strtoull(command->args[argv + 2].data, &rest, 10);
	entry.last.seq = strtoull(rest + 1, NULL, 10);
	entry.first = entry.last;
	entry.first.seq -= number_at(command, argv + 3) - 1;
	add_entry(redis, log, entry, command->args[argv + 5]);
	return answer(redis, "ok");
}

static struct redis_reply *append(struct sim_redis *redis, const struct command *command,
				  size_t argv)
{
	struct sim_entry entry = {
		.first = { number_at(command, argv + 2), number_at(command, argv + 3) },
		.last = { number_at(command, argv + 2), number_at(command, argv + 4) },
		.state = state_at(command, argv + 6),
	};
	char id[STORE_ID_BYTES];
	struct store_place last;
	struct sim_log *log;

	ensure_generation(redis, command->args[argv + 10]);
	id_at(command, 3, id);
	log = log_named(redis->server, id);
	if (log->n_entries == 0)
		return answer(redis, log->is_dead ? "dead" : "gone");
	last = log->entries[log->n_entries - 1].last;
	if (entry.first.epoch < last.epoch ||
	    (entry.first.epoch == last.epoch && entry.first.seq <= last.seq))
		return answer(redis, "conflict");
	if (entry.first.epoch == last.epoch && entry.first.seq > last.seq + 1)
		return answer(redis, "gap");
	add_entry(redis, log, entry, command->args[argv + 7]);
	return answer(redis, "ok");
}

static struct redis_reply *run_script(struct sim_redis *redis, const struct command *command)
{
	size_t argv = 3 + number_at(command, 2);

	if (is_word(command, 1, "create"))
		return create(redis, command, argv);
	MUST(is_word(command, 1, "append")); /* the simulator asks for no other */
	return append(redis, command, argv);
}

/* ---- reading ---- */

static struct redis_reply *make_entry(const struct sim_entry *entry)
{
	uint64_t n = entry->last.seq - entry->first.seq + 1;
	struct redis_reply *reply = make_array(2);
	struct redis_reply *fields = make_array(4);
	struct buf packed;

	buf_init(&packed, ENTRY_BYTES);
	MUST(redis_lines_pack((struct slice){ entry->data, entry->len }, entry->first, &packed) ==
	     OK);
	reply->elements[0] = make_text("%llu-%llu", (unsigned long long)entry->last.epoch,
				       (unsigned long long)entry->last.seq);
	reply->elements[1] = fields;
	fields->elements[0] = make_text("n");
	fields->elements[1] = make_text("%llu", (unsigned long long)n);
	fields->elements[2] = make_text("d");
	fields->elements[3] = make(REDIS_KIND_TEXT, buf_str(&packed), packed.len);
	buf_release(&packed);
	return reply;
}

static bool is_above(struct store_place place, struct store_place other)
{
	return place.epoch != other.epoch ? place.epoch > other.epoch : place.seq > other.seq;
}

/* XRANGE key (1-7 + COUNT n */
static struct redis_reply *range(struct sim_redis *redis, const struct command *command)
{
	struct store_place after = { 0, 0 };
	size_t from = 0, n;
	char id[STORE_ID_BYTES];
	struct sim_log *log;
	struct redis_reply *reply;
	char *rest;

	id_at(command, 1, id);
	log = sim_server_live_log(redis->server, id);
	if (log == NULL)
		return make_array(0);
	if (command->args[2].data[0] == '(') {
		after.epoch = strtoull(command->args[2].data + 1, &rest, 10);
		after.seq = strtoull(rest + 1, NULL, 10);
	}
	while (from < log->n_entries && !is_above(log->entries[from].last, after))
		from++;
	n = log->n_entries - from;
	if (n > number_at(command, 5))
		n = number_at(command, 5);
	reply = make_array(n);
	for (size_t i = 0; i < n; i++)
		reply->elements[i] = make_entry(&log->entries[from + i]);
	return reply;
}

static struct redis_reply *exists(struct sim_redis *redis, const struct command *command)
{
	char id[STORE_ID_BYTES];

	id_at(command, 1, id);
	return make_integer(sim_server_live_log(redis->server, id) != NULL);
}

static struct redis_reply *info(const struct sim_redis *redis, const struct command *command)
{
	if (!is_word(command, 1, "server"))
		return make_text("%s", "");
	return make_text("redis_version:7.0.15\r\nrun_id:%llu\r\n",
			 (unsigned long long)redis->server->incarnation);
}

/* SCRIPT LOAD "-- name\n...": the name is the hash. */
static struct redis_reply *load(const struct command *command)
{
	const char *name = command->args[2].data + strlen("-- ");

	return make_text("%.*s", (int)strcspn(name, "\n"), name);
}

static struct redis_reply *run(struct sim_redis *redis, const struct command *command)
{
	if (is_word(command, 0, "EVALSHA"))
		return run_script(redis, command);
	if (is_word(command, 0, "EXISTS"))
		return exists(redis, command);
	if (is_word(command, 0, "XRANGE"))
		return range(redis, command);
	if (is_word(command, 0, "INFO"))
		return info(redis, command);
	if (is_word(command, 0, "SCRIPT"))
		return load(command);
	if (is_word(command, 0, "EVAL"))
		return begin(redis, command);
	if (is_word(command, 0, "SET"))
		return make(REDIS_KIND_STATUS, "OK", 2);
	MUST(is_word(command, 0, "PEXPIRE"));
	return make_integer(1);
}

unsigned sim_redis_serve(struct sim_redis *redis, const char *bytes, size_t len,
			 struct redis_reply **ret_replies)
{
	const char *at = bytes;
	unsigned n = 0;

	see_emptied(redis);
	while (at < bytes + len) {
		struct command command;

		at = read_command(at, &command);
		ret_replies[n++] = run(redis, &command);
	}
	return n;
}
