/* resp_script - Redis' protocol for serve() functions of raw_server: commands in, answers out. */
#ifndef LONGHAND_FAKES_RESP_SCRIPT_H
#define LONGHAND_FAKES_RESP_SCRIPT_H
#include "fakes/raw_server.h"

enum { RESP_TEXT_BYTES = 1024 };

/* One command, its arguments joined by spaces (cut at the size). False: the other side has gone,
 * or it sent something else. */
bool resp_read(struct server_conn *conn, char text[RESP_TEXT_BYTES]);
/* Answers the greeting of redis_conn, whatever it holds, with +OK and +PONG. False as above. */
bool resp_greet(struct server_conn *conn);
#endif
