#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "job/registry_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CLAIM_TRIES = 5 }; /* operations of the store that one claim may take */

/* One claim, for all who want that job. */
struct claiming {
	struct list node;
	struct registry *registry;
	struct claim claim;
	struct list takings;
	struct timer again;
	bool is_claiming; /* false: it waits for the job to leave, or for memory */
	bool is_scan;	  /* an orphan; counted in n_scan_claims */
	bool is_to_end;
	char id[JOB_ID_BYTES];
};

static struct reactor *reactor_of(const struct claiming *claiming)
{
	return claiming->registry->ports->reactor;
}

static struct claiming *find_claiming(const struct registry *registry, const char *id)
{
	LIST_EACH (node, (struct list *)&registry->claimings) {
		struct claiming *claiming = container_of(node, struct claiming, node);

		if (strcmp(claiming->id, id) == 0)
			return claiming;
	}
	return NULL;
}

static void tell_takings(struct claiming *claiming, enum err result)
{
	struct list *node;

	while ((node = list_pop(&claiming->takings)) != NULL)
		op_finish(&container_of(node, struct taking, node)->op, result);
}

static void claiming_free(struct claiming *claiming)
{
	struct registry *registry = claiming->registry;
	bool is_scan = claiming->is_scan;

	reactor_of(claiming)->timer_stop(reactor_of(claiming), &claiming->again);
	claim_release(&claiming->claim);
	list_remove(&claiming->node);
	mem_free(claiming);
	registry->n_scan_claims -= is_scan;
	if (is_scan)
		registry_scan_on(registry);
	registry_check_idle(registry);
}

/* ---- a job of a claim ---- */

static bool has_name(const struct event *event, const char *name, const char *value)
{
	const char *said = json_string_value(json_object_get(event->data, name));

	return said != NULL && strcmp(said, value) == 0;
}

/* Its process stopped, and its readers may follow it there for a while. */
static bool was_handed_over(const struct claim *claim)
{
	const struct event *before =
		claim->n_events > 1 ? &claim->events[claim->n_events - 2] : NULL;

	return before != NULL && before->kind == EVENT_PARKED &&
	       has_name(before, "reason", "handed_over");
}

static const char *authorization_of(const struct claiming *claiming)
{
	LIST_EACH (node, (struct list *)&claiming->takings) {
		const struct taking *taking = container_of(node, struct taking, node);

		if (taking->authorization != NULL)
			return taking->authorization;
	}
	return NULL;
}

/* Whether the job is to be written on here and now; else it parks at once. Those that are kept were
 * admitted once, those handed over have readers elsewhere. ret_result: what those are told who
 * asked for it. */
static bool goes_on(const struct claiming *claiming, const struct job *job, bool is_handed_over,
		    enum err *ret_result)
{
	const struct registry *registry = claiming->registry;
	bool is_asked_for = !list_is_empty(&claiming->takings);

	*ret_result = OK;
	if (claiming->is_to_end)
		return true;
	if (registry->is_stopping || registry->is_handing_over) {
		*ret_result = ERR_CANCELED;
		return false;
	}
	if (job->grace == JOB_GRACE_KEPT || is_handed_over)
		return true;
	if (!is_asked_for && !registry_has_reader(registry, claiming->id))
		return false;
	*ret_result = registry_admit(registry, job->owner, &job->state);
	return *ret_result == OK;
}

static enum err add_job(struct claiming *claiming)
{
	struct registry *registry = claiming->registry;
	const char *authorization = authorization_of(claiming);
	bool is_handed_over = was_handed_over(&claiming->claim);
	uint64_t epoch = claiming->claim.epoch;
	uint64_t grace_ms;
	enum err result;
	struct job *job;
	enum err err =
		job_restore(registry->ports, &registry->options->job, &claiming->claim, &job);

