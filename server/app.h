/* app - the whole program, wired: start, serve, stop. It alone knows every concrete part and the
 * settings; everything else gets small structs of its own. */
#ifndef LONGHAND_APP_H
#define LONGHAND_APP_H
#include "settings.h"

/* Serves until SIGTERM or SIGINT has been carried out; SIGHUP loads the settings again, from the
 * same arguments and environment. Returns the exit code: 0; 1 when it could not start (the log
 * says why). `settings` is borrowed. */
int app_run(struct settings *settings, int argc, char **argv, char **envp);
#endif
