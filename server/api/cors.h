/* cors - pages of other origins: which may read our answers in a browser.
 *
 * Off without origins: a browser then refuses what a page asks of us. With them, a preflight
 * (OPTIONS with Origin and Access-Control-Request-Method) of an allowed origin is answered here,
 * without a key, as browsers send none; every other answer to an allowed origin says that it may
 * be read. Other origins get answers without that, and the browser keeps them from the page. */
#ifndef LONGHAND_API_CORS_H
#define LONGHAND_API_CORS_H
#include <stdbool.h>
#include "http/reply.h"

/* `origins`: "https://a.example, http://localhost:3000", or "*"; NULL: off. Adds to the request's
 * answer what belongs there; true: it was a preflight and is answered. */
bool cors_handle(const char *origins, struct request *request);
#endif
