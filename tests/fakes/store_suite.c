#include "fakes/store_suite.h"
#include "check.h"
#include <stdio.h>
#include <string.h>

struct pending {
	union {
		struct store_write write;
		struct store_read read;
		struct store_erase erase;
		struct store_find find;
		struct store_unlabel unlabel;
	};
	bool is_done;
};

/* The op is the first member of all. */
static void on_done(struct op *op)
{
	container_of(op, struct pending, write.op)->is_done = true;
}

enum kind { CREATE, APPEND };

struct entry { /* to write */
	enum kind kind;
	struct store_place first;
	const char *data;
	enum store_state state;
	const char *const *labels;
};

static enum err write_entry(struct store_suite *suite, const char *job, const struct entry *entry)
{
	struct pending pending = { .is_done = false };
	struct store_write *write = &pending.write;

	op_prepare(&write->op, suite->reactor, 0, on_done);
	write->job = job;
	write->first = entry->first;
	write->n_events = 1;
	for (const char *at = entry->data; *at != '\0'; at++)
		write->n_events += at[0] == '\n' && at[1] != '\0';
	write->data = (struct slice){ entry->data, strlen(entry->data) };
	write->state = entry->state;
	write->labels = entry->labels;
	if (entry->kind == CREATE)
		suite->store->create(suite->store, write);
	else
		suite->store->append(suite->store, write);
	assert_false(pending.is_done);
	suite->run_until(suite, &pending.is_done);
	assert_int_equal(write->op.result == OK, write->outcome == STORE_LANDED);
	return write->op.result;
}

static enum err create(struct store_suite *suite, const char *job, const char *data)
{
	struct entry entry = { .kind = CREATE, .first = { 1, 1 }, .data = data };

	return write_entry(suite, job, &entry);
}

static enum err append(struct store_suite *suite, const char *job, struct store_place first,
		       const char *data)
{
	struct entry entry = { .kind = APPEND, .first = first, .data = data };

	return write_entry(suite, job, &entry);
}

static enum err append_state(struct store_suite *suite, const char *job, uint64_t seq,
			     enum store_state state)
{
	struct entry entry = { .kind = APPEND, .first = { 1, seq }, .data = "b\n", .state = state };

	return write_entry(suite, job, &entry);
}

static enum err create_labelled(struct store_suite *suite, const char *job,
				const char *const *labels)
{
	struct entry entry = { .kind = CREATE, .first = { 1, 1 }, .data = "a\n", .labels = labels };

	return write_entry(suite, job, &entry);
}

static enum err read_after(struct store_suite *suite, const char *job, struct store_place after,
			   const char *expected)
{
	struct pending pending = { .is_done = false };
	struct store_read *read = &pending.read;
	enum err result;

	op_prepare(&read->op, suite->reactor, 0, on_done);
	read->job = job;
	read->after = after;
	read->bytes_max = 1 << 20;
	buf_init(&read->entries, 1 << 20);
	suite->store->read(suite->store, read);
	assert_false(pending.is_done);
	suite->run_until(suite, &pending.is_done);
	result = read->op.result;
	if (result == OK)
		assert_string_equal(buf_str(&read->entries), expected);
	buf_release(&read->entries);
	return result;
}

static enum err erase(struct store_suite *suite, const char *job)
{
	struct pending pending = { .is_done = false };

	op_prepare(&pending.erase.op, suite->reactor, 0, on_done);
	pending.erase.job = job;
	suite->store->erase(suite->store, &pending.erase);
	assert_false(pending.is_done);
	suite->run_until(suite, &pending.is_done);
	return pending.erase.op.result;
}

static void entries_come_back_in_order(struct store_suite *suite)
{
	assert_int_equal(create(suite, "order", "a\n"), OK);
	assert_int_equal(append(suite, "order", (struct store_place){ 1, 2 }, "b\nc\n"), OK);
	assert_int_equal(append(suite, "order", (struct store_place){ 1, 4 }, "d\n"), OK);
	assert_int_equal(read_after(suite, "order", (struct store_place){ 0, 0 }, "a\nb\nc\nd\n"),
			 OK);
	assert_int_equal(read_after(suite, "order", (struct store_place){ 1, 2 }, "b\nc\nd\n"), OK);
	assert_int_equal(read_after(suite, "order", (struct store_place){ 1, 3 }, "d\n"), OK);
	assert_int_equal(read_after(suite, "order", (struct store_place){ 1, 4 }, ""), OK);
}

static void ids_are_taken_once(struct store_suite *suite)
{
	assert_int_equal(create(suite, "once", "a\n"), OK);
	assert_int_equal(create(suite, "once", "b\n"), ERR_EXISTS);
	assert_int_equal(read_after(suite, "once", (struct store_place){ 0, 0 }, "a\n"), OK);
}

