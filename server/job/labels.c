#include "job/labels.h"
#include <string.h>

static const struct {
	const char *prefix;
	size_t offset; /* in struct labels */
} rows[] = {
	{ "owner:", offsetof(struct labels, owner) },
	{ "key:", offsetof(struct labels, key) },
	{ "same:", offsetof(struct labels, same) },
	{ "fresh:", offsetof(struct labels, fresh) },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert((int)ROWS <= (int)STORE_LABELS_MAX, "a store takes so many");

void labels_list(const struct labels *labels, const char *ret_list[STORE_LABELS_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		const char *label = (const char *)labels + rows[i].offset;

		if (label[0] != '\0')
			ret_list[n++] = label;
	}
	ret_list[n] = NULL;
}

void labels_from_json(const json_t *json, struct labels *ret_labels)
{
	size_t n = json_array_size(json);

	*ret_labels = (struct labels){ .owner = "" };
	for (size_t i = 0; i < n * ROWS; i++) {
		const char *label = json_string_value(json_array_get(json, i / ROWS));
		const char *prefix = rows[i % ROWS].prefix;
		char *to = (char *)ret_labels + rows[i % ROWS].offset;

		if (label != NULL && strncmp(label, prefix, strlen(prefix)) == 0 &&
		    strlen(label) < STORE_LABEL_BYTES)
			memcpy(to, label, strlen(label) + 1);
	}
}
