/* longhandd: reads its settings, then serves until it is told to stop. */
#include "app.h"
#include "app_hash_key.h"
#include "app_probe.h"
#include "app_store.h"
#include "base/mem.h"
#include <stdio.h>

/* Exit codes: 0 served and stopped; 1 could not start; 2 the settings are wrong. */
enum { EXIT_SETTINGS = 2 };

extern char **environ;

static int check(const struct settings *settings)
{
	struct buf message;
	enum err err;
	int code;

	buf_init(&message, SETTINGS_MESSAGE_BYTES_MAX);
	err = app_store_check(settings, &message);
	if (err != OK) {
		(void)fprintf(stderr, "longhandd: state_dir: %s\n",
			      message.len > 0 ? message.data : err_text(err));
		code = EXIT_SETTINGS;
	} else {
		code = puts("The configuration is good.") < 0 ? 1 : 0;
	}
	buf_release(&message);
	return code;
}

int main(int argc, char **argv)
{
	struct settings *settings = NULL;
	struct buf message;
	int code = EXIT_SETTINGS;
	enum err err;

	mem_init();
	buf_init(&message, SETTINGS_MESSAGE_BYTES_MAX);
	err = settings_load(argc, argv, environ, &settings, &message);
	if (err != OK)
		(void)fprintf(stderr, "longhandd: %s\n",
			      message.len > 0 ? message.data : err_text(err));
	else if (settings->action == SETTINGS_PRINT)
		code = fputs(buf_str(&message), stdout) < 0 ? 1 : 0;
	else if (settings->action == SETTINGS_CHECK)
		code = check(settings);
	else if (settings->action == SETTINGS_PROBE)
		code = app_probe(settings);
	else if (settings->action == SETTINGS_HASH_KEY)
		code = app_hash_key();
	else
		code = app_run(settings, argc, argv, environ);
	settings_unref(settings);
	buf_release(&message);
	return code;
}
