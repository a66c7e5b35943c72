/* list - intrusive and doubly linked. A node is in one list at most; removing an idle node does
 * nothing, so owners can always remove on their way out. */
#ifndef LONGHAND_BASE_LIST_H
#define LONGHAND_BASE_LIST_H
#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
/* The node itself may be removed in the loop. */
#define LIST_EACH(node, head)                                                                \
	for (struct list *node = (head)->next, *next_##node = node->next; node != (head);    \
	     node = next_##node, next_##node = node->next)

static inline void list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_remove(struct list *node)
{
	if (node->next == NULL)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->prev = node->next = NULL;
}

static inline void list_append(struct list *list, struct list *node)
{
	list_remove(node);
	node->prev = list->prev;
	node->next = list;
	list->prev->next = node;
	list->prev = node;
}

static inline struct list *list_pop(struct list *list)
{
	struct list *node = list->next;

	if (node == list)
		return NULL;
	list_remove(node);
	return node;
}
#endif
