/* router - which handler a request gets, as a table. The http_handler of the server. */
#ifndef LONGHAND_API_ROUTER_H
#define LONGHAND_API_ROUTER_H
#include "api/api.h"
#include "http/http_server.h"

/* Handlers for http_server_new; `api` is borrowed. */
struct http_handler router_handler(struct api *api);
#endif
