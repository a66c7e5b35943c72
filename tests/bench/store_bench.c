/* store_bench - what the file store costs beside the memory store, and how long a start with many
 * logs takes.
 *
 *   store_bench DIR [LOGS]
 *
 * DIR must not exist; it is made and left behind. Writing: 50 writers append an entry of 600 bytes
 * each 50 ms (what a job does at 50 chunks/s), for some seconds, in either store. Starting: LOGS
 * logs (10,000) of 64 KB, opened again from the page cache, and after the kernel was told to drop
 * them. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/must.h"
#include "loop/work_pool.h"
#include "store/file_ops.h"
#include "store/store_file.h"
#include "store/store_memory.h"

enum { WRITERS = 50, PERIOD_MS = 50, ROUNDS = 100, ENTRY_BYTES = 600, DAY_MS = 86400000 };
enum { LOGS = 10000, LOG_BYTES = 64 << 10, AT_ONCE = 200, PATH_BYTES = 512 };

static const struct store_times times = { DAY_MS, DAY_MS };

static struct reactor_uv *loop;
static struct reactor *reactor;
static struct work_pool *pool;
static char data[LOG_BYTES];

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(int who)
{
	struct rusage usage;

	(void)getrusage(who, &usage);
	return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e6 +
	       (double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec;
}

/* ---- writing ---- */

struct writer {
	struct store_write write;
	struct store *store;
	struct timer timer;
	char job[STORE_ID_BYTES];
	uint64_t seq;
	double since_us;
};

static struct writer writers[WRITERS];
static double waits_us[WRITERS * ROUNDS];
static size_t n_waits;
static unsigned n_running;

static void on_period(struct timer *timer);

static void on_written(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);
	struct writer *writer = container_of(write, struct writer, write);

	MUST(op->result == OK);
	waits_us[n_waits++] = now_us() - writer->since_us;
	if (writer->seq < ROUNDS)
		reactor->timer_start(reactor, &writer->timer, PERIOD_MS, on_period);
	else
		n_running--;
}

static void on_period(struct timer *timer)
{
	struct writer *writer = container_of(timer, struct writer, timer);
	struct store_write *write = &writer->write;

	writer->seq++;
	writer->since_us = now_us();
	op_prepare(&write->op, reactor, 0, on_written);
	write->job = writer->job;
	write->first = (struct store_place){ 1, writer->seq };
	write->n_events = 1;
	write->data = (struct slice){ data, ENTRY_BYTES };
	if (writer->seq == 1)
		writer->store->create(writer->store, write);
	else
		writer->store->append(writer->store, write);
}

static int by_size(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static void measure_writing(const char *name, struct store *store)
{
	double all_us = cpu_us(RUSAGE_SELF), loop_us = cpu_us(RUSAGE_THREAD);

	n_waits = 0;
	n_running = WRITERS;
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .store = store };
		(void)snprintf(writers[i].job, sizeof(writers[i].job), "writer-%u", i);
		reactor->timer_start(reactor, &writers[i].timer, i * PERIOD_MS / WRITERS,
				     on_period);
	}
	while (n_running > 0)
		reactor_uv_turn(loop);
	all_us = cpu_us(RUSAGE_SELF) - all_us;
	loop_us = cpu_us(RUSAGE_THREAD) - loop_us;
	qsort(waits_us, n_waits, sizeof(waits_us[0]), by_size);
	(void)printf("%-7s %8zu entries  %7.1f us CPU each, %6.1f of it on the loop   "
		     "wait: median %6.0f us, p99 %7.0f us\n",
		     name, n_waits, all_us / (double)n_waits, loop_us / (double)n_waits,
		     waits_us[n_waits / 2], waits_us[n_waits * 99 / 100]);
}

/* ---- starting ---- */

static struct store_file *open_store(const char *dir, const struct file_ops *ops)
{
	struct store_file_options options = {
		.dir = dir, .times = times, .pool = work_pool_port(pool), .ops = ops
	};
	struct store_file *store = NULL;
	struct buf message;

	buf_init(&message, 1024);
	if (store_file_new(reactor, &options, &message, &store) != OK) {
		(void)fprintf(stderr, "store_bench: %s\n", buf_str(&message));
		exit(1);
	}
	buf_release(&message);
	return store;
}

