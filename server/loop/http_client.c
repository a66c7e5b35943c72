#include "loop/http_client.h"
#include <string.h>
#include "base/mem.h"
#include "base/must.h"
#include "loop/http_handle.h"

enum {
	STREAM_SHARDS = 32,
	STREAM_SHARDS_MAX = 1024,
	HEADER_BYTES_MAX = 64 * 1024,
	/* Connections that wait for the next call, per shard. */
	ANSWER_IDLE_MAX = 256,
	STREAM_IDLE_MAX = 8,
	/* Easy handles that do, per kind. */
	POOL_MAX = 128,
};

enum kind { ANSWERS, STREAMS, KINDS };

/* A handle is in one list at most:
 *
 *   start --> starting --> (in libcurl) --> pool
 *                           | pause: resuming, while a resume is on its way
 *                           | cancelled inside libcurl: dead, until it is left
 */
struct http_client {
	struct reactor_uv *loop;
	struct reactor *reactor;
	struct http_client_options options;
	struct http_sockets sockets;
	CURLSH *share; /* host names and TLS sessions, for all shards */
	struct list starting;
	struct list resuming;
	struct list dead;
	struct deferred work;
	struct list pool[KINDS];
	size_t pool_len[KINDS];
	size_t open;
	size_t next_shard;
	bool is_inside; /* libcurl is on the stack */
	size_t shards_len;
	struct http_shard shards[]; /* the first is for whole answers */
};

static struct http_call *call_of(struct op *op)
{
	return container_of(op, struct http_call, stream.op);
}

/* --- handles --- */

static void handle_free(struct http_call_handle *handle)
{
	if (handle == NULL)
		return;
	if (handle->easy != NULL) {
		http_request_release(handle);
		curl_easy_cleanup(handle->easy);
	}
	http_request_free(handle);
	mem_free(handle);
}

/* CURLOPT_PREREQFUNCTION: connected (TLS too), nothing of the request is sent yet. */
static int on_connected(void *user, char *ip, char *local_ip, int port, int local_port)
{
	struct http_call_handle *handle = user;
	struct http_call *call = handle->call;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	if (call == NULL)
		return CURL_PREREQFUNC_ABORT;
	http_deadline_start(handle, HTTP_WAITING);
	call->connected_ms = handle->since_ms;
	call->is_sent = true;
	return CURL_PREREQFUNC_OK;
}

static enum err set_up_connections(struct http_call_handle *handle)
{
	struct http_client *client = handle->client;
	CURL *easy = handle->easy;
	bool failed = false;

	failed |= curl_easy_setopt(easy, CURLOPT_SHARE, client->share) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, handle) != CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_sockets_close) !=
		  CURLE_OK;
	failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &client->sockets) != CURLE_OK;
	return failed ? ERR_NO_MEMORY : OK;
}

static struct http_call_handle *handle_new(struct http_client *client, bool is_stream)
{
	struct http_call_handle *handle = mem_alloc(sizeof(*handle));

	if (handle == NULL)
		return NULL;
	handle->client = client;
	handle->reactor = client->reactor;
	handle->is_stream = is_stream;
	handle->header_bytes_max = client->options.header_bytes_max;
	handle->easy = curl_easy_init();
	if (handle->easy == NULL || http_request_set_up(handle) != OK ||
	    http_answer_set_up(handle) != OK || set_up_connections(handle) != OK) {
		handle_free(handle);
		return NULL;
	}
	return handle;
}

static struct http_call_handle *handle_take(struct http_client *client, bool is_stream)
{
	enum kind kind = is_stream ? STREAMS : ANSWERS;
	struct list *node = list_pop(&client->pool[kind]);

	if (node == NULL)
		return handle_new(client, is_stream);
	client->pool_len[kind]--;
	return container_of(node, struct http_call_handle, node);
}

/* Only after a clean end: one that was stopped half-way may hold bytes or a pause. */
static void handle_put(struct http_call_handle *handle, bool is_clean)
{
	struct http_client *client = handle->client;
	enum kind kind = handle->is_stream ? STREAMS : ANSWERS;

	if (!is_clean || client->pool_len[kind] >= POOL_MAX) {
		handle_free(handle);
		return;
	}
	http_request_release(handle);
	handle->shard = NULL;
	handle->is_retried = false;
	list_append(&client->pool[kind], &handle->node);
	client->pool_len[kind]++;
}

static void handle_leave_shard(struct http_call_handle *handle)
{
	if (!handle->is_added)
		return;
	handle->is_added = false;
	http_shard_remove(handle->shard, handle->easy);
}

/* --- the end of a call --- */

void http_client_end_call(struct http_call_handle *handle, enum err result, const char *failure)
{
	struct http_client *client = handle->client;
	struct http_call *call = handle->call;

	handle->call = NULL;
	call->handle = NULL;
	if (result != OK && call->failure == NULL)
		call->failure = failure;
	http_deadline_stop(handle);
	client->open--;
	list_remove(&handle->node);
	if (handle->is_added && client->is_inside) {
		list_append(&client->dead, &handle->node);
	} else {
		handle_leave_shard(handle);
		handle_put(handle, result == OK);
	}
	op_finish(&call->stream.op, result);
}

