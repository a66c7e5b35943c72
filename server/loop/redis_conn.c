#include "loop/redis_conn.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/must.h"
#include "loop/redis_queue.h"
#include "loop/redis_socket.h"

enum { READ_BYTES = 64 << 10, READS_PER_TURN = 8, FAILURE_BYTES = 160 };

/* The state of the connection; a timer of each but UP ends it. */
enum phase { PHASE_WAIT, PHASE_CONNECT, PHASE_GREET, PHASE_UP };

struct redis_conn {
	struct redis_conn_options options;
	struct retry_policy backoff;
	struct redis_url url;
	struct reactor *reactor;
	struct redis_socket socket;
	struct redis_reader *reader;
	enum phase phase;
	struct timer timer; /* of the phase: backoff, connect deadline, silence and ping */
	struct deferred flush;
	struct redis_queue queue;
	uint64_t heard_ms; /* when a byte came, or the first of what is owed now was asked for */
	bool is_fresh;	   /* nothing was owed before what is to be sent now */
	bool is_suspect;   /* silent too long; it has a last quarter of the time to say something */
	uint64_t up_ms;
	uint64_t connection;
	unsigned failures;
	char failure[FAILURE_BYTES];
};

static void connect_now(struct timer *timer);
static void watch_silence(struct timer *timer);

/* ---- going down ---- */

static void changed(struct redis_conn *conn)
{
	if (conn->options.on_change != NULL)
		conn->options.on_change(conn, conn->options.context);
}

static void close_all(struct redis_conn *conn)
{
	redis_socket_close(&conn->socket);
	redis_reader_free(conn->reader);
	conn->reader = NULL;
	conn->reactor->undefer(conn->reactor, &conn->flush);
	redis_queue_break(&conn->queue);
}

/* `failure` is copied. */
static void drop(struct redis_conn *conn, const char *failure)
{
	uint64_t now_ms = conn->reactor->now_ms(conn->reactor);
	bool was_good =
		conn->phase == PHASE_UP && now_ms - conn->up_ms >= conn->options.backoff_cap_ms;

	(void)snprintf(conn->failure, sizeof(conn->failure), "%s",
		       failure != NULL ? failure : "no connection");
	close_all(conn);
	/* One that comes up only to break at once is not tried in a tight circle. */
	conn->failures = was_good ? 1 : conn->failures + 1;
	conn->phase = PHASE_WAIT;
	conn->reactor->timer_start(conn->reactor, &conn->timer,
				   retry_backoff_ms(&conn->backoff, conn->failures,
						    conn->reactor->random(conn->reactor)),
				   connect_now);
	changed(conn);
}

/* ---- writing ---- */

static void heard(struct redis_conn *conn)
{
	conn->heard_ms = conn->reactor->now_ms(conn->reactor);
	conn->is_suspect = false;
}

/* NULL: no memory. */
static struct redis_record *add_record(struct redis_conn *conn, struct buf *out, unsigned n_owed)
{
	if (!redis_queue_is_owed(&conn->queue))
		conn->is_fresh = true;
	return redis_queue_add(&conn->queue, out, n_owed);
}

static void start_silence_watch(struct redis_conn *conn)
{
	uint64_t now_ms = conn->reactor->now_ms(conn->reactor);
	uint64_t silence_ms = conn->options.silence_ms;
	uint64_t wait_ms = conn->options.ping_ms;
	uint64_t due_ms;

	if (conn->phase != PHASE_UP)
		return;
	if (redis_queue_is_owed(&conn->queue))
		wait_ms = conn->is_suspect ? silence_ms + silence_ms / 4 : silence_ms;
	due_ms = conn->heard_ms + wait_ms;
	conn->reactor->timer_stop(conn->reactor, &conn->timer);
	if (wait_ms > 0)
		conn->reactor->timer_start(conn->reactor, &conn->timer,
					   due_ms > now_ms ? due_ms - now_ms : 0, watch_silence);
}

