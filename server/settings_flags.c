/* Flags and environment variables: two spellings of the same rows. */
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "settings_parts.h"

static const char env_prefix[] = "LONGHAND_";

static enum err print_version(struct buf *out)
{
	return buf_append_str(out, "longhandd " LONGHAND_VERSION "\n");
}

const struct settings_command settings_commands[] = {
	{ "help", SETTINGS_PRINT, settings_print_help, "print this and exit" },
	{ "version", SETTINGS_PRINT, print_version, "print the version and exit" },
	{ "check_config", SETTINGS_CHECK, NULL, "check flags, environment and file, and exit" },
	{ "probe", SETTINGS_PROBE, NULL,
	  "call each backend, print what it can and how fast it writes, and exit" },
	{ "hash_key", SETTINGS_HASH_KEY, NULL,
	  "read a key from standard input, print the hash that `keys` takes, and exit" },
	{ "print_config", SETTINGS_PRINT, settings_print_sample,
	  "print a file with every setting and its default, and exit" },
	{ "print_docs", SETTINGS_PRINT, settings_print_docs,
	  "print docs/settings.md, the table of all settings, and exit" },
	{ NULL, SETTINGS_RUN, NULL, NULL },
};

/* One argument of the command line, its value with it. */
struct flag {
	char name[FLAG_NAME_BYTES]; /* a setting's: check_config */
	const char *typed;
	const char *value;			/* NULL: none given */
	const struct settings_command *command; /* one of these three is set, or it is --config */
	const struct setting *scalar;
	const struct setting *backend_field;
};

static bool is_config(const struct flag *flag)
{
	return strcmp(flag->name, "config") == 0;
}

bool settings_backend_flag(const struct setting *field, char ret_name[FLAG_NAME_BYTES])
{
	if (field->type == SETTING_MAP)
		return false;
	if (strcmp(field->name, "url") == 0)
		(void)snprintf(ret_name, FLAG_NAME_BYTES, "backend");
	else if (strcmp(field->name, "model") == 0)
		(void)snprintf(ret_name, FLAG_NAME_BYTES, "model");
	else
		(void)snprintf(ret_name, FLAG_NAME_BYTES, "backend_%s", field->name);
	return true;
}

static const struct setting *find_backend_field(const char *name)
{
	const struct setting_table *fields = &settings_records[RECORD_BACKENDS].fields;

	for (size_t i = 0; i < fields->count; i++) {
		char flag[FLAG_NAME_BYTES];

		if (settings_backend_flag(&fields->rows[i], flag) && strcmp(flag, name) == 0)
			return &fields->rows[i];
	}
	return NULL;
}

