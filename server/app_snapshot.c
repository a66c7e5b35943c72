#include "app_snapshot.h"
#include "base/mem.h"

static enum err make_backends(struct snapshot *snapshot, const struct snapshot_parts *parts,
			      struct snapshot *previous)
{
	struct snapshot *source = previous;

	while (source != NULL && source->source != NULL)
		source = source->source;
	if (source != NULL && settings_same_backends(source->settings, snapshot->settings)) {
		snapshot->source = source;
		source->dependents++;
		return OK;
	}
	return backend_set_new(parts->reactor, parts->http, snapshot->options.backends,
			       snapshot->options.n_backends, &snapshot->backends);
}

static void fill_ports(struct snapshot *snapshot, const struct snapshot_parts *parts)
{
	struct backend_set *backends = snapshot->source != NULL ? snapshot->source->backends
								: snapshot->backends;

	snapshot->ports = (struct job_ports){ parts->reactor, backend_set_model(backends),
					      parts->store, parts->prompts };
	snapshot->api = (struct api){
		.reactor = parts->reactor,
		.model = snapshot->ports.model,
		.store = parts->store,
		.registry = parts->registry,
		.pool = parts->pool,
		.options = &snapshot->options.api,
	};
}

enum err snapshot_new(const struct snapshot_parts *parts, struct settings *settings,
		      struct snapshot *previous, struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));
	enum err err;

	if (snapshot == NULL)
		return ERR_NO_MEMORY;
	snapshot->settings = settings_ref(settings);
	err = app_options_init(&snapshot->options, settings);
	if (err == OK)
		err = make_backends(snapshot, parts, previous);
	if (err != OK) {
		snapshot_free(snapshot);
		return err;
	}
	fill_ports(snapshot, parts);
	*ret_snapshot = snapshot;
	return OK;
}

bool snapshot_is_used(const struct snapshot *snapshot)
{
	return snapshot->api.users > 0 || snapshot->dependents > 0 ||
	       registry_uses(snapshot->api.registry, &snapshot->ports) > 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	list_remove(&snapshot->node);
	if (snapshot->source != NULL)
		snapshot->source->dependents--;
	backend_set_free(snapshot->backends);
	app_options_release(&snapshot->options);
	settings_unref(snapshot->settings);
	mem_free(snapshot);
}