/* False: it was dropped. */
static bool write_out(struct redis_conn *conn)
{
	bool is_full;
	int code = redis_queue_write(&conn->queue, conn->socket.fd, &is_full);

	if (code != 0) {
		drop(conn, strerrordesc_np(code));
		return false;
	}
	if (redis_socket_want_write(&conn->socket, is_full) != OK) {
		drop(conn, "it cannot be watched");
		return false;
	}
	return true;
}

static void on_flush(struct deferred *deferred)
{
	struct redis_conn *conn = container_of(deferred, struct redis_conn, flush);

	if (conn->is_fresh)
		heard(conn);
	conn->is_fresh = false;
	if (write_out(conn))
		start_silence_watch(conn);
}

/* ---- silence ---- */

static const char ping[] = "*1\r\n$4\r\nPING\r\n";

static void send_ping(struct redis_conn *conn)
{
	struct buf out;

	buf_init(&out, sizeof(ping));
	if (buf_append(&out, ping, sizeof(ping) - 1) != OK || add_record(conn, &out, 1) == NULL) {
		buf_release(&out);
		heard(conn); /* ask again later */
		start_silence_watch(conn);
		return;
	}
	on_flush(&conn->flush);
}

/* Were we the ones who slept, the answer waits in the socket: nothing is dropped on the first
 * look, but on a second one, after the socket has been read. */
static void watch_silence(struct timer *timer)
{
	struct redis_conn *conn = container_of(timer, struct redis_conn, timer);
	uint64_t silent_ms = conn->reactor->now_ms(conn->reactor) - conn->heard_ms;
	bool is_owed = redis_queue_is_owed(&conn->queue);

	if (is_owed && silent_ms >= conn->options.silence_ms && conn->is_suspect) {
		drop(conn, "it does not answer");
	} else if (is_owed && silent_ms >= conn->options.silence_ms) {
		conn->is_suspect = true;
		conn->reactor->timer_start(conn->reactor, timer, conn->options.silence_ms / 4 + 1,
					   watch_silence);
	} else if (!is_owed && silent_ms >= conn->options.ping_ms) {
		send_ping(conn);
	} else {
		start_silence_watch(conn);
	}
}

/* ---- answers ---- */

static void greeted(struct redis_conn *conn)
{
	conn->phase = PHASE_UP;
	conn->connection++;
	conn->up_ms = conn->reactor->now_ms(conn->reactor);
	conn->failure[0] = '\0';
	start_silence_watch(conn);
	changed(conn);
}

/* NULL, or why a server that answers so cannot be used. */
static const char *refusal_in(const struct redis_conn *conn, const struct redis_reply *reply)
{
	if (reply->kind != REDIS_KIND_ERROR)
		return NULL;
	if (conn->phase == PHASE_GREET || redis_reply_is_error(reply, "READONLY ") ||
	    redis_reply_is_error(reply, "LOADING ") || redis_reply_is_error(reply, "NOAUTH "))
		return reply->text.data;
	return NULL;
}

/* Takes the reply. False: the connection was dropped. */
static bool take_reply(struct redis_conn *conn, struct redis_reply *reply)
{
	struct redis_record *record = redis_queue_next(&conn->queue);
	const char *refusal = refusal_in(conn, reply);
	char failure[FAILURE_BYTES];
	bool is_greeting;

	/* Copied: the reply goes. */
	(void)snprintf(failure, sizeof(failure), "%s", refusal != NULL ? refusal : "");
	if (record == NULL) { /* "-ERR max number of clients reached" comes unasked */
		(void)snprintf(failure, sizeof(failure), "%s",
			       reply->kind == REDIS_KIND_ERROR ? reply->text.data
							       : "it answers what nobody asked");
		redis_reply_free(reply);
		drop(conn, failure);
		return false;
	}
	is_greeting = record->is_greeting;
	if (redis_queue_take(record, reply) && is_greeting && refusal == NULL)
		greeted(conn);
	if (refusal != NULL)
		drop(conn, failure);
	return refusal == NULL;
}

