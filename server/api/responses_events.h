/* responses_events - the events of one response in their order, as server-sent events.
 *
 *   begin            created, in_progress
 *   thoughts         the reasoning item: added, its summary part, deltas
 *   thoughts_end     what ends it
 *   text             the message: added, its part, deltas; ends the thoughts
 *   end              what ends the items, then completed, incomplete or failed (an error ahead)
 *
 * Numbers count what is asked for here, in order. Events up to `after` are counted and left out: a
 * client has them. Pure; after an error it may not be used any more. */
#ifndef LONGHAND_API_RESPONSES_EVENTS_H
#define LONGHAND_API_RESPONSES_EVENTS_H
#include "api/errors.h"
#include "api/responses_object.h"

struct responses_events {
	long long after; /* -1: none is left out */
	long long next;	 /* number of the next event */
	bool are_thoughts_open, are_thoughts_there, is_message_there;
};

void responses_events_init(struct responses_events *events, long long after);
/* `object`: as it is now; the ids and, at the ends, the texts are taken from it. */
MUST_CHECK enum err responses_events_begin(struct responses_events *events,
					   const struct response_object *object, struct buf *out);
MUST_CHECK enum err responses_events_thoughts(struct responses_events *events,
					      const struct response_object *object,
					      struct slice delta, struct buf *out);
MUST_CHECK enum err responses_events_thoughts_end(struct responses_events *events,
						  const struct response_object *object,
						  struct buf *out);
MUST_CHECK enum err responses_events_text(struct responses_events *events,
					  const struct response_object *object, struct slice delta,
					  struct buf *out);
/* By the object's status. `fault` (NULL: none) comes ahead as an error event. */
MUST_CHECK enum err responses_events_end(struct responses_events *events,
					 const struct response_object *object,
					 const struct api_fault *fault, struct buf *out);
/* The error event alone: the stream ends, whatever becomes of the response. */
MUST_CHECK enum err responses_events_error(struct responses_events *events,
					   const struct api_fault *fault, struct buf *out);
#endif
