/* app_snapshot - the settings of one load, and what is made from them: what a reload replaces.
 *
 *   current ---SIGHUP---> retired ---last request and job of it over---> freed
 *
 * A request is answered, and a job written, by the snapshot that was current when it came. The
 * backends of a snapshot are those of an earlier one where nothing about them has changed: what was
 * learned of them, and their breakers, stay. Requests hold their snapshot's api (api_hold), jobs
 * their ports; whoever frees a snapshot asks snapshot_is_used() first. */
#ifndef LONGHAND_APP_SNAPSHOT_H
#define LONGHAND_APP_SNAPSHOT_H
#include "app_options.h"
#include "base/list.h"

/* What all snapshots share. */
struct snapshot_parts {
	struct reactor *reactor;
	struct http_client *http;
	struct store *store;
	struct prompt_set *prompts;
	struct work_port *pool;
	struct registry *registry; /* set once it is made, with the first snapshot's ports */
};

struct snapshot {
	struct list node; /* of the retired ones */
	struct settings *settings;
	struct app_options options;
	struct backend_set *backends; /* NULL: those of `source` */
	struct snapshot *source;
	size_t dependents; /* snapshots whose source it is */
	struct job_ports ports;
	struct api api;
};

/* Takes a reference to the settings. `previous`: the current one, or NULL. ERR_NO_MEMORY ... */
MUST_CHECK enum err snapshot_new(const struct snapshot_parts *parts, struct settings *settings,
				 struct snapshot *previous, struct snapshot **ret_snapshot);
bool snapshot_is_used(const struct snapshot *snapshot);
/* Not in use; NULL ok. */
void snapshot_free(struct snapshot *snapshot);
#endif
