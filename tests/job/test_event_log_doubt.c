/* The log when the store forgets: failovers, emptied servers, erased logs, other owners, and a
 * store that is away for hours. */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "base/logging.h"
#include "base/mem.h"
#include "fakes/sim_store.h"
#include "job/event_log.h"

static const char id[] = "0123456789abcdef0123456789abcdef";
static const char *const labels[] = { "owner:a", "same:b", NULL };
static const struct event_log_options options = { .flush_ms = 10,
						  .flush_bytes = 400,
						  .store_ms = 50,
						  .again_ms = 20,
						  .again_max_ms = 2000,
						  .pending_bytes_max = 4096 };

static struct sim_server server;

struct owner {
	struct fake_reactor loop;
	struct sim_client client;
	struct event_log log;
	struct reader reader;
	char text[4096];
	unsigned events;
	struct claim claim;
	bool is_claimed;
};

static struct owner ann, bob;

static void pass(uint64_t ms)
{
	for (; ms > 0; ms--) {
		fake_reactor_advance(&server.net, 1);
		fake_reactor_advance(&ann.loop, 1);
		fake_reactor_advance(&bob.loop, 1);
	}
}

static void on_moved(struct event_log *log)
{
	(void)log;
}

static void on_events(struct reader *reader)
{
	struct owner *owner = container_of(reader, struct owner, reader);
	const struct event *event;

	while ((event = reader_next(reader)) != NULL) {
		owner->events++;
		if (event->kind != EVENT_TEXT || event->text_len > 1000)
			continue;
		assert_true(event->at_byte + event->text_len < sizeof(owner->text));
		memcpy(owner->text + event->at_byte, event->text, event->text_len);
	}
}

static void open_log(struct owner *owner)
{
	event_log_init(&owner->log, &owner->loop.base, &owner->client.port, &options, id);
	owner->log.on_moved = on_moved;
	owner->log.labels = labels;
}

static void add(struct owner *owner, enum event_kind kind, const char *text)
{
	struct slice slice = { text, text != NULL ? strlen(text) : 0 };
	const struct event *appended;
	struct event event;

	assert_int_equal(event_init(&event, kind, 0, slice, NULL), OK);
	(void)!event_log_append(&owner->log, &event, &appended);
}

static void init_owner(struct owner *owner)
{
	*owner = (struct owner){ .events = 0 };
	fake_reactor_init(&owner->loop);
	sim_client_init(&owner->client, &server, &owner->loop.base);
}

static void begin(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	sim_server_init(&server, 11);
	init_owner(&ann);
	init_owner(&bob);
	open_log(&ann);
	reader_attach(&ann.reader, &ann.log, on_events);
	add(&ann, EVENT_CREATED, NULL);
}

static void close_log(struct owner *owner)
{
	assert_true(event_log_is_settled(&owner->log));
	event_log_release(&owner->log);
}

static void end(void)
{
	close_log(&ann);
	sim_client_release(&ann.client);
	sim_client_release(&bob.client);
	sim_server_release(&server);
	assert_true(fake_reactor_is_idle(&ann.loop));
	assert_true(fake_reactor_is_idle(&bob.loop));
}

static void say(struct owner *owner, const char *text)
{
	add(owner, EVENT_TEXT, text);
	pass(40);
}

static void on_claimed(struct op *op)
{
	container_of(op, struct owner, claim.op)->is_claimed = true;
}

static enum err take(struct owner *owner)
{
	struct claim_options wanted = { .reactor = &owner->loop.base,
					.store = &owner->client.port,
					.id = id,
					.store_ms = 50,
					.again_ms = 10 };
	enum err result;

