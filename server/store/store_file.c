#include "store/store_file.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"
#include "base/must.h"
#include "store/store_file_parts.h"

static struct store_file *of_port(struct store *port)
{
	return container_of(port, struct store_file, port);
}

void store_file_name(char ret_name[FILE_NAME_BYTES], const char *job)
{
	(void)snprintf(ret_name, FILE_NAME_BYTES, "%s.log", job);
}

/* It becomes a file's name, and stands unescaped in the file. */
static bool is_id(const char *job)
{
	size_t len = strspn(job, "0123456789abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-");

	return len > 0 && len < STORE_ID_BYTES && job[len] == '\0';
}

static bool are_labels(const char *const *labels)
{
	size_t n = 0;

	for (; labels != NULL && labels[n] != NULL; n++)
		if (n == STORE_LABELS_MAX || strlen(labels[n]) >= STORE_LABEL_BYTES ||
		    strpbrk(labels[n], "\"\\\n") != NULL)
			return false;
	return true;
}

/* ---- what changes logs ---- */

static void cancel_write(struct op *op)
{
	store_file_cancel_change(container_of(op, struct store_write, op)->provider);
}

static void add_write(struct store *port, struct store_write *write, enum change_kind kind)
{
	struct change *change;

	if (!op_begin(&write->op, cancel_write))
		return;
	write->outcome = STORE_CONFLICT;
	if (!is_id(write->job) || !are_labels(write->labels)) {
		op_finish(&write->op, kind == CHANGE_CREATE ? ERR_INVALID : ERR_CONFLICT);
		return;
	}
	change = store_file_add_change(of_port(port), kind, write->job, &write->op);
	if (change == NULL) {
		op_finish(&write->op, ERR_NO_MEMORY);
		return;
	}
	change->write = write;
	write->provider = change;
}

static void file_create(struct store *port, struct store_write *write)
{
	add_write(port, write, CHANGE_CREATE);
}

static void file_append(struct store *port, struct store_write *write)
{
	add_write(port, write, CHANGE_APPEND);
}

static void cancel_erase(struct op *op)
{
	store_file_cancel_change(container_of(op, struct store_erase, op)->provider);
}

static void file_erase(struct store *port, struct store_erase *erase)
{
	struct change *change;

	if (!op_begin(&erase->op, cancel_erase))
		return;
	change = is_id(erase->job) ? store_file_add_change(of_port(port), CHANGE_ERASE, erase->job,
							   &erase->op)
				   : NULL;
	if (change == NULL) {
		op_finish(&erase->op, is_id(erase->job) ? ERR_NO_MEMORY : ERR_NOT_FOUND);
		return;
	}
	change->erase = erase;
	erase->provider = change;
}

static void cancel_unlabel(struct op *op)
{
	store_file_cancel_change(container_of(op, struct store_unlabel, op)->provider);
}

static void file_unlabel(struct store *port, struct store_unlabel *unlabel)
{
	struct change *change;

	if (!op_begin(&unlabel->op, cancel_unlabel))
		return;
	if (!is_id(unlabel->job)) {
		op_finish(&unlabel->op, OK);
		return;
	}
	change = store_file_add_change(of_port(port), CHANGE_UNLABEL, unlabel->job, &unlabel->op);
	if (change == NULL) {
		op_finish(&unlabel->op, ERR_NO_MEMORY);
		return;
	}
	change->unlabel = unlabel;
	unlabel->provider = change;
}

/* ---- what the index answers ---- */

/* Nothing here waits, so there is nothing to give up. */
static void nothing_to_cancel(struct op *op)
{
	(void)op;
}

static void file_find(struct store *port, struct store_find *find)
{
	if (!op_begin(&find->op, nothing_to_cancel))
		return;
	file_index_find(&of_port(port)->index, find);
	op_finish(&find->op, OK);
}

static void file_orphans(struct store *port, struct store_find *find)
{
	if (!op_begin(&find->op, nothing_to_cancel))
		return;
	file_index_orphans(&of_port(port)->index, find);
	op_finish(&find->op, OK);
}

static uint64_t file_doubt(const struct store *port)
{
	(void)port;
	return 0; /* the lock keeps everybody else out */
}

static bool file_is_up(const struct store *port)
{
	return container_of(port, struct store_file, port)->trouble == 0;
}

/* ---- its life ---- */

static void init(struct store_file *store, struct reactor *reactor,
		 const struct store_file_options *options)
{
	store->port = (struct store){ .reach = STORE_DURABLE,
				      .create = file_create,
				      .append = file_append,
				      .read = store_file_read,
				      .erase = file_erase,
				      .find = file_find,
				      .unlabel = file_unlabel,
				      .orphans = file_orphans,
				      .doubt = file_doubt,
				      .is_up = file_is_up };
	store->reactor = reactor;
	store->pool = options->pool;
	store->ops = options->ops != NULL ? options->ops : &file_ops_real;
	store->times = options->times;
	store->on_trouble = options->on_trouble;
	store->context = options->context;
	store->dir = (struct file_dir){ .lock_fd = -1, .jobs_fd = -1 };
	file_index_init(&store->index);
	list_init(&store->queue);
	list_init(&store->flush.targets);
	list_init(&store->reads_waiting);
	list_init(&store->reads_running);
}

enum err store_file_new(struct reactor *reactor, const struct store_file_options *options,
			struct buf *message, struct store_file **ret_store)
{
	struct store_file *store = mem_alloc(sizeof(*store));
	enum err err;

	if (store == NULL)
		return ERR_NO_MEMORY;
	init(store, reactor, options);
	err = file_dir_open(&store->dir, options->dir, message);
	if (err == OK)
		err = store_file_load(store, options->dir, message);
	if (err != OK) {
		store_file_free(store);
		return err;
	}
	metric_set(METRIC_STORE_UP, 1);
	*ret_store = store;
	return OK;
}

void store_file_set_times(struct store_file *store, const struct store_times *times)
{
	store->times = *times;
}

void store_file_stop(struct store_file *store)
{
	store->is_stopping = true;
	store->reactor->timer_stop(store->reactor, &store->probe);
}

bool store_file_is_idle(const struct store_file *store)
{
	return !store->is_flushing && list_is_empty(&store->queue) &&
	       list_is_empty(&store->reads_waiting) && list_is_empty(&store->reads_running);
}

void store_file_free(struct store_file *store)
{
	if (store == NULL)
		return;
	MUST(store_file_is_idle(store));
	store->reactor->timer_stop(store->reactor, &store->probe);
	store->reactor->undefer(store->reactor, &store->take);
	for (size_t i = 0; i < FILE_INDEX_BUCKETS; i++) {
		LIST_EACH (node, &store->index.ids[i]) {
			struct file_log *log = container_of(node, struct file_log, node);

			store->reactor->timer_stop(store->reactor, &log->expiry);
			file_index_remove(&store->index, log);
		}
	}
	file_dir_close(&store->dir);
	mem_free(store);
}

struct store *store_file_port(struct store_file *store)
{
	return &store->port;
}

size_t store_file_logs(const struct store_file *store)
{
	return store->index.n_logs;
}

struct store_file_found store_file_found(const struct store_file *store)
{
	return store->found;
}