static void on_left(struct http_shard *shard)
{
	struct http_client *client = shard->owner;
	struct list *node;

	while ((node = list_pop(&client->dead)) != NULL) {
		struct http_call_handle *handle = container_of(node, struct http_call_handle, node);

		handle_leave_shard(handle);
		handle_put(handle, false);
	}
}

static enum err result_of(const struct http_call_handle *handle, CURLcode code)
{
	const struct http_call *call = handle->call;

	if (handle->failure != OK)
		return handle->failure;
	if (code == CURLE_OK)
		return handle->is_head_done ? OK : ERR_BROKEN;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ERR_TIMEOUT;
	/* Also when a kept connection was dead and no new one came: connected_ms is the old's. */
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		return ERR_REFUSED;
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return call->connected_ms == 0 ? ERR_INVALID : ERR_BROKEN;
	/* libcurl's own bound of one header line (100 KiB) says this. */
	if (code == CURLE_OUT_OF_MEMORY)
		return call->connected_ms != 0 && !handle->is_head_done ? ERR_TOO_LARGE
									: ERR_NO_MEMORY;
	return call->connected_ms == 0 ? ERR_REFUSED : ERR_BROKEN;
}

/* A kept connection that died before anything came: the backend had closed it while it was idle.
 * libcurl sees most of these itself; what it does not see gets one try on a new connection. */
static bool is_stale_connection(const struct http_call_handle *handle, CURLcode code)
{
	long connects = 1;

	if (handle->is_retried || handle->failure != OK || handle->call->status != 0 ||
	    handle->is_head_done)
		return false;
	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	return curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK &&
	       connects == 0;
}

static bool try_again(struct http_call_handle *handle)
{
	handle->is_retried = true;
	http_answer_reset(handle);
	http_request_rewind(handle);
	http_deadline_start(handle, HTTP_CONNECTING);
	if (curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK ||
	    http_shard_add(handle->shard, handle->easy) != OK)
		return false;
	handle->is_added = true;
	return true;
}

/* The transfer made a connection, and it is there for the next one. */
static void keep_socket(struct http_call_handle *handle)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	long connects = 0;

	if (curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &connects) != CURLE_OK ||
	    connects == 0)
		return;
	if (curl_easy_getinfo(handle->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		http_sockets_keep(&handle->client->sockets, fd);
}

static void on_end(struct http_shard *shard, CURL *easy, CURLcode code)
{
	struct http_call_handle *handle = NULL;
	enum err result;

	(void)shard;
	MUST(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle) == CURLE_OK);
	if (handle->call == NULL)
		return; /* among the dead */
	if (code == CURLE_OK)
		keep_socket(handle);
	handle_leave_shard(handle);
	if (is_stale_connection(handle, code) && try_again(handle))
		return;
	result = result_of(handle, code);
	http_client_end_call(
		handle, result,
		handle->failure != OK ? err_text(handle->failure) : curl_easy_strerror(code));
}

static void on_lost(struct http_shard *shard, CURL *easy)
{
	struct http_call_handle *handle = NULL;

	(void)shard;
	MUST(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle) == CURLE_OK);
	if (handle != NULL && handle->call != NULL)
		http_client_end_call(handle, ERR_NO_MEMORY, "its socket cannot be watched");
}

static const struct http_shard_events shard_events = { .on_end = on_end,
						       .on_left = on_left,
						       .on_lost = on_lost };

/* --- start and stop --- */

static void run_work(struct deferred *deferred)
{
	struct http_client *client = container_of(deferred, struct http_client, work);
	struct list resuming;
	struct list *node;

	while ((node = list_pop(&client->starting)) != NULL) {
		struct http_call_handle *handle = container_of(node, struct http_call_handle, node);

		handle->is_added = http_shard_add(handle->shard, handle->easy) == OK;
		if (!handle->is_added)
			http_client_end_call(handle, ERR_NO_MEMORY, "libcurl is out of memory");
	}
	list_init(&resuming);
	while ((node = list_pop(&client->resuming)) != NULL)
		list_append(&resuming, node);
	/* Callbacks may cancel others of this list: they are removed from it then. */
	while ((node = list_pop(&resuming)) != NULL) {
		struct http_call_handle *handle = container_of(node, struct http_call_handle, node);

		if (!handle->call->stream.is_paused)
			http_shard_unpause(handle->shard, handle->easy);
	}
	for (size_t i = 0; i < client->shards_len; i++) {
		if (client->shards[i].needs_kick)
			http_shard_kick(&client->shards[i]);
	}
}

static void cancel(struct op *op)
{
	struct http_call *call = call_of(op);

	http_client_end_call(call->handle, op->canceled,
			     op->canceled == ERR_TIMEOUT ? "the whole answer was not there in time"
							 : err_text(op->canceled));
}

