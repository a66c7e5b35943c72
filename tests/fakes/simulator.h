/* simulator - three processes, one job, one store over bad connections, by the real event_log and
 * claim. A seed makes a schedule: lost questions and answers, late copies, reconnections, failovers
 * that drop the tail, an emptied server, frozen and killed processes, claims at any time, cancelled
 * ones too. After a while everything is calm, and somebody finishes the job.
 *
 * What must hold: the log has no gap, one `done`, and the text that its readers saw: where no entry
 * was lost by the store, every byte that any reader saw stands in the log at its place; where some
 * were, that of every reader who was not told of an error. Where an emptied server is
 * given the log back while somebody claims it, or by two owners of whom one does not know of the
 * other yet, the copies differ, and one of them wins: those schedules are only held to one text
 * without a gap. */
#ifndef LONGHAND_FAKES_SIMULATOR_H
#define LONGHAND_FAKES_SIMULATOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simulation {
	uint64_t seed;
	bool is_loud; /* says what happens */
	/* What happened, for whoever sums it up. */
	unsigned claims, conflicts, failovers, empties, freezes, kills, lost_jobs;
	char why[200]; /* it is wrong */
};

/* False: `why` says what does not hold. Aborts when it does not come to an end. */
bool simulate(struct simulation *simulation);
#endif
