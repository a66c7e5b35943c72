/* Labels of origins: nobody's are another's, and no purpose's another purpose's. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "api/origin.h"

static const char *the_key;

const char *request_header(const struct request *request, const char *name)
{
	(void)request;
	return strcmp(name, "Idempotency-Key") == 0 ? the_key : NULL;
}

void request_each_header(const struct request *request, request_header_fn each, void *context)
{
	(void)request;
	(void)each;
	(void)context;
}

static struct labels labels_of(const char *owner, char body, const char *key)
{
	struct request request = { .path = "/v1/chat/completions" };
	struct labels labels;

	the_key = key[0] != '\0' ? key : NULL;
	origin_of(&request, (struct slice){ &body, 1 }, owner, &labels);
	return labels;
}

static void labels_tell_owners_keys_and_requests_apart(void **state)
{
	struct labels base = labels_of("me", 1, "k");
	struct labels again = labels_of("me", 1, "k");
	struct labels other_owner = labels_of("you", 1, "k");
	struct labels other_key = labels_of("me", 1, "l");
	struct labels other_request = labels_of("me", 2, "k");

	(void)state;
	assert_memory_equal(&base, &again, sizeof(base));
	assert_string_not_equal(base.owner, other_owner.owner);
	assert_string_not_equal(base.key, other_owner.key);
	assert_string_not_equal(base.same, other_owner.same);
	assert_string_equal(base.owner, other_key.owner);
	assert_string_not_equal(base.key, other_key.key);
	assert_string_equal(base.same, other_key.same);
	assert_string_equal(base.key, other_request.key);
	assert_string_not_equal(base.same, other_request.same);
	assert_string_not_equal(base.fresh, other_request.fresh);
}

static void labels_are_what_stores_take(void **state)
{
	struct labels labels = labels_of("", 1, "");
	const char *list[STORE_LABELS_MAX + 1];

	(void)state;
	assert_string_equal(labels.key, "");
	labels_list(&labels, list);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(list[i]);
		assert_int_equal(strspn(list[i], "abcdefghijklmnopqrstuvwxyz0123456789:"),
				 strlen(list[i]));
		assert_int_equal(strlen(strchr(list[i], ':') + 1), 32);
	}
	assert_null(list[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_tell_owners_keys_and_requests_apart),
		cmocka_unit_test(labels_are_what_stores_take),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
