/* When a request takes up an earlier one's job: the two rules, row by row. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/job_world.h"
#include "job/adopt.h"

/* As api/origin.c makes them: of one owner only. */
static struct labels labels_named(const char *owner, char request, const char *key)
{
	struct labels labels = { .key = "" };

	(void)snprintf(labels.same, sizeof(labels.same), "same:%s-%c", owner, request);
	(void)snprintf(labels.fresh, sizeof(labels.fresh), "fresh:%s-%c", owner, request);
	if (key[0] != '\0')
		(void)snprintf(labels.key, sizeof(labels.key), "key:%s-%s", owner, key);
	return labels;
}

static void start_with(const struct labels *labels)
{
	const char *list[STORE_LABELS_MAX + 1];
	struct job_request request = { .id = job_world_id,
				       .model_id = "longhand",
				       .target = { .backend = "default", .model = "fake" },
				       .owner = "me",
				       .grace = JOB_GRACE_KEPT,
				       .labels = list };

	labels_list(labels, list);
	job_world_fill_spec(&request.spec);
	assert_int_equal(registry_start(job_world.registry, &request, &job_world.job), OK);
	registry_attach(job_world.job, &job_world.reader, job_world_on_events);
}

enum stage { READ, LEFT, PARKED, ENDED_READ, ENDED_UNREAD, ENDED_LONG_AGO, CANCELLED, FAILED };

static void bring_to(enum stage stage)
{
	if (stage == FAILED)
		job_world.model.every = ERR_REJECTED;
	fake_reactor_advance(&job_world.loop, 300);
	if (stage == READ)
		return;
	if (stage == ENDED_READ)
		registry_note_delivery(job_world.registry, job_world.job, job_world_id,
				       "fresh:me-h");
	registry_detach(job_world.job, &job_world.reader);
	if (stage == LEFT)
		return;
	if (stage == PARKED) {
		job_park(job_world.job);
		fake_reactor_advance(&job_world.loop, 100);
		assert_null(registry_find(job_world.registry, job_world_id));
		return;
	}
	if (stage == CANCELLED)
		job_cancel(job_world.job);
	job_world_run();
	if (stage == ENDED_LONG_AGO) {
		job_world.reader = (struct reader){ .log = NULL };
		registry_attach(job_world.job, &job_world.reader, job_world_on_events);
		fake_reactor_advance(&job_world.loop, ADOPT_MS);
		registry_detach(job_world.job, &job_world.reader);
	}
}

static const struct {
	enum stage stage;
	const char *owner;
	char request;
	const char *key;
	bool is_retry;
	enum adopt_answer want;
} rows[] = {
	/* a) the same key */
	{ READ, "me", 'h', "k", false, ADOPT_JOB },
	{ LEFT, "me", 'h', "k", false, ADOPT_JOB },
	{ PARKED, "me", 'h', "k", false, ADOPT_JOB },
	{ ENDED_READ, "me", 'h', "k", false, ADOPT_JOB },
	{ READ, "me", 'x', "k", true, ADOPT_KEY_REUSED },
	{ ENDED_READ, "me", 'x', "k", false, ADOPT_KEY_REUSED },
	{ FAILED, "me", 'x', "k", false, ADOPT_KEY_REUSED },
	{ READ, "you", 'h', "k", true, ADOPT_NOTHING },
	{ READ, "you", 'x', "k", true, ADOPT_NOTHING },
	{ READ, "me", 'h', "other", false, ADOPT_NOTHING },
	/* b) the same request */
	{ READ, "me", 'h', "", true, ADOPT_NOTHING },
	{ LEFT, "me", 'h', "", true, ADOPT_JOB },
	{ LEFT, "me", 'h', "", false, ADOPT_NOTHING },
	{ PARKED, "me", 'h', "", true, ADOPT_JOB },
	{ PARKED, "me", 'h', "", false, ADOPT_NOTHING },
	{ LEFT, "you", 'h', "", true, ADOPT_NOTHING },
	{ LEFT, "me", 'x', "", true, ADOPT_NOTHING },
	{ ENDED_READ, "me", 'h', "", true, ADOPT_JOB },
	{ ENDED_READ, "me", 'h', "", false, ADOPT_NOTHING },
	{ ENDED_UNREAD, "me", 'h', "", false, ADOPT_JOB },
	{ ENDED_LONG_AGO, "me", 'h', "", false, ADOPT_NOTHING },
	{ ENDED_LONG_AGO, "me", 'h', "", true, ADOPT_JOB },
	/* nothing to give */
	{ CANCELLED, "me", 'h', "k", true, ADOPT_NOTHING },
	{ FAILED, "me", 'h', "k", true, ADOPT_NOTHING },
};

