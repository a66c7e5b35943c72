/* The log of a job against a store that loses acks, loses writes, hangs and refuses. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/fake_store.h"
#include "job/event_codec.h"
#include "job/event_log.h"

static const struct event_log_options options = { .flush_ms = 50,
						  .flush_bytes = 400,
						  .store_ms = 1000,
						  .again_ms = 100,
						  .pending_bytes_max = 4096 };

static struct fake_reactor loop;
static struct fake_store store;
static struct event_log log_under_test;
static unsigned moves;

static void on_moved(struct event_log *log)
{
	assert_ptr_equal(log, &log_under_test);
	moves++;
}

static void begin(void)
{
	fake_reactor_init(&loop);
	fake_store_init(&store, &loop.base);
	event_log_init(&log_under_test, &loop.base, &store.port, &options, "job");
	log_under_test.on_moved = on_moved;
	moves = 0;
}

static void end(void)
{
	fake_reactor_settle(&loop);
	assert_true(event_log_is_settled(&log_under_test));
	event_log_release(&log_under_test);
	fake_store_release(&store);
	assert_true(fake_reactor_is_idle(&loop));
}

static enum err append(enum event_kind kind, const char *text)
{
	const struct event *appended;
	struct event event;

	assert_int_equal(event_init(&event, kind, 0, (struct slice){ text, strlen(text) }, NULL),
			 OK);
	return event_log_append(&log_under_test, &event, &appended);
}

struct watcher {
	struct reader reader;
	char text[4096];
	unsigned events;
};

static void add_text(char *to, size_t size, const char *text)
{
	size_t len = strlen(to);

	assert_true(strlen(text) < size - len);
	memcpy(to + len, text, strlen(text) + 1);
}

static void on_events(struct reader *reader)
{
	struct watcher *watcher = container_of(reader, struct watcher, reader);
	const struct event *event;

	while ((event = reader_next(reader)) != NULL) {
		assert_int_equal(event->seq, ++watcher->events);
		if (event->kind == EVENT_TEXT)
			add_text(watcher->text, sizeof(watcher->text), event->text);
	}
}

/* The log in the store has every event once, in order, and the text reads `expected`. */
static void check_store(const char *expected, uint64_t n_events)
{
	char *text = fake_store_text(&store, &loop, "job");
	char prose[4096] = "";
	uint64_t seq = 0;

	assert_non_null(text);
	for (char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		struct event event;

		assert_int_equal(event_decode(line, len, &event), OK);
		assert_int_equal(event.seq, ++seq);
		if (event.kind == EVENT_TEXT) {
			assert_int_equal(event.at_byte, strlen(prose));
			add_text(prose, sizeof(prose), event.text);
		}
		event_release(&event);
		line += len + 1;
	}
	assert_int_equal(seq, n_events);
	assert_string_equal(prose, expected);
	free(text);
}

static void readers_see_only_what_has_landed(void **state)
{
	struct watcher watcher = { .events = 0 };

	(void)state;
	begin();
	reader_attach(&watcher.reader, &log_under_test, on_events);
	assert_int_equal(append(EVENT_CREATED, ""), OK);
	assert_int_equal(append(EVENT_TEXT, "One. "), OK);
	fake_reactor_settle(&loop);
	assert_null(reader_next(&watcher.reader)); /* on its way to the store */
	fake_reactor_advance(&loop, 2);
	assert_string_equal(watcher.text, "One. ");
	assert_int_equal(store.writes, 1); /* one batch */
	reader_detach(&watcher.reader);
	check_store("One. ", 2);
	end();
}

static void text_gathers_and_the_rest_hurries(void **state)
{
	(void)state;
	begin();
	assert_int_equal(append(EVENT_CREATED, ""), OK);
	assert_int_equal(append(EVENT_TEXT, "a"), OK);
	fake_reactor_advance(&loop, 5);
	assert_int_equal(store.writes, 1);
	assert_int_equal(append(EVENT_TEXT, "b"), OK);
	assert_int_equal(append(EVENT_TEXT, "c"), OK);
	fake_reactor_advance(&loop, 49);
	assert_int_equal(store.writes, 1);
	fake_reactor_advance(&loop, 1);
	assert_int_equal(store.writes, 2);
	fake_reactor_advance(&loop, 5);
	assert_int_equal(append(EVENT_TEXT, "d"), OK);
	assert_int_equal(append(EVENT_SECTION_DONE, ""), OK);
	fake_reactor_settle(&loop);
	assert_int_equal(store.writes, 3);
	fake_reactor_advance(&loop, 5);
	check_store("abcd", 6);
	end();
}

