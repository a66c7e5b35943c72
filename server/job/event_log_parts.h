/* event_log_parts - the inside of the log, shared by its files only. */
#ifndef LONGHAND_JOB_EVENT_LOG_PARTS_H
#define LONGHAND_JOB_EVENT_LOG_PARTS_H
#include "job/event_log.h"

/* event_log.c's, for event_log_look.c: */
/* Nothing is in flight any more: looks, writes, or waits for what gathers. */
void event_log_move_on(struct event_log *log);
/* The store does not answer: the same after a while. */
void event_log_wait(struct event_log *log);
/* n_stored has moved: readers see what they may, then it moves on. */
void event_log_stored(struct event_log *log);
void event_log_fail(struct event_log *log, enum err error);
/* event_log_look.c's, for event_log.c: reads the tail, and sets n_stored by it. */
void event_log_look(struct event_log *log);
#endif
