#include "store/store_redis.h"
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/must.h"
#include "store/redis_lines.h"
#include "store/redis_task.h"

enum { READ_COUNT_MIN = 16, READ_COUNT_MAX = 1024, READ_ENTRY_BYTES = 512 };

/* ---- read ---- */

static void ask_for_entries(struct redis_task *task)
{
	struct store_read *read = container_of(task->op, struct store_read, op);
	const struct redis_session *session = &task->store->session;
	struct redis_eval eval;
	size_t rest = read->bytes_max > read->entries.len ? read->bytes_max - read->entries.len : 0;

	task->count = rest / READ_ENTRY_BYTES;
	if (task->count < READ_COUNT_MIN)
		task->count = READ_COUNT_MIN;
	if (task->count > READ_COUNT_MAX)
		task->count = READ_COUNT_MAX;
	redis_eval_command(&eval, session, "EXISTS");
	redis_eval_key(&eval, "log:", read->job);
	redis_eval_add(&eval, &task->call);
	redis_eval_command(&eval, session, "XRANGE");
	redis_eval_key(&eval, "log:", read->job);
	if (read->last.epoch == 0 && read->last.seq == 0)
		redis_eval_text(&eval, "-");
	else
		redis_eval_place(&eval, "(", read->last);
	redis_eval_text(&eval, "+");
	redis_eval_text(&eval, "COUNT");
	redis_eval_number(&eval, task->count);
	redis_eval_add(&eval, &task->call);
	redis_task_send(task);
}

/* The value of a field whose name is one letter, of [id, [field, value, ...]]. NULL-data: not one
 * of ours. */
static struct slice field_of(const struct redis_reply *entry, char name)
{
	const struct redis_reply *fields;

	if (!redis_reply_is_array(entry, 2) || entry->elements[0]->kind != REDIS_KIND_TEXT)
		return (struct slice){ NULL, 0 };
	fields = entry->elements[1];
	for (size_t i = 0; fields->kind == REDIS_KIND_ARRAY && i + 1 < fields->n_elements; i += 2)
		if (fields->elements[i]->text.len == 1 && fields->elements[i]->text.data[0] == name)
			return fields->elements[i + 1]->text;
	return (struct slice){ NULL, 0 };
}

static struct store_place place_of(const struct redis_reply *entry)
{
	char *rest;
	uint64_t epoch = strtoull(entry->elements[0]->text.data, &rest, 10);

	return (struct store_place){ epoch, *rest == '-' ? strtoull(rest + 1, NULL, 10) : 0 };
}

static enum err take_entries(struct store_read *read, const struct redis_reply *entries)
{
	for (size_t i = 0; i < entries->n_elements; i++) {
		struct slice packed = field_of(entries->elements[i], 'd');
		struct slice n = field_of(entries->elements[i], 'n');
		struct store_place place;
		enum err err;

		if (read->entries.len >= read->bytes_max) {
			read->is_more = true;
			return OK;
		}
		if (packed.data == NULL || n.data == NULL)
			return ERR_INVALID;
		place = place_of(entries->elements[i]);
		err = redis_lines_unpack(packed, place, strtoull(n.data, NULL, 10), &read->entries);
		if (err != OK)
			return err;
		read->last = place;
	}
	return OK;
}

static void on_entries(struct redis_task *task)
{
	struct store_read *read = container_of(task->op, struct store_read, op);
	const struct redis_reply *exists = task->call.replies[0];
	const struct redis_reply *entries = task->call.replies[1];
	bool is_full;
	enum err err;

	if (exists->kind != REDIS_KIND_INTEGER || entries->kind != REDIS_KIND_ARRAY) {
		redis_task_end(task, ERR_UNKNOWN);
		return;
	}
	is_full = entries->n_elements == task->count;
	err = exists->integer == 1 ? take_entries(read, entries) : ERR_NOT_FOUND;
	if (err == OK && is_full && read->entries.len < read->bytes_max) {
		redis_task_renew_call(task);
		ask_for_entries(task);
		return;
	}
	read->is_more = read->is_more || (err == OK && is_full);
	redis_task_end(task, err);
}

static void redis_read(struct store *port, struct store_read *read)
{
	struct redis_task *task;

	read->is_more = false;
	read->last = read->after;
	task = redis_task_begin(port, &read->op, on_entries);
	if (task != NULL)
		ask_for_entries(task);
}

/* ---- erase, find, unlabel, orphans ---- */

static void on_erased(struct redis_task *task)
{
	const struct redis_reply *reply = task->call.replies[0];

	redis_task_end(
		task, reply->kind == REDIS_KIND_INTEGER && reply->integer > 0 ? OK : ERR_NOT_FOUND);
}

static void redis_erase(struct store *port, struct store_erase *erase)
{
	struct redis_task *task = redis_task_begin(port, &erase->op, on_erased);
	struct redis_eval eval;

	if (task == NULL)
		return;
	redis_eval_init(&eval, &task->store->session, REDIS_SCRIPT_ERASE);
	redis_eval_key(&eval, "log:", erase->job);
	redis_eval_key(&eval, "dead:", erase->job);
	redis_eval_running_key(&eval, erase->job);
	redis_eval_text(&eval, erase->job);
	redis_eval_number(&eval, store_redis_longest_ms(task->store));
	redis_eval_add(&eval, &task->call);
	redis_task_send(task);
}

