#include "settings.h"
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "settings_parts.h"

#define ROW_GROUP(title) { title, SETTING_GROUP, 0, NULL, 0, 0, NULL, false, NULL },
#define ROW_IN(owner, name, type, ...)                                                             \
	{ #name, SETTING_##type, offsetof(struct owner, name), __VA_ARGS__ },
#define SCALAR_ROW(name, type, ...) ROW_IN(settings, name, type, __VA_ARGS__)
#define BACKEND_ROW(name, type, ...) ROW_IN(backend_settings, name, type, __VA_ARGS__)
#define PRESET_ROW(name, type, ...) ROW_IN(preset_settings, name, type, __VA_ARGS__)
#define KEY_ROW(name, type, ...) ROW_IN(key_settings, name, type, __VA_ARGS__)
#define TABLE_OF(rows)                                                                             \
	{                                                                                          \
		rows, sizeof(rows) / sizeof((rows)[0])                                             \
	}

static const struct setting scalar_rows[] = { SETTINGS(ROW_GROUP, SCALAR_ROW) };
static const struct setting backend_rows[] = { BACKEND_SETTINGS(BACKEND_ROW) };
static const struct setting preset_rows[] = { PRESET_SETTINGS(PRESET_ROW) };
static const struct setting key_rows[] = { KEY_SETTINGS(KEY_ROW) };

const struct setting_table settings_scalars = TABLE_OF(scalar_rows);

const struct record_table settings_records[RECORD_TABLES] = {
	[RECORD_BACKENDS] = { "backends", "backend", TABLE_OF(backend_rows), "url",
			      sizeof(struct backend_settings), offsetof(struct settings, backends),
			      offsetof(struct settings, n_backends), 64 },
	[RECORD_PRESETS] = { "presets", "preset", TABLE_OF(preset_rows), NULL,
			     sizeof(struct preset_settings), offsetof(struct settings, presets),
			     offsetof(struct settings, n_presets), 256 },
	[RECORD_KEYS] = { "keys", "key", TABLE_OF(key_rows), "hash", sizeof(struct key_settings),
			  offsetof(struct settings, keys), offsetof(struct settings, n_keys),
			  1000 },
};

/* The arrays have different element types, so their pointers are moved as bytes. */
static char *records_of(const struct settings *settings, const struct record_table *table)
{
	char *array;

	memcpy(&array, (const char *)settings + table->array_offset, sizeof(array));
	return array;
}

size_t settings_record_count(const struct settings *settings, const struct record_table *table)
{
	return *(const size_t *)(const void *)((const char *)settings + table->count_offset);
}

struct settings_record *settings_record_at(const struct settings *settings,
					   const struct record_table *table, size_t index)
{
	return (void *)(records_of(settings, table) + index * table->record_bytes);
}

struct settings_record *settings_find_record(const struct settings *settings,
					     const struct record_table *table, const char *name)
{
	for (size_t i = 0; i < settings_record_count(settings, table); i++) {
		struct settings_record *record = settings_record_at(settings, table, i);

		if (strcmp(record->name, name) == 0)
			return record;
	}
	return NULL;
}

struct settings_record *settings_add_record(struct settings *settings,
					    const struct record_table *table, const char *name)
{
	struct settings_record *record = settings_find_record(settings, table, name);
	size_t *count = (void *)((char *)settings + table->count_offset);
	char *array;

	if (record != NULL)
		return record;
	array = mem_realloc(records_of(settings, table), (*count + 1) * table->record_bytes);
	if (array == NULL)
		return NULL;
	memcpy((char *)settings + table->array_offset, &array, sizeof(array));
	record = settings_record_at(settings, table, *count);
	memset(record, 0, table->record_bytes);
	record->name = mem_strdup(name);
	if (record->name == NULL)
		return NULL;
	++*count; /* from here on settings_unref frees it, half filled or not */
	return settings_set_defaults(&table->fields, record) == OK ? record : NULL;
}

static void free_records(struct settings *settings, const struct record_table *table)
{
	for (size_t i = 0; i < settings_record_count(settings, table); i++) {
		struct settings_record *record = settings_record_at(settings, table, i);

		settings_free_values(&table->fields, record);
		mem_free(record->name);
	}
	mem_free(records_of(settings, table));
}

struct settings *settings_ref(struct settings *settings)
{
	settings->refs++;
	return settings;
}

void settings_unref(struct settings *settings)
{
	if (settings == NULL || --settings->refs > 0)
		return;
	for (size_t i = 0; i < settings->n_backends; i++)
		mem_free(settings->backends[i].key);
	for (size_t i = 0; i < RECORD_TABLES; i++)
		free_records(settings, &settings_records[i]);
	settings_free_values(&settings_scalars, settings);
	mem_free(settings->config);
	mem_free(settings);
}

const struct backend_settings *settings_backend(const struct settings *settings, const char *name)
{
	return (void *)settings_find_record(settings, &settings_records[RECORD_BACKENDS], name);
}

const struct preset_settings *settings_preset(const struct settings *settings, const char *name)
{
	return (void *)settings_find_record(settings, &settings_records[RECORD_PRESETS], name);
}

const struct backend_settings *settings_default_backend(const struct settings *settings)
{
	const char *name =
		settings->default_backend[0] != '\0' ? settings->default_backend : "default";
	const struct backend_settings *backend = settings_backend(settings, name);

	if (backend == NULL && settings->n_backends > 0)
		backend = &settings->backends[0];
	return backend;
}

const char *settings_fixed_change(const struct settings *now, const struct settings *next,
				  size_t *at)
{
	while (*at < settings_scalars.count) {
		const struct setting *setting = &settings_scalars.rows[(*at)++];

		if (!setting->is_reloadable && !setting_is_equal(setting, now, next))
			return setting->name;
	}
	return NULL;
}

static bool is_same_backend(const struct backend_settings *a, const struct backend_settings *b)
{
	const struct setting_table *fields = &settings_records[RECORD_BACKENDS].fields;

	for (size_t i = 0; i < fields->count; i++)
		if (!setting_is_equal(&fields->rows[i], a, b))
			return false;
	if (strcmp(a->record.name, b->record.name) != 0 || (a->key == NULL) != (b->key == NULL))
		return false;
	return a->key == NULL || strcmp(a->key, b->key) == 0;
}

bool settings_same_backends(const struct settings *now, const struct settings *next)
{
	static const char *const scalars[] = {
		"default_backend", "connect_ms", "first_byte_ms",    "idle_ms",
		"total_ms",	   "breaker_failures", "breaker_open_ms",
	};

	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (!setting_is_equal(setting_find(&settings_scalars, scalars[i]), now, next))
			return false;
	if (now->n_backends != next->n_backends)
		return false;
	for (size_t i = 0; i < now->n_backends; i++)
		if (!is_same_backend(&now->backends[i], &next->backends[i]))
			return false;
	return true;
}

/* "file:line:column: " for what stands in the file, nothing for the rest. */
static enum err say_place(const struct settings *settings, const struct settings_record *record,
			  struct buf *message)
{
	if (record->line == 0)
		return OK;
	return buf_printf(message, "%s:%zu:%zu: ", settings->config, record->line, record->column);
}

static enum err check_required(const struct settings *settings, const struct record_table *table,
			       struct buf *message)
{
	const struct setting *field = setting_find(&table->fields, table->required);

	for (size_t i = 0; i < settings_record_count(settings, table); i++) {
		const struct settings_record *record = settings_record_at(settings, table, i);
		const char *text =
			*(char *const *)(const void *)((const char *)record + field->offset);
		enum err err;

		if (text[0] != '\0')
			continue;
		err = say_place(settings, record, message);
		return err != OK ? err
				 : REFUSE(message, "%s %s has no %s", table->noun, record->name,
					  field->name);
	}
	return OK;
}

/* Reads the backends' keys from the environment. */
static enum err take_keys(struct settings *settings, char *const envp[], struct buf *message)
{
	for (size_t i = 0; i < settings->n_backends; i++) {
		struct backend_settings *backend = &settings->backends[i];
		const char *key = settings_getenv(envp, backend->key_env);
		enum err err;

		if (backend->key_env[0] == '\0')
			continue;
		err = say_place(settings, &backend->record, message);
		if (err != OK)
			return err;
		if (key == NULL || key[0] == '\0')
			return REFUSE(message, "backend %s: the environment has no %s",
				      backend->record.name, backend->key_env);
		if (strpbrk(key, "\r\n\t ") != NULL)
			return REFUSE(message, "backend %s: the key in %s has white space",
				      backend->record.name, backend->key_env);
		buf_clear(message);
		backend->key = mem_strdup(key);
		if (backend->key == NULL)
			return ERR_NO_MEMORY;
	}
	return OK;
}

static const struct settings_pair *find_pair(const struct settings_map *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->pairs[i].name, name) == 0)
			return &map->pairs[i];
	return NULL;
}

