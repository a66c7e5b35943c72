#include "store/store_memory.h"
#include "base/mem.h"
#include <string.h>

enum { BUCKETS = 1024 };

struct entry {
	struct list node;
	struct store_place place;
	size_t len;
	char data[];
};

struct label {
	uint32_t hash;
	char text[STORE_LABEL_BYTES]; /* "": none */
};

struct job_log {
	struct list node;   /* of its bucket */
	struct list by_age; /* of the store */
	struct list parked; /* likewise, while it is */
	struct store_memory *store;
	struct timer retention;
	struct list entries;
	struct store_place place; /* of the last event */
	enum store_state state;
	char id[STORE_ID_BYTES];
	struct label labels[STORE_LABELS_MAX];
};

struct store_memory {
	struct store port;
	struct reactor *reactor;
	struct store_times times;
	size_t n_logs, n_parked, parked_max;
	struct list by_age; /* newest first */
	struct list parked; /* parked longest ago first */
	struct list buckets[BUCKETS];
};

static struct store_memory *of_port(struct store *port)
{
	return container_of(port, struct store_memory, port);
}

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

static struct list *bucket_of(struct store_memory *store, const char *id)
{
	return &store->buckets[hash_of(id) % BUCKETS];
}

static struct job_log *find_log(struct store_memory *store, const char *id)
{
	struct list *bucket = bucket_of(store, id);

	LIST_EACH (node, bucket) {
		struct job_log *log = container_of(node, struct job_log, node);

		if (strcmp(log->id, id) == 0)
			return log;
	}
	return NULL;
}

static void leave_parked(struct job_log *log)
{
	log->store->n_parked -= log->state == STORE_PARKED;
	list_remove(&log->parked);
}

static void log_free(struct job_log *log)
{
	struct store_memory *store = log->store;

	leave_parked(log);
	LIST_EACH (node, &log->entries)
		mem_free(container_of(node, struct entry, node));
	store->reactor->timer_stop(store->reactor, &log->retention);
	list_remove(&log->node);
	list_remove(&log->by_age);
	store->n_logs--;
	mem_free(log);
}

static void on_retention_over(struct timer *timer)
{
	log_free(container_of(timer, struct job_log, retention));
}

static void set_labels(struct job_log *log, const char *const *labels)
{
	for (size_t i = 0; labels != NULL && labels[i] != NULL; i++) {
		struct label *label = &log->labels[i];

		label->hash = hash_of(labels[i]);
		memcpy(label->text, labels[i], strlen(labels[i]) + 1);
	}
}

static struct job_log *log_new(struct store_memory *store, const struct store_write *write)
{
	struct job_log *log = mem_alloc(sizeof(*log));

	if (log == NULL)
		return NULL;
	memcpy(log->id, write->job, strlen(write->job) + 1);
	log->store = store;
	set_labels(log, write->labels);
	list_init(&log->entries);
	list_append(bucket_of(store, log->id), &log->node);
	list_append(store->by_age.next, &log->by_age); /* in front */
	store->n_logs++;
	return log;
}

static bool place_is_above(struct store_place place, struct store_place other)
{
	if (place.epoch != other.epoch)
		return place.epoch > other.epoch;
	return place.seq > other.seq;
}

static void note_state(struct job_log *log, enum store_state state)
{
	struct store_memory *store = log->store;

	leave_parked(log);
	log->state = state;
	if (state != STORE_PARKED)
		return;
	list_append(&store->parked, &log->parked);
	store->n_parked++;
	if (store->parked_max > 0 && store->n_parked > store->parked_max)
		log_free(container_of(store->parked.next, struct job_log, parked));
}

static uint64_t stay_ms(const struct store_memory *store, enum store_state state)
{
	if (state == STORE_ENDED)
		return store->times.retention_ms;
	return state == STORE_PARKED ? store->times.park_ms : STORE_UNENDED_MS;
}

static enum err add_entry(struct job_log *log, const struct store_write *write)
{
	struct store_memory *store = log->store;
	struct entry *entry = mem_alloc(sizeof(*entry) + write->data.len);

