/* fake_store - a memory store whose operations take time and go wrong when the test says so.
 *
 * Each write's fate comes from `fates`, in order, then FATE_LAND for ever. LOST_ACK landed but
 * says unknown; LOST did not land and says unknown; HANG never answers (until its deadline). */
#ifndef LONGHAND_FAKES_FAKE_STORE_H
#define LONGHAND_FAKES_FAKE_STORE_H
#include "fakes/fake_reactor.h"
#include "store/store_memory.h"

enum fate { FATE_LAND, FATE_LOST_ACK, FATE_LOST, FATE_CONFLICT, FATE_HANG, FATE_FAIL };
enum { FAKE_STORE_FATES = 64 };

struct fake_store {
	struct store port;
	struct store_memory *memory;
	struct reactor *reactor;
	uint64_t delay_ms; /* of every operation but those that follow */
	uint64_t find_ms;  /* of find */
	struct timer finding;
	struct store_find *find; /* the one that is delayed */
	enum fate fates[FAKE_STORE_FATES];
	size_t n_fates, next_fate;
	enum fate every;	/* when the list is used up */
	unsigned reads_failing; /* the next reads time out */
	unsigned writes, reads, live;
	uint64_t doubt; /* what the port says; the test counts it up */
	bool is_down;
};

void fake_store_init(struct fake_store *fake, struct reactor *reactor);
void fake_store_release(struct fake_store *fake);
/* The whole log as text; the caller frees it with free(). NULL: there is none. */
char *fake_store_text(struct fake_store *fake, struct fake_reactor *loop, const char *job);
#endif
