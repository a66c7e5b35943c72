/* ready - `longhand ready`: does the server take requests? For health checks and start scripts. */
#ifndef LONGHAND_CLIENT_READY_H
#define LONGHAND_CLIENT_READY_H

/* Asks /readyz of the server whose API is at `server` ("http://host:port/v1"). The exit code: 0
 * yes; 1 no, and standard error says why. */
int ready_run(const char *server);
#endif
