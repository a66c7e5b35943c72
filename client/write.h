/* write - `longhand write`: asks for a text, shows it as it comes, and says what was delivered. */
#ifndef LONGHAND_CLIENT_WRITE_H
#define LONGHAND_CLIENT_WRITE_H
#include <stdbool.h>

struct write_options {
	const char *request;
	const char *server;
	const char *model;
	const char *key;	 /* NULL: none */
	const char *out;	 /* file for the text, NULL: none */
	const char *report_out;	 /* file for the report as JSON, NULL: none */
	const char *mode;	 /* NULL: the server's choice */
	const char *headings;	 /* NULL: the server's choice */
	long words;		 /* 0: as the request says */
	long seed;
	bool has_seed;
	bool is_quiet; /* no progress, no report */
};

/* Returns the exit code: 0 the text is complete; 1 it is not (what came is in the file). */
int write_run(const struct write_options *options);
#endif
