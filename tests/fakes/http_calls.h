/* http_calls - calls of the HTTP client as tests make them: they record, check the order of the
 * callbacks, and act at a chosen place. */
#ifndef LONGHAND_FAKES_HTTP_CALLS_H
#define LONGHAND_FAKES_HTTP_CALLS_H
#include "fakes/raw_server.h"
#include "loop/http_client.h"

/* The fixture of these tests: a loop, a client, and the server that the test serves with. */
enum { TEST_SHARDS = 2, TEST_HEADER_BYTES_MAX = 8192 };
extern struct reactor_uv *loop;
extern struct reactor *reactor;
extern struct http_client *client;
extern struct raw_server *server;
int open_client(void **state);
int close_client(void **state);
#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, open_client, close_client)
/* In place of the server before. */
void serve_with(raw_serve_fn serve, void *user);
/* Turns for a while, and says how often: for what must not happen. */
unsigned turn_for(uint64_t ms);

enum call_action { CALL_NOTHING, CALL_PAUSE, CALL_CANCEL, CALL_PAUSE_AND_RESUME };

struct test_call {
	struct http_call call;
	char url[128];
	struct buf got;
	bool keeps_body; /* else only counts: got_bytes */
	size_t got_bytes;
	unsigned heads;
	unsigned dones;
	unsigned done_order; /* from 1 */
	enum err result;
	int status; /* copies: the call's own go with done() */
	char *head;
	const char *failure;
	bool is_inside; /* start, cancel or resume */
	enum call_action on_head_do;
	enum call_action on_data_do;
	size_t on_data_at_bytes;
	void (*on_head)(struct test_call *call);
	void (*on_data)(struct test_call *call);
	void (*on_done)(struct test_call *call);
};

/* A GET of `path` from `server`; change test->call (or test->url) before test_call_start. */
void test_call_init(struct test_call *test, const char *path, uint64_t total_ms);
void test_call_start(struct test_call *call);
void test_call_do(struct test_call *call, enum call_action action);
void test_call_resume(struct test_call *call);
/* Turns until done(). */
void test_call_wait(struct test_call *call);
void test_call_release(struct test_call *call);
#endif
