/* Lists: order, removal from anywhere, removal twice, and of the current node while walking. */
#include "check.h"
#include "base/list.h"

struct item {
	int number;
	struct list node;
};

static int number_of(struct list *node)
{
	return container_of(node, struct item, node)->number;
}

static void keeps_the_order(void **state)
{
	struct list list;
	struct item items[] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
	int expected = 0;

	(void)state;
	list_init(&list);
	assert_true(list_is_empty(&list));
	assert_null(list_pop(&list));
	for (size_t i = 0; i < COUNT_OF(items); i++)
		list_append(&list, &items[i].node);
	LIST_EACH(node, &list)
		assert_int_equal(number_of(node), expected++);
	assert_int_equal(expected, 3);
	assert_int_equal(number_of(list_pop(&list)), 0);
}

static void a_node_is_in_one_list_and_may_leave_twice(void **state)
{
	struct list first;
	struct list second;
	struct item item = { .number = 7 };

	(void)state;
	list_init(&first);
	list_init(&second);
	list_remove(&item.node); /* never was in one */
	list_append(&first, &item.node);
	list_append(&second, &item.node);
	assert_true(list_is_empty(&first));
	assert_int_equal(number_of(second.next), 7);
	list_remove(&item.node);
	list_remove(&item.node);
	assert_true(list_is_empty(&second));
}

static void the_current_node_may_leave_while_walking(void **state)
{
	struct list list;
	struct item items[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
	int seen = 0;

	(void)state;
	list_init(&list);
	for (size_t i = 0; i < COUNT_OF(items); i++)
		list_append(&list, &items[i].node);
	LIST_EACH(node, &list) {
		seen++;
		list_remove(node);
	}
	assert_int_equal(seen, 3);
	assert_true(list_is_empty(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order),
		cmocka_unit_test(a_node_is_in_one_list_and_may_leave_twice),
		cmocka_unit_test(the_current_node_may_leave_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
