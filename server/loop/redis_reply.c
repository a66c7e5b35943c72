#include "loop/redis_reply.h"
#include <hiredis/read.h>
#include <string.h>
#include "base/mem.h"

/* Of one array: more is not an answer that we ask for, but a broken peer. */
enum { ELEMENTS_MAX = 1 << 20 };

struct redis_reader {
	redisReader *parser;
	size_t pending_bytes; /* fed since the last whole reply */
	size_t reply_bytes_max;
};

void redis_reply_free(struct redis_reply *reply)
{
	if (reply == NULL)
		return;
	for (size_t i = 0; i < reply->n_elements; i++)
		redis_reply_free(reply->elements[i]); /* the protocol nests 7 deep at most */
	mem_free(reply);
}

bool redis_reply_is_error(const struct redis_reply *reply, const char *prefix)
{
	return reply != NULL && reply->kind == REDIS_KIND_ERROR &&
	       strncmp(reply->text.data, prefix, strlen(prefix)) == 0;
}

bool redis_reply_is_status(const struct redis_reply *reply, const char *text)
{
	return reply != NULL && reply->kind == REDIS_KIND_STATUS &&
	       strcmp(reply->text.data, text) == 0;
}

bool redis_reply_is_array(const struct redis_reply *reply, size_t n)
{
	return reply != NULL && reply->kind == REDIS_KIND_ARRAY && reply->n_elements == n;
}

/* ---- what hiredis's parser calls; NULL tells it that memory is out ---- */

static void *add(const redisReadTask *task, struct redis_reply *reply)
{
	if (reply != NULL && task->parent != NULL) {
		struct redis_reply *array = task->parent->obj;

		array->elements[task->idx] = reply;
	}
	return reply;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
	struct redis_reply *reply = mem_alloc(sizeof(*reply) + len + 1);

	if (reply == NULL)
		return NULL;
	memcpy(reply->elements, text, len);
	reply->text = (struct slice){ (const char *)reply->elements, len };
	reply->kind = task->type == REDIS_REPLY_ERROR	 ? REDIS_KIND_ERROR
		      : task->type == REDIS_REPLY_STATUS ? REDIS_KIND_STATUS
							 : REDIS_KIND_TEXT;
	return add(task, reply);
}

static void *make_array(const redisReadTask *task, int n)
{
	struct redis_reply *reply;

	if (n < 0 || n > ELEMENTS_MAX)
		return NULL;
	reply = mem_alloc(sizeof(*reply) + (size_t)n * sizeof(void *));
	if (reply == NULL)
		return NULL;
	reply->kind = REDIS_KIND_ARRAY;
	reply->n_elements = (size_t)n;
	return add(task, reply);
}

static void *make_integer(const redisReadTask *task, long long value)
{
	struct redis_reply *reply = mem_alloc(sizeof(*reply));

	if (reply == NULL)
		return NULL;
	reply->kind = REDIS_KIND_INTEGER;
	reply->integer = value;
	return add(task, reply);
}

static void *make_nil(const redisReadTask *task)
{
	struct redis_reply *reply = mem_alloc(sizeof(*reply));

	if (reply == NULL)
		return NULL;
	reply->kind = REDIS_KIND_NIL;
	return add(task, reply);
}

static void free_object(void *object)
{
	redis_reply_free(object);
}

/* Not const: hiredis asks for a pointer it could write through, and does not. */
static redisReplyObjectFunctions functions = { make_text, make_array, make_integer, make_nil,
					       free_object };

/* ---- the reader ---- */

enum err redis_reader_new(size_t reply_bytes_max, struct redis_reader **ret_reader)
{
	struct redis_reader *reader = mem_alloc(sizeof(*reader));

	if (reader == NULL)
		return ERR_NO_MEMORY;
	reader->reply_bytes_max = reply_bytes_max;
	reader->parser = redisReaderCreateWithFunctions(&functions);
	if (reader->parser == NULL) {
		mem_free(reader);
		return ERR_NO_MEMORY;
	}
	*ret_reader = reader;
	return OK;
}

void redis_reader_free(struct redis_reader *reader)
{
	if (reader == NULL)
		return;
	redisReaderFree(reader->parser);
	mem_free(reader);
}

enum err redis_reader_feed(struct redis_reader *reader, const char *data, size_t len)
{
	if (reader->pending_bytes > reader->reply_bytes_max)
		return ERR_TOO_LARGE;
	reader->pending_bytes += len;
	return redisReaderFeed(reader->parser, data, len) == REDIS_OK ? OK : ERR_NO_MEMORY;
}

enum err redis_reader_next(struct redis_reader *reader, struct redis_reply **ret_reply)
{
	void *reply = NULL;

	*ret_reply = NULL;
	if (redisReaderGetReply(reader->parser, &reply) != REDIS_OK)
		return reader->parser->err == REDIS_ERR_OOM ? ERR_NO_MEMORY : ERR_INVALID;
	if (reply != NULL)
		reader->pending_bytes = 0;
	*ret_reply = reply;
	return OK;
}