	owner->is_claimed = false;
	claim_init(&owner->claim, &wanted);
	op_prepare(&owner->claim.op, &owner->loop.base, 0, on_claimed);
	claim_start(&owner->claim);
	for (int ms = 0; ms < 1000 && !owner->is_claimed; ms++)
		pass(1);
	assert_true(owner->is_claimed);
	result = owner->claim.op.result;
	if (result == OK) {
		open_log(owner);
		event_log_adopt(&owner->log, &owner->claim);
	}
	claim_release(&owner->claim);
	return result;
}

/* The text in the store, by entries_next's rules. */
static void check_text(const char *expected)
{
	char *text = sim_server_text(&server, id);
	struct entries entries;
	struct event event;
	size_t len = 0;
	enum err err;

	assert_non_null(text);
	entries_init(&entries);
	entries_feed(&entries, (struct slice){ text, strlen(text) });
	while ((err = entries_next(&entries, &event)) == OK) {
		if (event.kind == EVENT_TEXT) {
			assert_memory_equal(expected + len, event.text, event.text_len);
			len += event.text_len;
		}
		event_release(&event);
	}
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_int_equal(len, strlen(expected));
	free(text);
}

static void reconnect(struct owner *owner)
{
	pass(5);
	sim_client_reconnect(&owner->client);
}

/* However much of it the failover took, as long as something is left. */
static void a_dropped_tail_is_written_again(void **state)
{
	(void)state;
	for (size_t dropped = 0; dropped < 7; dropped++) {
		static const char *const said[] = { "One. ",  "Two. ", "Three. ", "Four. ",
						    "Five. ", "Six. ", "Seven. " };

		begin();
		for (size_t i = 0; i < COUNT_OF(said); i++)
			say(&ann, said[i]);
		sim_server_fail_over(&server, id, dropped, UINT32_MAX);
		reconnect(&ann);
		say(&ann, "Eight. ");
		pass(300);
		check_text("One. Two. Three. Four. Five. Six. Seven. Eight. ");
		assert_int_equal(ann.events, 9);
		assert_string_equal(ann.text, "One. Two. Three. Four. Five. Six. Seven. Eight. ");
		end();
	}
}

/* Nothing is to be written, and the check alone puts it right. */
static void a_check_puts_right_what_is_idle_or_ended(void **state)
{
	(void)state;
	for (int is_ended = 0; is_ended < 2; is_ended++) {
		begin();
		say(&ann, "One. ");
		if (is_ended)
			add(&ann, EVENT_DONE, NULL);
		pass(50);
		sim_server_empty(&server);
		reconnect(&ann);
		event_log_check(&ann.log);
		pass(300);
		check_text("One. ");
		assert_int_equal(sim_server_log(&server, id)->n_labels, 2);
		assert_int_equal(sim_server_log(&server, id)->entries[0].state,
				 is_ended ? STORE_ENDED : STORE_RUNNING);
		event_log_check(&ann.log); /* nothing is left to do */
		assert_int_equal(ann.log.phase, LOG_IDLE);
		end();
	}
}

/* A long log of several epochs comes back in bounded entries, a claim in one of its own. */
static void a_lost_log_comes_back_in_bounded_entries(void **state)
{
	enum { TEXT_BYTES = 200000, TEXTS = 12 };
	static char text[TEXT_BYTES + 1];
	const struct sim_log *log;
	size_t claims = 0;

	(void)state;
	memset(text, 'x', TEXT_BYTES);
	begin();
	for (int i = 0; i < TEXTS; i++)
		say(&ann, text);
	assert_int_equal(take(&bob), OK);
	say(&bob, text);
	sim_server_empty(&server);
	reconnect(&bob);
	event_log_check(&bob.log);
	pass(2000);
	log = sim_server_log(&server, id);
	for (size_t i = 0; i < log->n_entries; i++) {
		bool is_claim = log->entries[i].first.seq == 0;

		assert_true(log->entries[i].len <= EVENT_LOG_ENTRY_BYTES + TEXT_BYTES + 200);
		assert_true(!is_claim || log->entries[i].last.seq == 0);
		claims += is_claim;
	}
	assert_int_equal(claims, 1);
	assert_in_range(log->n_entries, 4, 6);
	assert_int_equal(bob.log.n_stored, bob.log.n_events);
	assert_int_equal(bob.log.content_bytes, (TEXTS + 1) * TEXT_BYTES);
	close_log(&bob);
	sim_client_reconnect(&ann.client);
	event_log_check(&ann.log);
	pass(300);
	assert_int_equal(ann.log.error, ERR_CONFLICT);
	end();
}

