/* command_line - loads settings as a shell would start the program, for tests: flags and
 * variables in one string each, words between spaces; the file is a temporary one. */
#ifndef LONGHAND_TESTS_FAKES_COMMAND_LINE_H
#define LONGHAND_TESTS_FAKES_COMMAND_LINE_H
#include <stdbool.h>
#include "base/buf.h"
#include "settings.h"

/* What the last load said, and where the file is. */
extern struct buf command_line_message;
extern char command_line_path[];

/* False: there is no place for the file. Around all tests of a program. */
bool command_line_begin(void);
void command_line_end(void);

enum err command_line_load(const char *flags, const char *environment, struct settings **ret);
/* Fails the test when it does not load. */
struct settings *command_line_load_ok(const char *flags, const char *environment);
void command_line_write_file(const char *yaml);
/* Writes the file and loads it with --config; BACKEND_KEY is in the environment. */
enum err command_line_load_file(const char *yaml, const char *flags, struct settings **ret);
#endif
