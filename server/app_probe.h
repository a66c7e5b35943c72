/* app_probe - longhandd --probe: calls each backend a few times and prints what it learned. */
#ifndef LONGHAND_APP_PROBE_H
#define LONGHAND_APP_PROBE_H
#include "settings.h"

/* Asks each backend, one after the other, for its models, a short text, a JSON answer by a schema
 * and the end of a sentence. Returns the exit code: 0; 1 when one of them wrote nothing, or the
 * probe could not start. */
int app_probe(const struct settings *settings);
#endif
