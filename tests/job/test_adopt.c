/* When a request takes up an earlier one's job: the two rules, row by row. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/job_world.h"

static struct origin origin_named(char hash, const char *key)
{
	struct origin origin = { .key = "" };

	memset(origin.hash, hash, sizeof(origin.hash));
	(void)snprintf(origin.key, sizeof(origin.key), "%s", key);
	return origin;
}

static void start_with(const struct origin *origin)
{
	struct job_request request = { .id = job_world_id,
				       .model_id = "longhand",
				       .target = { .backend = "default", .model = "fake" },
				       .owner = "me",
				       .origin = origin };

	job_world_fill_spec(&request.spec);
	assert_int_equal(registry_start(job_world.registry, &request, UINT64_MAX, &job_world.job),
			 OK);
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
		registry_note_delivery(job_world.job);
	registry_detach(job_world.job, &job_world.reader);
	if (stage == LEFT)
		return;
	if (stage == PARKED) {
		job_park(job_world.job);
		fake_reactor_advance(&job_world.loop, 100);
		assert_true(job_world.job->is_parked);
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
	char hash;
	const char *key;
	bool is_retry;
	enum registry_adoption want;
} rows[] = {
	/* a) the same key */
	{ READ, "me", 'h', "k", false, REGISTRY_ADOPTED },
	{ LEFT, "me", 'h', "k", false, REGISTRY_ADOPTED },
	{ PARKED, "me", 'h', "k", false, REGISTRY_ADOPTED },
	{ ENDED_READ, "me", 'h', "k", false, REGISTRY_ADOPTED },
	{ READ, "me", 'x', "k", true, REGISTRY_KEY_REUSED },
	{ ENDED_READ, "me", 'x', "k", false, REGISTRY_KEY_REUSED },
	{ FAILED, "me", 'x', "k", false, REGISTRY_KEY_REUSED },
	{ READ, "you", 'h', "k", true, REGISTRY_NOT_KNOWN },
	{ READ, "you", 'x', "k", true, REGISTRY_NOT_KNOWN },
	{ READ, "me", 'h', "other", false, REGISTRY_NOT_KNOWN },
	/* b) the same request */
	{ READ, "me", 'h', "", true, REGISTRY_NOT_KNOWN },
	{ LEFT, "me", 'h', "", true, REGISTRY_ADOPTED },
	{ LEFT, "me", 'h', "", false, REGISTRY_NOT_KNOWN },
	{ PARKED, "me", 'h', "", true, REGISTRY_ADOPTED },
	{ PARKED, "me", 'h', "", false, REGISTRY_NOT_KNOWN },
	{ LEFT, "you", 'h', "", true, REGISTRY_NOT_KNOWN },
	{ LEFT, "me", 'x', "", true, REGISTRY_NOT_KNOWN },
	{ ENDED_READ, "me", 'h', "", true, REGISTRY_ADOPTED },
	{ ENDED_READ, "me", 'h', "", false, REGISTRY_NOT_KNOWN },
	{ ENDED_UNREAD, "me", 'h', "", false, REGISTRY_ADOPTED },
	{ ENDED_LONG_AGO, "me", 'h', "", false, REGISTRY_NOT_KNOWN },
	{ ENDED_LONG_AGO, "me", 'h', "", true, REGISTRY_ADOPTED },
	/* nothing to give */
	{ CANCELLED, "me", 'h', "k", true, REGISTRY_NOT_KNOWN },
	{ FAILED, "me", 'h', "k", true, REGISTRY_NOT_KNOWN },
};

static void a_request_takes_up_a_job_by_two_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct origin first = origin_named('h', "k");
		struct origin again = origin_named(rows[i].hash, rows[i].key);
		char id[JOB_ID_BYTES] = "";
		enum registry_adoption adoption;

		job_world_begin();
		start_with(&first);
		bring_to(rows[i].stage);
		adoption = registry_adopt(job_world.registry, rows[i].owner, &again,
					  rows[i].is_retry, id);
		if (adoption != rows[i].want)
			print_error("row %zu\n", i);
		assert_int_equal(adoption, rows[i].want);
		assert_string_equal(id, adoption == REGISTRY_ADOPTED ? job_world_id : "");
		job_cancel(job_world.job);
		job_world_run();
		fake_reactor_advance(&job_world.loop, 100);
		job_world_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_takes_up_a_job_by_two_rules),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
