/* work_pool - work (async/work.h) on libuv's threads. */
#ifndef LONGHAND_LOOP_WORK_POOL_H
#define LONGHAND_LOOP_WORK_POOL_H
#include "async/work.h"
#include "loop/reactor_uv.h"

struct work_pool;

/* The threads are the process's: as many as UV_THREADPOOL_SIZE says, 4 by default. */
MUST_CHECK enum err work_pool_new(struct reactor_uv *loop, struct work_pool **ret_pool);
/* No work may be live; NULL ok. */
void work_pool_free(struct work_pool *pool);
struct work_port *work_pool_port(struct work_pool *pool);
/* Work that waits for a thread, runs, or has not reported yet. */
size_t work_pool_live(const struct work_pool *pool);
#endif
