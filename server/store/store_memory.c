#include "store/store_memory.h"
#include "base/mem.h"
#include <string.h>

enum { BUCKETS = 1024 };

struct entry {
	struct list node;
	struct store_place first;
	size_t len;
	char data[];
};

struct job_log {
	struct list node; /* of its bucket */
	struct store_memory *store;
	struct timer retention;
	struct list entries;
	struct store_place last; /* of the last event */
	char id[STORE_ID_BYTES];
};

struct store_memory {
	struct store port;
	struct reactor *reactor;
	uint64_t retention_ms;
	size_t n_logs;
	struct list buckets[BUCKETS];
};

static struct store_memory *of_port(struct store *port)
{
	return container_of(port, struct store_memory, port);
}

/* FNV-1a. */
static struct list *bucket_of(struct store_memory *store, const char *id)
{
	uint32_t hash = 2166136261u;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619u;
	return &store->buckets[hash % BUCKETS];
}

static struct job_log *find_log(struct store_memory *store, const char *id)
{
	struct list *bucket = bucket_of(store, id);

	LIST_EACH(node, bucket) {
		struct job_log *log = container_of(node, struct job_log, node);

		if (strcmp(log->id, id) == 0)
			return log;
	}
	return NULL;
}

static void log_free(struct job_log *log)
{
	struct store_memory *store = log->store;

	LIST_EACH(node, &log->entries)
		mem_free(container_of(node, struct entry, node));
	store->reactor->timer_stop(store->reactor, &log->retention);
	list_remove(&log->node);
	store->n_logs--;
	mem_free(log);
}

static void on_retention_over(struct timer *timer)
{
	log_free(container_of(timer, struct job_log, retention));
}

static struct job_log *log_new(struct store_memory *store, const char *id)
{
	struct job_log *log = mem_alloc(sizeof(*log));

	if (log == NULL)
		return NULL;
	memcpy(log->id, id, strlen(id) + 1);
	log->store = store;
	list_init(&log->entries);
	list_append(bucket_of(store, id), &log->node);
	store->n_logs++;
	return log;
}

static bool place_is_above(struct store_place place, struct store_place other)
{
	if (place.epoch != other.epoch)
		return place.epoch > other.epoch;
	return place.seq > other.seq;
}

static enum err add_entry(struct job_log *log, const struct store_write *write)
{
	struct store_memory *store = log->store;
	struct entry *entry = mem_alloc(sizeof(*entry) + write->data.len);

	if (entry == NULL)
		return ERR_NO_MEMORY;
	entry->first = write->first;
	entry->len = write->data.len;
	memcpy(entry->data, write->data.data, write->data.len);
	list_append(&log->entries, &entry->node);
	log->last = write->first;
	log->last.seq += write->n_events - 1;
	store->reactor->timer_start(store->reactor, &log->retention,
				    write->is_last ? store->retention_ms : STORE_UNENDED_MS,
				    on_retention_over);
	return OK;
}

/* Nothing here waits, so there is nothing to give up. */
static void nothing_to_cancel(struct op *op)
{
	(void)op;
}

static void finish_write(struct store_write *write, enum err err)
{
	write->outcome = err == OK ? STORE_LANDED : STORE_CONFLICT;
	op_finish(&write->op, err);
}

static void memory_create(struct store *port, struct store_write *write)
{
	struct store_memory *store = of_port(port);
	struct job_log *log;
	enum err err;

	if (!op_begin(&write->op, nothing_to_cancel))
		return;
	if (strlen(write->job) >= STORE_ID_BYTES) {
		finish_write(write, ERR_INVALID);
		return;
	}
	if (find_log(store, write->job) != NULL) {
		finish_write(write, ERR_EXISTS);
		return;
	}
	log = log_new(store, write->job);
	err = log != NULL ? add_entry(log, write) : ERR_NO_MEMORY;
	if (err != OK && log != NULL)
		log_free(log);
	finish_write(write, err);
}

static void memory_append(struct store *port, struct store_write *write)
{
	struct job_log *log;

	if (!op_begin(&write->op, nothing_to_cancel))
		return;
	log = find_log(of_port(port), write->job);
	if (log == NULL || !place_is_above(write->first, log->last))
		finish_write(write, ERR_CONFLICT);
	else
		finish_write(write, add_entry(log, write));
}

static enum err collect(const struct job_log *log, struct store_read *read)
{
	enum err err = OK;

	LIST_EACH(node, &log->entries) {
		const struct entry *entry = container_of(node, struct entry, node);

		if (!place_is_above(entry->first, read->after))
			continue;
		if (read->entries.len >= read->bytes_max) {
			read->is_more = true;
			break;
		}
		err = buf_append(&read->entries, entry->data, entry->len);
		if (err != OK)
			break;
		read->last = entry->first;
	}
	return err;
}

static void memory_read(struct store *port, struct store_read *read)
{
	const struct job_log *log;

	if (!op_begin(&read->op, nothing_to_cancel))
		return;
	read->is_more = false;
	read->last = read->after;
	log = find_log(of_port(port), read->job);
	op_finish(&read->op, log != NULL ? collect(log, read) : ERR_NOT_FOUND);
}

static void memory_erase(struct store *port, struct store_erase *erase)
{
	struct job_log *log;

	if (!op_begin(&erase->op, nothing_to_cancel))
		return;
	log = find_log(of_port(port), erase->job);
	if (log != NULL)
		log_free(log);
	op_finish(&erase->op, log != NULL ? OK : ERR_NOT_FOUND);
}

enum err store_memory_new(struct reactor *reactor, uint64_t retention_ms,
			  struct store_memory **ret_store)
{
	struct store_memory *store = mem_alloc(sizeof(*store));

	if (store == NULL)
		return ERR_NO_MEMORY;
	store->port = (struct store){ memory_create, memory_append, memory_read, memory_erase };
	store->reactor = reactor;
	store->retention_ms = retention_ms;
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&store->buckets[i]);
	*ret_store = store;
	return OK;
}

void store_memory_set_retention(struct store_memory *store, uint64_t retention_ms)
{
	store->retention_ms = retention_ms;
}

void store_memory_free(struct store_memory *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_EACH(node, &store->buckets[i])
			log_free(container_of(node, struct job_log, node));
	mem_free(store);
}

struct store *store_memory_port(struct store_memory *store)
{
	return &store->port;
}

size_t store_memory_logs(const struct store_memory *store)
{
	return store->n_logs;
}