	if (entry == NULL)
		return ERR_NO_MEMORY;
	entry->place = write->first;
	entry->place.seq += write->n_events - 1;
	entry->len = write->data.len;
	memcpy(entry->data, write->data.data, write->data.len);
	list_append(&log->entries, &entry->node);
	log->place = entry->place;
	store->reactor->timer_start(store->reactor, &log->retention, stay_ms(store, write->state),
				    on_retention_over);
	note_state(log, write->state);
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

static bool is_well_formed(const struct store_write *write)
{
	size_t n = 0;

	for (; write->labels != NULL && write->labels[n] != NULL; n++)
		if (n == STORE_LABELS_MAX || strlen(write->labels[n]) >= STORE_LABEL_BYTES)
			return false;
	return strlen(write->job) < STORE_ID_BYTES;
}

static void memory_create(struct store *port, struct store_write *write)
{
	struct store_memory *store = of_port(port);
	struct job_log *log;
	enum err err;

	if (!op_begin(&write->op, nothing_to_cancel))
		return;
	if (!is_well_formed(write)) {
		finish_write(write, ERR_INVALID);
		return;
	}
	if (find_log(store, write->job) != NULL) {
		finish_write(write, ERR_EXISTS);
		return;
	}
	log = log_new(store, write);
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
	if (log == NULL || !place_is_above(write->first, log->place))
		finish_write(write, ERR_CONFLICT);
	else
		finish_write(write, add_entry(log, write));
}

static enum err collect(const struct job_log *log, struct store_read *read)
{
	enum err err = OK;

	LIST_EACH (node, &log->entries) {
		const struct entry *entry = container_of(node, struct entry, node);

		if (!place_is_above(entry->place, read->after))
			continue;
		if (read->entries.len >= read->bytes_max) {
			read->is_more = true;
			break;
		}
		err = buf_append(&read->entries, entry->data, entry->len);
		if (err != OK)
			break;
		read->last = entry->place;
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

static struct label *label_of(struct job_log *log, const char *text, uint32_t hash)
{
	for (size_t i = 0; i < STORE_LABELS_MAX; i++)
		if (log->labels[i].hash == hash && strcmp(log->labels[i].text, text) == 0)
			return &log->labels[i];
	return NULL;
}

/* False: there is no room for more. */
static bool add_found(struct store_find *find, const struct job_log *log)
{
	find->is_more = find->n_ids == STORE_FOUND_MAX;
	if (!find->is_more)
		memcpy(find->ids[find->n_ids++], log->id, sizeof(log->id));
	return !find->is_more;
}

static void memory_find(struct store *port, struct store_find *find)
{
	struct store_memory *store = of_port(port);
	uint32_t hash = hash_of(find->label);

	if (!op_begin(&find->op, nothing_to_cancel))
		return;
	find->n_ids = 0;
	find->is_more = false;
	LIST_EACH (node, &store->by_age) {
		struct job_log *log = container_of(node, struct job_log, by_age);

		if (label_of(log, find->label, hash) != NULL && !add_found(find, log))
			break;
	}
	op_finish(&find->op, OK);
}

static void memory_unlabel(struct store *port, struct store_unlabel *unlabel)
{
	struct job_log *log;
	struct label *label = NULL;

	if (!op_begin(&unlabel->op, nothing_to_cancel))
		return;
	log = find_log(of_port(port), unlabel->job);
	if (log != NULL)
		label = label_of(log, unlabel->label, hash_of(unlabel->label));
	if (label != NULL)
		*label = (struct label){ .hash = 0 };
	op_finish(&unlabel->op, OK);
}

/* The writer of all logs is this process, which is there. */
static void memory_orphans(struct store *port, struct store_find *find)
{
	struct store_memory *store = of_port(port);

	if (!op_begin(&find->op, nothing_to_cancel))
		return;
	find->n_ids = 0;
	find->is_more = false;
	LIST_EACH (node, &store->by_age) {
		struct job_log *log = container_of(node, struct job_log, by_age);

		if (log->state == STORE_OFFERED && !add_found(find, log))
			break;
	}
	op_finish(&find->op, OK);
}

static uint64_t memory_doubt(const struct store *port)
{
	(void)port;
	return 0;
}

static bool memory_is_up(const struct store *port)
{
	(void)port;
	return true;
}

enum err store_memory_new(struct reactor *reactor, const struct store_times *times,
			  struct store_memory **ret_store)
{
	struct store_memory *store = mem_alloc(sizeof(*store));

	if (store == NULL)
		return ERR_NO_MEMORY;
	store->port = (struct store){ .reach = STORE_HERE,
				      .create = memory_create,
				      .append = memory_append,
				      .read = memory_read,
				      .erase = memory_erase,
				      .find = memory_find,
				      .unlabel = memory_unlabel,
				      .orphans = memory_orphans,
				      .doubt = memory_doubt,
				      .is_up = memory_is_up };
	store->reactor = reactor;
	store->times = *times;
	list_init(&store->by_age);
	list_init(&store->parked);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&store->buckets[i]);
	*ret_store = store;
	return OK;
}

void store_memory_set_times(struct store_memory *store, const struct store_times *times)
{
	store->times = *times;
}

void store_memory_set_parked_max(struct store_memory *store, size_t parked_max)
{
	store->parked_max = parked_max;
}

void store_memory_free(struct store_memory *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_EACH (node, &store->buckets[i])
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