static void close_store(struct store_file *store)
{
	store_file_stop(store);
	while (!store_file_is_idle(store))
		reactor_uv_turn(loop);
	store_file_free(store);
}

struct filler {
	struct store_write write;
	struct store *store;
	char job[STORE_ID_BYTES];
	unsigned step;
};

static struct filler fillers[AT_ONCE];
static unsigned n_filled, n_wanted;

static void fill(struct filler *filler);

static void on_filled(struct op *op)
{
	struct store_write *write = container_of(op, struct store_write, op);

	MUST(op->result == OK);
	fill(container_of(write, struct filler, write));
}

/* Three entries a log: small, large, the end. */
static void fill(struct filler *filler)
{
	static const size_t sizes[] = { ENTRY_BYTES, 60000, 3400 };
	struct store_write *write = &filler->write;

	if (filler->step == 3) {
		filler->step = 0;
		n_running--;
	}
	if (filler->step == 0) {
		if (n_filled == n_wanted)
			return;
		n_running++;
		(void)snprintf(filler->job, sizeof(filler->job), "log-%u", n_filled++);
	}
	op_prepare(&write->op, reactor, 0, on_filled);
	write->job = filler->job;
	write->first = (struct store_place){ 1, filler->step + 1 };
	write->n_events = 1;
	write->state = filler->step == 2 ? STORE_ENDED : STORE_RUNNING;
	write->data = (struct slice){ data, sizes[filler->step] };
	if (filler->step++ == 0)
		filler->store->create(filler->store, write);
	else
		filler->store->append(filler->store, write);
}

static int no_sync(void *context, int fd)
{
	(void)context;
	(void)fd;
	return 0;
}

static void fill_store(const char *dir, unsigned n_logs)
{
	struct file_ops unsynced = file_ops_real;
	struct store_file *store;

	unsynced.sync = unsynced.sync_all = no_sync;
	store = open_store(dir, &unsynced);
	n_filled = 0;
	n_wanted = n_logs;
	for (unsigned i = 0; i < AT_ONCE; i++) {
		fillers[i] = (struct filler){ .store = store_file_port(store) };
		fill(&fillers[i]);
	}
	while (n_running > 0)
		reactor_uv_turn(loop);
	close_store(store);
	sync();
}

static void drop_cache(const char *dir)
{
	char path[PATH_BYTES];
	const struct dirent *entry;
	DIR *names;

	(void)snprintf(path, sizeof(path), "%s/jobs", dir);
	names = opendir(path);
	MUST(names != NULL);
	while ((entry = readdir(names)) != NULL) {
		int fd = openat(dirfd(names), entry->d_name, O_RDONLY);

		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		(void)close(fd);
	}
	(void)closedir(names);
}

static void measure_start(const char *name, const char *dir)
{
	double since_us = now_us(), before_us = cpu_us(RUSAGE_SELF);
	struct store_file *store = open_store(dir, NULL);
	double cpu_ms = (cpu_us(RUSAGE_SELF) - before_us) / 1e3;

	(void)printf("start, %-10s %6zu logs  %7.0f ms, %6.0f ms CPU\n", name,
		     store_file_logs(store), (now_us() - since_us) / 1e3, cpu_ms);
	close_store(store);
}

int main(int argc, char **argv)
{
	unsigned n_logs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : LOGS;
	struct store_memory *memory;
	struct store_file *file;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: store_bench DIR [LOGS]\n");
		return 2;
	}
	mem_init();
	for (size_t i = 0; i < sizeof(data); i++) /* lines of 100 bytes */
		data[i] = i % 100 == 99 ? '\n' : 'x';
	MUST(reactor_uv_new(&loop) == OK && work_pool_new(loop, &pool) == OK);
	reactor = reactor_uv_base(loop);
	MUST(store_memory_new(reactor, &times, &memory) == OK);
	measure_writing("memory", store_memory_port(memory));
	store_memory_free(memory);
	file = open_store(argv[1], NULL);
	measure_writing("file", store_file_port(file));
	close_store(file);
	fill_store(argv[1], n_logs);
	measure_start("cached", argv[1]);
	drop_cache(argv[1]);
	measure_start("not cached", argv[1]);
	work_pool_free(pool);
	reactor_uv_free(loop);
	return 0;
}
