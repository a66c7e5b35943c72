/* The texts that are made from the tables: --help, --print-config (config/longhand.yaml) and
 * --print-docs (docs/settings.md). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "settings_parts.h"

static const char help_head[] =
	"Usage: longhandd --backend URL [--model ID] [--listen ADDRESS] [FLAG ...]\n"
	"\n"
	"Serves the OpenAI API at /v1 and writes texts as long as asked with the models behind\n"
	"it. Every setting is a flag (--connect-ms 500), an environment variable\n"
	"(LONGHAND_CONNECT_MS=500) and a key of the file (connect_ms: 500). A flag wins over the\n"
	"environment, which wins over the file, which wins over the default.\n";

static const char sample_head[] =
	"# Longhand: every setting with its default (made by longhandd --print-config).\n"
	"# Flags (--connect-ms 500) and variables (LONGHAND_CONNECT_MS=500) win over it.\n"
	"# Times are in milliseconds; sizes in bytes, or with KiB, MiB, GiB.\n";

static const char docs_head[] =
	"# Settings\n"
	"\n"
	"Made by `longhandd --print-docs` from the table in the source; `make check` compares.\n"
	"\n"
	"A setting `connect_ms` is the flag `--connect-ms`, the environment variable\n"
	"`LONGHAND_CONNECT_MS` and the key `connect_ms` of the file given by `--config` (or\n"
	"`LONGHAND_CONFIG`). A flag wins over the environment, which wins over the file, which\n"
	"wins over the default. A variable that is set to nothing counts as not set. Values are\n"
	"read strictly: `12abc`, `010`, `yesplease` and unknown names are errors, told with line\n"
	"and column. `longhandd --check-config` checks everything and exits; `--print-config`\n"
	"prints a file with every setting ([config/longhand.yaml](../config/longhand.yaml)).\n"
	"\n"
	"Times are in milliseconds. Sizes are in bytes, or with `KiB`, `MiB`, `GiB`.\n"
	"\n"
	"SIGHUP loads everything again. What is new holds for new requests; answers that are\n"
	"being given and texts that are being written keep what they began with. Settings that\n"
	"need a restart stay as they are, and a warning names those that would have changed.\n"
	"When the file is wrong, all stays as it was and the log says why.\n";

static const char backends_docs[] =
	"\n## Backends: `backends.NAME`\n"
	"\n"
	"A mapping from names to backends, in the file. The backend called `default` has flags\n"
	"and variables too: `--backend URL`, `--model ID`, and `--backend-FIELD` for the other\n"
	"fields; where the file has it as well, they win field by field. `models` is a mapping,\n"
	"or a list of ids that are the same on both sides; other ids are sent on as they are.\n\n";
static const char presets_docs[] =
	"\n## Presets: `presets.NAME`\n"
	"\n"
	"A mapping from names to presets, in the file; clients choose one as their model.\n\n";

static const char keys_docs[] =
	"\n## Keys: `keys.NAME`\n"
	"\n"
	"A mapping from names to API keys, in the file. With one or more, every request under\n"
	"`/v1` needs one of them (`Authorization: Bearer KEY`), and its name is the owner of what\n"
	"is written for it. Only hashes stand here: `longhandd --hash-key` makes them.\n\n";

static const struct {
	const char *docs;
	const char *sample;
	const char *example_name;
	const char *example_value; /* of the field that must be given */
	const char *comment;	   /* in front of every line: an example only */
} record_texts[RECORD_TABLES] = {
	[RECORD_BACKENDS] = { backends_docs, "# Backends, by name.\n", "default",
			      "http://127.0.0.1:8000/v1", "" },
	[RECORD_PRESETS] = { presets_docs, "# Presets, model ids that clients can choose.\n",
			     "longhand-report", "", "#" },
	[RECORD_KEYS] = { keys_docs, "# API keys, by owner; without any, everybody may ask.\n",
			  "alice", "sha256:HEX", "#" },
};

