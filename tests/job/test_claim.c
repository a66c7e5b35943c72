/* Claims: who wins, what is read, what is left alone, and every way in which the store may answer.
 */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/sim_store.h"
#include "job/claim.h"
#include "job/event_codec.h"

static const char id[] = "0123456789abcdef0123456789abcdef";

static struct sim_server server;
static struct fake_reactor loop;
static struct sim_client client;

struct claimant {
	struct claim claim;
	bool is_done;
};

static void run(uint64_t ms)
{
	for (; ms > 0; ms--) {
		fake_reactor_advance(&server.net, 1);
		fake_reactor_advance(&loop, 1);
	}
}

static void begin(void)
{
	sim_server_init(&server, 7);
	fake_reactor_init(&loop);
	sim_client_init(&client, &server, &loop.base);
}

static void end(void)
{
	sim_client_release(&client);
	sim_server_release(&server);
	assert_true(fake_reactor_is_idle(&loop));
}

struct line {
	struct store_place place;
	enum event_kind kind;
	const char *text;
};

static uint64_t at_byte;

static void encode_line(const struct line *line, struct buf *out)
{
	json_t *data = line->kind == EVENT_CREATED ? json_pack("{s:s}", "owner", "ann") : NULL;
	struct event event;

	assert_int_equal(event_init(&event, line->kind, 0,
				    (struct slice){ line->text, strlen(line->text) }, data),
			 OK);
	event.epoch = line->place.epoch;
	event.seq = line->place.seq;
	event.at_byte = at_byte;
	at_byte += line->kind == EVENT_TEXT ? event.text_len : 0;
	assert_int_equal(event_encode(&event, out), OK);
	event_release(&event);
}

static bool is_written;
static enum err written;

static void on_written(struct op *op)
{
	written = op->result;
	is_written = true;
}

/* As entries of one event each; `at` 0: the first one creates the log. */
static void write_lines(const struct line *lines, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct store_write write = { .job = id, .first = lines[i].place, .n_events = 1 };
		struct buf data;

		at_byte = i == 0 ? 0 : at_byte;
		buf_init(&data, 4 << 20);
		encode_line(&lines[i], &data);
		write.data = (struct slice){ data.data, data.len };
		write.state = event_is_end(lines[i].kind) ? STORE_ENDED : STORE_RUNNING;
		is_written = false;
		op_prepare(&write.op, &loop.base, 0, on_written);
		if (i == 0)
			client.port.create(&client.port, &write);
		else
			client.port.append(&client.port, &write);
		while (!is_written)
			run(1);
		buf_release(&data);
	}
}

static void write_log(const struct line *lines, size_t n)
{
	write_lines(lines, 0, n);
	assert_true(n == 0 || written == OK);
}

static const struct line story[] = {
	{ { 1, 1 }, EVENT_CREATED, "" },   { { 1, 2 }, EVENT_TEXT, "One. " },
	{ { 1, 3 }, EVENT_TEXT, "Two. " }, { { 1, 4 }, EVENT_TEXT, "Three. " },
	{ { 1, 5 }, EVENT_PARKED, "" },
};

static void on_claimed(struct op *op)
{
	container_of(op, struct claimant, claim.op)->is_done = true;
}

static void start(struct claimant *claimant, const char *owner, enum claim_when when)
{
	struct claim_options options = { .reactor = &loop.base,
					 .store = &client.port,
					 .id = id,
					 .owner = owner,
					 .when = when,
					 .store_ms = 20,
					 .again_ms = 5 };

	claimant->is_done = false;
	claim_init(&claimant->claim, &options);
	op_prepare(&claimant->claim.op, &loop.base, 0, on_claimed);
	claim_start(&claimant->claim);
	assert_false(claimant->is_done);
}

