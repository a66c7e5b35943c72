#include "loop/work_pool.h"
#include <uv.h>
#include "base/mem.h"
#include "base/must.h"

struct work_pool {
	struct work_port port;
	struct reactor_uv *loop;
	size_t live;
};

/* libuv's request, from the start until its thread has reported. */
struct work_handle {
	uv_work_t request;
	struct work_pool *pool;
	struct work *work;
};

static void on_thread(uv_work_t *request)
{
	struct work *work = container_of(request, struct work_handle, request)->work;

	work->run(work);
}

/* On the loop, also for what uv_cancel() took back. */
static void after_thread(uv_work_t *request, int status)
{
	struct work_handle *handle = container_of(request, struct work_handle, request);
	struct work *work = handle->work;

	work->provider = NULL;
	work->has_run = status == 0;
	handle->pool->live--;
	mem_free(handle);
	op_finish(&work->op, status == 0 ? OK : ERR_CANCELED);
}

static void cancel(struct op *op)
{
	struct work_handle *handle = container_of(op, struct work, op)->provider;

	/* It says no when the work runs or has run; either way after_thread() is the end. */
	(void)uv_cancel((uv_req_t *)&handle->request);
}

static void start(struct work_port *port, struct work *work)
{
	struct work_pool *pool = container_of(port, struct work_pool, port);
	struct work_handle *handle;

	if (!op_begin(&work->op, cancel))
		return;
	handle = mem_alloc(sizeof(*handle));
	if (handle == NULL) {
		op_finish(&work->op, ERR_NO_MEMORY);
		return;
	}
	handle->pool = pool;
	handle->work = work;
	work->provider = handle;
	pool->live++;
	/* Fails only without a function to run. */
	MUST(uv_queue_work(reactor_uv_loop(pool->loop), &handle->request, on_thread,
			   after_thread) == 0);
}

enum err work_pool_new(struct reactor_uv *loop, struct work_pool **ret_pool)
{
	struct work_pool *pool = mem_alloc(sizeof(*pool));

	if (pool == NULL)
		return ERR_NO_MEMORY;
	pool->port.start = start;
	pool->loop = loop;
	*ret_pool = pool;
	return OK;
}

void work_pool_free(struct work_pool *pool)
{
	if (pool == NULL)
		return;
	MUST(pool->live == 0);
	mem_free(pool);
}

size_t work_pool_live(const struct work_pool *pool)
{
	return pool->live;
}

struct work_port *work_pool_port(struct work_pool *pool)
{
	return &pool->port;
}
