/* settings - what the program is told: flags over environment over file over default.
 *
 * One table (settings_table.h) of scalars and three record tables: backends, presets and keys. A
 * snapshot is immutable and counted: whoever keeps one past the current turn takes a reference.
 * app.c alone reads it; everything else gets small structs of its own. */
#ifndef LONGHAND_SETTINGS_H
#define LONGHAND_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "settings_table.h"

#define LONGHAND_VERSION "0.1.0"

enum { SETTINGS_MESSAGE_BYTES_MAX = 65536 }; /* the bound that ret_message needs */

/* Enumerations in the order of the table's choices. */
enum setting_route { SETTING_ROUTE_ALL, SETTING_ROUTE_LONGHAND };
enum setting_store_down { SETTING_STORE_DOWN_WAIT, SETTING_STORE_DOWN_REFUSE };
enum setting_context {
	SETTING_CONTEXT_AUTO,
	SETTING_CONTEXT_FULL,
	SETTING_CONTEXT_BOUNDED,
	SETTING_CONTEXT_DIRECT,
};
enum setting_mode { SETTING_MODE_AUTO, SETTING_MODE_SERIAL, SETTING_MODE_SINGLE };
enum setting_headings {
	SETTING_HEADINGS_AUTO,
	SETTING_HEADINGS_NONE,
	SETTING_HEADINGS_MARKDOWN,
};
enum setting_count { SETTING_COUNT_NATURAL, SETTING_COUNT_BENCHMARK };

/* What the command line asks for. */
enum settings_action {
	SETTINGS_RUN,
	SETTINGS_CHECK, /* --check-config: all is well, say so and exit 0 */
	SETTINGS_PROBE, /* --probe: call the backends, print what they can, exit */
	SETTINGS_HASH_KEY, /* --hash-key: read a key, print its hash, exit */
	SETTINGS_PRINT, /* --help, --version, ...: print ret_message to stdout and exit 0 */
};

struct settings_pair {
	char *name;
	char *value;
};

struct settings_map {
	struct settings_pair *pairs;
	size_t count;
};

/* How each type is kept: strings are never NULL, "" where nothing is set; enumerations are the
 * index among the choices (log_level: enum log_level). */
#define SETTING_C_STRING char *
#define SETTING_C_NAME char *
#define SETTING_C_ADDRESS char *
#define SETTING_C_URL char *
#define SETTING_C_ENV_NAME char *
#define SETTING_C_HASH char *
#define SETTING_C_REDIS char *
#define SETTING_C_ORIGINS char *
#define SETTING_C_INT int64_t
#define SETTING_C_MS uint64_t
#define SETTING_C_BYTES uint64_t
#define SETTING_C_BOOL bool
#define SETTING_C_ENUM int
#define SETTING_C_MAP struct settings_map
#define SETTING_FIELD(name, type, ...) SETTING_C_##type name;
#define SETTING_NO_GROUP(title)

/* How every record begins. */
struct settings_record {
	char *name;
	size_t line; /* where the file has it; 0: from flags or environment */
	size_t column;
};

struct backend_settings {
	struct settings_record record;
	char *key; /* the value of key_env, NULL without one; never to be logged */
	BACKEND_SETTINGS(SETTING_FIELD)
};

struct preset_settings {
	struct settings_record record;
	PRESET_SETTINGS(SETTING_FIELD)
};

struct key_settings {
	struct settings_record record;
	KEY_SETTINGS(SETTING_FIELD)
};

struct settings {
	unsigned refs;
	enum settings_action action;
	char *config; /* the file's path, "" without one */
	SETTINGS(SETTING_NO_GROUP, SETTING_FIELD)
	struct backend_settings *backends; /* in the order of the file; at least one */
	size_t n_backends;
	struct preset_settings *presets;
	size_t n_presets;
	struct key_settings *keys; /* none: everybody may ask, and is one owner */
	size_t n_keys;
};

/* Reads everything and checks it. `argv` with the program's name first, `envp` with NULL last.
 * On OK `*ret` has one reference, and `ret_message` the text to print (SETTINGS_PRINT), else
 * nothing. ERR_INVALID and ERR_IO: `ret_message` says what is wrong and
 * where ("longhand.yaml:12:3: ..."); ERR_NO_MEMORY. Never puts the value of a key there. */
MUST_CHECK enum err settings_load(int argc, char *const argv[], char *const envp[],
				  struct settings **ret, struct buf *ret_message);
struct settings *settings_ref(struct settings *settings);
/* NULL is allowed. */
void settings_unref(struct settings *settings);

/* NULL when there is none of that name. */
const struct backend_settings *settings_backend(const struct settings *settings, const char *name);
const struct preset_settings *settings_preset(const struct settings *settings, const char *name);
/* Never NULL in a snapshot of settings_load for SETTINGS_RUN or SETTINGS_CHECK. */
const struct backend_settings *settings_default_backend(const struct settings *settings);
/* The name of the next setting that differs and cannot change while running (a reload leaves it as
 * it is); NULL when there is none. `*at` is 0 at first. */
const char *settings_fixed_change(const struct settings *now, const struct settings *next,
				  size_t *at);
/* Whether all that has to do with calls to backends is the same, the backends' keys too. */
bool settings_same_backends(const struct settings *now, const struct settings *next);
#endif
