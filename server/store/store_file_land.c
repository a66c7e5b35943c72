#include <errno.h>
#include "base/metrics.h"
#include "store/store_file_parts.h"

static struct batch_target *of_file(struct list *node)
{
	return container_of(node, struct batch_target, file.node);
}

static struct change *of_node(struct list *node)
{
	return container_of(node, struct change, node);
}

/* ---- how long a log stays ---- */

static uint64_t stay_ms(const struct store_file *store, enum store_state state)
{
	if (state == STORE_ENDED)
		return store->times.retention_ms;
	return state == STORE_PARKED ? store->times.park_ms : STORE_UNENDED_MS;
}

static void on_expiry(struct timer *timer)
{
	struct file_log *log = container_of(timer, struct file_log, expiry);
	struct store_file *store = log->store;

	if (store->is_stopping)
		return;
	if (store_file_add_change(store, CHANGE_EXPIRE, log->id, NULL) == NULL)
		store->reactor->timer_start(store->reactor, timer, FILE_AGAIN_MS, on_expiry);
}

void store_file_start_expiry(struct store_file *store, struct file_log *log, uint64_t age_ms)
{
	uint64_t stay = stay_ms(store, log->state);

	store->reactor->timer_start(store->reactor, &log->expiry, stay > age_ms ? stay - age_ms : 0,
				    on_expiry);
}

static void forget(struct store_file *store, struct file_log *log)
{
	store->reactor->timer_stop(store->reactor, &log->expiry);
	file_index_remove(&store->index, log);
}

/* ---- landing: what the thread has done ---- */

static void land_change(struct store_file *store, struct file_log *log, struct change *change)
{
	uint64_t now_ms = store->reactor->now_ms(store->reactor);

	file_log_hide(log, change->hidden);
	if (store_file_is_write(change)) {
		file_log_enter(&store->index, log, change->place, change->state);
		metric_observe_ms(METRIC_STORE_TIME, now_ms - change->since_ms);
	}
	store_file_end_change(change, OK, STORE_LANDED);
}

static void land(struct store_file *store, struct batch_target *target)
{
	struct file_log *log = target->log;
	bool has_entry = false;

	if (target->file.kind == TARGET_NEW)
		file_index_publish(&store->index, log);
	else
		file_log_add_mark(log, (struct file_mark){ log->place, log->size_bytes });
	log->size_bytes = target->file.offset + target->file.bytes.len;
	LIST_EACH (node, &target->changes) {
		has_entry = has_entry || store_file_is_write(of_node(node));
		land_change(store, log, of_node(node));
	}
	if (has_entry || log->expiry.fire == NULL)
		store_file_start_expiry(store, log, 0);
}

static void land_removal(struct store_file *store, struct batch_target *target)
{
	LIST_EACH (node, &target->changes)
		store_file_end_change(of_node(node), OK, STORE_LANDED);
	target->log->target = NULL;
	forget(store, target->log);
	target->log = NULL;
}

/* Whoever wrote tries again; whoever erased is told; what expired stays a while. */
static void fail(struct store_file *store, struct batch_target *target)
{
	bool is_gone = target->file.is_lost;
	struct file_log *log = target->log;

	LIST_EACH (node, &target->changes) {
		struct change *change = of_node(node);

		if (store_file_is_write(change))
			store_file_end_change(change, is_gone ? ERR_NOT_FOUND : ERR_UNKNOWN,
					      is_gone ? STORE_LOST : STORE_UNKNOWN);
		else
			store_file_end_change(change, ERR_IO, STORE_UNKNOWN);
	}
	log->is_leaving = false;
	log->target = NULL;
	target->log = NULL;
	if (is_gone || !log->is_created)
		forget(store, log);
	else if (log->expiry.fire == NULL)
		store->reactor->timer_start(store->reactor, &log->expiry, FILE_AGAIN_MS, on_expiry);
}

static void on_probe_time(struct timer *timer)
{
	struct store_file *store = container_of(timer, struct store_file, probe);

	store->wants_probe = !store->is_stopping;
	store_file_plan_batch(store);
}

/* `error`: what the batch met. Told once when it begins and once when it is over. */
static void note_trouble(struct store_file *store, int error)
{
	bool is_news = (error != 0) != (store->trouble != 0);

	store->trouble = error;
	metric_set(METRIC_STORE_UP, error == 0);
	if (error != 0 && !store->is_stopping)
		store->reactor->timer_start(store->reactor, &store->probe, FILE_PROBE_MS,
					    on_probe_time);
	else
		store->reactor->timer_stop(store->reactor, &store->probe);
	if (is_news && store->on_trouble != NULL)
		store->on_trouble(store->context, error);
}

/* The last error that is not a loss. */
static int land_all(struct store_file *store)
{
	int error = store->flush.probe_error;

	LIST_EACH (node, &store->flush.targets) {
		struct batch_target *target = of_file(node);

		if (target->file.error != 0) {
			metric_inc(METRIC_STORE_ERRORS);
			if (!target->file.is_lost)
				error = target->file.error;
			fail(store, target);
		} else if (target->file.kind == TARGET_REMOVE) {
			land_removal(store, target);
		} else {
			land(store, target);
		}
		store_file_free_target(target);
	}
	return error;
}

void store_file_on_flushed(struct op *op)
{
	struct work *work = container_of(op, struct work, op);
	struct file_flush *flush = container_of(work, struct file_flush, work);
	struct store_file *store = container_of(flush, struct store_file, flush);

	store->is_flushing = false;
	if (!work->has_run) {
		flush->probe_error = ENOMEM;
		LIST_EACH (node, &flush->targets)
			of_file(node)->file.error = ENOMEM;
	}
	note_trouble(store, land_all(store));
	store_file_start_reads(store);
	store_file_plan_batch(store);
}
