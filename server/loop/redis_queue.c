#include "loop/redis_queue.h"
#include <errno.h>
#include <sys/socket.h>
#include "base/mem.h"

enum { WRITE_PARTS_MAX = 64 };

void redis_queue_init(struct redis_queue *queue)
{
	*queue = (struct redis_queue){ .queued_bytes = 0 };
	list_init(&queue->unsent);
	list_init(&queue->awaited);
}

struct redis_record *redis_queue_add(struct redis_queue *queue, struct buf *out, unsigned n_owed)
{
	struct redis_record *record = mem_alloc(sizeof(*record));

	if (record == NULL)
		return NULL;
	record->queue = queue;
	record->n_owed = n_owed;
	record->out = *out;
	buf_init(out, out->max_bytes); /* its memory is the record's now */
	queue->queued_bytes += record->out.len;
	list_append(&queue->unsent, &record->node);
	return record;
}

static void record_free(struct redis_record *record)
{
	record->queue->queued_bytes -= record->out.len - record->written_bytes;
	list_remove(&record->node);
	buf_release(&record->out);
	mem_free(record);
}

static struct redis_record *record_of(struct list *node)
{
	return container_of(node, struct redis_record, node);
}

static void end_call(struct redis_record *record, enum err result)
{
	struct redis_call *call = record->call;

	if (call == NULL)
		return;
	call->is_sent = record->written_bytes > 0;
	call->record = NULL;
	record->call = NULL;
	op_finish(&call->op, result);
}

static size_t gather(struct redis_queue *queue, struct iovec parts[WRITE_PARTS_MAX])
{
	size_t n = 0;

	LIST_EACH (node, &queue->unsent) {
		struct redis_record *record = record_of(node);

		if (n == WRITE_PARTS_MAX)
			break;
		parts[n++] = (struct iovec){ record->out.data + record->written_bytes,
					     record->out.len - record->written_bytes };
	}
	return n;
}

static void account_written(struct redis_queue *queue, size_t bytes)
{
	queue->queued_bytes -= bytes;
	LIST_EACH (node, &queue->unsent) {
		struct redis_record *record = record_of(node);
		size_t rest = record->out.len - record->written_bytes;

		if (bytes < rest) {
			record->written_bytes += bytes;
			return;
		}
		bytes -= rest;
		record->written_bytes = record->out.len;
		list_append(&queue->awaited, &record->node);
		queue->n_awaited++;
	}
}

int redis_queue_write(struct redis_queue *queue, int fd, bool *ret_is_full)
{
	*ret_is_full = false;
	while (!list_is_empty(&queue->unsent)) {
		struct iovec parts[WRITE_PARTS_MAX];
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = gather(queue, parts) };
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (sent >= 0) {
			account_written(queue, (size_t)sent);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			*ret_is_full = true;
			return 0;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

struct redis_record *redis_queue_next(struct redis_queue *queue)
{
	return list_is_empty(&queue->awaited) ? NULL : record_of(queue->awaited.next);
}

bool redis_queue_take(struct redis_record *record, struct redis_reply *reply)
{
	if (record->call != NULL)
		record->call->replies[record->call->n_replies++] = reply;
	else
		redis_reply_free(reply);
	if (--record->n_owed > 0)
		return false;
	end_call(record, OK);
	record->queue->n_awaited--;
	record_free(record);
	return true;
}

static void break_all(struct list *records)
{
	LIST_EACH (node, records) {
		struct redis_record *record = record_of(node);

		end_call(record, record->written_bytes > 0 ? ERR_BROKEN : ERR_REFUSED);
		record_free(record);
	}
}

void redis_queue_break(struct redis_queue *queue)
{
	break_all(&queue->awaited);
	break_all(&queue->unsent);
	queue->n_awaited = 0;
}

void redis_queue_give_up(struct redis_record *record)
{
	record->call = NULL;
	if (record->written_bytes == 0)
		record_free(record);
}

bool redis_queue_is_owed(const struct redis_queue *queue)
{
	return queue->n_awaited > 0 || !list_is_empty(&queue->unsent);
}

static bool has_calls(const struct list *records)
{
	for (struct list *node = records->next; node != records; node = node->next)
		if (record_of(node)->call != NULL)
			return true;
	return false;
}

bool redis_queue_has_calls(const struct redis_queue *queue)
{
	return has_calls(&queue->awaited) || has_calls(&queue->unsent);
}