	if (err != OK)
		return err;
	if (authorization != NULL)
		err = job_authorize(job, authorization);
	if (err != OK) {
		job_free(job);
		return err;
	}
	grace_ms = registry_grace_ms(registry, job->grace);
	if (is_handed_over && grace_ms < registry->options->handover_grace_ms)
		grace_ms = registry->options->handover_grace_ms;
	if (!goes_on(claiming, job, is_handed_over, &result))
		job_park(job);
	else if (claiming->is_to_end)
		job_cancel(job);
	if (registry_add(registry, job, grace_ms) == NULL)
		return ERR_NO_MEMORY;
	log_info("job_taken", "job=%s epoch=%" PRIu64 " orphan=%d", claiming->id, epoch,
		 claiming->is_scan);
	metric_inc(METRIC_JOBS_TAKEN);
	tell_takings(claiming, result);
	return OK;
}

/* ---- claiming ---- */

static void start_claim(struct claiming *claiming);

static void on_again(struct timer *timer)
{
	start_claim(container_of(timer, struct claiming, again));
}

/* Another claim may do better. */
static bool is_passing(enum err err)
{
	switch (err) {
	case OK:
	case ERR_EXISTS:
	case ERR_CONFLICT:
	case ERR_NOT_FOUND:
	case ERR_BROKEN:
	case ERR_INVALID:
		return false;
	default:
		return true;
	}
}

/* It is ours, and nobody writes it: that must not stay so. */
static void claim_later(struct claiming *claiming)
{
	struct registry *registry = claiming->registry;

	claiming->is_to_end = false;
	registry->n_scan_claims += !claiming->is_scan;
	claiming->is_scan = true;
	claim_release(&claiming->claim);
	reactor_of(claiming)->timer_start(reactor_of(claiming), &claiming->again,
					  registry->options->scan_ms, on_again);
}

static void on_claimed(struct op *op)
{
	struct claim *claim = container_of(op, struct claim, op);
	struct claiming *claiming = container_of(claim, struct claiming, claim);
	bool may_be_ours = op->result == OK || claim->is_sent;
	enum err err = op->result == OK ? add_job(claiming) : op->result;

	claiming->is_claiming = false;
	if (err != OK && err != ERR_CONFLICT && err != ERR_EXISTS)
		log_warn("job_not_taken", "job=%s reason=%s", claiming->id, err_text(err));
	tell_takings(claiming, err == ERR_EXISTS ? OK : err);
	if (may_be_ours && is_passing(err) && !claiming->registry->is_closed)
		claim_later(claiming);
	else
		claiming_free(claiming);
}

static void start_claim(struct claiming *claiming)
{
	struct registry *registry = claiming->registry;
	const struct event_log_options *log = &registry->options->job.log;
	bool is_any = claiming->is_scan || claiming->is_to_end;
	struct claim_options options = {
		.reactor = registry->ports->reactor,
		.store = registry->ports->store,
		.id = claiming->id,
		.when = is_any ? CLAIM_ANY : CLAIM_PARKED,
		.store_ms = log->store_ms,
		.again_ms = log->again_ms,
	};

	claiming->is_claiming = true;
	claim_init(&claiming->claim, &options);
	op_prepare(&claiming->claim.op, registry->ports->reactor, CLAIM_TRIES * log->store_ms,
		   on_claimed);
	claim_start(&claiming->claim);
}

static struct claiming *claiming_new(struct registry *registry, const char *id)
{
	struct claiming *claiming = mem_alloc(sizeof(*claiming));

	if (claiming == NULL)
		return NULL;
	claiming->registry = registry;
	(void)snprintf(claiming->id, sizeof(claiming->id), "%s", id);
	list_init(&claiming->takings);
	list_append(&registry->claimings, &claiming->node);
	return claiming;
}

void registry_claim_orphan(struct registry *registry, const char *id)
{
	struct claiming *claiming;

	if (registry_find(registry, id) != NULL || find_claiming(registry, id) != NULL)
		return;
	claiming = claiming_new(registry, id);
	if (claiming == NULL)
		return; /* the next look finds it again */
	claiming->is_scan = true;
	registry->n_scan_claims++;
	start_claim(claiming);
}