static void older_epochs_and_doubles_are_fenced(struct store_suite *suite)
{
	assert_int_equal(create(suite, "fence", "a\n"), OK);
	assert_int_equal(append(suite, "fence", (struct store_place){ 2, 1 }, "claimed\n"), OK);
	assert_int_equal(append(suite, "fence", (struct store_place){ 1, 2 }, "old\n"),
			 ERR_CONFLICT);
	assert_int_equal(append(suite, "fence", (struct store_place){ 2, 1 }, "again\n"),
			 ERR_CONFLICT);
	assert_int_equal(append(suite, "fence", (struct store_place){ 2, 2 }, "b\nc\n"), OK);
	assert_int_equal(append(suite, "fence", (struct store_place){ 2, 3 }, "inside\n"),
			 ERR_CONFLICT);
	assert_int_equal(
		read_after(suite, "fence", (struct store_place){ 0, 0 }, "a\nclaimed\nb\nc\n"), OK);
}

static void a_claim_is_an_election(struct store_suite *suite)
{
	assert_int_equal(create(suite, "claim", "a\n"), OK);
	assert_int_equal(append(suite, "claim", (struct store_place){ 1, 2 }, "b\nc\n"), OK);
	assert_int_equal(append(suite, "claim", (struct store_place){ 2, 0 }, "mine\n"), OK);
	assert_int_equal(append(suite, "claim", (struct store_place){ 2, 0 }, "yours\n"),
			 ERR_CONFLICT);
	assert_int_equal(append(suite, "claim", (struct store_place){ 1, 4 }, "old\n"),
			 ERR_CONFLICT);
	assert_int_equal(append(suite, "claim", (struct store_place){ 2, 1 }, "d\n"), OK);
	assert_int_equal(read_after(suite, "claim", (struct store_place){ 1, 3 }, "mine\nd\n"), OK);
}

static void erased_logs_stay_dead(struct store_suite *suite)
{
	assert_int_equal(create(suite, "erased", "a\n"), OK);
	assert_int_equal(erase(suite, "erased"), OK);
	assert_int_equal(append(suite, "erased", (struct store_place){ 1, 2 }, "b\n"),
			 ERR_CONFLICT);
	assert_int_equal(read_after(suite, "erased", (struct store_place){ 0, 0 }, ""),
			 ERR_NOT_FOUND);
	assert_int_equal(erase(suite, "erased"), ERR_NOT_FOUND);
}

static void unknown_logs_are_not_found(struct store_suite *suite)
{
	assert_int_equal(read_after(suite, "nobody", (struct store_place){ 0, 0 }, ""),
			 ERR_NOT_FOUND);
	assert_int_equal(append(suite, "nobody", (struct store_place){ 1, 2 }, "b\n"),
			 ERR_CONFLICT);
}

static void reads_stop_at_their_bound(struct store_suite *suite)
{
	struct pending pending = { .is_done = false };
	struct store_read *read = &pending.read;

	assert_int_equal(create(suite, "bound", "first\n"), OK);
	assert_int_equal(append(suite, "bound", (struct store_place){ 1, 2 }, "second\n"), OK);
	assert_int_equal(append(suite, "bound", (struct store_place){ 1, 3 }, "third\n"), OK);
	op_prepare(&read->op, suite->reactor, 0, on_done);
	read->job = "bound";
	read->bytes_max = 8;
	buf_init(&read->entries, 1 << 20);
	suite->store->read(suite->store, read);
	suite->run_until(suite, &pending.is_done);
	assert_string_equal(buf_str(&read->entries), "first\nsecond\n");
	assert_true(read->is_more);
	assert_int_equal(read->last.epoch, 1);
	assert_int_equal(read->last.seq, 2);
	buf_release(&read->entries);
}

static void logs_go_after_their_retention(struct store_suite *suite)
{
	if (suite->advance == NULL)
		return;
	assert_int_equal(create(suite, "old", "a\n"), OK);
	suite->advance(suite, 3 * suite->retention_ms); /* at work: not to be lost */
	assert_int_equal(append_state(suite, "old", 2, STORE_ENDED), OK);
	suite->advance(suite, suite->retention_ms - 1);
	assert_int_equal(read_after(suite, "old", (struct store_place){ 0, 0 }, "a\nb\n"), OK);
	suite->advance(suite, 2);
	assert_int_equal(read_after(suite, "old", (struct store_place){ 0, 0 }, ""), ERR_NOT_FOUND);
}

static void logs_that_nobody_ends_go_too(struct store_suite *suite)
{
	if (suite->advance == NULL)
		return;
	assert_int_equal(create(suite, "left", "a\n"), OK);
	suite->advance(suite, STORE_UNENDED_MS / 2);
	assert_int_equal(append(suite, "left", (struct store_place){ 1, 2 }, "b\n"), OK);
	suite->advance(suite, STORE_UNENDED_MS - 1);
	assert_int_equal(read_after(suite, "left", (struct store_place){ 0, 0 }, "a\nb\n"), OK);
	suite->advance(suite, 2);
	assert_int_equal(read_after(suite, "left", (struct store_place){ 0, 0 }, ""),
			 ERR_NOT_FOUND);
}

