#include "async/timer_heap.h"
#include "base/must.h"

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

/* Two trees into one; either may be NULL. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	struct timer *parent = a;
	struct timer *child = b;

	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	if (is_before(b, a)) {
		parent = b;
		child = a;
	}
	child->prev = parent;
	child->next = parent->child;
	if (child->next != NULL)
		child->next->prev = child;
	parent->child = child;
	parent->prev = parent->next = NULL;
	return parent;
}

/* Siblings into one tree: by pairs from the left, then the pairs from the right. This order is
 * what makes the heap O(log n). */
static struct timer *meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL;
	struct timer *root = NULL;

	while (first != NULL) {
		struct timer *a = first;
		struct timer *b = a->next;

		first = b != NULL ? b->next : NULL;
		a->prev = a->next = NULL;
		if (b != NULL)
			b->prev = b->next = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		struct timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = meld(root, pair);
	}
	return root;
}

static void cut_from_siblings(struct timer *timer)
{
	if (timer->prev->child == timer)
		timer->prev->child = timer->next;
	else
		timer->prev->next = timer->next;
	if (timer->next != NULL)
		timer->next->prev = timer->prev;
}

void timer_heap_add(struct timer_heap *heap, struct timer *timer, uint64_t due_ms, timer_fn fire)
{
	MUST(fire != NULL);
	timer_heap_remove(heap, timer);
	*timer = (struct timer){ .fire = fire, .due_ms = due_ms, .order = heap->next_order++ };
	heap->root = meld(heap->root, timer);
	heap->count++;
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
	struct timer *children;

	if (timer->fire == NULL)
		return;
	MUST(heap->count > 0);
	heap->count--;
	children = meld_siblings(timer->child);
	if (timer == heap->root) {
		heap->root = children;
	} else {
		cut_from_siblings(timer);
		heap->root = meld(heap->root, children);
	}
	timer->fire = NULL;
	timer->child = timer->prev = timer->next = NULL;
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
	return heap->root;
}

size_t timer_heap_run(struct timer_heap *heap, uint64_t now_ms)
{
	/* What starts from here on is due at `now_ms` or later and has a higher order, so it sorts
	 * behind everything that may fire. */
	uint64_t end = heap->next_order;
	size_t fired = 0;

	while (heap->root != NULL && heap->root->due_ms <= now_ms && heap->root->order < end) {
		struct timer *timer = heap->root;
		timer_fn fire = timer->fire;

		timer_heap_remove(heap, timer);
		fired++;
		fire(timer); /* may free or restart it */
	}
	return fired;
}