/* What stands for the value in --help. */
static const char *value_hint(const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_BOOL:
		return "[=true|false]";
	case SETTING_ENUM:
		return setting->choices;
	case SETTING_INT:
		return "N";
	case SETTING_MS:
		return "MS";
	case SETTING_BYTES:
		return "BYTES";
	case SETTING_ADDRESS:
		return "ADDRESS";
	case SETTING_URL:
	case SETTING_REDIS:
		return "URL";
	case SETTING_ORIGINS:
		return "ORIGIN,...";
	case SETTING_HASH:
		return "sha256:HEX";
	case SETTING_NAME:
	case SETTING_ENV_NAME:
		return "NAME";
	default:
		return "TEXT";
	}
}

static bool is_number(const struct setting *setting)
{
	return setting->type == SETTING_INT || setting->type == SETTING_MS ||
	       setting->type == SETTING_BYTES;
}

/* One character for another: names into flags, choices into lists. */
static void swap_char(char *text, char from, char to)
{
	for (; *text != '\0'; text++)
		if (*text == from)
			*text = to;
}

static enum err help_row(struct buf *out, const char *name, const struct setting *setting)
{
	char flag[FLAG_NAME_BYTES];
	enum err err;

	(void)snprintf(flag, sizeof(flag), "%s", name);
	swap_char(flag, '_', '-');
	err = buf_printf(out, "  --%s%s%s\n        %s", flag,
			 setting->type == SETTING_BOOL ? "" : " ", value_hint(setting),
			 setting->help);
	if (err == OK && setting->default_text[0] != '\0')
		err = buf_printf(out, " (default %s", setting->default_text);
	if (err == OK && is_number(setting))
		err = buf_printf(out, ", %" PRId64 " to %" PRId64, setting->min, setting->max);
	if (err == OK && setting->default_text[0] != '\0')
		err = buf_append_str(out, ")");
	return err != OK ? err : buf_append_str(out, "\n");
}

static enum err help_commands(struct buf *out)
{
	enum err err = buf_append_str(out, "\nOther flags\n  --config FILE\n"
					   "        read settings from this YAML file\n");

	for (const struct settings_command *row = settings_commands; err == OK && row->name != NULL;
	     row++) {
		char flag[FLAG_NAME_BYTES];

		(void)snprintf(flag, sizeof(flag), "%s", row->name);
		swap_char(flag, '_', '-');
		err = buf_printf(out, "  --%s\n        %s\n", flag, row->help);
	}
	return err;
}

enum err settings_print_help(struct buf *out)
{
	const struct setting_table *fields = &settings_records[RECORD_BACKENDS].fields;
	enum err err = buf_append_str(out, help_head);

	if (err == OK)
		err = buf_append_str(out, "\nThe backend (more than one: --config)\n");
	for (size_t i = 0; err == OK && i < fields->count; i++) {
		char flag[FLAG_NAME_BYTES];

		if (settings_backend_flag(&fields->rows[i], flag))
			err = help_row(out, flag, &fields->rows[i]);
	}
	for (size_t i = 0; err == OK && i < settings_scalars.count; i++) {
		const struct setting *row = &settings_scalars.rows[i];

		err = row->type == SETTING_GROUP ? buf_printf(out, "\n%s\n", row->name)
						 : help_row(out, row->name, row);
	}
	return err != OK ? err : help_commands(out);
}

/* The value as YAML: `example` where there is no default. */
static enum err sample_value(struct buf *out, const struct setting *setting, const char *example)
{
	const char *text = setting->default_text[0] != '\0' ? setting->default_text : example;

	if (setting->type == SETTING_MAP)
		return buf_append_str(out, " {}\n");
	if (text[0] == '\0')
		return buf_append_str(out, " \"\"\n");
	return buf_printf(out, " %s\n", text);
}

static enum err sample_record(struct buf *out, size_t which)
{
	const struct record_table *table = &settings_records[which];
	const char *comment = record_texts[which].comment;
	enum err err = buf_printf(out, "\n%s%s%s:\n%s  %s:\n", record_texts[which].sample, comment,
				  table->name, comment, record_texts[which].example_name);

