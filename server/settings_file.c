/* The YAML file: libyaml reads it, the tables say what may stand there. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>
#include "settings_parts.h"

enum { FILE_BYTES_MAX = 1 << 20 };

struct reader {
	const char *path;
	yaml_document_t *document;
	struct settings *settings;
	struct buf *message;
};

/* What the pairs of a mapping belong to. */
struct scope {
	const struct record_table *records; /* of a mapping from names to records */
	const struct setting_table *table;  /* of a record's fields */
	const struct setting *map;	    /* a field that is a mapping itself */
	void *base;			    /* the struct that the values go into */
};

typedef enum err (*pair_fn)(struct reader *reader, const struct scope *scope,
			    const yaml_node_t *key, const yaml_node_t *value);

static enum err say_place(struct reader *reader, const yaml_node_t *node)
{
	return buf_printf(reader->message, "%s:%zu:%zu: ", reader->path, node->start_mark.line + 1,
			  node->start_mark.column + 1);
}

#define FAULT(reader, node, ...)                                                                   \
	(say_place(reader, node) == OK ? REFUSE((reader)->message, __VA_ARGS__) : ERR_NO_MEMORY)

static yaml_node_t *node_at(struct reader *reader, int index)
{
	return yaml_document_get_node(reader->document, index);
}

static const char *text_of(const yaml_node_t *scalar)
{
	return (const char *)scalar->data.scalar.value;
}

static bool is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* That the node is one text or number, and says something. */
static enum err check_scalar(struct reader *reader, const yaml_node_t *node, const char *name)
{
	const char *text;

	if (node->type != YAML_SCALAR_NODE)
		return FAULT(reader, node, "%.80s: one value is expected here", name);
	text = text_of(node);
	if (strlen(text) != node->data.scalar.length)
		return FAULT(reader, node, "%.80s has control characters", name);
	if (is_plain(node) &&
	    (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0))
		return FAULT(reader, node, "%.80s has no value", name);
	return OK;
}

/* A key that stands before this one in the same mapping. */
static const yaml_node_t *earlier_key(struct reader *reader, const yaml_node_t *mapping,
				      const yaml_node_pair_t *pair)
{
	const char *text = text_of(node_at(reader, pair->key));

	for (yaml_node_pair_t *at = mapping->data.mapping.pairs.start; at < pair; at++) {
		const yaml_node_t *key = node_at(reader, at->key);

		if (strcmp(text_of(key), text) == 0)
			return key;
	}
	return NULL;
}

static enum err each_pair(struct reader *reader, const yaml_node_t *mapping,
			  const struct scope *scope, pair_fn visit)
{
	enum err err = OK;

	if (mapping->type != YAML_MAPPING_NODE)
		return FAULT(reader, mapping, "a mapping (name: value) is expected here");
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     err == OK && pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_at(reader, pair->key);
		const yaml_node_t *earlier;

		err = check_scalar(reader, key, "a name");
		if (err != OK)
			return err;
		earlier = earlier_key(reader, mapping, pair);
		if (earlier != NULL)
			return FAULT(reader, key, "%.80s stands in line %zu already", text_of(key),
				     earlier->start_mark.line + 1);
		err = visit(reader, scope, key, node_at(reader, pair->value));
	}
	return err;
}

static enum err refuse_unknown(struct reader *reader, const struct setting_table *table,
			       const yaml_node_t *key)
{
	struct near_miss near = { .wanted = text_of(key) };

	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].type != SETTING_GROUP)
			near_miss_offer(&near, table->rows[i].name);
	for (size_t i = 0; table == &settings_scalars && i < RECORD_TABLES; i++)
		near_miss_offer(&near, settings_records[i].name);
	if (near.best == NULL)
		return FAULT(reader, key, "%.80s is not known", near.wanted);
	return FAULT(reader, key, "%.80s is not known; did you mean %s?", near.wanted, near.best);
}

static enum err set_scalar(struct reader *reader, const struct setting *setting, void *base,
			   const yaml_node_t *value)
{
	size_t before = reader->message->len;
	enum err err = check_scalar(reader, value, setting->name);

	if (err != OK)
		return err;
	if (!is_plain(value) && !setting_is_text(setting->type))
		return FAULT(reader, value, "%s: the value stands without quotes", setting->name);
	err = say_place(reader, value);
	if (err == OK)
		err = buf_printf(reader->message, "%s: ", setting->name);
	if (err == OK)
		err = setting_parse(setting, text_of(value), base, reader->message);
	if (err == OK)
		buf_truncate(reader->message, before);
	return err;
}

static enum err add_model(struct reader *reader, const struct scope *scope, const yaml_node_t *key,
			  const yaml_node_t *value)
{
	const struct settings_map *map =
		(const void *)((const char *)scope->base + scope->map->offset);
	enum err err = check_scalar(reader, value, text_of(key));

	if (err != OK)
		return err;
	if (text_of(key)[0] == '\0' || text_of(value)[0] == '\0')
		return FAULT(reader, key, "%s: an empty name", scope->map->name);
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->pairs[i].name, text_of(key)) == 0)
			return FAULT(reader, key, "%s: %.80s stands there twice", scope->map->name,
				     text_of(key));
	return setting_map_add(scope->map, scope->base, text_of(key), text_of(value));
}

