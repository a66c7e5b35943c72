#include "app_options.h"
#include "base/mem.h"
#include <string.h>

enum { PENDING_BYTES_MAX = 1 << 20, STORE_MS = 2000, KEEP_MS = 10000 };
enum { AGAIN_MS = 100, AGAIN_MAX_MS = 2000 };
enum { ADOPT_FIND_MS = 500 };
enum { INLINE_JSON_BYTES = 64 << 10, CALL_WORDS = 1000 };

static const char *or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void fill_aliases(struct backend_options *backend, const struct settings_map *map,
			 struct model_alias *aliases)
{
	backend->aliases = aliases;
	backend->n_aliases = map->count;
	for (size_t i = 0; i < map->count; i++)
		aliases[i] = (struct model_alias){ map->pairs[i].name, map->pairs[i].value };
}

/* The choices of the setting are the dialects' names, in settings_table.h. */
static const char *const dialects[] = { "openai", "llamacpp", "vllm", "ollama" };

static void fill_backend(struct backend_options *backend, const struct backend_settings *from,
			 const struct settings *settings)
{
	*backend = (struct backend_options){
		.name = from->record.name,
		.url = from->url,
		.model = or_null(from->model),
		.key = or_null(from->key),
		.dialect = dialect_find(dialects[from->dialect]),
		.is_long_output = from->long_output,
		.window_tokens = (long)from->window_tokens,
		.connect_ms = settings->connect_ms,
		.first_byte_ms = settings->first_byte_ms,
		.idle_ms = settings->idle_ms,
		.total_ms = settings->total_ms,
		.breaker_failures = (unsigned)settings->breaker_failures,
		.breaker_open_ms = settings->breaker_open_ms,
		.limits = { .in_flight_max = (size_t)from->max_in_flight,
			    .jobs_in_flight_max = (size_t)from->jobs_in_flight,
			    .requests_per_minute = (long)from->requests_per_minute,
			    .tokens_per_minute = (long)from->tokens_per_minute },
	};
}

static enum err fill_backends(struct app_options *options, const struct settings *settings)
{
	const struct backend_settings *first = settings_default_backend(settings);
	size_t n_aliases = 0;
	struct model_alias *aliases;

	for (size_t i = 0; i < settings->n_backends; i++)
		n_aliases += settings->backends[i].models.count;
	options->backends = mem_alloc(settings->n_backends * sizeof(*options->backends));
	options->aliases = aliases = mem_alloc(n_aliases * sizeof(*aliases));
	if (options->backends == NULL || aliases == NULL)
		return ERR_NO_MEMORY;
	for (int pass = 0; pass < 2; pass++) { /* the default one first */
		for (size_t i = 0; i < settings->n_backends; i++) {
			const struct backend_settings *from = &settings->backends[i];

			if ((from == first) != (pass == 0))
				continue;
			fill_backend(&options->backends[options->n_backends], from, settings);
			fill_aliases(&options->backends[options->n_backends++], &from->models,
				     aliases);
			aliases += from->models.count;
		}
	}
	return OK;
}

static enum err fill_presets(struct app_options *options, const struct settings *settings)
{
	static const char *const modes[] = { "auto", "serial", "single" };

	options->presets = mem_alloc(settings->n_presets * sizeof(*options->presets));
	if (options->presets == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < settings->n_presets; i++) {
		const struct preset_settings *from = &settings->presets[i];

		options->presets[i] = (struct api_preset){
			.id = from->record.name,
			.backend = or_null(from->backend),
			.model = or_null(from->model),
			.mode = modes[from->mode],
			.target_words = (long)from->target_words,
			.headings = (enum headings)from->headings,
			.count = (enum word_rule)from->count,
			.context = (enum context)from->context,
		};
	}
	return OK;
}

static enum err fill_keys(struct app_options *options, const struct settings *settings)
{
	options->keys = mem_alloc(settings->n_keys * sizeof(*options->keys));
	if (options->keys == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < settings->n_keys; i++) {
		options->keys[i].name = settings->keys[i].record.name;
		if (!key_hash_parse(settings->keys[i].hash, &options->keys[i].hash))
			return ERR_INVALID; /* the settings have been checked */
	}
	return OK;
}

