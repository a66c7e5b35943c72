/* job_world - one job on fake ports and virtual time, with a reader that checks what it sees:
 * events without a gap, text without a byte lost or doubled. */
#ifndef LONGHAND_FAKES_JOB_WORLD_H
#define LONGHAND_FAKES_JOB_WORLD_H
#include "fakes/fake_model.h"
#include "fakes/fake_store.h"
#include "job/log_cursor.h"
#include "job/registry.h"

enum { TARGET_WORDS = 600, KEEP_MS = 10000, TICK_END_MS = 60000 };

struct job_world {
	struct fake_reactor loop;
	struct fake_model model;
	struct fake_store store;
	struct prompt_set *prompts;
	struct job_ports ports;
	struct registry_options options; /* as job_world_options, until a test says otherwise */
	struct registry *registry;
	struct job *job;
	struct reader reader;
	struct log_cursor *cursor; /* of job_world_follow() */
	struct store_place place;  /* of the last event */
	enum err cursor_error;
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
/* Another process that has the same store; the caller's to stop and free. */
struct registry *job_world_other(void);
/* Reads the job's log from its start to its end, wherever it is, through that process; what was
 * read before is forgotten. */
void job_world_follow(struct registry *registry);
void job_world_unfollow(void);
/* Until the reader has seen so many ends, or an error. */
void job_world_follow_to_end(unsigned ends);
/* Until no job runs. */
void job_world_run(void);
/* The log in the store replays to what the reader saw. */
void job_world_check_replay(void);
long job_world_words(void);
#endif
