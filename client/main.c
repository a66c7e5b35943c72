/* longhand: the command-line client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "ready.h"
#include "write.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"longhand write REQUEST [options]   asks a Longhand server for a text, shows it coming\n"
	"longhand ready [--server URL]      says by its exit code if the server takes requests\n"
	"\n"
	"  --server URL      the server's API (default http://127.0.0.1:8080/v1, or\n"
	"                    LONGHAND_SERVER)\n"
	"  --model ID        the model (default longhand)\n"
	"  --words N         how long; without it, as the request says\n"
	"  --mode MODE       auto, serial, single or off\n"
	"  --headings KIND   auto, none or markdown\n"
	"  --seed N          for a text that can be had again\n"
	"  --out FILE        write the text there too\n"
	"  --report FILE     write the report there, as JSON\n"
	"  --quiet           the text only\n"
	"\n"
	"A key for the server is taken from LONGHAND_API_KEY. Exit code: 0 complete, 1 not,\n"
	"2 usage.\n";

/* A whole number from 0; false: it is not one. */
static bool parse_number(const char *text, long *ret_number)
{
	char *end;

	*ret_number = strtol(text, &end, 10);
	return end != text && *end == '\0' && *ret_number >= 0;
}

static bool take_text(struct write_options *options, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **value;
	} rows[] = {
		{ "--server", &options->server }, { "--model", &options->model },
		{ "--mode", &options->mode },	  { "--headings", &options->headings },
		{ "--out", &options->out },	  { "--report", &options->report_out },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		*rows[i].value = value;
		return true;
	}
	return false;
}

/* How many arguments were taken: 0 is an error, told. */
static int take_option(struct write_options *options, char **argv)
{
	const char *value = argv[1];

	if (strcmp(argv[0], "--quiet") == 0) {
		options->is_quiet = true;
		return 1;
	}
	if (strncmp(argv[0], "--", 2) != 0) {
		if (options->request != NULL) {
			(void)fprintf(stderr,
				      "longhand: one request at a time: put it in quotes\n");
			return 0;
		}
		options->request = argv[0];
		return 1;
	}
	if (value == NULL) {
		(void)fprintf(stderr, "longhand: %s is unknown, or wants a value\n", argv[0]);
		return 0;
	}
	if (take_text(options, argv[0], value))
		return 2;
	if (strcmp(argv[0], "--words") == 0 && parse_number(value, &options->words))
		return 2;
	options->has_seed = strcmp(argv[0], "--seed") == 0 && parse_number(value, &options->seed);
	if (options->has_seed)
		return 2;
	(void)fprintf(stderr, "longhand: %s %s is not an option with a good value\n", argv[0],
		      value);
	return 0;
}

int main(int argc, char **argv)
{
	const char *server = getenv("LONGHAND_SERVER");
	struct write_options options = {
		.server = server != NULL ? server : "http://127.0.0.1:8080/v1",
		.model = "longhand",
		.key = getenv("LONGHAND_API_KEY"),
	};
	bool is_ready;

	mem_init();
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		(void)fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : 0;
	}
	is_ready = strcmp(argv[1], "ready") == 0;
	if (!is_ready && strcmp(argv[1], "write") != 0) {
		(void)fprintf(stderr, "longhand: there is no command %s\n%s", argv[1], usage);
		return EXIT_USAGE;
	}
	for (int i = 2; i < argc;) {
		int taken = take_option(&options, argv + i);

		if (taken == 0)
			return EXIT_USAGE;
		i += taken;
	}
	if (is_ready)
		return ready_run(options.server);
	if (options.request == NULL || options.request[0] == '\0') {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return write_run(&options);
}
