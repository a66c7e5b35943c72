/* app_store - the one place where a store is chosen: in memory, in a directory (state_dir), or in
 * Redis (redis). */
#ifndef LONGHAND_APP_STORE_H
#define LONGHAND_APP_STORE_H
#include "async/work.h"
#include "settings.h"
#include "store/store.h"

struct app_store;
struct reactor_uv;

/* Reads what a directory has from before; blocks for that. Redis may be away. Says in the log what
 * went wrong. */
MUST_CHECK enum err app_store_new(struct reactor_uv *loop, struct work_port *pool,
				  const struct settings *settings, struct app_store **ret_store);
struct store *app_store_port(struct app_store *store);
/* New settings: what of them may change while running. */
void app_store_reload(struct app_store *store, const struct settings *settings);
/* No operation may be live; nothing is begun by itself any more. */
void app_store_stop(struct app_store *store);
/* No operation is under way: the condition for app_store_free(). */
bool app_store_is_idle(const struct app_store *store);
void app_store_free(struct app_store *store); /* NULL ok */

/* For --check-config: could the store be used? Changes nothing. */
MUST_CHECK enum err app_store_check(const struct settings *settings, struct buf *message);
#endif
