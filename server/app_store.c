#include "app_store.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/file_dir.h"
#include "store/store_file.h"
#include "store/store_memory.h"
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES_MAX = 1024 };

/* One of them is not NULL. */
struct app_store {
	struct store_memory *memory;
	struct store_file *file;
};

static bool has_dir(const struct settings *settings)
{
	return settings->state_dir[0] != '\0';
}

static struct store_times times_of(const struct settings *settings)
{
	return (struct store_times){ settings->retention_ms, settings->park_ms };
}

/* Once when it begins, and once when it is over. */
static void on_trouble(void *context, int error)
{
	(void)context;
	if (error != 0)
		log_error("store_failing", "reason=%s hint=%s", strerror(error),
			  "texts wait until state_dir can be written to again");
	else
		log_info("store_recovered", "hint=%s", "texts go on");
}

static enum err open_file(struct app_store *store, struct reactor *reactor, struct work_port *pool,
			  const struct settings *settings)
{
	struct store_file_options options = { .dir = settings->state_dir,
					      .times = times_of(settings),
					      .pool = pool,
					      .on_trouble = on_trouble };
	struct store_file_found found;
	struct buf message;
	enum err err;

	buf_init(&message, MESSAGE_BYTES_MAX);
	err = store_file_new(reactor, &options, &message, &store->file);
	if (err == OK) {
		found = store_file_found(store->file);
		log_info("store_opened",
			 "dir=%s logs=%zu unfinished=%zu repaired=%zu removed=%zu ignored=%zu",
			 settings->state_dir, found.logs, found.orphans, found.repaired,
			 found.removed, found.ignored);
	} else if (message.len > 0) {
		log_error("store_refused", "reason=%s", message.data);
	}
	buf_release(&message);
	return err;
}

enum err app_store_new(struct reactor *reactor, struct work_port *pool,
		       const struct settings *settings, struct app_store **ret_store)
{
	struct app_store *store = mem_alloc(sizeof(*store));
	struct store_times times = times_of(settings);
	enum err err;

	if (store == NULL)
		return ERR_NO_MEMORY;
	metric_set(METRIC_STORE_UP, 1);
	if (has_dir(settings))
		err = open_file(store, reactor, pool, settings);
	else
		err = store_memory_new(reactor, &times, &store->memory);
	if (err != OK) {
		mem_free(store);
		return err == ERR_NO_MEMORY ? err : ERR_IO;
	}
	*ret_store = store;
	return OK;
}

struct store *app_store_port(struct app_store *store)
{
	return store->file != NULL ? store_file_port(store->file)
				   : store_memory_port(store->memory);
}

void app_store_reload(struct app_store *store, const struct settings *settings)
{
	struct store_times times = times_of(settings);

	if (store->file != NULL)
		store_file_set_times(store->file, &times);
	else
		store_memory_set_times(store->memory, &times);
}

void app_store_stop(struct app_store *store)
{
	if (store->file != NULL)
		store_file_stop(store->file);
}

bool app_store_is_idle(const struct app_store *store)
{
	return store->file == NULL || store_file_is_idle(store->file);
}

void app_store_free(struct app_store *store)
{
	if (store == NULL)
		return;
	store_file_free(store->file);
	store_memory_free(store->memory);
	mem_free(store);
}

enum err app_store_check(const struct settings *settings, struct buf *message)
{
	return has_dir(settings) ? file_dir_check(settings->state_dir, message) : OK;
}