/* Whatever the store does, every event is there once, or the log says that it is over. */
static void every_outcome_is_settled(void **state)
{
	static const struct {
		enum fate fates[4];
		size_t n;
		unsigned reads_failing;
		enum err error;
	} rows[] = {
		{ { FATE_LAND }, 1, 0, OK },
		{ { FATE_LOST_ACK }, 1, 0, OK },
		{ { FATE_LOST }, 1, 0, OK },
		{ { FATE_HANG }, 1, 0, OK },
		{ { FATE_LOST, FATE_LOST, FATE_LOST_ACK }, 3, 0, OK },
		{ { FATE_LAND, FATE_LOST_ACK, FATE_LOST }, 3, 0, OK },
		{ { FATE_LAND, FATE_HANG, FATE_LOST_ACK }, 3, 0, OK },
		{ { FATE_LOST_ACK }, 1, 3, OK },
		{ { FATE_LAND, FATE_LOST }, 2, 3, OK },
		{ { FATE_CONFLICT }, 1, 0, ERR_CONFLICT },
		{ { FATE_LAND, FATE_CONFLICT }, 2, 0, ERR_CONFLICT },
		{ { FATE_LAND, FATE_FAIL }, 2, 0, ERR_NO_MEMORY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin();
		memcpy(store.fates, rows[i].fates, sizeof(rows[i].fates));
		store.n_fates = rows[i].n;
		store.reads_failing = rows[i].reads_failing;
		assert_int_equal(append(EVENT_CREATED, ""), OK);
		fake_reactor_advance(&loop, 1);
		if (append(EVENT_TEXT, "One. ") == OK)
			fake_reactor_advance(&loop, 10000);
		if (append(EVENT_TEXT, "Two. ") == OK)
			fake_reactor_advance(&loop, 10000);
		assert_int_equal(log_under_test.error, rows[i].error);
		if (rows[i].error == OK)
			check_store("One. Two. ", 3);
		assert_true(moves > 0);
		end();
	}
}

static bool is_claimed;

static void on_claimed(struct op *op)
{
	assert_int_equal(op->result, OK);
	is_claimed = true;
}

static void claim_for_another(void)
{
	static const char line[] =
		"{\"v\":1,\"id\":\"2-1\",\"kind\":\"claimed\",\"at_byte\":0,\"t_ms\":1}\n";
	struct store_write claim = { .job = "job",
				     .first = { 2, 1 },
				     .n_events = 1,
				     .data = { line, sizeof(line) - 1 } };
	struct store *memory = store_memory_port(store.memory);

	is_claimed = false;
	op_prepare(&claim.op, &loop.base, 0, on_claimed);
	memory->append(memory, &claim);
	while (!is_claimed)
		assert_true(fake_reactor_turn(&loop));
}

static void a_claim_by_another_owner_ends_ours(void **state)
{
	static const enum fate fates[] = { FATE_LAND, FATE_LOST, FATE_HANG };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fates); i++) {
		begin();
		assert_int_equal(append(EVENT_CREATED, ""), OK);
		fake_reactor_advance(&loop, 5);
		claim_for_another();
		store.fates[1] = fates[i];
		store.n_fates = 2;
		assert_int_equal(append(EVENT_TEXT, "late"), OK);
		fake_reactor_advance(&loop, 5000);
		assert_int_equal(log_under_test.error, ERR_CONFLICT);
		assert_int_equal(append(EVENT_TEXT, "later"), ERR_CONFLICT);
		end();
	}
}

static void an_abandoned_log_lets_go(void **state)
{
	(void)state;
	for (enum fate fate = FATE_LAND; fate <= FATE_HANG; fate++) {
		for (uint64_t at_ms = 0; at_ms < 300; at_ms += 7) {
			begin();
			store.every = fate;
			assert_int_equal(append(EVENT_CREATED, ""), OK);
			fake_reactor_advance(&loop, at_ms);
			event_log_abandon(&log_under_test, ERR_CANCELED);
			fake_reactor_advance(&loop, 5000);
			end();
		}
	}
}

static void full_means_wait(void **state)
{
	char sentence[600];

	(void)state;
	begin();
	memset(sentence, 'x', sizeof(sentence) - 1);
	sentence[sizeof(sentence) - 1] = '\0';
	store.every = FATE_HANG;
	assert_int_equal(append(EVENT_CREATED, ""), OK);
	fake_reactor_settle(&loop);
	for (int i = 0; i < 6; i++)
		assert_int_equal(append(EVENT_TEXT, sentence), OK);
	assert_false(event_log_is_full(&log_under_test));
	assert_int_equal(append(EVENT_TEXT, sentence), OK);
	assert_true(event_log_is_full(&log_under_test));
	store.every = FATE_LAND;
	fake_reactor_advance(&loop, 10000);
	assert_false(event_log_is_full(&log_under_test));
	assert_true(event_log_is_settled(&log_under_test));
	end();
}

static void no_memory_is_an_error_and_nothing_leaks(void **state)
{
	(void)state;
	for (size_t nth = 1; nth < 40; nth++) {
		begin();
		mem_fail_at(nth + 3); /* past event_init of the first */
		for (int i = 0; i < 40; i++) {
			const struct event *appended;
			struct event event;

			if (event_init(&event, i == 0 ? EVENT_CREATED : EVENT_TEXT, 0,
				       (struct slice){ "x", 1 }, NULL) != OK)
				continue;
			(void)!event_log_append(&log_under_test, &event, &appended);
		}
		mem_fail_at(0);
		fake_reactor_advance(&loop, 10000);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_only_what_has_landed),
		cmocka_unit_test(text_gathers_and_the_rest_hurries),
		cmocka_unit_test(every_outcome_is_settled),
		cmocka_unit_test(a_claim_by_another_owner_ends_ours),
		cmocka_unit_test(an_abandoned_log_lets_go),
		cmocka_unit_test(full_means_wait),
		cmocka_unit_test(no_memory_is_an_error_and_nothing_leaks),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
