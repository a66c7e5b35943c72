/* A process or the power goes in the middle of a write: whatever the file's end looks like then,
 * all that was acknowledged is back, whole, and nothing of the rest. */
#include "check.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "fakes/file_world.h"

enum { FILE_MAX = 1 << 18, STEPS_MAX = 8 };

static struct file_world world;

static int open_world(void **state)
{
	(void)state;
	file_world_init(&world);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	file_world_release(&world);
	return 0;
}

/* ---- the file, from the outside ---- */

static char whole[FILE_MAX];

static size_t load(const char *job)
{
	int fd = open(file_world_path(&world, job), O_RDONLY);
	ssize_t n = read(fd, whole, sizeof(whole));

	assert_true(n >= 0);
	(void)close(fd);
	return (size_t)n;
}

static void put(const char *job, size_t len, struct slice behind)
{
	int fd;

	/* Not truncated: ext4 would write it out at once. */
	(void)unlink(file_world_path(&world, job));
	fd = open(file_world_path(&world, job), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, whole, len), (ssize_t)len);
	assert_int_equal(write(fd, behind.data, behind.len), (ssize_t)behind.len);
	(void)close(fd);
}

static size_t size_of(const char *job)
{
	struct stat status;

	assert_int_equal(stat(file_world_path(&world, job), &status), 0);
	return (size_t)status.st_size;
}

/* ---- a log, and what it was after each acknowledgement ---- */

static struct step {
	size_t file_bytes;
	char text[256];
	const char *fresh; /* who is found by this label */
	uint64_t next_seq;
} steps[STEPS_MAX];
static size_t n_steps;

static void note(const char *fresh, uint64_t next_seq)
{
	struct step *step = &steps[n_steps++];
	enum err err;

	step->file_bytes = size_of("job");
	(void)snprintf(step->text, sizeof(step->text), "%s", file_world_text(&world, "job", &err));
	step->fresh = fresh;
	step->next_seq = next_seq;
}

static void write_log(void)
{
	n_steps = 0;
	assert_int_equal(file_world_write(&world, "job", 1, 1, "{\"a\":1}\n"), OK);
	note("job ", 2);
	assert_int_equal(file_world_write(&world, "job", 1, 2, "{\"b\":2}\n{\"c\":3}\n"), OK);
	note("job ", 4);
	assert_int_equal(file_world_unlabel(&world, "job", "fresh:1"), OK);
	note("", 4);
	assert_int_equal(file_world_write(&world, "job", 1, 4, "{\"d\":4}\n"), OK);
	note("", 5);
}

static const struct step *step_at(size_t file_bytes)
{
	const struct step *step = NULL;

	for (size_t i = 0; i < n_steps; i++)
		if (steps[i].file_bytes <= file_bytes)
			step = &steps[i];
	return step;
}

static void expect_nothing(void)
{
	enum err err;

	(void)file_world_text(&world, "job", &err);
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_int_equal(access(file_world_path(&world, "job"), F_OK), -1);
	assert_int_equal(store_file_found(world.store).removed, 1);
	assert_string_equal(file_world_find(&world, "owner:ann"), "");
}

static void expect_step(const struct step *step, size_t file_bytes)
{
	char text[300];
	enum err err;

	assert_string_equal(file_world_text(&world, "job", &err), step->text);
	assert_int_equal(err, OK);
	assert_int_equal(store_file_found(world.store).repaired, file_bytes > step->file_bytes);
	assert_int_equal(size_of("job"), step->file_bytes);
	assert_string_equal(file_world_find(&world, "owner:ann"), "job ");
	assert_string_equal(file_world_find(&world, "fresh:1"), step->fresh);
	/* And it goes on. */
	assert_int_equal(file_world_write(&world, "job", 1, step->next_seq, "{\"on\":5}\n"), OK);
	(void)snprintf(text, sizeof(text), "%s{\"on\":5}\n", step->text);
	assert_string_equal(file_world_text(&world, "job", &err), text);
}

static void try_cut(size_t cut, struct slice behind)
{
	size_t same = 0; /* garbage that happens to be what was cut */
	const struct step *step;

	while (same < behind.len && behind.data[same] == whole[cut + same])
		same++;
	step = step_at(cut + same);
	put("job", cut, behind);
	file_world_open(&world);
	if (step != NULL)
		expect_step(step, cut + behind.len);
	else
		expect_nothing();
	file_world_close(&world);
}