static void on_adopted(struct op *op)
{
	assert_int_equal(op->result, OK);
}

static void expect_adoption(size_t row, enum adopt_answer want)
{
	static struct adoption adoption;

	adoption = (struct adoption){ .registry = job_world.registry,
				      .labels = labels_named(rows[row].owner, rows[row].request,
							     rows[row].key),
				      .is_retry = rows[row].is_retry };
	op_prepare(&adoption.op, &job_world.loop.base, 0, on_adopted);
	adopt_start(&adoption);
	fake_reactor_advance(&job_world.loop, 50);
	assert_false(op_is_live(&adoption.op));
	if (adoption.answer != want)
		print_error("row %zu\n", row);
	assert_int_equal(adoption.answer, want);
	assert_string_equal(adoption.id, want == ADOPT_JOB ? job_world_id : "");
	assert_int_equal(adoption.is_parked, want == ADOPT_JOB && rows[row].stage == PARKED);
	adopt_release(&adoption);
}

static void end_world(void)
{
	registry_detach(job_world.job, &job_world.reader);
	if (registry_find(job_world.registry, job_world_id) != NULL)
		job_cancel(job_world.job);
	job_world_run();
	fake_reactor_advance(&job_world.loop, 100);
	job_world_end();
}

static void a_request_takes_up_a_job_by_two_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct labels first = labels_named("me", 'h', "k");

		job_world_begin();
		start_with(&first);
		bring_to(rows[i].stage);
		expect_adoption(i, rows[i].want);
		end_world();
	}
}

/* By its log alone, which another process wrote, or this one a while ago. Who reads it there is not
 * known here: a retry is believed. */
static void so_it_does_where_only_the_store_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct labels first = labels_named("me", 'h', "k");
		enum adopt_answer want = rows[i].want;
		struct registry *here;

		if (rows[i].stage == READ && rows[i].is_retry && rows[i].key[0] == '\0')
			want = ADOPT_JOB;
		job_world_begin();
		here = job_world.registry;
		start_with(&first);
		bring_to(rows[i].stage);
		fake_reactor_advance(&job_world.loop, 100);
		job_world.registry = job_world_other();
		expect_adoption(i, want);
		registry_free(job_world.registry);
		job_world.registry = here;
		end_world();
	}
}

/* A store that is down has nothing to say, and costs nothing; a slow one costs the deadline. */
static void a_store_that_does_not_answer_is_not_waited_for(void **state)
{
	(void)state;
	for (int is_down = 0; is_down <= 1; is_down++) {
		struct labels first = labels_named("me", 'h', "k");
		static struct adoption adoption;

		job_world_begin();
		start_with(&first);
		bring_to(PARKED);
		job_world.store.is_down = is_down;
		job_world.store.find_ms = 10000;
		adoption = (struct adoption){ .registry = job_world.registry,
					      .labels = first,
					      .is_retry = true };
		op_prepare(&adoption.op, &job_world.loop.base, 0, on_adopted);
		adopt_start(&adoption);
		fake_reactor_advance(&job_world.loop, is_down ? 1 : job_world_options.adopt_ms - 1);
		assert_int_equal(op_is_live(&adoption.op), !is_down);
		fake_reactor_advance(&job_world.loop, 5);
		assert_false(op_is_live(&adoption.op));
		assert_int_equal(adoption.answer, ADOPT_NOTHING);
		adopt_release(&adoption);
		end_world();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_takes_up_a_job_by_two_rules),
		cmocka_unit_test(so_it_does_where_only_the_store_has_it),
		cmocka_unit_test(a_store_that_does_not_answer_is_not_waited_for),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
