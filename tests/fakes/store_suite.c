#include "fakes/store_suite.h"
#include "check.h"
#include <stdio.h>
#include <string.h>

struct pending {
	union {
		struct store_write write;
		struct store_read read;
		struct store_erase erase;
	};
	bool is_done;
};

/* The op is the first member of all three. */
static void on_done(struct op *op)
{
	container_of(op, struct pending, write.op)->is_done = true;
}

enum kind { CREATE, APPEND, APPEND_LAST };

static enum err write_entry(struct store_suite *suite, const char *job, struct store_place first,
			    const char *data, enum kind kind)
{
	struct pending pending = { .is_done = false };
	struct store_write *write = &pending.write;

	op_prepare(&write->op, suite->reactor, 0, on_done);
	write->job = job;
	write->first = first;
	write->n_events = 1;
	for (const char *at = data; *at != '\0'; at++)
		write->n_events += at[0] == '\n' && at[1] != '\0';
	write->data = (struct slice){ data, strlen(data) };
	write->is_last = kind == APPEND_LAST;
	if (kind == CREATE)
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
	return write_entry(suite, job, (struct store_place){ 1, 1 }, data, CREATE);
}

static enum err append(struct store_suite *suite, const char *job, struct store_place first,
		       const char *data)
{
	return write_entry(suite, job, first, data, APPEND);
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
	assert_int_equal(read_after(suite, "order", (struct store_place){ 1, 2 }, "d\n"), OK);
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
	assert_int_equal(read->last.seq, 2);
	buf_release(&read->entries);
}

static void logs_go_after_their_retention(struct store_suite *suite)
{
	if (suite->advance == NULL)
		return;
	assert_int_equal(create(suite, "old", "a\n"), OK);
	suite->advance(suite, 3 * suite->retention_ms); /* at work: not to be lost */
	assert_int_equal(write_entry(suite, "old", (struct store_place){ 1, 2 }, "b\n",
				     APPEND_LAST),
			 OK);
	suite->advance(suite, suite->retention_ms - 1);
	assert_int_equal(read_after(suite, "old", (struct store_place){ 0, 0 }, "a\nb\n"), OK);
	suite->advance(suite, 2);
	assert_int_equal(read_after(suite, "old", (struct store_place){ 0, 0 }, ""),
			 ERR_NOT_FOUND);
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
	erased_logs_stay_dead(suite);
	unknown_logs_are_not_found(suite);
	reads_stop_at_their_bound(suite);
	a_cancel_gives_one_end(suite);
	logs_go_after_their_retention(suite);
	logs_that_nobody_ends_go_too(suite);
}
