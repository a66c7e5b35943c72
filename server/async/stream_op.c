#include "async/stream_op.h"
#include "base/must.h"

void stream_op_prepare(struct stream_op *stream, struct reactor *reactor, uint64_t deadline_ms,
		       stream_data_fn on_data, op_done_fn done)
{
	*stream = (struct stream_op){ .on_data = on_data };
	op_prepare(&stream->op, reactor, deadline_ms, done);
}

bool stream_op_begin(struct stream_op *stream, const struct stream_provider *provider)
{
	stream->provider = provider;
	return op_begin(&stream->op, provider->cancel);
}

bool stream_op_push(struct stream_op *stream, const char *data, size_t len)
{
	MUST(stream->op.state == OP_RUNNING);
	if (stream->op.canceled != OK || stream->is_paused)
		return false;
	if (len > 0)
		stream->on_data(stream, data, len);
	return true;
}

void stream_op_pause(struct stream_op *stream)
{
	struct op *op = &stream->op;

	if (!op_is_live(op) || op->canceled != OK || stream->is_paused)
		return;
	stream->is_paused = true;
	op_hold(op);
	if (op->state == OP_RUNNING && stream->provider->pause != NULL)
		stream->provider->pause(stream);
}

void stream_op_resume(struct stream_op *stream)
{
	struct op *op = &stream->op;

	if (!op_is_live(op) || !stream->is_paused)
		return;
	stream->is_paused = false;
	op_unhold(op);
	if (op->state == OP_RUNNING && op->canceled == OK && stream->provider->resume != NULL)
		stream->provider->resume(stream);
}
