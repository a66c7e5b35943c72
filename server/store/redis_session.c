#include "store/redis_session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAJOR_MIN = 6, MINOR_MIN = 2, STOP_MS = 500 };
enum { CONNECT_MS_MIN = 1000, SILENCE_MS_MIN = 250, CAP_MS_MAX = 1000, BACKOFF_MS = 20 };
enum { QUEUE_BYTES_MAX = 256 << 20, REPLY_BYTES_MAX = 256 << 20 };

static void begin(struct redis_session *session);

static struct slice of_text(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* Unlike the loop's clock it also counts the time in which the machine slept. */
static uint64_t boot_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void redis_session_tell(const struct redis_session *session, enum store_redis_news news,
			const char *detail)
{
	if (session->options.on_news != NULL)
		session->options.on_news(session->options.context, news,
					 redis_conn_shown(session->conn), detail);
}

bool redis_session_is_ready(const struct redis_session *session)
{
	return session->phase == SESSION_READY;
}

bool redis_session_is_settled(const struct redis_session *session)
{
	return session->phase == SESSION_READY &&
	       session->reactor->now_ms(session->reactor) >= session->settled_ms;
}

/* A lease that has run out counts at once; being renewed later changes nothing more. */
uint64_t redis_session_doubt(const struct redis_session *session)
{
	return session->doubt + (boot_ms() >= session->lease_until_boot_ms ? 1 : 0);
}

void redis_session_generation(const struct redis_session *session,
			      char ret_text[REDIS_GENERATION_BYTES])
{
	unsigned long long number = session->reactor->random(session->reactor) >> 1;

	(void)snprintf(ret_text, REDIS_GENERATION_BYTES, "%llu:%s", number + 1, session->run_id);
}

/* Leases may have run out without fault of their holders: watch them for a whole one again. */
static void unsettle(struct redis_session *session)
{
	session->settled_ms = session->reactor->now_ms(session->reactor) +
			      session->options.lease_ms + session->options.backoff_cap_ms;
}

static void renew_later(struct redis_session *session);

/* ---- what the server says of itself ---- */

/* The value behind "name:" at a line's start, "" when there is none. */
static void info_value(const struct redis_reply *reply, const char *name, char *ret_value,
		       size_t size)
{
	const char *at = reply != NULL && reply->kind == REDIS_KIND_TEXT ? reply->text.data : "";
	size_t len = strlen(name);

	ret_value[0] = '\0';
	while (at != NULL && *at != '\0') {
		if (strncmp(at, name, len) == 0 && at[len] == ':') {
			(void)snprintf(ret_value, size, "%.*s", (int)strcspn(at + len + 1, "\r\n"),
				       at + len + 1);
			return;
		}
		at = strchr(at, '\n');
		at = at != NULL ? at + 1 : NULL;
	}
}

static void read_replicas(struct redis_session *session, const struct redis_reply *reply)
{
	char value[16];

	info_value(reply, "connected_slaves", value, sizeof(value));
	session->replicas = (unsigned)strtoul(value, NULL, 10);
}

/* One that does not say counts as new enough. */
static bool is_new_enough(const char *version)
{
	char *rest;
	unsigned long major = strtoul(version, &rest, 10);
	unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;

	return version[0] == '\0' || major > MAJOR_MIN ||
	       (major == MAJOR_MIN && minor >= MINOR_MIN);
}

static void tell_bad(struct redis_session *session, enum store_redis_news news, const char *detail)
{
	if (!session->is_bad)
		redis_session_tell(session, news, detail);
	session->is_bad = true;
	session->phase = SESSION_DOWN;
	renew_later(session); /* it may be mended */
}

/* ---- the lease ---- */

static void add_lease(struct redis_session *session)
{
	char key[REDIS_KEY_BYTES], lease[24];
	struct slice args[5] = { of_text("SET"),
				 { key, 0 },
				 of_text(session->lease_value),
				 of_text("PX"),
				 { lease, 0 } };

	args[1].len =
		(size_t)snprintf(key, sizeof(key), "%swriter:%s", session->prefix, session->writer);
	args[4].len = (size_t)snprintf(lease, sizeof(lease), "%llu",
				       (unsigned long long)session->options.lease_ms);
	redis_call_add(&session->call, args, 5);
	session->asked_boot_ms = boot_ms();
	session->asked_ms = session->reactor->now_ms(session->reactor);
}

static void add_info(struct redis_session *session, const char *section)
{
	struct slice args[2] = { of_text("INFO"), of_text(section) };

	redis_call_add(&session->call, args, 2);
}

static void add_generation_ttl(struct redis_session *session)
{
	char key[REDIS_KEY_BYTES];
	struct slice args[3] = { of_text("PEXPIRE"), { key, 0 }, of_text(REDIS_GENERATION_TTL) };

	args[1].len = (size_t)snprintf(key, sizeof(key), "%sgeneration", session->prefix);
	redis_call_add(&session->call, args, 3);
}

/* The lease counts from when it was asked for, which is before Redis began to count. */
static void has_lease(struct redis_session *session)
{
	uint64_t took_ms = session->reactor->now_ms(session->reactor) - session->asked_ms;

	if (session->asked_boot_ms >= session->lease_until_boot_ms) {
		session->doubt++; /* for good what it was since the lease ran out */
		unsettle(session);
	}
	if (took_ms >= session->options.lease_ms / 2)
		unsettle(session);
	session->lease_until_boot_ms = session->asked_boot_ms + session->options.lease_ms;
}

static void on_renewed(struct op *op)
{
	struct redis_session *session = container_of(op, struct redis_session, call.op);

	if (op->result == OK && redis_reply_is_status(session->call.replies[0], "OK"))
		has_lease(session);
	else
		unsettle(session);
	if (op->result == OK)
		read_replicas(session, session->call.replies[1]);
	renew_later(session);
}

static void renew(struct timer *timer)
{
	struct redis_session *session = container_of(timer, struct redis_session, renewal);

	if (op_is_live(&session->call.op) || !redis_conn_is_up(session->conn))
		return; /* what comes next starts the timer again */
	if (session->phase != SESSION_READY) {
		begin(session);
		return;
	}
	redis_call_prepare(&session->call, session->reactor, session->options.lease_ms, on_renewed);
	add_lease(session);
	add_info(session, "replication");
	add_generation_ttl(session);
	redis_conn_start(session->conn, &session->call);
}

static void renew_later(struct redis_session *session)
{
	if (!session->is_stopping && redis_conn_is_up(session->conn))
		session->reactor->timer_start(session->reactor, &session->renewal,
					      session->options.lease_ms / 3, renew);
}

/* ---- coming up ---- */

/* The first error among the answers, or NULL. */
static const char *first_error(const struct redis_call *call)
{
	for (unsigned i = 0; i < call->n_replies; i++)
		if (call->replies[i]->kind == REDIS_KIND_ERROR)
			return call->replies[i]->text.data;
	return NULL;
}

static void keep_hashes(struct redis_session *session)
{
	for (unsigned i = 0; i < REDIS_SCRIPT_COUNT; i++)
		(void)snprintf(session->sha[i], REDIS_SHA_BYTES, "%s",
			       session->call.replies[i]->text.data != NULL
				       ? session->call.replies[i]->text.data
				       : "");
}

static void on_prepared(struct op *op)
{
	struct redis_session *session = container_of(op, struct redis_session, call.op);
	const char *error = first_error(&session->call);

	if (session->is_stopping || op->result != OK) {
		session->phase = SESSION_DOWN;
		renew_later(session);
		return;
	}
	if (error != NULL) {
		tell_bad(session, STORE_REDIS_FORBIDDEN, error);
		return;
	}
	keep_hashes(session);
	session->phase = SESSION_READY;
	session->is_bad = false;
	session->doubt += 2; /* also where the lease had run out, which counts for one */
	has_lease(session);
	unsettle(session);
	redis_session_tell(session, STORE_REDIS_UP, session->version);
	renew_later(session);
}

static void prepare(struct redis_session *session)
{
	struct slice load[3] = { of_text("SCRIPT"), of_text("LOAD") };
	char key[REDIS_KEY_BYTES], generation[REDIS_GENERATION_BYTES];
	struct slice eval[7] = { of_text("EVAL"),
				 of_text(redis_scripts[REDIS_SCRIPT_BEGIN]),
				 of_text("1"),
				 { key, 0 },
				 { generation, 0 },
				 of_text(REDIS_GENERATION_TTL),
				 of_text(session->run_id) };

	session->phase = SESSION_PREPARING;
	redis_call_prepare(&session->call, session->reactor, session->options.lease_ms,
			   on_prepared);
	for (unsigned i = 0; i < REDIS_SCRIPT_COUNT; i++) {
		load[2] = of_text(redis_scripts[i]);
		redis_call_add(&session->call, load, 3);
	}
	eval[3].len = (size_t)snprintf(key, sizeof(key), "%sgeneration", session->prefix);
	redis_session_generation(session, generation);
	eval[4].len = strlen(generation);
	redis_call_add(&session->call, eval, 7);
	add_lease(session);
	redis_conn_start(session->conn, &session->call);
}

static void on_looked(struct op *op)
{
	struct redis_session *session = container_of(op, struct redis_session, call.op);
	char policy[sizeof(session->policy)];

	session->phase = SESSION_DOWN;
	if (session->is_stopping || op->result != OK) {
		renew_later(session);
		return;
	}
	info_value(session->call.replies[0], "redis_version", session->version,
		   sizeof(session->version));
	info_value(session->call.replies[0], "run_id", session->run_id, sizeof(session->run_id));
	info_value(session->call.replies[1], "maxmemory_policy", policy, sizeof(policy));
	read_replicas(session, session->call.replies[2]);
	if (!is_new_enough(session->version)) {
		tell_bad(session, STORE_REDIS_TOO_OLD, session->version);
		return;
	}
	if (strcmp(policy, session->policy) != 0 && strcmp(policy, "noeviction") != 0)
		redis_session_tell(session, STORE_REDIS_EVICTS, policy);
	memcpy(session->policy, policy, sizeof(policy));
	prepare(session);
}

static void begin(struct redis_session *session)
{
	session->phase = SESSION_LOOKING;
	redis_call_prepare(&session->call, session->reactor, session->options.lease_ms, on_looked);
	add_info(session, "server");
	add_info(session, "memory");
	add_info(session, "replication");
	redis_conn_start(session->conn, &session->call);
}

static void on_change(struct redis_conn *conn, void *context)
{
	struct redis_session *session = context;
	const char *failure = redis_conn_failure(conn);
	bool was_ready = session->phase == SESSION_READY;

	session->reactor->timer_stop(session->reactor, &session->renewal);
	session->phase = SESSION_DOWN;
	if (session->is_stopping)
		return;
	if (redis_conn_is_up(conn)) {
		/* Where our call of the connection before has not reported yet, it goes on. */
		if (op_is_live(&session->call.op))
			session->reactor->timer_start(session->reactor, &session->renewal, 0,
						      renew);
		else
			begin(session);
		return;
	}
	if (was_ready || strcmp(failure, session->last_failure) != 0)
		redis_session_tell(session, STORE_REDIS_DOWN, failure);
	(void)snprintf(session->last_failure, sizeof(session->last_failure), "%s", failure);
}

void redis_session_prepare_again(struct redis_session *session)
{
	if (session->phase != SESSION_READY)
		return;
	session->phase = SESSION_DOWN;
	if (!op_is_live(&session->call.op))
		session->reactor->timer_start(session->reactor, &session->renewal, 0, renew);
}

/* ---- beginning and end ---- */

static void name_ourselves(struct redis_session *session)
{
	char host[64] = "";

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(session->lease_value, sizeof(session->lease_value), "%ld@%s", (long)getpid(),
		       host);
}

static uint64_t at_least(uint64_t ms, uint64_t least_ms)
{
	return ms > least_ms ? ms : least_ms;
}

enum err redis_session_init(struct redis_session *session, struct reactor_uv *loop,
			    struct redis_url *url, const struct store_redis_options *options)
{
	uint64_t lease_ms = options->lease_ms;
	struct redis_conn_options conn = {
		.connect_ms = at_least(lease_ms, CONNECT_MS_MIN),
		.silence_ms = at_least(lease_ms / 2, SILENCE_MS_MIN),
		.ping_ms = 0, /* the lease's renewals do that */
		.backoff_ms = BACKOFF_MS,
		.queue_bytes_max = QUEUE_BYTES_MAX,
		.reply_bytes_max = REPLY_BYTES_MAX,
		.on_change = on_change,
		.context = session,
	};
	enum err err;

	*session = (struct redis_session){ .reactor = reactor_uv_base(loop) };
	session->options = *options;
	if (session->options.backoff_cap_ms == 0)
		session->options.backoff_cap_ms = lease_ms < CAP_MS_MAX ? lease_ms : CAP_MS_MAX;
	conn.backoff_cap_ms = session->options.backoff_cap_ms;
	if (strlen(options->prefix) >= sizeof(session->prefix))
		return ERR_INVALID;
	memcpy(session->prefix, options->prefix, strlen(options->prefix) + 1);
	session->options.prefix = session->prefix;
	name_ourselves(session);
	err = id_new(session->writer);
	return err == OK ? redis_conn_new(loop, url, &conn, &session->conn) : err;
}

void redis_session_release(struct redis_session *session)
{
	session->reactor->timer_stop(session->reactor, &session->renewal);
	redis_conn_free(session->conn);
	session->conn = NULL;
}

static void on_given_back(struct op *op)
{
	struct redis_session *session = container_of(op, struct redis_session, call.op);

	session->on_stopped(session->stop_context);
}

static void give_back(struct timer *timer)
{
	struct redis_session *session = container_of(timer, struct redis_session, renewal);
	char key[REDIS_KEY_BYTES];
	struct slice args[2] = { of_text("DEL"), { key, 0 } };

	if (op_is_live(&session->call.op)) { /* cancelled: it reports at once */
		session->reactor->timer_start(session->reactor, timer, 0, give_back);
		return;
	}
	args[1].len =
		(size_t)snprintf(key, sizeof(key), "%swriter:%s", session->prefix, session->writer);
	redis_call_prepare(&session->call, session->reactor, STOP_MS, on_given_back);
	redis_call_add(&session->call, args, 2);
	redis_conn_start(session->conn, &session->call);
}

void redis_session_stop(struct redis_session *session, void (*on_stopped)(void *context),
			void *context)
{
	session->is_stopping = true;
	session->on_stopped = on_stopped;
	session->stop_context = context;
	session->phase = SESSION_DOWN;
	op_cancel(&session->call.op, ERR_CANCELED);
	session->reactor->timer_start(session->reactor, &session->renewal, 0, give_back);
}
