/* Create and append: what writes logs. */
#include <stdlib.h>
#include <string.h>
#include "store/redis_lines.h"
#include "store/redis_task.h"

/* An ended log stays for so long at least: readers elsewhere see the end, and so does its writer
 * where the answer to its last write was lost. */
enum { LINGER_MS = 2000, WAIT_MS = 300, LABEL_JOBS_MAX = 1000, PACKED_BYTES_MAX = 100 << 20 };

static const char *const state_names[] = {
	[STORE_RUNNING] = "running",
	[STORE_PARKED] = "parked",
	[STORE_OFFERED] = "offered",
	[STORE_ENDED] = "ended",
};

static uint64_t stay_ms(const struct store_redis *store, enum store_state state)
{
	uint64_t stay_ms = STORE_UNENDED_MS;

	if (state == STORE_ENDED)
		stay_ms = store->times.retention_ms;
	else if (state == STORE_PARKED)
		stay_ms = store->times.park_ms;
	return stay_ms > LINGER_MS ? stay_ms : LINGER_MS;
}

static struct store_place last_place(const struct store_write *write)
{
	struct store_place place = write->first;

	place.seq += write->n_events - 1;
	return place;
}

static const struct {
	const char *said;
	enum err err;
	enum store_outcome outcome;
} answers[] = {
	{ "ok", OK, STORE_LANDED },
	{ "exists", ERR_EXISTS, STORE_CONFLICT },
	{ "conflict", ERR_CONFLICT, STORE_CONFLICT },
	{ "dead", ERR_CONFLICT, STORE_CONFLICT },
	{ "gone", ERR_CONFLICT, STORE_CONFLICT },
	/* The tail was lost: its writer looks at it, and writes what is missing. */
	{ "gap", ERR_UNKNOWN, STORE_UNKNOWN },
};

static void on_written(struct redis_task *task)
{
	struct store_write *write = container_of(task->op, struct store_write, op);
	const struct redis_reply *reply = task->call.replies[0];
	const struct redis_reply *seen = task->call.n_replies > 1 ? task->call.replies[1] : NULL;
	enum err err = ERR_UNKNOWN;
	uint64_t generation;

	if (!redis_reply_is_array(reply, 2) || reply->elements[0]->text.data == NULL ||
	    reply->elements[1]->text.data == NULL) {
		redis_task_end(task, err);
		return;
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strcmp(reply->elements[0]->text.data, answers[i].said) != 0)
			continue;
		err = answers[i].err;
		write->outcome = answers[i].outcome;
	}
	generation = strtoull(reply->elements[1]->text.data, NULL, 10);
	if (strcmp(reply->elements[0]->text.data, "gone") == 0 && write->generation != 0 &&
	    write->generation != generation) {
		err = ERR_NOT_FOUND;
		write->outcome = STORE_LOST;
	}
	if (err == OK)
		write->generation = generation;
	if (err == OK && seen != NULL && seen->kind == REDIS_KIND_INTEGER && seen->integer < 1)
		redis_session_tell(&task->store->session, STORE_REDIS_UNREPLICATED, write->job);
	redis_task_end(task, err);
}

/* The end of a job is the last that its writer has to say: replicas should have it before anybody
 * is told. Nothing else is waited for, and not longer than others on this connection can bear. */
static void add_wait(struct redis_task *task, struct redis_eval *eval)
{
	redis_eval_command(eval, &task->store->session, "WAIT");
	redis_eval_number(eval, 1);
	redis_eval_number(eval, WAIT_MS);
	redis_eval_add(eval, &task->call);
}

static void add_common_keys(struct redis_eval *eval, const char *job)
{
	redis_eval_key(eval, "log:", job);
	redis_eval_key(eval, "dead:", job);
	redis_eval_running_key(eval, job);
	redis_eval_key(eval, "generation", "");
}

/* Into the task: it is borrowed until the call has its copy. */
static enum err pack(struct redis_task *task, const struct store_write *write,
		     struct slice *ret_packed)
{
	enum err err;