static bool take_replies(struct redis_conn *conn, const char *data, size_t len)
{
	enum err err = redis_reader_feed(conn->reader, data, len);

	while (err == OK) {
		struct redis_reply *reply;

		err = redis_reader_next(conn->reader, &reply);
		if (err == OK && reply == NULL)
			return true;
		if (err == OK && !take_reply(conn, reply))
			return false;
	}
	drop(conn, err == ERR_INVALID ? "it does not speak Redis' protocol" : err_text(err));
	return false;
}

/* False: it was dropped. */
static bool read_in(struct redis_conn *conn)
{
	static char data[READ_BYTES]; /* one thread, and nothing is kept in it */

	for (unsigned i = 0; i < READS_PER_TURN; i++) {
		ssize_t got = recv(conn->socket.fd, data, sizeof(data), 0);

		if (got > 0) {
			heard(conn);
			if (!take_replies(conn, data, (size_t)got))
				return false;
			if ((size_t)got < sizeof(data))
				return true;
		} else if (got == 0) {
			drop(conn, "it closed the connection");
			return false;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return true;
		} else if (errno != EINTR) {
			drop(conn, strerrordesc_np(errno));
			return false;
		}
	}
	return true;
}

static void on_ready(struct redis_socket *socket, bool is_readable, bool is_writable)
{
	struct redis_conn *conn = container_of(socket, struct redis_conn, socket);

	if (is_readable && !read_in(conn))
		return;
	if (is_writable && !write_out(conn))
		return;
	start_silence_watch(conn);
}

/* ---- coming up ---- */

static enum err greeting_bytes(const struct redis_conn *conn, struct redis_call *greeting)
{
	const struct redis_url *url = &conn->url;
	struct slice auth[3] = { { "AUTH", 4 } };
	struct slice select[2] = { { "SELECT", 6 } };
	struct slice alive = { "PING", 4 };
	char db[12];
	size_t n = 1;

	if (url->user != NULL)
		auth[n++] = (struct slice){ url->user, strlen(url->user) };
	if (url->password != NULL) {
		auth[n++] = (struct slice){ url->password, strlen(url->password) };
		redis_call_add(greeting, auth, n);
	}
	(void)snprintf(db, sizeof(db), "%u", url->db);
	select[1] = (struct slice){ db, strlen(db) };
	if (url->db != 0)
		redis_call_add(greeting, select, 2);
	redis_call_add(greeting, &alive, 1);
	return greeting->fault;
}

/* Not a call of anybody's, only its bytes: its answers are read by refusal_in(). */
static enum err send_greeting(struct redis_conn *conn)
{
	struct redis_call greeting;
	struct redis_record *record = NULL;
	enum err err;

	redis_call_prepare(&greeting, conn->reactor, 0, NULL);
	err = greeting_bytes(conn, &greeting);
	if (err == OK)
		record = add_record(conn, &greeting.out, greeting.n_commands);
	buf_release(&greeting.out);
	if (record == NULL)
		return err != OK ? err : ERR_NO_MEMORY;
	record->is_greeting = true;
	return OK;
}

static void on_open(struct redis_socket *socket, enum err err, const char *failure)
{
	struct redis_conn *conn = container_of(socket, struct redis_conn, socket);

	if (err == OK)
		err = redis_reader_new(conn->options.reply_bytes_max, &conn->reader);
	if (err == OK)
		err = send_greeting(conn);
	if (err != OK) {
		drop(conn, failure != NULL ? failure : err_text(err));
		return;
	}
	conn->phase = PHASE_GREET;
	(void)write_out(conn);
}

