/* ledger - what each owner has running, and how many words were written for it today.
 *
 * A job that starts opens an entry with the words it was asked for: they count as written until it
 * ends, then those that were. So nobody gets past the limit by asking for much at once. Days are
 * those of UTC; words count on the day that their job ends. In memory: a restart begins anew.
 * Embedded in the registry; time is given. */
#ifndef LONGHAND_JOB_LEDGER_H
#define LONGHAND_JOB_LEDGER_H
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/list.h"

struct ledger {
	struct list accounts; /* of today, and those with running jobs */
};

struct ledger_limits {
	size_t jobs_max;	/* of one owner at once; 0: none */
	uint64_t words_per_day; /* 0: none */
};

enum ledger_verdict { LEDGER_OK, LEDGER_JOBS, LEDGER_WORDS };

struct account; /* of one owner */

void ledger_init(struct ledger *ledger);
/* No job may be open any more. */
void ledger_release(struct ledger *ledger);
/* Whether the owner may have `words` more written. */
enum ledger_verdict ledger_ask(const struct ledger *ledger, const struct ledger_limits *limits,
			       const char *owner, uint64_t words, uint64_t wall_ms);
/* Of today's; UINT64_MAX: there is no limit. */
uint64_t ledger_words_left(const struct ledger *ledger, const struct ledger_limits *limits,
			   const char *owner, uint64_t wall_ms);
/* A job starts. ERR_NO_MEMORY. */
MUST_CHECK enum err ledger_open(struct ledger *ledger, const char *owner, uint64_t words,
				uint64_t wall_ms, struct account **ret_account);
/* It has ended: `asked` as given to ledger_open. */
void ledger_close(struct account *account, uint64_t asked, uint64_t written, uint64_t wall_ms);
#endif