	buf_init(&task->packed, PACKED_BYTES_MAX);
	err = redis_lines_pack(write->data, write->first, &task->packed);
	*ret_packed = (struct slice){ buf_str(&task->packed), task->packed.len };
	return err;
}

static enum err add_create(struct redis_task *task, const struct store_write *write)
{
	struct store_redis *store = task->store;
	struct redis_eval eval;
	char generation[REDIS_GENERATION_BYTES];
	struct slice packed;
	enum err err = pack(task, write, &packed);

	redis_eval_init(&eval, &store->session, REDIS_SCRIPT_CREATE);
	add_common_keys(&eval, write->job);
	for (size_t i = 0; write->labels != NULL && write->labels[i] != NULL; i++)
		redis_eval_key(&eval, "label:", write->labels[i]);
	redis_eval_text(&eval, write->job);
	redis_eval_text(&eval, store->session.writer);
	redis_eval_place(&eval, "", last_place(write));
	redis_eval_number(&eval, write->n_events);
	redis_eval_text(&eval, state_names[write->state]);
	redis_eval_bytes(&eval, packed);
	redis_eval_number(&eval, stay_ms(store, write->state));
	redis_eval_number(&eval, store_redis_longest_ms(store));
	redis_session_generation(&store->session, generation);
	redis_eval_text(&eval, generation);
	redis_eval_text(&eval, REDIS_GENERATION_TTL);
	redis_eval_number(&eval, LABEL_JOBS_MAX);
	redis_eval_add(&eval, &task->call);
	buf_release(&task->packed);
	return err;
}

static enum err add_append(struct redis_task *task, const struct store_write *write)
{
	struct store_redis *store = task->store;
	struct redis_eval eval;
	char generation[REDIS_GENERATION_BYTES];
	struct slice packed;
	enum err err = pack(task, write, &packed);

	redis_eval_init(&eval, &store->session, REDIS_SCRIPT_APPEND);
	add_common_keys(&eval, write->job);
	redis_eval_text(&eval, write->job);
	redis_eval_text(&eval, store->session.writer);
	redis_eval_number(&eval, write->first.epoch);
	redis_eval_number(&eval, write->first.seq);
	redis_eval_number(&eval, last_place(write).seq);
	redis_eval_number(&eval, write->n_events);
	redis_eval_text(&eval, state_names[write->state]);
	redis_eval_bytes(&eval, packed);
	redis_eval_number(&eval, stay_ms(store, write->state));
	redis_eval_number(&eval, store_redis_longest_ms(store));
	redis_session_generation(&store->session, generation);
	redis_eval_text(&eval, generation);
	redis_eval_text(&eval, REDIS_GENERATION_TTL);
	redis_eval_number(&eval, store_redis_longest_ms(store));
	redis_eval_add(&eval, &task->call);
	if (write->state == STORE_ENDED && store->session.replicas > 0)
		add_wait(task, &eval);
	buf_release(&task->packed);
	return err;
}

static bool is_well_formed(const struct store_write *write)
{
	size_t n = 0;

	for (; write->labels != NULL && write->labels[n] != NULL; n++)
		if (n == STORE_LABELS_MAX || strlen(write->labels[n]) >= STORE_LABEL_BYTES)
			return false;
	return strlen(write->job) < STORE_ID_BYTES;
}

void store_redis_create(struct store *port, struct store_write *write)
{
	struct redis_task *task;
	enum err err;

	write->outcome = STORE_UNKNOWN;
	task = redis_task_begin(port, &write->op, on_written);
	if (task == NULL)
		return;
	if (!is_well_formed(write)) {
		write->outcome = STORE_CONFLICT;
		err = ERR_INVALID;
	} else {
		err = add_create(task, write);
	}
	if (err != OK)
		op_cancel(&task->call.op, err);
	redis_task_send(task);
}

void store_redis_append(struct store *port, struct store_write *write)
{
	struct redis_task *task;
	enum err err;

	write->outcome = STORE_UNKNOWN;
	task = redis_task_begin(port, &write->op, on_written);
	if (task == NULL)
		return;
	err = add_append(task, write);
	if (err != OK)
		op_cancel(&task->call.op, err);
	redis_task_send(task);
}