static enum err claim_now(struct claimant *claimant, const char *owner, enum claim_when when)
{
	start(claimant, owner, when);
	for (int ms = 0; ms < 5000 && !claimant->is_done; ms++)
		run(1);
	assert_true(claimant->is_done);
	return claimant->claim.op.result;
}

static size_t entries(void)
{
	return sim_server_log(&server, id)->n_entries;
}

static void a_claim_has_the_whole_log(void **state)
{
	struct claimant claimant;
	const struct claim *claim = &claimant.claim;

	(void)state;
	begin();
	write_log(story, COUNT_OF(story));
	assert_int_equal(claim_now(&claimant, "ann", CLAIM_PARKED), OK);
	assert_int_equal(claim->n_events, COUNT_OF(story) + 1);
	assert_int_equal(claim->events[5].kind, EVENT_CLAIMED);
	assert_int_equal(claim->epoch, 2);
	assert_int_equal(claim->entries.content_bytes, strlen("One. Two. Three. "));
	assert_string_equal(claim_fact(claim, "owner"), "ann");
	assert_int_equal(server.n_claims, 1);
	claim_release(&claimant.claim);
	claim_release(&claimant.claim);
	end();
}

/* What is not to be claimed is left as it was. */
static void a_claim_leaves_alone_what_it_may_not_have(void **state)
{
	static const struct {
		size_t n_lines;
		const char *owner;
		enum claim_when when;
		enum err result;
		size_t n_events;
	} rows[] = {
		{ 0, "ann", CLAIM_ANY, ERR_NOT_FOUND, 0 },
		{ 5, "bob", CLAIM_ANY, ERR_NOT_FOUND, 5 },
		{ 4, "ann", CLAIM_PARKED, ERR_CONFLICT, 4 },
		{ 4, NULL, CLAIM_PARKED, ERR_CONFLICT, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct claimant claimant;

		begin();
		write_log(story, rows[i].n_lines);
		assert_int_equal(claim_now(&claimant, rows[i].owner, rows[i].when), rows[i].result);
		assert_int_equal(claimant.claim.n_events, rows[i].n_events);
		assert_int_equal(server.n_claims, 0);
		claim_release(&claimant.claim);
		end();
	}
}

static void of_two_claimants_one_wins(void **state)
{
	(void)state;
	for (int late_ms = 0; late_ms < 30; late_ms++) {
		struct claimant one, two;
		enum err first, second;

		begin();
		server.random = (uint64_t)late_ms;
		write_log(story, COUNT_OF(story));
		start(&one, NULL, CLAIM_PARKED);
		run((uint64_t)late_ms);
		second = claim_now(&two, NULL, CLAIM_PARKED);
		run(100);
		assert_true(one.is_done);
		first = one.claim.op.result;
		assert_int_equal((first == OK) + (second == OK), 1);
		assert_int_equal(first == OK ? second : first, ERR_CONFLICT);
		assert_int_equal(server.n_claims, 1);
		claim_release(&one.claim);
		claim_release(&two.claim);
		end();
	}
}

/* The old writer's last entries may land while the claim is on its way: they are part of the log.
 */
static void what_lands_in_between_is_read(void **state)
{
	unsigned in_between = 0, too_late = 0;

	(void)state;
	for (uint64_t at_ms = 0; at_ms < 12; at_ms++) {
		struct claimant claimant;

		begin();
		write_log(story, 3);
		start(&claimant, NULL, CLAIM_ANY);
		run(at_ms);
		write_lines(story, 3, 4);
		run(100);
		assert_true(claimant.is_done);
		assert_int_equal(claimant.claim.op.result, OK);
		assert_int_equal(claimant.claim.n_events, entries());
		assert_int_equal(claimant.claim.events[entries() - 1].kind, EVENT_CLAIMED);
		assert_int_equal(entries(), written == OK ? 5 : 4);
		in_between += written == OK;
		too_late += written == ERR_CONFLICT;
		claim_release(&claimant.claim);
		end();
	}
	assert_true(in_between > 2 && too_late > 2);
}

static void an_ended_log_is_given_but_not_claimed(void **state)
{
	static const struct line ended[] = { { { 1, 1 }, EVENT_CREATED, "" },
					     { { 1, 2 }, EVENT_TEXT, "One. " },
					     { { 1, 3 }, EVENT_DONE, "" } };
	static const struct line more[] = { { { 1, 1 }, EVENT_CREATED, "" },
					    { { 1, 2 }, EVENT_TEXT, "One. " },
					    { { 1, 3 }, EVENT_DONE, "" },
					    { { 2, 0 }, EVENT_CLAIMED, "" } };
	struct claimant claimant;
	struct sim_log *log;

	(void)state;
	begin();
	write_log(ended, COUNT_OF(ended));
	assert_int_equal(claim_now(&claimant, "ann", CLAIM_ANY), ERR_EXISTS);
	assert_int_equal(claimant.claim.n_events, COUNT_OF(ended));
	assert_int_equal(server.n_claims, 0);
	claim_release(&claimant.claim);
	end();
	/* A claim that came too late made it look as if somebody wrote: that is put right. */
	begin();
	write_log(more, COUNT_OF(more));
	log = sim_server_log(&server, id);
	assert_int_equal(log->entries[3].state, STORE_RUNNING);
	assert_int_equal(claim_now(&claimant, "ann", CLAIM_ANY), ERR_EXISTS);
	assert_int_equal(claimant.claim.n_events, 3);
	assert_int_equal(log->entries[log->n_entries - 1].state, STORE_ENDED);
	claim_release(&claimant.claim);
	end();
}

/* A store that loses questions and answers: it takes longer, and is claimed once. */
static void unknown_outcomes_are_settled(void **state)
{
	unsigned won = 0;

	(void)state;
	for (uint64_t seed = 1; seed < 300; seed++) {
		struct claimant claimant;
		enum err result;

		begin();
		write_log(story, COUNT_OF(story));
		server.random = seed;
		client.lose_percent = 25;
		result = claim_now(&claimant, NULL, CLAIM_ANY);
		assert_true(result == OK || result == ERR_TIMEOUT);
		assert_true(server.n_claims <= 1);
		if (result == OK)
			assert_int_equal(server.n_claims, 1);
		won += result == OK;
		claim_release(&claimant.claim);
		end();
	}
	assert_true(won > 100);
}

static void a_cancel_at_every_tick_is_clean(void **state)
{
	bool was_over = false;

	(void)state;
	for (uint64_t at_ms = 0; !was_over; at_ms++) {
		struct claimant claimant, next;

		begin();
		write_log(story, COUNT_OF(story));
		server.random = at_ms / 4;
		client.lose_percent = 20;
		start(&claimant, NULL, CLAIM_ANY);
		run(at_ms);
		was_over = at_ms > 60 && claimant.is_done;
		if (!claimant.is_done) {
			op_cancel(&claimant.claim.op, ERR_CANCELED);
			assert_false(claimant.is_done);
			run(1);
			assert_true(claimant.is_done);
			assert_int_equal(claimant.claim.op.result, ERR_CANCELED);
		}
		client.lose_percent = 0;
		claim_release(&claimant.claim);
		run(50);
		assert_int_equal(claim_now(&next, NULL, CLAIM_ANY), OK);
		claim_release(&next.claim);
		end();
	}
}

static void every_allocation_may_fail(void **state)
{
	enum err result = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; result == ERR_NO_MEMORY; nth++) {
		struct claimant claimant;

		begin();
		write_log(story, COUNT_OF(story));
		mem_fail_at(nth);
		result = claim_now(&claimant, NULL, CLAIM_ANY);
		mem_fail_at(0);
		claim_release(&claimant.claim);
		end();
		assert_true(nth < 500);
	}
	assert_int_equal(result, OK);
}