/* A model id of clients leads to one place. */
static enum err check_model_id(const struct settings *settings, size_t backend_index,
			       const char *id, struct buf *message)
{
	const struct backend_settings *backend = &settings->backends[backend_index];

	if (strcmp(id, "longhand") == 0)
		return REFUSE(message, "backend %s: the model id longhand is taken",
			      backend->record.name);
	if (settings_preset(settings, id) != NULL)
		return REFUSE(message, "backend %s: the model id %s is a preset's too",
			      backend->record.name, id);
	for (size_t i = 0; i < backend_index; i++)
		if (find_pair(&settings->backends[i].models, id) != NULL)
			return REFUSE(message, "backends %s and %s both have a model %s",
				      settings->backends[i].record.name, backend->record.name, id);
	return OK;
}

static enum err check_backends(const struct settings *settings, struct buf *message)
{
	const char *wanted = settings->default_backend;
	enum err err = check_required(settings, &settings_records[RECORD_BACKENDS], message);

	if (err != OK)
		return err;
	if (settings->n_backends == 0)
		return REFUSE(message,
			      "no backend: give --backend URL, or backends in a file (--config)");
	if (wanted[0] != '\0' && settings_backend(settings, wanted) == NULL)
		return REFUSE(message, "default_backend: there is no backend %s", wanted);
	for (size_t i = 0; err == OK && i < settings->n_backends; i++) {
		const struct settings_map *models = &settings->backends[i].models;

		for (size_t j = 0; err == OK && j < models->count; j++)
			err = check_model_id(settings, i, models->pairs[j].name, message);
	}
	return err;
}

