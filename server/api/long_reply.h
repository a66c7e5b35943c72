/* long_reply - an answer that takes long: when its status leaves, and what fills its silence.
 *
 * A stream's status leaves with the first sign of success, or after first_status_ms; then come its
 * chunks, and comments while there are none. A JSON body has white space ahead of it once it takes
 * longer than json_whitespace_after_ms. Until the status is out an error is one of HTTP.
 *
 * Embedded in a view of a job; the view fills `chunks` and has them written. The request is the
 * view's. */
#ifndef LONGHAND_API_LONG_REPLY_H
#define LONGHAND_API_LONG_REPLY_H
#include "api/api.h"

struct long_reply {
	struct api *api; /* held */
	struct request *request;
	char job[JOB_ID_BYTES];
	bool has_job; /* the header X-Longhand-Job */
	bool is_stream;
	bool is_success;   /* the status may leave */
	struct buf chunks; /* rendered and not written yet */
	struct timer first_status, silence;
	uint64_t written_at_ms, started_ms;
};

/* `job` "": none. */
void long_reply_init(struct long_reply *reply, struct api *api, struct request *request,
		     const char *job);
/* Once is_stream and is_success are known. */
void long_reply_start(struct long_reply *reply);
/* Stops the timers; nothing is written any more but by the caller. */
void long_reply_stop(struct long_reply *reply);
void long_reply_release(struct long_reply *reply);
/* The status of a stream leaves now. */
void long_reply_begin(struct long_reply *reply);
/* The chunks leave, if the status may, which is then on its way too. */
void long_reply_write(struct long_reply *reply);
/* The end: the whole body, taken over. */
void long_reply_send(struct long_reply *reply, struct buf *body);
/* The end by a failure: an answer of its own, or a body cut short. False: a stream has begun, and
 * it is the caller's to say in its own words. */
bool long_reply_refuse(struct long_reply *reply, struct api_fault *fault);
#endif