/* More than one read brings. */
static void a_long_log_is_read_in_pieces(void **state)
{
	enum { LINES = 12, TEXT_BYTES = 300000 };
	static char text[TEXT_BYTES + 1];
	struct line lines[LINES] = { { { 1, 1 }, EVENT_CREATED, "" } };
	struct claimant claimant;

	(void)state;
	memset(text, 'x', TEXT_BYTES);
	for (size_t i = 1; i < LINES; i++)
		lines[i] = (struct line){ { 1, i + 1 }, EVENT_TEXT, text };
	begin();
	write_log(lines, LINES);
	assert_int_equal(claim_now(&claimant, NULL, CLAIM_ANY), OK);
	assert_int_equal(claimant.claim.n_events, LINES + 1);
	assert_int_equal(claimant.claim.entries.content_bytes, (LINES - 1) * TEXT_BYTES);
	claim_release(&claimant.claim);
	end();
}

static void a_log_with_a_gap_is_nobodys(void **state)
{
	static const struct line logs[][3] = {
		{ { { 1, 1 }, EVENT_CREATED, "" }, { { 1, 3 }, EVENT_TEXT, "Two. " } },
		{ { { 1, 1 }, EVENT_CREATED, "" }, { { 2, 1 }, EVENT_TEXT, "Two. " } },
		{ { { 1, 1 }, EVENT_CREATED, "" }, { { 2, 0 }, EVENT_TEXT, "Two. " } },
		{ { { 1, 2 }, EVENT_CREATED, "" }, { { 1, 3 }, EVENT_TEXT, "Two. " } },
		{ { { 1, 1 }, EVENT_TEXT, "" }, { { 1, 2 }, EVENT_TEXT, "Two. " } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(logs); i++) {
		struct claimant claimant;

		begin();
		write_log(logs[i], 2);
		assert_int_equal(claim_now(&claimant, NULL, CLAIM_ANY), ERR_BROKEN);
		assert_int_equal(entries(), 2);
		claim_release(&claimant.claim);
		end();
	}
}

/* Text that the store has lost shows in the byte at which the next stands. */
static void lost_text_is_noticed(void **state)
{
	struct claimant claimant;

	(void)state;
	begin();
	write_log(story, 2);
	at_byte++;
	write_lines(story, 2, 3);
	assert_int_equal(claim_now(&claimant, NULL, CLAIM_ANY), ERR_BROKEN);
	claim_release(&claimant.claim);
	end();
}

static void the_same_event_twice_is_once(void **state)
{
	struct entries reading;
	struct event event;
	struct buf data;
	size_t n = 0;

	(void)state;
	buf_init(&data, 4096);
	for (int round = 0; round < 2; round++) {
		at_byte = 0;
		for (size_t i = 0; i < COUNT_OF(story); i++)
			encode_line(&story[i], &data);
	}
	entries_init(&reading);
	entries_feed(&reading, (struct slice){ data.data, data.len });
	while (entries_next(&reading, &event) == OK) {
		assert_int_equal(event.kind, story[n++].kind);
		event_release(&event);
	}
	assert_int_equal(n, COUNT_OF(story));
	assert_int_equal(reading.content_bytes, strlen("One. Two. Three. "));
	buf_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_has_the_whole_log),
		cmocka_unit_test(a_claim_leaves_alone_what_it_may_not_have),
		cmocka_unit_test(of_two_claimants_one_wins),
		cmocka_unit_test(what_lands_in_between_is_read),
		cmocka_unit_test(an_ended_log_is_given_but_not_claimed),
		cmocka_unit_test(unknown_outcomes_are_settled),
		cmocka_unit_test(a_cancel_at_every_tick_is_clean),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_long_log_is_read_in_pieces),
		cmocka_unit_test(a_log_with_a_gap_is_nobodys),
		cmocka_unit_test(lost_text_is_noticed),
		cmocka_unit_test(the_same_event_twice_is_once),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
