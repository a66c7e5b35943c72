#include "app_store.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/file_dir.h"
#include "store/store_file.h"
#include "store/store_memory.h"
#include "store/store_redis.h"
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES_MAX = 1024, PARKED_PER_JOB = 4 };

/* One of them is not NULL. */
struct app_store {
	struct store_memory *memory;
	struct store_file *file;
	struct store_redis *redis;
	bool has_left; /* Redis */
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

/* In memory, what is parked takes room from what is written. */
static size_t parked_max(const struct settings *settings)
{
	return PARKED_PER_JOB * (size_t)settings->max_jobs;
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

/* ---- Redis ---- */

static const struct {
	enum log_level level;
	const char *event;
	const char *hint;
} news_rows[] = {
	[STORE_REDIS_UP] = { LOG_LEVEL_INFO, "redis_up", "texts are kept there" },
	[STORE_REDIS_DOWN] = { LOG_LEVEL_ERROR, "redis_down", "texts wait until it is back" },
	[STORE_REDIS_TOO_OLD] = { LOG_LEVEL_ERROR, "redis_too_old", "6.2 or newer is needed" },
	[STORE_REDIS_FORBIDDEN] = { LOG_LEVEL_ERROR, "redis_forbids",
				    "docs/operations.md has the permissions that are needed" },
	[STORE_REDIS_REFUSES] = { LOG_LEVEL_ERROR, "redis_refuses", "it is tried again" },
	[STORE_REDIS_EVICTS] = { LOG_LEVEL_WARN, "redis_evicts",
				 "set maxmemory-policy noeviction: texts may be thrown away" },
	[STORE_REDIS_UNREPLICATED] = { LOG_LEVEL_WARN, "redis_unreplicated",
				       "no replica has confirmed the end of a text in time" },
};

static void on_redis_news(void *context, enum store_redis_news news, const char *where,
			  const char *detail)
{
	(void)context;
	if (news == STORE_REDIS_UP)
		metric_set(METRIC_STORE_UP, 1);
	else if (news == STORE_REDIS_DOWN || news == STORE_REDIS_TOO_OLD ||
		 news == STORE_REDIS_FORBIDDEN)
		metric_set(METRIC_STORE_UP, 0);
	log_event(news_rows[news].level, news_rows[news].event, "address=%s detail=%s hint=%s",
		  where, detail, news_rows[news].hint);
}

static enum err open_redis(struct app_store *store, struct reactor_uv *loop,
			   const struct settings *settings)
{
	char prefix[STORE_REDIS_PREFIX_BYTES];
	struct store_redis_options options = { .prefix = prefix,
					       .lease_ms = settings->lease_ms,
					       .times = times_of(settings),
					       .on_news = on_redis_news };
	struct redis_url url;
	const char *fault = "";
	enum err err = redis_url_parse(settings->redis, &url, &fault);

	if (err == OK &&
	    (size_t)snprintf(prefix, sizeof(prefix), "%s%s", settings->redis_prefix,
			     settings->redis_prefix[0] != '\0' ? ":" : "") >= sizeof(prefix)) {
		err = ERR_INVALID;
		fault = "redis_prefix is too long";
	}
	if (err == OK) {
		metric_set(METRIC_STORE_UP, 0);
		err = store_redis_new(loop, &url, &options, &store->redis);
	}
	if (err != OK)
		log_error("store_refused", "reason=%s", fault);
	redis_url_release(&url);
	return err;
}

static void on_redis_left(void *context)
{
	struct app_store *store = context;

	store->has_left = true;
}

/* ---- all of them ---- */

enum err app_store_new(struct reactor_uv *loop, struct work_port *pool,
		       const struct settings *settings, struct app_store **ret_store)
{
	struct app_store *store = mem_alloc(sizeof(*store));
	struct reactor *reactor = reactor_uv_base(loop);
	struct store_times times = times_of(settings);
	enum err err;

	if (store == NULL)
		return ERR_NO_MEMORY;
	metric_set(METRIC_STORE_UP, 1);
	if (has_dir(settings))
		err = open_file(store, reactor, pool, settings);
	else if (settings->redis[0] != '\0')
		err = open_redis(store, loop, settings);
	else
		err = store_memory_new(reactor, &times, &store->memory);
	if (err == OK && store->memory != NULL)
		store_memory_set_parked_max(store->memory, parked_max(settings));
	if (err != OK) {
		mem_free(store);
		return err == ERR_NO_MEMORY ? err : ERR_IO;
	}
	*ret_store = store;
	return OK;
}

struct store *app_store_port(struct app_store *store)
{
	if (store->redis != NULL)
		return store_redis_port(store->redis);
	return store->file != NULL ? store_file_port(store->file)
				   : store_memory_port(store->memory);
}

void app_store_reload(struct app_store *store, const struct settings *settings)
{
	struct store_times times = times_of(settings);

	if (store->redis != NULL)
		store_redis_set_times(store->redis, &times);
	else if (store->file != NULL)
		store_file_set_times(store->file, &times);
	else
		store_memory_set_times(store->memory, &times);
	if (store->memory != NULL)
		store_memory_set_parked_max(store->memory, parked_max(settings));
}

void app_store_stop(struct app_store *store)
{
	if (store->file != NULL)
		store_file_stop(store->file);
	if (store->redis != NULL)
		store_redis_stop(store->redis, on_redis_left, store);
}

bool app_store_is_idle(const struct app_store *store)
{
	if (store->redis != NULL)
		return store->has_left;
	return store->file == NULL || store_file_is_idle(store->file);
}

void app_store_free(struct app_store *store)
{
	if (store == NULL)
		return;
	store_redis_free(store->redis);
	store_file_free(store->file);
	store_memory_free(store->memory);
	mem_free(store);
}

enum err app_store_check(const struct settings *settings, struct buf *message)
{
	return has_dir(settings) ? file_dir_check(settings->state_dir, message) : OK;
}