/* The user header counts only where it can be trusted. */
static struct auth_options auth_of(const struct app_options *options,
				   const struct settings *settings)
{
	bool is_trusted = settings->n_keys > 0 || settings->trust_user_header;

	return (struct auth_options){
		.keys = options->keys,
		.n_keys = settings->n_keys,
		.user_header = is_trusted ? or_null(settings->user_header) : NULL,
	};
}

static void fill_api(struct app_options *options, const struct settings *settings)
{
	bool is_token_counted = false;

	for (size_t i = 0; i < settings->n_backends; i++)
		is_token_counted =
			is_token_counted || settings->backends[i].tokens_per_minute > 0;
	options->api = (struct api_options){
		.plan_from_words = (long)settings->plan_from_words,
		.single_max_words = (long)settings->single_max_words,
		.target_words_max = (long)settings->max_target_words,
		.call_words_max = CALL_WORDS,
		.is_route_all = settings->route == SETTING_ROUTE_ALL,
		.context = (enum context)settings->context,
		.heartbeat_ms = settings->heartbeat_ms,
		.json_whitespace_after_ms = settings->json_whitespace_after_ms,
		.first_status_ms = settings->first_status_ms,
		.progress_ms = settings->progress_ms,
		.limit_wait_ms = settings->limit_wait_ms,
		.is_token_counted = is_token_counted,
		.store_ms = STORE_MS,
		.refuses_when_store_down = settings->store_down == SETTING_STORE_DOWN_REFUSE,
		.inline_json_bytes = INLINE_JSON_BYTES,
		.presets = options->presets,
		.n_presets = settings->n_presets,
		.auth = auth_of(options, settings),
		.cors_origins = or_null(settings->cors_origins),
	};
}

static void fill_registry(struct app_options *options, const struct settings *settings)
{
	options->registry = (struct registry_options){
		.running_max = (size_t)settings->max_jobs,
		.stream_grace_ms = settings->reader_grace_ms,
		.answer_grace_ms = settings->json_grace_ms,
		.handover_grace_ms = settings->shutdown_grace_ms,
		.owner = { (size_t)settings->max_jobs_per_owner,
			   (uint64_t)settings->words_per_day },
		.scan_ms = settings->scan_ms,
		.follow_ms = settings->follow_ms,
		.adopt_ms = ADOPT_FIND_MS,
		.keep_ms = settings->retention_ms < KEEP_MS ? settings->retention_ms : KEEP_MS,
		.job = {
			.log = { .flush_ms = settings->flush_ms,
				 .flush_bytes = (size_t)settings->flush_bytes,
				 .store_ms = STORE_MS,
				 .again_ms = AGAIN_MS,
				 .again_max_ms = AGAIN_MAX_MS,
				 .pending_bytes_max = PENDING_BYTES_MAX },
			.retry = { .max_tries = (unsigned)settings->retry_tries,
				   .base_ms = settings->retry_base_ms,
				   .cap_ms = settings->retry_cap_ms,
				   .retry_after_cap_ms = settings->retry_after_cap_ms,
				   .try_ms = settings->total_ms },
		},
	};
}

static void fill_server(struct app_options *options, const struct settings *settings)
{
	options->server = (struct http_server_options){
		.connections_max = (size_t)settings->max_connections,
		.body_bytes_max = (size_t)settings->max_request_bytes,
		.header_pool_bytes = (size_t)settings->max_header_bytes,
		.header_ms = settings->request_read_ms,
		.idle_ms = settings->keepalive_ms,
		.stuck_ms = settings->stuck_ms,
		.stream_high_bytes = (size_t)settings->stream_high_bytes,
		.stream_low_bytes = (size_t)settings->stream_low_bytes,
	};
}

enum err app_options_init(struct app_options *options, const struct settings *settings)
{
	enum err err;

	*options = (struct app_options){ .n_backends = 0 };
	err = fill_backends(options, settings);
	if (err == OK)
		err = fill_presets(options, settings);
	if (err == OK)
		err = fill_keys(options, settings);
	if (err != OK)
		return err;
	fill_api(options, settings);
	fill_registry(options, settings);
	fill_server(options, settings);
	return OK;
}

void app_options_release(struct app_options *options)
{
	mem_free(options->backends);
	mem_free(options->aliases);
	mem_free(options->presets);
	mem_free(options->keys);
	*options = (struct app_options){ .n_backends = 0 };
}
