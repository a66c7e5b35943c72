/* settings_value - one row of a settings table, and how its text becomes a value.
 *
 * Private to settings*.c. Parsing is strict: what is not wholly understood is refused, and the
 * reason is appended to the message for people. */
#ifndef LONGHAND_SETTINGS_VALUE_H
#define LONGHAND_SETTINGS_VALUE_H
#include "settings.h"

enum setting_type {
	SETTING_GROUP,	  /* no setting: a title */
	SETTING_STRING,	  /* any text without control characters */
	SETTING_NAME,	  /* letters, digits, '.', '_', '-' */
	SETTING_ADDRESS,  /* host:port, [v6]:port, unix:/path; several with commas between */
	SETTING_URL,	  /* http:// or https://, no user, query or fragment */
	SETTING_HASH,	  /* sha256:HEX */
	SETTING_REDIS,	  /* redis://... */
	SETTING_ORIGINS,  /* http://host:port ..., commas between; or * */
	SETTING_ENV_NAME, /* name of an environment variable */
	SETTING_INT,
	SETTING_MS,
	SETTING_BYTES,
	SETTING_BOOL,
	SETTING_ENUM,
	SETTING_MAP, /* name to text; in the file only */
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset; /* in the struct that the table describes */
	const char *default_text;
	int64_t min;
	int64_t max;
	const char *choices; /* a|b|c */
	bool is_reloadable;
	const char *help;
};

struct setting_table {
	const struct setting *rows;
	size_t count;
};

/* A table of records in struct settings. */
struct record_table {
	const char *name; /* the file's key */
	const char *noun;
	struct setting_table fields;
	const char *required; /* the field that must be given */
	size_t record_bytes;
	size_t array_offset; /* of the array's pointer in struct settings */
	size_t count_offset;
	size_t count_max;
};

enum { RECORD_BACKENDS, RECORD_PRESETS, RECORD_KEYS, RECORD_TABLES };

extern const struct setting_table settings_scalars;
extern const struct record_table settings_records[RECORD_TABLES];

/* Appends the reason to the message: an error's value. */
#define REFUSE(message, ...) (buf_printf(message, __VA_ARGS__) == OK ? ERR_INVALID : ERR_NO_MEMORY)

/* NULL when no row has the name. */
const struct setting *setting_find(const struct setting_table *table, const char *name);
/* Writes the parsed `text` into the struct at `base`; the old value is freed. */
MUST_CHECK enum err setting_parse(const struct setting *setting, const char *text, void *base,
				  struct buf *message);
bool setting_is_text(enum setting_type type);
/* Whether the name of a record or of a client's model is one. */
bool setting_is_name(const char *text);
MUST_CHECK enum err setting_map_add(const struct setting *setting, void *base, const char *name,
				    const char *value);
MUST_CHECK enum err settings_set_defaults(const struct setting_table *table, void *base);
void settings_free_values(const struct setting_table *table, void *base);
bool setting_is_equal(const struct setting *setting, const void *a, const void *b);

/* The record of that name, added with its defaults when there is none. NULL: no memory. */
struct settings_record *settings_add_record(struct settings *settings,
					    const struct record_table *table, const char *name);
struct settings_record *settings_find_record(const struct settings *settings,
					     const struct record_table *table, const char *name);
struct settings_record *settings_record_at(const struct settings *settings,
					   const struct record_table *table, size_t index);
size_t settings_record_count(const struct settings *settings, const struct record_table *table);

/* The nearest of the candidates seen so far, for "did you mean". */
struct near_miss {
	const char *wanted;
	const char *best; /* NULL: none is near */
	size_t distance;
};
void near_miss_offer(struct near_miss *near, const char *candidate);
#endif
