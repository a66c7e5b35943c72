#include "fakes/file_world.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"

static void on_trouble(void *context, int error)
{
	struct file_world *world = context;

	world->troubles += error != 0;
	world->recoveries += error == 0;
	world->last_trouble = error;
}

void file_world_open(struct file_world *world)
{
	struct store_file_options options = {
		.dir = world->dir,
		.times = { WORLD_RETENTION_MS, WORLD_PARK_MS },
		.pool = &world->pool.port,
		.ops = &world->files.ops,
		.on_trouble = on_trouble,
		.context = world,
	};
	struct buf message;

	buf_init(&message, 1024);
	if (store_file_new(&world->loop.base, &options, &message, &world->store) != OK)
		(void)fprintf(stderr, "%s\n", buf_str(&message));
	MUST(world->store != NULL);
	buf_release(&message);
	world->port = store_file_port(world->store);
}

void file_world_init(struct file_world *world)
{
	*world = (struct file_world){ .dir = "/tmp/longhand-store-XXXXXX" };
	MUST(mkdtemp(world->dir) != NULL);
	fake_reactor_init(&world->loop);
	fake_pool_init(&world->pool, &world->loop.base);
	faulty_files_init(&world->files);
	file_world_open(world);
}

void file_world_close(struct file_world *world)
{
	store_file_stop(world->store);
	while (!store_file_is_idle(world->store))
		MUST(fake_reactor_turn(&world->loop));
	store_file_free(world->store);
	world->store = NULL;
}

void file_world_remove(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	int jobs_fd = openat(fd, "jobs", O_RDONLY | O_DIRECTORY);
	DIR *names = fdopendir(jobs_fd);
	const struct dirent *entry;

	MUST(names != NULL);
	while ((entry = readdir(names)) != NULL)
		if (entry->d_name[0] != '.')
			MUST(unlinkat(jobs_fd, entry->d_name, 0) == 0);
	(void)closedir(names);
	MUST(unlinkat(fd, "jobs", AT_REMOVEDIR) == 0);
	MUST(unlinkat(fd, "lock", 0) == 0);
	(void)close(fd);
	MUST(rmdir(dir) == 0);
}

void file_world_release(struct file_world *world)
{
	if (world->store != NULL)
		file_world_close(world);
	MUST(world->files.open_now == 0);
	file_world_remove(world->dir);
}

void file_world_turn(struct file_world *world, const bool *flag)
{
	while (!*flag)
		MUST(fake_reactor_turn(&world->loop));
}

static bool is_done;
static enum store_outcome last_outcome;

static void on_done(struct op *op)
{
	(void)op;
	is_done = true;
}

static void begin(struct file_world *world, struct op *op)
{
	is_done = false;
	op_prepare(op, &world->loop.base, 0, on_done);
}

static enum err write_entry(struct file_world *world, struct store_write *write)
{
	begin(world, &write->op);
	if (write->first.epoch == 1 && write->first.seq == 1)
		world->port->create(world->port, write);
	else
		world->port->append(world->port, write);
	file_world_turn(world, &is_done);
	last_outcome = write->outcome;
	return write->op.result;
}

enum err file_world_write(struct file_world *world, const char *job, uint64_t epoch, uint64_t seq,
			  const char *data)
{
	static const char *const labels[] = { "owner:ann", "fresh:1", NULL };
	struct store_write write = { .job = job,
				     .first = { epoch, seq },
				     .data = { data, strlen(data) },
				     .labels = labels };

	for (const char *at = data; *at != '\0'; at++)
		write.n_events += *at == '\n';
	return write_entry(world, &write);
}

enum err file_world_end(struct file_world *world, const char *job, uint64_t seq,
			enum store_state state)
{
	struct store_write write = { .job = job,
				     .first = { 1, seq },
				     .n_events = 1,
				     .state = state,
				     .data = { "end\n", 4 } };

	return write_entry(world, &write);
}

enum store_outcome file_world_outcome(void)
{
	return last_outcome;
}

const char *file_world_text(struct file_world *world, const char *job, enum err *ret_err)
{
	static char text[1 << 20];
	struct store_read read = { .job = job, .bytes_max = SIZE_MAX };

	buf_init(&read.entries, sizeof(text) - 1);
	begin(world, &read.op);
	world->port->read(world->port, &read);
	file_world_turn(world, &is_done);
	*ret_err = read.op.result;
	(void)snprintf(text, sizeof(text), "%s",
		       read.op.result == OK ? buf_str(&read.entries) : "");
	buf_release(&read.entries);
	return text;
}

enum err file_world_erase(struct file_world *world, const char *job)
{
	struct store_erase erase = { .job = job };

	begin(world, &erase.op);
	world->port->erase(world->port, &erase);
	file_world_turn(world, &is_done);
	return erase.op.result;
}

enum err file_world_unlabel(struct file_world *world, const char *job, const char *label)
{
	struct store_unlabel unlabel = { .job = job, .label = label };

	begin(world, &unlabel.op);
	world->port->unlabel(world->port, &unlabel);
	file_world_turn(world, &is_done);
	return unlabel.op.result;
}

const char *file_world_find(struct file_world *world, const char *label)
{
	static char ids[STORE_FOUND_MAX * STORE_ID_BYTES + 1];
	static struct store_find find;

	find = (struct store_find){ .label = label };
	begin(world, &find.op);
	if (label != NULL)
		world->port->find(world->port, &find);
	else
		world->port->orphans(world->port, &find);
	file_world_turn(world, &is_done);
	ids[0] = '\0';
	for (size_t i = 0; i < find.n_ids; i++) {
		size_t len = strlen(ids);

		(void)snprintf(ids + len, sizeof(ids) - len, "%s ", find.ids[i]);
	}
	return ids;
}

const char *file_world_path(const struct file_world *world, const char *job)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/jobs/%s.log", world->dir, job);
	return path;
}