static void parked_logs_stay_for_their_time(struct store_suite *suite)
{
	if (suite->advance == NULL)
		return;
	assert_int_equal(create(suite, "parked", "a\n"), OK);
	assert_int_equal(append_state(suite, "parked", 2, STORE_PARKED), OK);
	suite->advance(suite, suite->park_ms - 1);
	assert_int_equal(append_state(suite, "parked", 3, STORE_PARKED), OK);
	suite->advance(suite, suite->park_ms - 1);
	assert_int_equal(read_after(suite, "parked", (struct store_place){ 1, 2 }, "b\n"), OK);
	suite->advance(suite, 2);
	assert_int_equal(read_after(suite, "parked", (struct store_place){ 0, 0 }, ""),
			 ERR_NOT_FOUND);
}

/* The ids found, one after the other with a space behind each. */
static void find(struct store_suite *suite, const char *label, const char *expected)
{
	struct pending pending = { .is_done = false };
	char found[STORE_FOUND_MAX * STORE_ID_BYTES + 1] = "";

	op_prepare(&pending.find.op, suite->reactor, 0, on_done);
	pending.find.label = label;
	if (label != NULL)
		suite->store->find(suite->store, &pending.find);
	else
		suite->store->orphans(suite->store, &pending.find);
	assert_false(pending.is_done);
	suite->run_until(suite, &pending.is_done);
	assert_int_equal(pending.find.op.result, OK);
	assert_false(pending.find.is_more);
	for (size_t i = 0; i < pending.find.n_ids; i++) {
		size_t len = strlen(found);

		(void)snprintf(found + len, sizeof(found) - len, "%s ", pending.find.ids[i]);
	}
	assert_string_equal(found, expected);
}

static enum err unlabel(struct store_suite *suite, const char *job, const char *label)
{
	struct pending pending = { .is_done = false };

	op_prepare(&pending.unlabel.op, suite->reactor, 0, on_done);
	pending.unlabel.job = job;
	pending.unlabel.label = label;
	suite->store->unlabel(suite->store, &pending.unlabel);
	assert_false(pending.is_done);
	suite->run_until(suite, &pending.is_done);
	return pending.unlabel.op.result;
}

static void logs_are_found_by_their_labels(struct store_suite *suite)
{
	static const char *const anns[] = { "owner:ann", "same:1", NULL };
	static const char *const bobs[] = { "owner:bob", "same:1", "fresh:1", "key:x", NULL };
	static const char *const many[] = { "a", "b", "c", "d", "e", NULL };

	find(suite, "owner:ann", "");
	assert_int_equal(create_labelled(suite, "one", anns), OK);
	assert_int_equal(create_labelled(suite, "two", bobs), OK);
	assert_int_equal(create_labelled(suite, "three", anns), OK);
	assert_int_equal(create_labelled(suite, "four", many), ERR_INVALID);
	find(suite, "owner:ann", "three one ");
	find(suite, "same:1", "three two one ");
	find(suite, "key:x", "two ");
	find(suite, "owner:an", "");
	assert_int_equal(unlabel(suite, "two", "fresh:1"), OK);
	assert_int_equal(unlabel(suite, "two", "fresh:1"), OK);
	find(suite, "fresh:1", "");
	find(suite, "same:1", "three two one ");
	assert_int_equal(erase(suite, "one"), OK);
	find(suite, "owner:ann", "three ");
}

static void what_is_offered_is_an_orphan(struct store_suite *suite)
{
	assert_int_equal(create(suite, "offered", "a\n"), OK);
	find(suite, NULL, "");
	assert_int_equal(append_state(suite, "offered", 2, STORE_PARKED), OK);
	find(suite, NULL, "");
	assert_int_equal(append_state(suite, "offered", 3, STORE_OFFERED), OK);
	find(suite, NULL, "offered ");
	assert_int_equal(append(suite, "offered", (struct store_place){ 2, 0 }, "mine\n"), OK);
	find(suite, NULL, "");
	assert_int_equal(append(suite, "offered", (struct store_place){ 2, 1 }, "on\n"), OK);
	find(suite, NULL, "");
}

static void a_cancel_gives_one_end(struct store_suite *suite)
{
	struct pending pending = { .is_done = false };

	op_prepare(&pending.read.op, suite->reactor, 0, on_done);
	pending.read.job = "nobody";
	op_cancel(&pending.read.op, ERR_CANCELED);
	suite->store->read(suite->store, &pending.read);
	suite->run_until(suite, &pending.is_done);
	assert_int_equal(pending.read.op.result, ERR_CANCELED);
}

void store_suite_run(struct store_suite *suite)
{
	entries_come_back_in_order(suite);
	ids_are_taken_once(suite);
	older_epochs_and_doubles_are_fenced(suite);
	a_claim_is_an_election(suite);
	erased_logs_stay_dead(suite);
	unknown_logs_are_not_found(suite);
	reads_stop_at_their_bound(suite);
	logs_are_found_by_their_labels(suite);
	what_is_offered_is_an_orphan(suite);
	a_cancel_gives_one_end(suite);
	logs_go_after_their_retention(suite);
	parked_logs_stay_for_their_time(suite);
	logs_that_nobody_ends_go_too(suite);
}