static const struct settings_command *find_command(const char *name)
{
	for (const struct settings_command *row = settings_commands; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

/* Offers a name, which need not last; ret_name keeps the nearest one. */
static void offer(struct near_miss *near, const char *name, char ret_name[FLAG_NAME_BYTES])
{
	const char *before = near->best;

	near->best = before != NULL ? ret_name : NULL;
	near_miss_offer(near, name);
	if (near->best == name)
		(void)snprintf(ret_name, FLAG_NAME_BYTES, "%s", name);
}

/* Whether there is a name that was probably meant. */
static bool find_nearest(const char *name, char ret_name[FLAG_NAME_BYTES])
{
	const struct setting_table *fields = &settings_records[RECORD_BACKENDS].fields;
	struct near_miss near = { .wanted = name };

	offer(&near, "config", ret_name);
	for (size_t i = 0; i < settings_scalars.count; i++)
		if (settings_scalars.rows[i].type != SETTING_GROUP)
			offer(&near, settings_scalars.rows[i].name, ret_name);
	for (const struct settings_command *row = settings_commands; row->name != NULL; row++)
		offer(&near, row->name, ret_name);
	for (size_t i = 0; i < fields->count; i++) {
		char flag[FLAG_NAME_BYTES];

		if (settings_backend_flag(&fields->rows[i], flag))
			offer(&near, flag, ret_name);
	}
	return near.best != NULL;
}

/* Upper-case with underscores, or lower-case with dashes. */
static void respell(char *name, bool is_env)
{
	for (; *name != '\0'; name++) {
		if (!is_env && *name == '_')
			*name = '-';
		else if (is_env && *name >= 'a' && *name <= 'z')
			*name = (char)(*name - 'a' + 'A');
	}
}

static enum err refuse_unknown(const char *typed, const char *name, bool is_env,
			       struct buf *message)
{
	const char *start = is_env ? env_prefix : "--";
	char near[FLAG_NAME_BYTES] = "";

	if (!find_nearest(name, near))
		return is_env ? OK
			      : REFUSE(message, "%s is not known; --help lists all flags", typed);
	respell(near, is_env);
	return REFUSE(message, "%s is not known; did you mean %s%s?", typed, start, near);
}

/* Finds what the argument `typed` names. */
static enum err name_flag(const char *typed, struct flag *ret, struct buf *message)
{
	const char *start = strcmp(typed, "-h") == 0 ? "help" : typed + 2;
	size_t len = strcspn(start, "=");

	*ret = (struct flag){ .typed = typed };
	if (strcmp(typed, "-h") != 0 && (strncmp(typed, "--", 2) != 0 || len == 0))
		return REFUSE(message, "\"%.80s\" is not a flag; --help lists all flags", typed);
	if (len >= sizeof(ret->name))
		return REFUSE(message, "%.40s... is not known; --help lists all flags", typed);
	for (size_t i = 0; i < len; i++)
		ret->name[i] = start[i] == '-' ? '_' : start[i];
	if (start[len] == '=')
		ret->value = start + len + 1;
	ret->command = find_command(ret->name);
	ret->scalar = setting_find(&settings_scalars, ret->name);
	ret->backend_field = find_backend_field(ret->name);
	if (ret->command == NULL && ret->scalar == NULL && ret->backend_field == NULL &&
	    !is_config(ret)) {
		char shown[FLAG_NAME_BYTES + 2];

		(void)snprintf(shown, sizeof(shown), "--%s", ret->name);
		respell(shown, false);
		return refuse_unknown(shown, ret->name, false, message);
	}
	return OK;
}

/* Reads the argument at **at with its value, *at moved behind them. */
static enum err read_flag(char *const **at, struct flag *ret, struct buf *message)
{
	enum err err = name_flag(**at, ret, message);
	const struct setting *setting;

	if (err != OK)
		return err;
	++*at;
	setting = ret->scalar != NULL ? ret->scalar : ret->backend_field;
	if (ret->command != NULL && ret->value != NULL)
		return REFUSE(message, "%s takes no value", ret->typed);
	if (ret->command != NULL || ret->value != NULL)
		return OK;
	if (setting != NULL && setting->type == SETTING_BOOL) {
		ret->value = "true";
		return OK;
	}
	if (**at == NULL || strncmp(**at, "--", 2) == 0)
		return REFUSE(message, "%s needs a value", ret->typed);
	ret->value = *(*at)++;
	return OK;
}

static enum err set_config(struct settings *settings, const char *path)
{
	char *copy = mem_strdup(path);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	mem_free(settings->config);
	settings->config = copy;
	return OK;
}

static enum err apply(struct settings *settings, const struct setting *scalar,
		      const struct setting *backend_field, const char *value, struct buf *message)
{
	struct settings_record *record;

	if (scalar != NULL)
		return setting_parse(scalar, value, settings, message);
	record = settings_add_record(settings, &settings_records[RECORD_BACKENDS], "default");
	if (record == NULL)
		return ERR_NO_MEMORY;
	return setting_parse(backend_field, value, record, message);
}

const char *settings_getenv(char *const envp[], const char *name)
{
	size_t len = strlen(name);

	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

enum err settings_scan_flags(char *const argv[], char *const envp[], struct settings *settings,
			     struct buf *message)
{
	const char *path = settings_getenv(envp, "LONGHAND_CONFIG");

	while (*argv != NULL) {
		struct flag flag;
		enum err err = read_flag(&argv, &flag, message);

		if (err != OK)
			return err;
		if (is_config(&flag))
			path = flag.value;
		if (flag.command == NULL || settings->action == SETTINGS_PRINT)
			continue;
		settings->action = flag.command->action;
		if (flag.command->print != NULL)
			err = flag.command->print(message);
		if (err != OK)
			return err;
	}
	return path != NULL ? set_config(settings, path) : OK;
}

enum err settings_apply_flags(char *const argv[], struct settings *settings, struct buf *message)
{
	enum err err = OK;

	while (err == OK && *argv != NULL) {
		struct flag flag;
		char shown[FLAG_NAME_BYTES];

		err = read_flag(&argv, &flag, message);
		if (err != OK || flag.command != NULL || is_config(&flag))
			continue;
		(void)snprintf(shown, sizeof(shown), "%s", flag.name);
		respell(shown, false);
		err = buf_printf(message, "--%s: ", shown);
		if (err == OK)
			err = apply(settings, flag.scalar, flag.backend_field, flag.value, message);
		if (err == OK)
			buf_clear(message);
	}
	return err;
}

/* One variable; `variable` is NAME=VALUE with our prefix. */
static enum err apply_variable(const char *variable, struct settings *settings, struct buf *message)
{
	size_t len = strcspn(variable, "=");
	size_t prefix_len = sizeof(env_prefix) - 1;
	const struct setting *scalar;
	const struct setting *field;
	char name[FLAG_NAME_BYTES];
	char shown[FLAG_NAME_BYTES + sizeof(env_prefix)];
	enum err err;

	if (variable[len] == '\0' || variable[len + 1] == '\0')
		return OK; /* set to nothing is not set: compose files and units do that */
	if (len - prefix_len >= sizeof(name))
		return OK; /* nobody's name is so long */
	for (size_t i = prefix_len; i < len; i++) {
		if (variable[i] >= 'a' && variable[i] <= 'z')
			return OK; /* ours are upper-case */
		name[i - prefix_len] = variable[i] >= 'A' && variable[i] <= 'Z'
					       ? (char)(variable[i] - 'A' + 'a')
					       : variable[i];
	}
	name[len - prefix_len] = '\0';
	(void)snprintf(shown, sizeof(shown), "%.*s", (int)len, variable);
	if (strcmp(name, "config") == 0)
		return OK;
	scalar = setting_find(&settings_scalars, name);
	field = find_backend_field(name);
	if (scalar == NULL && field == NULL)
		return refuse_unknown(shown, name, true, message);
	err = buf_printf(message, "%s: ", shown);
	if (err == OK)
		err = apply(settings, scalar, field, variable + len + 1, message);
	if (err == OK)
		buf_clear(message);
	return err;
}

enum err settings_apply_environment(char *const envp[], struct settings *settings,
				    struct buf *message)
{
	enum err err = OK;

	for (; err == OK && *envp != NULL; envp++)
		if (strncmp(*envp, env_prefix, sizeof(env_prefix) - 1) == 0)
			err = apply_variable(*envp, settings, message);
	return err;
}