void registry_claim_stranded(struct registry *registry, const char *id)
{
	struct claiming *claiming = find_claiming(registry, id) == NULL && !registry->is_stopping
					    ? claiming_new(registry, id)
					    : NULL;

	if (claiming != NULL)
		claim_later(claiming);
}

void registry_wake_claims(struct registry *registry, const char *id)
{
	struct claiming *claiming = find_claiming(registry, id);

	if (claiming != NULL && !claiming->is_claiming && claiming->again.fire == NULL)
		start_claim(claiming);
}

void registry_cancel_claims(struct registry *registry)
{
	LIST_EACH (node, &registry->claimings) {
		struct claiming *claiming = container_of(node, struct claiming, node);

		if (claiming->is_claiming) {
			op_cancel(&claiming->claim.op, ERR_CANCELED);
			continue;
		}
		tell_takings(claiming, ERR_CANCELED);
		claiming_free(claiming);
	}
}

/* ---- asking for one ---- */

/* The claim goes on: what it brings parks, when nobody wants it any more. */
static void on_taking_cancel(struct op *op)
{
	struct taking *taking = container_of(op, struct taking, op);

	list_remove(&taking->node);
	op_finish(op, op->canceled);
}

static enum err check_room(const struct registry *registry, const struct taking *taking)
{
	if (registry->is_stopping || (registry->is_handing_over && !taking->is_to_end))
		return ERR_CANCELED;
	if (!taking->is_to_end && registry_running(registry) >= registry->options->running_max)
		return ERR_LIMIT;
	return OK;
}

/* The one that is under way does for all who read; who ends the job wants another. */
static enum err join(struct registry *registry, struct taking *taking, bool is_leaving)
{
	struct claiming *claiming = find_claiming(registry, taking->id);

	if (claiming == NULL) {
		claiming = claiming_new(registry, taking->id);
		if (claiming == NULL)
			return ERR_NO_MEMORY;
		claiming->is_to_end = taking->is_to_end;
		if (!is_leaving)
			start_claim(claiming);
	}
	claiming->is_to_end = claiming->is_to_end || taking->is_to_end;
	list_append(&claiming->takings, &taking->node);
	return OK;
}

void registry_take(struct registry *registry, struct taking *taking)
{
	struct job *job = registry_find(registry, taking->id);
	struct slot *slot = job != NULL ? job->user : NULL;
	enum err err;

	taking->node = (struct list){ .next = NULL };
	if (!op_begin(&taking->op, on_taking_cancel))
		return;
	if (slot != NULL && !slot->is_leaving) {
		if (taking->is_to_end)
			job_cancel(job);
		op_finish(&taking->op, OK);
		return;
	}
	err = check_room(registry, taking);
	if (err == OK)
		err = join(registry, taking, slot != NULL);
	if (err != OK)
		op_finish(&taking->op, err);
}

/* ---- for nobody in particular ---- */

struct waking {
	struct taking taking;
	struct registry *registry;
	char *authorization;
	char id[JOB_ID_BYTES];
};

static void waking_free(struct waking *waking)
{
	mem_free(waking->authorization);
	mem_free(waking);
}

static void on_woken(struct op *op)
{
	struct taking *taking = container_of(op, struct taking, op);
	struct waking *waking = container_of(taking, struct waking, taking);
	struct registry *registry = waking->registry;

	waking_free(waking);
	registry->n_waiting--;
	registry_check_idle(registry);
}

void registry_wake(struct registry *registry, const char *id, const char *authorization)
{
	struct waking *waking = mem_alloc(sizeof(*waking));

	if (waking == NULL)
		return;
	waking->registry = registry;
	(void)snprintf(waking->id, sizeof(waking->id), "%s", id);
	if (authorization != NULL) {
		waking->authorization = mem_strdup(authorization);
		if (waking->authorization == NULL) {
			waking_free(waking);
			return;
		}
	}
	waking->taking =
		(struct taking){ .id = waking->id, .authorization = waking->authorization };
	registry->n_waiting++;
	op_prepare(&waking->taking.op, registry->ports->reactor, 0, on_woken);
	registry_take(registry, &waking->taking);
}