	for (size_t i = 0; err == OK && i < table->fields.count; i++) {
		const struct setting *field = &table->fields.rows[i];
		bool is_required =
			table->required != NULL && strcmp(field->name, table->required) == 0;

		err = buf_printf(out, "%s    # %s", comment, field->help);
		if (err == OK && field->choices != NULL)
			err = buf_printf(out, " (%s)", field->choices);
		if (err == OK)
			err = buf_printf(out, "\n%s    %s:", comment, field->name);
		if (err == OK)
			err = sample_value(out, field,
					   is_required ? record_texts[which].example_value : "");
	}
	return err;
}

static enum err sample_scalar(struct buf *out, const struct setting *setting)
{
	enum err err;

	if (setting->type == SETTING_GROUP)
		return buf_printf(out, "\n# --- %s ---\n", setting->name);
	err = buf_printf(out, "# %s", setting->help);
	if (err == OK && setting->choices != NULL)
		err = buf_printf(out, " (%s)", setting->choices);
	if (err == OK)
		err = buf_printf(out, "\n%s:", setting->name);
	return err != OK ? err : sample_value(out, setting, "");
}

enum err settings_print_sample(struct buf *out)
{
	enum err err = buf_append_str(out, sample_head);

	for (size_t i = 0; err == OK && i < settings_scalars.count; i++)
		err = sample_scalar(out, &settings_scalars.rows[i]);
	for (size_t i = 0; err == OK && i < RECORD_TABLES; i++)
		err = sample_record(out, i);
	return err;
}

static enum err docs_values(struct buf *out, const struct setting *setting)
{
	char choices[256];

	switch (setting->type) {
	case SETTING_BOOL:
		return buf_append_str(out, "true, false");
	case SETTING_ENUM:
		(void)snprintf(choices, sizeof(choices), "%s", setting->choices);
		swap_char(choices, '|', '/');
		return buf_append_str(out, choices);
	case SETTING_INT:
	case SETTING_MS:
	case SETTING_BYTES:
		return buf_printf(out, "%" PRId64 " to %" PRId64 "%s", setting->min, setting->max,
				  setting->type == SETTING_MS	   ? " ms"
				  : setting->type == SETTING_BYTES ? " bytes"
								   : "");
	case SETTING_MAP:
		return buf_append_str(out, "mapping or list");
	default:
		return buf_append_str(out, value_hint(setting));
	}
}

static const char table_head[] = "| setting | default | values | what it is |\n|---|---|---|---|\n";

static enum err docs_row(struct buf *out, const struct setting *setting)
{
	const char *text = setting->default_text;
	enum err err =
		buf_printf(out, "| `%s` | %s%s%s | ", setting->name, text[0] != '\0' ? "`" : "",
			   text[0] != '\0' ? text : "(empty)", text[0] != '\0' ? "`" : "");

	if (err == OK)
		err = docs_values(out, setting);
	return err != OK ? err
			 : buf_printf(out, " | %s%s |\n", setting->help,
				      setting->is_reloadable ? "" : " (needs a restart)");
}

static enum err docs_record(struct buf *out, size_t which)
{
	const struct setting_table *fields = &settings_records[which].fields;
	enum err err = buf_append_str(out, record_texts[which].docs);

	if (err == OK)
		err = buf_append_str(out, table_head);
	for (size_t i = 0; err == OK && i < fields->count; i++)
		err = docs_row(out, &fields->rows[i]);
	return err;
}

enum err settings_print_docs(struct buf *out)
{
	enum err err = buf_append_str(out, docs_head);

	for (size_t i = 0; err == OK && i < settings_scalars.count; i++) {
		const struct setting *row = &settings_scalars.rows[i];

		err = row->type == SETTING_GROUP
			      ? buf_printf(out, "\n## %s\n\n%s", row->name, table_head)
			      : docs_row(out, row);
	}
	for (size_t i = 0; err == OK && i < RECORD_TABLES; i++)
		err = docs_record(out, i);
	return err;
}
