/* dies - runs what must abort in a process of its own. */
#ifndef LONGHAND_FAKES_DIES_H
#define LONGHAND_FAKES_DIES_H
#include <stdbool.h>

/* True: it ended by abort(). Its message is not shown. */
bool dies(void (*run)(void *arg), void *arg);
#endif