static void resume(struct stream_op *stream)
{
	struct http_call *call = container_of(stream, struct http_call, stream);
	struct http_call_handle *handle = call->handle;
	struct http_client *client = handle->client;

	if (!handle->is_added)
		return;
	http_deadline_touch(handle);
	list_append(&client->resuming, &handle->node);
	client->reactor->defer(client->reactor, &client->work, run_work);
}

/* No `pause`: the refused push stops libcurl's reading, at most one buffer later. */
static const struct stream_provider provider = { .cancel = cancel, .resume = resume };

static struct http_shard *next_shard(struct http_client *client, bool is_stream)
{
	if (!is_stream)
		return &client->shards[0];
	client->next_shard = client->next_shard % (client->shards_len - 1) + 1;
	return &client->shards[client->next_shard];
}

void http_client_start(struct http_client *client, struct http_call *call)
{
	struct http_call_handle *handle;
	enum err err;

	if (!stream_op_begin(&call->stream, &provider))
		return;
	handle = handle_take(client, call->is_stream);
	if (handle == NULL) {
		call->failure = err_text(ERR_NO_MEMORY);
		op_finish(&call->stream.op, ERR_NO_MEMORY);
		return;
	}
	handle->call = call;
	call->handle = handle;
	client->open++;
	http_answer_reset(handle);
	err = http_request_apply(handle, client->options.user_agent);
	if (err != OK) {
		http_client_end_call(handle, err, "the request cannot be built");
		return;
	}
	handle->shard = next_shard(client, call->is_stream);
	http_deadline_start(handle, HTTP_CONNECTING);
	list_append(&client->starting, &handle->node);
	client->reactor->defer(client->reactor, &client->work, run_work);
}

/* Around the caller's done(), which may free the call or use it again: the head goes after it. */
static void deliver(struct op *op)
{
	struct http_call *call = call_of(op);
	struct buf head = call->head;

	call->on_done(op);
	buf_release(&head);
}

void http_call_prepare(struct http_call *call, struct reactor *reactor, uint64_t total_ms,
		       stream_data_fn on_data, op_done_fn done)
{
	*call = (struct http_call){ .on_done = done };
	stream_op_prepare(&call->stream, reactor, total_ms, on_data, deliver);
}

size_t http_client_open(const struct http_client *client)
{
	return client->open;
}

/* --- the client --- */

static enum err init_shards(struct http_client *client)
{
	enum err err = OK;

	for (size_t i = 0; i < client->shards_len && err == OK; i++) {
		client->shards[i] = (struct http_shard){
			.loop = client->loop,
			.sockets = &client->sockets,
			.events = &shard_events,
			.owner = client,
			.is_inside = &client->is_inside,
			.idle_max = i == 0 ? ANSWER_IDLE_MAX : STREAM_IDLE_MAX,
		};
		err = http_shard_init(&client->shards[i]);
	}
	return err;
}

static enum err init_share(struct http_client *client)
{
	client->share = curl_share_init();
	if (client->share == NULL ||
	    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK ||
	    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) !=
		    CURLSHE_OK)
		return ERR_NO_MEMORY;
	return OK;
}

enum err http_client_new(struct reactor_uv *loop, const struct http_client_options *options,
			 struct http_client **ret_client)
{
	size_t streams = options->stream_shards == 0 ? STREAM_SHARDS : options->stream_shards;
	struct http_client *client;

	if (streams > STREAM_SHARDS_MAX)
		return ERR_TOO_LARGE;
	client = mem_alloc(sizeof(*client) + (streams + 1) * sizeof(client->shards[0]));
	if (client == NULL)
		return ERR_NO_MEMORY;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted */
		mem_free(client);
		return ERR_NO_MEMORY;
	}
	client->loop = loop;
	client->reactor = reactor_uv_base(loop);
	client->options = *options;
	client->sockets = (struct http_sockets){ .loop = loop, .on_event = http_shard_on_socket };
	if (client->options.header_bytes_max == 0)
		client->options.header_bytes_max = HEADER_BYTES_MAX;
	client->shards_len = streams + 1;
	list_init(&client->starting);
	list_init(&client->resuming);
	list_init(&client->dead);
	for (int kind = 0; kind < KINDS; kind++)
		list_init(&client->pool[kind]);
	if (init_share(client) != OK || init_shards(client) != OK) {
		http_client_free(client);
		return ERR_NO_MEMORY;
	}
	*ret_client = client;
	return OK;
}

void http_client_free(struct http_client *client)
{
	struct list *node;

	if (client == NULL)
		return;
	MUST(client->open == 0);
	client->reactor->undefer(client->reactor, &client->work);
	for (int kind = 0; kind < KINDS; kind++) {
		while ((node = list_pop(&client->pool[kind])) != NULL)
			handle_free(container_of(node, struct http_call_handle, node));
	}
	for (size_t i = 0; i < client->shards_len; i++)
		http_shard_release(&client->shards[i]);
	http_sockets_release(&client->sockets); /* the shards have closed them */
	(void)curl_share_cleanup(client->share);
	curl_global_cleanup();
	mem_free(client);
}
