/* file_world - a file store in a directory of its own under /tmp, on the fake loop, with files that
 * fail when the test says so; and its operations one by one, each waited for. */
#ifndef LONGHAND_FAKES_FILE_WORLD_H
#define LONGHAND_FAKES_FILE_WORLD_H
#include "fakes/fake_pool.h"
#include "fakes/fake_reactor.h"
#include "fakes/faulty_files.h"
#include "store/store_file.h"

enum { WORLD_RETENTION_MS = 60000, WORLD_PARK_MS = 90000 };

struct file_world {
	struct fake_reactor loop;
	struct fake_pool pool;
	struct faulty_files files;
	struct store_file *store; /* NULL: closed */
	struct store *port;
	char dir[64];
	unsigned troubles, recoveries; /* what on_trouble() said */
	int last_trouble;
};

/* Makes the directory and opens the store. */
void file_world_init(struct file_world *world);
/* Closes the store and removes the directory. */
void file_world_release(struct file_world *world);
/* As after the end of a process: nothing of memory stays. The clock goes on. */
void file_world_close(struct file_world *world);
void file_world_open(struct file_world *world);

/* A store's directory with all that is in it. */
void file_world_remove(const char *dir);

void file_world_turn(struct file_world *world, const bool *flag); /* until *flag */
/* One event a line of `data`, as the place's epoch and seq say of the first. */
enum err file_world_write(struct file_world *world, const char *job, uint64_t epoch, uint64_t seq,
			  const char *data);
enum err file_world_end(struct file_world *world, const char *job, uint64_t seq,
			enum store_state state);
/* The outcome of the last write. */
enum store_outcome file_world_outcome(void);
/* The whole log, until the next call; "" and the error where it cannot be read. */
const char *file_world_text(struct file_world *world, const char *job, enum err *ret_err);
enum err file_world_erase(struct file_world *world, const char *job);
enum err file_world_unlabel(struct file_world *world, const char *job, const char *label);
/* Ids with a space behind each; NULL: the orphans. Until the next call. */
const char *file_world_find(struct file_world *world, const char *label);
/* DIR/jobs/JOB.log; until the next call. */
const char *file_world_path(const struct file_world *world, const char *job);
#endif
