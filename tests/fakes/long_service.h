/* long_service - the whole way of a long request in one process: a real HTTP server and its router,
 * real jobs, a fake model and a fake store. Virtual time is of no use beside real sockets: what
 * must wait waits LONG_MS, what must not waits milliseconds or less. */
#ifndef LONGHAND_FAKES_LONG_SERVICE_H
#define LONGHAND_FAKES_LONG_SERVICE_H
#include "api/api.h"
#include "fakes/fake_model.h"
#include "fakes/fake_store.h"
#include "fakes/raw_client.h"

enum { LONG_MS = 60000 };

extern struct world {
	struct served served;
	struct fake_model model;
	struct fake_store store;
	struct prompt_set *prompts;
	struct job_ports ports;
	struct api api;
	struct raw_client client;
	size_t idle; /* what was to be stopped has */
} world;
extern struct api_options options;
extern struct registry_options registry_options;

int open_world(void **state);
/* Stops everything; the gauges must be back at zero. */
int close_world(void **state);
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
/* For registry_stop and the like. */
void on_world_idle(void *context);

/* Asks for 600 words; `members` begins with a comma. */
void ask_by(struct raw_client *client, const char *members);
void ask(const char *members);
void get(const char *path);
/* Without a body. */
void send_line(const char *method, const char *path);
/* What came, its chunks put together (in place). */
char *unchunked(void);
/* A whole answer's body, when it has come up to `end`. */
json_t *json_answer(const char *end);
/* "" when absent. */
const char *string_at(const json_t *object, const char *name);
/* Of the X-Longhand-Job header, see note_job. */
extern char job_id[33];
void note_job(void);
#endif
