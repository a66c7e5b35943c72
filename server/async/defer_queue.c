#include "async/defer_queue.h"
#include "base/must.h"

void defer_queue_init(struct defer_queue *queue)
{
	list_init(&queue->waiting);
}

bool defer_queue_is_empty(const struct defer_queue *queue)
{
	return list_is_empty(&queue->waiting);
}

void defer_queue_add(struct defer_queue *queue, struct deferred *deferred, deferred_fn run)
{
	MUST(run != NULL);
	if (deferred->run != NULL)
		return;
	deferred->run = run;
	list_append(&queue->waiting, &deferred->node);
}

void defer_queue_remove(struct deferred *deferred)
{
	deferred->run = NULL;
	list_remove(&deferred->node);
}

size_t defer_queue_run(struct defer_queue *queue)
{
	struct list snapshot;
	struct list *node;
	size_t ran = 0;

	if (list_is_empty(&queue->waiting))
		return 0;
	/* The nodes get another head, at once however many they are. */
	snapshot = queue->waiting;
	snapshot.next->prev = &snapshot;
	snapshot.prev->next = &snapshot;
	list_init(&queue->waiting);
	while ((node = list_pop(&snapshot)) != NULL) {
		struct deferred *deferred = container_of(node, struct deferred, node);
		deferred_fn run = deferred->run;

		deferred->run = NULL;
		ran++;
		run(deferred); /* may free it or defer it again */
	}
	return ran;
}
