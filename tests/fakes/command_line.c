#include "fakes/command_line.h"
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16, LINE_BYTES = 512, WORDS_BYTES = 1024 };

char command_line_path[] = "/tmp/longhand-settings-XXXXXX";
struct buf command_line_message;

struct words {
	char text[WORDS_BYTES];
	char *list[WORDS_MAX + 1];
	int count;
};

bool command_line_begin(void)
{
	int fd = mkstemp(command_line_path);

	buf_init(&command_line_message, SETTINGS_MESSAGE_BYTES_MAX);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

void command_line_end(void)
{
	buf_release(&command_line_message);
	(void)unlink(command_line_path);
}

static void split(struct words *words, const char *text)
{
	char *rest = words->text;
	char *word;
	int len = snprintf(words->text, sizeof(words->text), "%s", text);

	assert_true(len >= 0 && (size_t)len < sizeof(words->text));
	words->count = 0;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		assert_true(words->count < WORDS_MAX);
		words->list[words->count++] = word;
	}
	words->list[words->count] = NULL;
}

enum err command_line_load(const char *flags, const char *environment, struct settings **ret)
{
	char line[WORDS_BYTES];
	struct words argv;
	struct words envp;

	(void)snprintf(line, sizeof(line), "longhandd %s", flags);
	split(&argv, line);
	split(&envp, environment);
	return settings_load(argv.count, argv.list, envp.list, ret, &command_line_message);
}

struct settings *command_line_load_ok(const char *flags, const char *environment)
{
	struct settings *settings = NULL;
	enum err err = command_line_load(flags, environment, &settings);

	if (err != OK)
		fail_msg("%s: %s", flags, buf_str(&command_line_message));
	return settings;
}

void command_line_write_file(const char *yaml)
{
	FILE *file = fopen(command_line_path, "w");
	bool is_written;

	assert_non_null(file);
	is_written = fputs(yaml, file) >= 0;
	is_written = fclose(file) == 0 && is_written;
	assert_true(is_written);
}

enum err command_line_load_file(const char *yaml, const char *flags, struct settings **ret)
{
	char line[LINE_BYTES];

	command_line_write_file(yaml);
	(void)snprintf(line, sizeof(line), "--config %s %s", command_line_path, flags);
	return command_line_load(line, "BACKEND_KEY=sk-secret", ret);
}