static enum err check_presets(const struct settings *settings, struct buf *message)
{
	for (size_t i = 0; i < settings->n_presets; i++) {
		const struct preset_settings *preset = &settings->presets[i];
		enum err err = say_place(settings, &preset->record, message);

		if (err != OK)
			return err;
		if (strcmp(preset->record.name, "longhand") == 0)
			return REFUSE(message, "a preset cannot be called longhand");
		if (preset->backend[0] != '\0' &&
		    settings_backend(settings, preset->backend) == NULL)
			return REFUSE(message, "preset %s: there is no backend %s",
				      preset->record.name, preset->backend);
		if (preset->target_words > settings->max_target_words)
			return REFUSE(message, "preset %s: target_words is above max_target_words",
				      preset->record.name);
		buf_clear(message);
	}
	return OK;
}

static enum err check_keys(const struct settings *settings, struct buf *message)
{
	enum err err = check_required(settings, &settings_records[RECORD_KEYS], message);

	for (size_t i = 0; err == OK && i < settings->n_keys; i++)
		for (size_t j = 0; err == OK && j < i; j++)
			if (strcasecmp(settings->keys[i].hash, settings->keys[j].hash) == 0)
				err = REFUSE(message, "keys %s and %s have the same hash",
					     settings->keys[j].record.name,
					     settings->keys[i].record.name);
	if (err != OK)
		return err;
	if (settings->trust_user_header && settings->user_header[0] == '\0')
		return REFUSE(message, "trust_user_header needs user_header, the header's name");
	if (settings->user_header[0] != '\0' && !settings->trust_user_header &&
	    settings->n_keys == 0)
		return REFUSE(message, "user_header: without keys everybody could name anybody; "
				       "set keys, or trust_user_header where only a front end can "
				       "reach this server");
	return OK;
}

static enum err check_pairs(const struct settings *settings, struct buf *message)
{
	if (settings->stream_low_bytes >= settings->stream_high_bytes)
		return REFUSE(message, "stream_low_bytes must be below stream_high_bytes");
	if (settings->retry_base_ms > settings->retry_cap_ms)
		return REFUSE(message, "retry_base_ms must not be above retry_cap_ms");
	if (settings->redis[0] != '\0' && settings->state_dir[0] != '\0')
		return REFUSE(message, "long texts are kept in state_dir or in redis, not in both");
	return OK;
}

/* Everything that one value alone cannot tell. */
static enum err check_whole(const struct settings *settings, struct buf *message)
{
	enum err err = check_pairs(settings, message);

	if (err == OK)
		err = check_backends(settings, message);
	if (err == OK)
		err = check_presets(settings, message);
	if (err == OK)
		err = check_keys(settings, message);
	return err;
}

/* File, environment and flags over the defaults that are there. */
static enum err read_all(char *const argv[], char *const envp[], struct settings *settings,
			 struct buf *message)
{
	enum err err = OK;

	if (settings->config[0] != '\0')
		err = settings_read_file(settings->config, settings, message);
	if (err == OK)
		err = settings_apply_environment(envp, settings, message);
	if (err == OK)
		err = settings_apply_flags(argv, settings, message);
	if (err == OK)
		err = check_whole(settings, message);
	if (err == OK)
		err = take_keys(settings, envp, message);
	return err;
}

enum err settings_load(int argc, char *const argv[], char *const envp[], struct settings **ret,
		       struct buf *ret_message)
{
	struct settings *settings = mem_alloc(sizeof(*settings));
	enum err err;

	buf_clear(ret_message);
	if (settings == NULL)
		return ERR_NO_MEMORY;
	settings->refs = 1;
	settings->config = mem_strdup("");
	err = settings->config != NULL ? settings_set_defaults(&settings_scalars, settings)
				       : ERR_NO_MEMORY;
	if (err == OK)
		err = settings_scan_flags(argc > 0 ? argv + 1 : argv, envp, settings, ret_message);
	if (err == OK && settings->action <= SETTINGS_PROBE)
		err = read_all(argc > 0 ? argv + 1 : argv, envp, settings, ret_message);
	if (err != OK) {
		settings_unref(settings);
		return err;
	}
	*ret = settings;
	return OK;
}