static void on_found(struct redis_task *task)
{
	struct store_find *find = container_of(task->op, struct store_find, op);
	const struct redis_reply *reply = task->call.replies[0];

	find->is_more = reply->n_elements > STORE_FOUND_MAX;
	for (size_t i = 0; i < reply->n_elements && find->n_ids < STORE_FOUND_MAX; i++) {
		const struct slice *id = &reply->elements[i]->text;

		if (id->data == NULL || id->len >= STORE_ID_BYTES)
			continue;
		memcpy(find->ids[find->n_ids++], id->data, id->len + 1);
	}
	redis_task_end(task, reply->kind == REDIS_KIND_ARRAY ? OK : ERR_UNKNOWN);
}

static void add_log_prefix(struct redis_eval *eval)
{
	redis_eval_key(eval, "log:", "");
	eval->n_keys--; /* an argument that keys begin with */
}

static void redis_find(struct store *port, struct store_find *find)
{
	struct redis_task *task;
	struct redis_eval eval;

	find->n_ids = 0;
	find->is_more = false;
	task = redis_task_begin(port, &find->op, on_found);
	if (task == NULL)
		return;
	redis_eval_init(&eval, &task->store->session, REDIS_SCRIPT_FIND);
	redis_eval_key(&eval, "label:", find->label);
	add_log_prefix(&eval);
	redis_eval_number(&eval, STORE_FOUND_MAX + 1);
	redis_eval_add(&eval, &task->call);
	redis_task_send(task);
}

static void redis_orphans(struct store *port, struct store_find *find)
{
	struct redis_task *task;
	struct redis_eval eval;

	find->n_ids = 0;
	find->is_more = false;
	task = redis_task_begin(port, &find->op, on_found);
	if (task == NULL)
		return;
	redis_eval_init(&eval, &task->store->session, REDIS_SCRIPT_ORPHANS);
	for (unsigned i = 0; i < REDIS_SHARDS; i++)
		redis_eval_shard_key(&eval, i);
	add_log_prefix(&eval);
	redis_eval_key(&eval, "writer:", "");
	eval.n_keys--;
	redis_eval_text(&eval, task->store->session.writer);
	redis_eval_number(&eval, STORE_FOUND_MAX + 1);
	redis_eval_text(&eval, redis_session_is_settled(&task->store->session) ? "1" : "0");
	redis_eval_add(&eval, &task->call);
	redis_task_send(task);
}

static void on_unlabelled(struct redis_task *task)
{
	redis_task_end(task, OK);
}

static void redis_unlabel(struct store *port, struct store_unlabel *unlabel)
{
	struct redis_task *task = redis_task_begin(port, &unlabel->op, on_unlabelled);
	struct redis_eval eval;

	if (task == NULL)
		return;
	redis_eval_command(&eval, &task->store->session, "ZREM");
	redis_eval_key(&eval, "label:", unlabel->label);
	redis_eval_text(&eval, unlabel->job);
	redis_eval_add(&eval, &task->call);
	redis_task_send(task);
}

static uint64_t redis_doubt(const struct store *port)
{
	return redis_session_doubt(&store_redis_of(port)->session);
}

static bool redis_is_up(const struct store *port)
{
	return redis_session_is_ready(&store_redis_of(port)->session);
}

/* ---- the store ---- */

enum err store_redis_new(struct reactor_uv *loop, struct redis_url *url,
			 const struct store_redis_options *options, struct store_redis **ret_store)
{
	struct store_redis *store = mem_alloc(sizeof(*store));
	enum err err;

	if (store == NULL)
		return ERR_NO_MEMORY;
	store->port = (struct store){ .reach = STORE_SHARED,
				      .create = store_redis_create,
				      .append = store_redis_append,
				      .read = redis_read,
				      .erase = redis_erase,
				      .find = redis_find,
				      .unlabel = redis_unlabel,
				      .orphans = redis_orphans,
				      .doubt = redis_doubt,
				      .is_up = redis_is_up };
	store->times = options->times;
	err = redis_session_init(&store->session, loop, url, options);
	if (err != OK) {
		mem_free(store);
		return err;
	}
	*ret_store = store;
	return OK;
}

void store_redis_set_times(struct store_redis *store, const struct store_times *times)
{
	store->times = *times;
}

void store_redis_stop(struct store_redis *store, void (*on_stopped)(void *context), void *context)
{
	redis_session_stop(&store->session, on_stopped, context);
}

void store_redis_free(struct store_redis *store)
{
	if (store == NULL)
		return;
	MUST(store->n_tasks == 0);
	redis_session_release(&store->session);
	mem_free(store);
}

struct store *store_redis_port(struct store_redis *store)
{
	return &store->port;
}

bool store_redis_is_settled(const struct store_redis *store)
{
	return redis_session_is_settled(&store->session);
}