/* What a file system may leave behind the last block that it wrote. */
static void a_cut_at_any_byte_loses_nothing_acknowledged(void **state)
{
	static const char zeros[300];
	static const struct slice behind[] = {
		{ "", 0 },
		{ zeros, sizeof(zeros) },
		{ "\n", 1 },
		{ "\377\376 garbage \"}\n{\"entry\":\"", 23 },
		{ "\n{\"entry\":\"9-9\",\"events\":1,\"state\":\"ended\",\"hidden\":0,\"t_ms\":1,"
		  "\"bytes\":2,\"crc\":\"00000000\"}\n{}\n",
		  91 },
	};
	size_t len;

	(void)state;
	write_log();
	len = load("job");
	assert_int_equal(len, steps[n_steps - 1].file_bytes);
	file_world_close(&world);
	for (size_t cut = 0; cut <= len; cut++)
		for (size_t i = 0; i < COUNT_OF(behind); i++)
			try_cut(cut, behind[i]);
}

/* Blocks can be missing in the middle of what was not synced yet. */
static void a_last_entry_with_any_wrong_byte_is_not_there(void **state)
{
	size_t len, last;

	(void)state;
	write_log();
	len = load("job");
	last = steps[n_steps - 2].file_bytes;
	file_world_close(&world);
	for (size_t at = last; at < len; at++) {
		char right = whole[at];

		whole[at] ^= 0x20;
		put("job", len, (struct slice){ "", 0 });
		file_world_open(&world);
		expect_step(&steps[n_steps - 2], len);
		file_world_close(&world);
		whole[at] = right;
	}
}

/* The end is looked for from behind: with entries larger than any window too. */
static void large_entries_are_cut_as_well(void **state)
{
	static char line[100000];
	enum err err;
	size_t first, len;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	assert_int_equal(file_world_write(&world, "job", 1, 1, line), OK);
	first = load("job");
	assert_int_equal(file_world_write(&world, "job", 1, 2, line), OK);
	len = load("job");
	file_world_close(&world);
	for (size_t cut = first; cut <= len; cut += (len - first) / 7) {
		put("job", cut, (struct slice){ "", 0 });
		file_world_open(&world);
		assert_int_equal(strlen(file_world_text(&world, "job", &err)),
				 (cut == len ? 2 : 1) * strlen(line));
		file_world_close(&world);
	}
}

/* ---- files that are none of ours, or not any more ---- */

static void what_cannot_be_read_is_left_alone(void **state)
{
	static const char later[] =
		"{\"log\":2,\"job\":\"later\",\"more\":1,\"crc\":\"d1a9294c\"}\n";
	size_t len;

	(void)state;
	write_log();
	len = load("job");
	file_world_close(&world);
	put("copy", len, (struct slice){ "", 0 }); /* another's log by name */
	whole[3] ^= 1;
	put("job", len, (struct slice){ "", 0 }); /* its head is damaged, its entries are there */
	memcpy(whole, later, sizeof(later));
	put("later", sizeof(later) - 1, (struct slice){ "", 0 });
	put("../notes", 0, (struct slice){ "", 0 });
	file_world_open(&world);
	assert_int_equal(store_file_logs(world.store), 0);
	assert_int_equal(store_file_found(world.store).ignored, 3);
	assert_int_equal(store_file_found(world.store).removed, 0);
	assert_int_equal(size_of("job"), len);
	assert_int_equal(size_of("copy"), len);
	assert_int_equal(unlink(file_world_path(&world, "../notes")), 0);
}

static void a_reader_is_told_of_damage(void **state)
{
	enum err err;
	size_t len;

	(void)state;
	write_log();
	len = load("job");
	whole[steps[0].file_bytes + 120] ^= 1; /* in the second entry */
	put("job", len, (struct slice){ "", 0 });
	(void)file_world_text(&world, "job", &err);
	assert_int_equal(err, ERR_BROKEN);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_cut_at_any_byte_loses_nothing_acknowledged),
		IN_WORLD(a_last_entry_with_any_wrong_byte_is_not_there),
		IN_WORLD(large_entries_are_cut_as_well),
		IN_WORLD(what_cannot_be_read_is_left_alone),
		IN_WORLD(a_reader_is_told_of_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
