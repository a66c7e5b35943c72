/* job_world - one job on fake ports and virtual time, with a reader that checks what it sees:
 * events without a gap, text without a byte lost or doubled. */
#ifndef LONGHAND_FAKES_JOB_WORLD_H
#define LONGHAND_FAKES_JOB_WORLD_H
#include "fakes/fake_model.h"
#include "fakes/fake_store.h"
#include "job/registry.h"

enum { TARGET_WORDS = 600, KEEP_MS = 10000, PARK_MS = 20000, TICK_END_MS = 60000 };

struct job_world {
	struct fake_reactor loop;
	struct fake_model model;
	struct fake_store store;
	struct prompt_set *prompts;
	struct job_ports ports;
	struct registry *registry;
	struct job *job;
	struct reader reader;
	char text[1 << 16];
	size_t text_len;
	unsigned ends, events;
	enum event_kind last;
	const char *code; /* of a failed end */
};

extern struct job_world job_world;
extern const char job_world_id[33];
extern const struct registry_options job_world_options;

void job_world_begin(void);
/* Nothing may run any more; nothing may be left. */
void job_world_end(void);
void job_world_fill_spec(struct spec *spec);
/* A job that the reader reads. */
enum err job_world_start(uint64_t reader_grace_ms);
void job_world_on_events(struct reader *reader);
/* Until no job runs. */
void job_world_run(void);
/* The log in the store replays to what the reader saw. */
void job_world_check_replay(void);
long job_world_words(void);
#endif