/* Frozen past its lease, taken over, awake again: not a byte of it lands. */
static void a_frozen_owner_appends_nothing(void **state)
{
	(void)state;
	for (int is_known = 0; is_known < 2; is_known++) {
		size_t n;

		begin();
		say(&ann, "One. ");
		assert_int_equal(take(&bob), OK);
		say(&bob, "Bob. ");
		n = sim_server_log(&server, id)->n_entries;
		ann.client.doubt += (uint64_t)is_known; /* that its lease ran out */
		say(&ann, "Ann. ");
		pass(200);
		assert_int_equal(ann.log.error, ERR_CONFLICT);
		assert_int_equal(sim_server_log(&server, id)->n_entries, n);
		assert_string_equal(ann.text, "One. ");
		check_text("One. Bob. ");
		close_log(&bob);
		end();
	}
}

/* The claim itself was dropped, and the first owner went on: one of the two, and one text. */
static void a_dropped_claim_leaves_one_owner(void **state)
{
	(void)state;
	for (int is_first_quicker = 0; is_first_quicker < 2; is_first_quicker++) {
		begin();
		say(&ann, "One. ");
		assert_int_equal(take(&bob), OK);
		sim_server_fail_over(&server, id, 1, UINT32_MAX);
		if (is_first_quicker) {
			reconnect(&ann);
			say(&ann, "Ann. ");
		}
		reconnect(&bob);
		say(&bob, "Bob. ");
		pass(200);
		if (!is_first_quicker)
			reconnect(&ann);
		say(&ann, "Ann again. ");
		pass(200);
		assert_int_equal(ann.log.error, is_first_quicker ? OK : ERR_CONFLICT);
		assert_int_equal(bob.log.error, is_first_quicker ? ERR_CONFLICT : OK);
		check_text(is_first_quicker ? "One. Ann. Ann again. " : "One. Bob. ");
		close_log(&bob);
		end();
	}
}

/* Both at once, in every order of what they ask: where neither may go on, the job is offered. */
static void of_two_owners_one_is_left_or_anybody_may_be(void **state)
{
	unsigned offered = 0, left = 0;

	(void)state;
	for (uint64_t late_ms = 0; late_ms < 400; late_ms++) {
		const struct sim_log *log;

		begin();
		server.random = late_ms / 20;
		ann.client.delay_max_ms = bob.client.delay_max_ms = 6;
		say(&ann, "One. ");
		assert_int_equal(take(&bob), OK);
		sim_server_fail_over(&server, id, 1, UINT32_MAX);
		sim_client_reconnect(&ann.client);
		sim_client_reconnect(&bob.client);
		event_log_check(&bob.log);
		pass(late_ms % 20);
		say(&ann, "Ann. ");
		say(&bob, "Bob. ");
		pass(300);
		event_log_check(&ann.log);
		event_log_check(&bob.log);
		add(&ann, EVENT_NOTED, "?");
		pass(300);
		assert_true(ann.log.error != OK || bob.log.error != OK);
		log = sim_server_log(&server, id);
		if (ann.log.error != OK && bob.log.error != OK) {
			assert_int_equal(log->entries[log->n_entries - 1].state,
					 STORE_OFFERED);
			check_text("One. Ann. ");
			offered++;
		} else {
			left++;
		}
		close_log(&bob);
		end();
	}
	assert_true(offered > 0 && left > 0);
}

/* Two claims of one epoch, of which the failover dropped one: the claims are looked at, since all
 * else may be equal. */
