#include "model/backend_set.h"
#include "base/mem.h"
#include "model/capability.h"
#include "model/describe.h"
#include "model/failover.h"
#include <stdio.h>
#include <string.h>

struct backend_set {
	struct model model;
	struct capability_table capabilities;
	size_t n_backends;
	struct backend backends[];
};

static struct backend_set *of_model(struct model *model)
{
	return container_of(model, struct backend_set, model);
}

/* NULL name: the default. */
static struct backend *find_backend(struct backend_set *set, const char *name)
{
	for (size_t i = 0; name != NULL && i < set->n_backends; i++)
		if (strcmp(set->backends[i].options->name, name) == 0)
			return &set->backends[i];
	return &set->backends[0];
}

static void set_generate(struct model *model, struct generate_call *call)
{
	struct backend_set *set = of_model(model);

	failover_generate(set->backends, set->n_backends, call);
}

static void set_forward(struct model *model, struct forward_call *call)
{
	struct backend_set *set = of_model(model);

	failover_forward(set->backends, set->n_backends, call);
}

static struct slice set_forward_head(struct model *model, const struct forward_call *call)
{
	(void)model;
	return failover_head(call);
}

static void set_describe(struct model *model, struct describe_call *call)
{
	struct backend_set *set = of_model(model);

	describe_start(set->backends, set->n_backends, call);
}

static bool set_resolve_default(struct model *model, const char *backend_name,
				struct model_target *ret_target)
{
	const struct backend *backend = find_backend(of_model(model), backend_name);
	const char *only = NULL;

	if (backend->options->model == NULL && json_array_size(backend->models) == 1)
		only = json_string_value(
			json_object_get(json_array_get(backend->models, 0), "id"));
	*ret_target = (struct model_target){ .backend = backend->options->name };
	ret_target->model = only != NULL ? only : backend->options->model;
	ret_target->id = ret_target->model;
	return ret_target->model != NULL;
}

static void set_resolve(struct model *model, const char *id, struct model_target *ret_target)
{
	struct backend_set *set = of_model(model);
	const struct backend *backend = &set->backends[0];
	const char *found = NULL;

	for (size_t i = 0; found == NULL && i < set->n_backends; i++) {
		backend = &set->backends[i];
		found = backend_configured_model(backend, id);
	}
	for (size_t i = 0; found == NULL && i < set->n_backends; i++) {
		backend = &set->backends[i];
		found = backend_model(backend, id);
	}
	if (found == NULL)
		backend = &set->backends[0];
	*ret_target = (struct model_target){ .backend = backend->options->name,
					     .model = found != NULL ? found : id,
					     .id = id };
}

static void set_know(struct model *model, const struct model_target *target,
		     struct model_knowledge *ret_knowledge)
{
	struct backend_set *set = of_model(model);
	const struct backend_options *options = find_backend(set, target->backend)->options;
	const struct capability *learned = capability_find(&set->capabilities, target);

	*ret_knowledge = (struct model_knowledge){
		.window_tokens = options->window_tokens,
		.can_continue = options->dialect->can_continue,
		.has_schema = options->dialect->has_schema,
		.is_small = options->is_small || capability_is_small_name(target->model),
		.is_long_output = options->is_long_output,
		.tokens_per_word = learned != NULL ? learned->tokens_per_word : 0,
		.habit = learned != NULL ? learned->habit : 0,
	};
}

static void set_learn(struct model *model, const struct model_target *target, double habit,
		      double tokens_per_word)
{
	capability_learn(&of_model(model)->capabilities, target, habit, tokens_per_word);
}

static const struct model set_model = {
	.generate = set_generate,
	.forward = set_forward,
	.describe = set_describe,
	.forward_head = set_forward_head,
	.know = set_know,
	.learn = set_learn,
	.resolve = set_resolve,
	.resolve_default = set_resolve_default,
};

enum err backend_set_new(struct reactor *reactor, struct http_client *http,
			 const struct backend_options *options, size_t n,
			 struct backend_set **ret_set)
{
	struct backend_set *set;

	if (n == 0 || n > BACKENDS_MAX)
		return ERR_LIMIT;
	set = mem_alloc(sizeof(*set) + n * sizeof(set->backends[0]));
	if (set == NULL)
		return ERR_NO_MEMORY;
	set->model = set_model;
	capability_table_init(&set->capabilities);
	for (; set->n_backends < n; set->n_backends++) {
		enum err err = backend_init(&set->backends[set->n_backends], reactor, http,
					    &options[set->n_backends]);

		if (err != OK) {
			backend_set_free(set);
			return err;
		}
	}
	*ret_set = set;
	return OK;
}

void backend_set_free(struct backend_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n_backends; i++)
		backend_release(&set->backends[i]);
	capability_table_release(&set->capabilities);
	mem_free(set);
}

struct model *backend_set_model(struct backend_set *set)
{
	return &set->model;
}
