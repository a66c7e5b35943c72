/* Schedules of the simulator: `make simulate` runs SIMULATE of them, the unit tests some. SEED=n
 * runs one, and says what happens in it. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/logging.h"
#include "base/mem.h"
#include "fakes/simulator.h"

enum { SCHEDULES = 3000 };

static uint64_t number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

static void one_text_whatever_happens(void **state)
{
	struct simulation simulation = { .seed = number("SEED", 0) };
	uint64_t schedules = number("SIMULATE", SCHEDULES);
	unsigned failed = 0;

	(void)state;
	if (simulation.seed > 0) {
		simulation.is_loud = true;
		if (!simulate(&simulation))
			fail_msg("%s", simulation.why);
		return;
	}
	while (simulation.seed++ < schedules) {
		if (!simulate(&simulation) && ++failed <= 10)
			print_message("%s\n", simulation.why);
	}
	print_message("%llu schedules: %u claims, %u conflicts, %u failovers, %u emptied, "
		      "%u frozen, %u killed, %u jobs gone with an emptied server\n",
		      (unsigned long long)schedules, simulation.claims, simulation.conflicts,
		      simulation.failovers, simulation.empties, simulation.freezes,
		      simulation.kills, simulation.lost_jobs);
	assert_int_equal(failed, 0);
	assert_true(simulation.claims > schedules && simulation.failovers > schedules / 2);
	assert_true(simulation.freezes > schedules && simulation.empties > schedules / 20);
	assert_true(simulation.lost_jobs < schedules / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_whatever_happens),
	};

	mem_init();
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
