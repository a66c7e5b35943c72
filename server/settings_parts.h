/* settings_parts - how settings.c, settings_file.c, settings_flags.c and settings_help.c share
 * their work. Private to them. */
#ifndef LONGHAND_SETTINGS_PARTS_H
#define LONGHAND_SETTINGS_PARTS_H
#include "settings_value.h"


/* Applies the file at `path` to the settings. */
MUST_CHECK enum err settings_read_file(const char *path, struct settings *settings,
				       struct buf *message);

/* The first pass over the arguments: what is asked for, and the file's path (flag, then
 * LONGHAND_CONFIG). Refuses what is no flag. Texts to print are appended to the message. */
MUST_CHECK enum err settings_scan_flags(char *const argv[], char *const envp[],
					struct settings *settings, struct buf *message);
MUST_CHECK enum err settings_apply_environment(char *const envp[], struct settings *settings,
					       struct buf *message);
MUST_CHECK enum err settings_apply_flags(char *const argv[], struct settings *settings,
					 struct buf *message);
/* The value of a variable, NULL when it is not set. */
const char *settings_getenv(char *const envp[], const char *name);

/* Texts made from the tables. */
MUST_CHECK enum err settings_print_help(struct buf *out);
MUST_CHECK enum err settings_print_sample(struct buf *out);
MUST_CHECK enum err settings_print_docs(struct buf *out);

enum { FLAG_NAME_BYTES = 64 };
/* The flag of a field of the backend `default`, in the form of a setting's name ("backend",
 * "model", "backend_dialect"); false when it has none. */
bool settings_backend_flag(const struct setting *field, char ret_name[FLAG_NAME_BYTES]);

/* A flag that is no setting. */
struct settings_command {
	const char *name;
	enum settings_action action;
	enum err (*print)(struct buf *out); /* SETTINGS_PRINT only */
	const char *help;
};
extern const struct settings_command settings_commands[]; /* name NULL at the end */
#endif