static void a_claim_of_the_same_epoch_is_told_apart(void **state)
{
	(void)state;
	begin();
	say(&ann, "One. ");
	assert_int_equal(take(&bob), OK);
	reader_detach(&ann.reader);
	event_log_release(&ann.log);
	sim_server_fail_over(&server, id, 1, UINT32_MAX);
	sim_client_reconnect(&ann.client);
	assert_int_equal(take(&ann), OK);
	assert_int_equal(ann.log.epoch, bob.log.epoch);
	say(&ann, "Next. ");
	sim_client_reconnect(&bob.client);
	say(&bob, "Next. ");
	pass(300);
	assert_int_equal(bob.log.error, ERR_CONFLICT);
	assert_int_equal(ann.log.error, OK);
	check_text("One. Next. ");
	close_log(&bob);
	end();
}

static void an_erased_log_stays_dead(void **state)
{
	(void)state;
	for (int is_ended = 0; is_ended < 2; is_ended++) {
		begin();
		say(&ann, "One. ");
		if (is_ended)
			add(&ann, EVENT_DONE, NULL);
		pass(50);
		sim_server_erase(&server, id);
		sim_client_reconnect(&ann.client);
		event_log_check(&ann.log);
		pass(300);
		assert_int_equal(sim_server_log(&server, id)->n_entries, 0);
		assert_int_equal(ann.log.error, is_ended ? OK : ERR_CONFLICT);
		assert_int_equal(ann.log.is_let_go, is_ended);
		end();
	}
}

/* Hours without a store: a try now and then, the writer waits, and then all of it is there. */
static void a_store_that_is_away_costs_little(void **state)
{
	char expected[8192] = "";
	char sentence[200];
	size_t len = 0;
	uint64_t random;

	(void)state;
	begin();
	pass(50);
	ann.client.lose_percent = 50; /* half of the questions, and of the answers */
	memset(sentence, 'x', sizeof(sentence) - 1);
	sentence[sizeof(sentence) - 1] = '\0';
	while (!event_log_is_full(&ann.log)) {
		say(&ann, sentence);
		memcpy(expected + len, sentence, sizeof(sentence));
		len += sizeof(sentence) - 1;
		assert_true(len < sizeof(expected) - sizeof(sentence));
	}
	random = server.random;
	pass(3600000);
	/* Each try draws three times at most; one a second on average. */
	for (unsigned tries = 0; random != server.random; tries++) {
		random += 0x9e3779b97f4a7c15u;
		assert_true(tries < 3 * 3600 * 2);
	}
	assert_true(event_log_is_full(&ann.log));
	ann.client.lose_percent = 0;
	pass(3000);
	assert_false(event_log_is_full(&ann.log));
	check_text(expected);
	end();
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t nth = 1; nth < 120; nth++) {
		begin();
		say(&ann, "One. ");
		say(&ann, "Two. ");
		sim_server_empty(&server);
		reconnect(&ann);
		mem_fail_at(nth);
		event_log_check(&ann.log);
		pass(1000);
		mem_fail_at(0);
		assert_true(ann.log.error == OK || ann.log.error == ERR_NO_MEMORY);
		if (ann.log.error == OK)
			check_text("One. Two. ");
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dropped_tail_is_written_again),
		cmocka_unit_test(a_check_puts_right_what_is_idle_or_ended),
		cmocka_unit_test(a_lost_log_comes_back_in_bounded_entries),
		cmocka_unit_test(a_frozen_owner_appends_nothing),
		cmocka_unit_test(a_dropped_claim_leaves_one_owner),
		cmocka_unit_test(of_two_owners_one_is_left_or_anybody_may_be),
		cmocka_unit_test(a_claim_of_the_same_epoch_is_told_apart),
		cmocka_unit_test(an_erased_log_stays_dead),
		cmocka_unit_test(a_store_that_is_away_costs_little),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
