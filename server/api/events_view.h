/* events_view - a job's log as server-sent events, from the first one on, live: each event's JSON
 * as data, its id as the event's id, so that a client that comes back with Last-Event-ID goes on
 * behind it. The stream ends after the log's end event; a log that cannot go on ends it with an
 * event "error". The view holds one event at a time and frees itself when its request is closed. */
#ifndef LONGHAND_API_EVENTS_VIEW_H
#define LONGHAND_API_EVENTS_VIEW_H
#include "api/api.h"

/* The log of `job`, which is in api->registry, or with NULL the one in the store by `id`. */
void events_view_start(struct api *api, struct request *request, struct job *job, const char *id);
#endif