/* models: {client's id: backend's id}, or [id, id] where both are the same. */
static enum err set_map(struct reader *reader, const struct setting *setting, void *base,
			const yaml_node_t *value)
{
	const struct scope scope = { .map = setting, .base = base };
	enum err err = OK;

	if (value->type != YAML_SEQUENCE_NODE)
		return each_pair(reader, value, &scope, add_model);
	for (yaml_node_item_t *item = value->data.sequence.items.start;
	     err == OK && item < value->data.sequence.items.top; item++) {
		const yaml_node_t *node = node_at(reader, *item);

		err = check_scalar(reader, node, setting->name);
		if (err == OK)
			err = add_model(reader, &scope, node, node);
	}
	return err;
}

static enum err set_field(struct reader *reader, const struct scope *scope, const yaml_node_t *key,
			  const yaml_node_t *value)
{
	const struct setting *setting = setting_find(scope->table, text_of(key));

	if (setting == NULL)
		return refuse_unknown(reader, scope->table, key);
	if (setting->type == SETTING_MAP)
		return set_map(reader, setting, scope->base, value);
	return set_scalar(reader, setting, scope->base, value);
}

static enum err add_record(struct reader *reader, const struct scope *scope, const yaml_node_t *key,
			   const yaml_node_t *value)
{
	const struct record_table *table = scope->records;
	struct scope fields = { .table = &table->fields };
	struct settings_record *record;

	if (!setting_is_name(text_of(key)))
		return FAULT(reader, key,
			     "%.80s: the name of a %s has 1 to 64 letters, digits, . _ and -",
			     text_of(key), table->noun);
	if (settings_record_count(reader->settings, table) >= table->count_max)
		return FAULT(reader, key, "more than %zu %s", table->count_max, table->name);
	record = settings_add_record(reader->settings, table, text_of(key));
	if (record == NULL)
		return ERR_NO_MEMORY;
	record->line = key->start_mark.line + 1;
	record->column = key->start_mark.column + 1;
	fields.base = record;
	return each_pair(reader, value, &fields, set_field);
}

static enum err set_top(struct reader *reader, const struct scope *scope, const yaml_node_t *key,
			const yaml_node_t *value)
{
	for (size_t i = 0; i < RECORD_TABLES; i++) {
		const struct scope records = { .records = &settings_records[i] };

		if (strcmp(text_of(key), settings_records[i].name) == 0)
			return each_pair(reader, value, &records, add_record);
	}
	return set_field(reader, scope, key, value);
}

static enum err say_yaml_fault(struct reader *reader, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "it is not YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		return ERR_NO_MEMORY;
	if (parser->error == YAML_READER_ERROR)
		return REFUSE(reader->message, "%s: byte %zu: %s", reader->path,
			      parser->problem_offset, problem);
	return REFUSE(reader->message, "%s:%zu:%zu: %s", reader->path,
		      parser->problem_mark.line + 1, parser->problem_mark.column + 1, problem);
}

/* Nothing but comments between the document's marks. */
static bool is_empty(const yaml_node_t *root)
{
	return root->type == YAML_SCALAR_NODE && is_plain(root) && root->data.scalar.length == 0;
}

/* The document that `parser` is at; a file may have one, or none at all. */
static enum err read_document(struct reader *reader, yaml_parser_t *parser, bool is_first)
{
	const struct scope scope = { .table = &settings_scalars, .base = reader->settings };
	yaml_document_t document;
	yaml_node_t *root;
	enum err err = OK;

	if (!yaml_parser_load(parser, &document))
		return say_yaml_fault(reader, parser);
	reader->document = &document;
	root = yaml_document_get_root_node(&document);
	if (root != NULL && !is_first)
		err = FAULT(reader, root, "a second document; one is allowed");
	else if (root != NULL && is_first && !is_empty(root))
		err = each_pair(reader, root, &scope, set_top);
	if (err == OK && root != NULL)
		err = read_document(reader, parser, false);
	reader->document = NULL;
	yaml_document_delete(&document);
	return err;
}

static enum err read_bytes(int fd, struct buf *out)
{
	char piece[4096];

	for (;;) {
		ssize_t got = read(fd, piece, sizeof(piece));
		enum err err;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? OK : ERR_IO;
		err = buf_append(out, piece, (size_t)got);
		if (err != OK)
			return err;
	}
}

static enum err read_whole(const char *path, struct buf *out, struct buf *message)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err err = fd >= 0 ? read_bytes(fd, out) : ERR_IO;
	int reason = errno;

	if (fd >= 0)
		(void)close(fd);
	if (err == ERR_TOO_LARGE)
		return REFUSE(message, "%s: larger than %d bytes", path, (int)FILE_BYTES_MAX);
	if (err == ERR_IO && buf_printf(message, "%s: %s", path, strerror(reason)) != OK)
		return ERR_NO_MEMORY;
	return err;
}

enum err settings_read_file(const char *path, struct settings *settings, struct buf *message)
{
	struct reader reader = { .path = path, .settings = settings, .message = message };
	struct buf text;
	yaml_parser_t parser;
	enum err err;

	buf_init(&text, FILE_BYTES_MAX);
	err = read_whole(path, &text, message);
	if (err == OK && !yaml_parser_initialize(&parser))
		err = ERR_NO_MEMORY;
	if (err == OK) {
		yaml_parser_set_input_string(&parser, (const unsigned char *)buf_str(&text),
					     text.len);
		err = read_document(&reader, &parser, true);
		yaml_parser_delete(&parser);
	}
	buf_release(&text);
	return err;
}
