#include "model/capability.h"
#include "base/mem.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const double small_below_parameters = 1.5e9;

void capability_table_init(struct capability_table *table)
{
	list_init(&table->entries);
	table->n_entries = 0;
}

static void capability_free(struct capability *entry)
{
	list_remove(&entry->node);
	mem_free(entry->backend);
	mem_free(entry->model);
	mem_free(entry);
}

void capability_table_release(struct capability_table *table)
{
	LIST_EACH(node, &table->entries)
		capability_free(container_of(node, struct capability, node));
	table->n_entries = 0;
}

const struct capability *capability_find(const struct capability_table *table,
					 const struct model_target *target)
{
	LIST_EACH(node, &table->entries) {
		struct capability *entry = container_of(node, struct capability, node);

		if (entry->language == target->language &&
		    strcmp(entry->backend, target->backend) == 0 &&
		    strcmp(entry->model, target->model) == 0)
			return entry;
	}
	return NULL;
}

static struct capability *capability_add(struct capability_table *table,
					 const struct model_target *target)
{
	struct capability *entry = mem_alloc(sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->backend = mem_strdup(target->backend);
	entry->model = mem_strdup(target->model);
	entry->language = target->language;
	if (entry->backend == NULL || entry->model == NULL) {
		capability_free(entry);
		return NULL;
	}
	if (table->n_entries == CAPABILITIES_MAX)
		capability_free(container_of(table->entries.next, struct capability, node));
	else
		table->n_entries++;
	list_append(&table->entries, &entry->node);
	return entry;
}

static double average(double old, double new, double low, double high)
{
	double value = old > 0 ? old * 0.75 + new * 0.25 : new;

	return value < low ? low : value > high ? high : value;
}

void capability_learn(struct capability_table *table, const struct model_target *target,
		      double habit, double tokens_per_word)
{
	struct capability *entry = (struct capability *)capability_find(table, target);

	if (!(habit > 0) && !(tokens_per_word > 0))
		return;
	if (entry == NULL)
		entry = capability_add(table, target);
	if (entry == NULL)
		return;
	if (habit > 0)
		entry->habit = average(entry->habit, habit, 0.5, 2.0);
	if (tokens_per_word > 0)
		entry->tokens_per_word =
			average(entry->tokens_per_word, tokens_per_word, 0.5, 6.0);
}

bool capability_is_small_name(const char *model)
{
	const char *at = model;

	while (*at != '\0') {
		char *end;
		double size;
		bool is_start = at == model || !isalnum((unsigned char)at[-1]);

		if (!is_start || !isdigit((unsigned char)*at)) {
			at++;
			continue;
		}
		size = strtod(at, &end);
		if ((*end == 'b' || *end == 'B') && !isalnum((unsigned char)end[1]))
			return size * 1e9 < small_below_parameters;
		if ((*end == 'm' || *end == 'M') && !isalnum((unsigned char)end[1]))
			return size * 1e6 < small_below_parameters;
		at = end;
	}
	return false;
}
