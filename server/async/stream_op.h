/* stream_op - an op that delivers bytes before its done().
 *
 *   caller                              provider
 *   stream_op_prepare(&stream, ...)
 *   xyz_start(x, &stream)        --->   if (!stream_op_begin(stream, &provider)) return;
 *                                <---   stream_op_push(stream, data, len)  -> on_data()
 *   stream_op_pause(stream)      --->   provider->pause: stop reading at the source
 *   stream_op_resume(stream)     --->   provider->resume
 *   op_cancel(&stream.op, why)   --->   provider->cancel
 *   done(op)                     <---   op_finish(&stream->op, result)
 *
 * on_data() may run inside the provider's own callbacks, never inside xyz_start(), pause or resume,
 * and may pause, cancel or resume in it. Pausing before the start is legal: the first push is
 * refused. `pause` and `resume` of a provider may be NULL, where a refused push says enough.
 * No data after a cancel, after op_finish, or while paused: a provider that still holds bytes
 * keeps them until resume (bounded by what its source had already read). done() of a paused
 * stream waits until it is resumed or cancelled, so that nothing is lost. */
#ifndef LONGHAND_ASYNC_STREAM_OP_H
#define LONGHAND_ASYNC_STREAM_OP_H
#include "async/op.h"

struct stream_op;
typedef void (*stream_data_fn)(struct stream_op *stream, const char *data, size_t len);

struct stream_provider {
	op_cancel_fn cancel;
	void (*pause)(struct stream_op *stream);
	void (*resume)(struct stream_op *stream);
};

struct stream_op {
	struct op op;
	stream_data_fn on_data;
	const struct stream_provider *provider;
	bool is_paused;
};

void stream_op_prepare(struct stream_op *stream, struct reactor *reactor, uint64_t deadline_ms,
		       stream_data_fn on_data, op_done_fn done);
MUST_CHECK bool stream_op_begin(struct stream_op *stream, const struct stream_provider *provider);
/* For providers. False: nobody takes data any more (cancelled), or not now (paused): the data was
 * not delivered. The callback may have cancelled or paused: look again before the next push.
 * Illegal after op_finish. */
MUST_CHECK bool stream_op_push(struct stream_op *stream, const char *data, size_t len);
void stream_op_pause(struct stream_op *stream);
void stream_op_resume(struct stream_op *stream);
#endif