static void on_late(struct timer *timer)
{
	struct redis_conn *conn = container_of(timer, struct redis_conn, timer);

	drop(conn, conn->phase == PHASE_GREET ? "it does not answer the greeting"
					      : "no connection within the time for it");
}

static void connect_now(struct timer *timer)
{
	struct redis_conn *conn = container_of(timer, struct redis_conn, timer);
	enum err err;

	conn->phase = PHASE_CONNECT;
	err = redis_socket_open(&conn->socket, conn->url.host, conn->url.port);
	if (err != OK)
		drop(conn, err_text(err));
	else
		conn->reactor->timer_start(conn->reactor, timer, conn->options.connect_ms, on_late);
}

static const struct redis_socket_events socket_events = { on_open, on_ready };

enum err redis_conn_new(struct reactor_uv *loop, struct redis_url *url,
			const struct redis_conn_options *options, struct redis_conn **ret_conn)
{
	struct redis_conn *conn = mem_alloc(sizeof(*conn));

	if (conn == NULL)
		return ERR_NO_MEMORY;
	conn->options = *options;
	conn->backoff = (struct retry_policy){ .base_ms = options->backoff_ms,
					       .cap_ms = options->backoff_cap_ms };
	conn->url = *url;
	*url = (struct redis_url){ .user = NULL };
	conn->reactor = reactor_uv_base(loop);
	conn->socket = (struct redis_socket){ .loop = loop, .events = &socket_events, .fd = -1 };
	redis_queue_init(&conn->queue);
	conn->phase = PHASE_WAIT;
	conn->reactor->timer_start(conn->reactor, &conn->timer, 0, connect_now);
	*ret_conn = conn;
	return OK;
}

void redis_conn_free(struct redis_conn *conn)
{
	if (conn == NULL)
		return;
	MUST(!redis_queue_has_calls(&conn->queue));
	close_all(conn);
	conn->reactor->timer_stop(conn->reactor, &conn->timer);
	redis_url_release(&conn->url);
	mem_free(conn);
}

bool redis_conn_is_up(const struct redis_conn *conn)
{
	return conn->phase == PHASE_UP;
}

uint64_t redis_conn_connection(const struct redis_conn *conn)
{
	return conn->connection;
}

const char *redis_conn_failure(const struct redis_conn *conn)
{
	return conn->failure;
}

const char *redis_conn_shown(const struct redis_conn *conn)
{
	return conn->url.shown;
}

unsigned redis_conn_failures(const struct redis_conn *conn)
{
	return conn->phase == PHASE_UP ? 0 : conn->failures;
}

size_t redis_conn_queued_bytes(const struct redis_conn *conn)
{
	return conn->queue.queued_bytes;
}

size_t redis_conn_awaited(const struct redis_conn *conn)
{
	return conn->queue.n_awaited;
}

/* ---- calls ---- */

static void cancel_call(struct op *op)
{
	struct redis_call *call = container_of(op, struct redis_call, op);
	struct redis_record *record = call->record;

	call->record = NULL;
	call->is_sent = record->written_bytes > 0;
	redis_queue_give_up(record);
	op_finish(op, call->op.canceled);
}

void redis_conn_start(struct redis_conn *conn, struct redis_call *call)
{
	enum err err = call->fault;

	if (!op_begin(&call->op, cancel_call))
		return;
	if (err == OK && conn->phase != PHASE_UP)
		err = ERR_REFUSED;
	if (err == OK && (call->n_commands == 0 ||
			  conn->queue.queued_bytes + call->out.len > conn->options.queue_bytes_max))
		err = call->n_commands == 0 ? ERR_INVALID : ERR_TOO_LARGE;
	if (err == OK) {
		call->record = add_record(conn, &call->out, call->n_commands);
		err = call->record != NULL ? OK : ERR_NO_MEMORY;
	}
	if (err != OK) {
		op_finish(&call->op, err);
		return;
	}
	call->record->call = call;
	conn->reactor->defer(conn->reactor, &conn->flush, on_flush);
}
