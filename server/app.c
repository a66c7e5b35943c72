#include "app.h"
#include "api/router.h"
#include "app_snapshot.h"
#include "app_store.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "loop/signals.h"
#include "loop/work_pool.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SHUTDOWN_POLL_MS = 20, STREAM_SHARDS = 32, ANSWER_HEADERS_BYTES_MAX = 64 << 10 };
enum { RETIRED_POLL_MS = 250 };

struct app_arguments { /* what the settings are loaded from */
	int argc;
	char **argv;
	char **envp;
};

struct app {
	struct app_arguments arguments;
	struct settings *settings; /* of the start: what cannot change while running */
	struct snapshot *current;
	struct list retired;
	struct timer retiring; /* looks for retired ones that nobody uses any more */
	struct snapshot_parts parts;
	struct reactor_uv *loop;
	struct reactor *reactor;
	struct http_client *http;
	struct app_store *store;
	struct work_pool *pool;
	struct prompt_set *prompts;
	struct registry *registry;
	struct http_server *server;
	struct signals signals;
	struct timer shutdown; /* the next step of stopping */
	uint64_t stop_by_ms;
	bool is_stopping, is_hurried;
};

/* ---- reloading ---- */

/* In any order: whoever is somebody's source goes after it. */
static void free_retired(struct app *app)
{
	while (app->retired.next != &app->retired) {
		LIST_EACH (node, &app->retired) {
			struct snapshot *snapshot = container_of(node, struct snapshot, node);

			if (snapshot->dependents == 0)
				snapshot_free(snapshot);
		}
	}
}

static void free_unused(struct timer *timer)
{
	struct app *app = container_of(timer, struct app, retiring);

	LIST_EACH (node, &app->retired) {
		struct snapshot *snapshot = container_of(node, struct snapshot, node);

		if (!snapshot_is_used(snapshot))
			snapshot_free(snapshot);
	}
	if (app->retired.next != &app->retired)
		app->reactor->timer_start(app->reactor, timer, RETIRED_POLL_MS, free_unused);
}

static void warn_of_fixed(const struct app *app, const struct settings *next)
{
	size_t at = 0;
	const char *name;

	while ((name = settings_fixed_change(app->settings, next, &at)) != NULL)
		log_warn("setting_unchanged", "setting=%s hint=%s", name,
			 "it cannot change while running: restart for it");
}

/* New requests and jobs go by the new one; those that are there keep theirs. */
static void use_snapshot(struct app *app, struct snapshot *snapshot)
{
	const struct settings *settings = snapshot->settings;

	list_append(&app->retired, &app->current->node);
	app->current = snapshot;
	registry_reload(app->registry, &snapshot->ports, &snapshot->options.registry);
	app_store_reload(app->store, settings);
	log_set_level((enum log_level)settings->log_level);
	app->reactor->timer_start(app->reactor, &app->retiring, RETIRED_POLL_MS, free_unused);
}

static void reload(struct app *app)
{
	const struct app_arguments *from = &app->arguments;
	struct settings *settings = NULL;
	struct snapshot *snapshot;
	struct buf message;
	enum err err;

	buf_init(&message, SETTINGS_MESSAGE_BYTES_MAX);
	err = settings_load(from->argc, from->argv, from->envp, &settings, &message);
	if (err == OK)
		err = snapshot_new(&app->parts, settings, app->current, &snapshot);
	if (err == OK) {
		warn_of_fixed(app, settings);
		use_snapshot(app, snapshot);
		log_info("reloaded", "backends=%zu presets=%zu keys=%zu", settings->n_backends,
			 settings->n_presets, settings->n_keys);
	} else {
		log_error("reload_refused", "hint=%s reason=%s", "the settings stay as they were",
			  message.len > 0 ? message.data : err_text(err));
	}
	settings_unref(settings);
	buf_release(&message);
}

/* ---- requests, to the api of now ---- */

static void on_request(void *context, struct request *request)
{
	struct app *app = context;
	struct http_handler handler = router_handler(&app->current->api);

	handler.on_request(handler.context, request);
}

static bool is_wanted(void *context, const struct request *request)
{
	struct app *app = context;
	struct http_handler handler = router_handler(&app->current->api);

	return handler.is_wanted(handler.context, request);
}

static void on_refused(void *context, struct request *request, enum http_refusal refusal)
{
	struct app *app = context;
	struct http_handler handler = router_handler(&app->current->api);

	handler.on_refused(handler.context, request, refusal);
}

/* ---- stopping: readyz, drain delay, drain, grace, cut ---- */

static void free_app(struct app *app)
{
	signals_stop(&app->signals);
	if (app->reactor != NULL) {
		app->reactor->timer_stop(app->reactor, &app->shutdown);
		app->reactor->timer_stop(app->reactor, &app->retiring);
	}
	http_server_free(app->server);
	registry_free(app->registry);
	prompt_set_free(app->prompts);
	snapshot_free(app->current); /* before the ones that it may depend on */
	free_retired(app);
	http_client_free(app->http);
	app_store_free(app->store);
	work_pool_free(app->pool);
	reactor_uv_free(app->loop);
}

/* A thread that still reads a request, or writes a log, cannot be stopped: it is waited for. */
static void stop_when_over(struct timer *timer)
{
	struct app *app = container_of(timer, struct app, shutdown);

	if (work_pool_live(app->pool) == 0 && app_store_is_idle(app->store))
		reactor_uv_stop(app->loop);
	else
		app->reactor->timer_start(app->reactor, timer, SHUTDOWN_POLL_MS, stop_when_over);
}

static void on_server_stopped(void *context)
{
	struct app *app = context;

	app_store_stop(app->store);
	stop_when_over(&app->shutdown);
}

static void on_jobs_stopped(void *context)
{
	struct app *app = context;

	/* Their readers have been told: what they were told leaves with the server's last turn. */
	http_server_stop(app->server, on_server_stopped, app);
}

static void check_drained(struct timer *timer)
{
	struct app *app = container_of(timer, struct app, shutdown);
	bool is_over =
		http_server_requests(app->server) == 0 && registry_running(app->registry) == 0;

	if (is_over || app->reactor->now_ms(app->reactor) >= app->stop_by_ms) {
		log_info("stopping", "requests=%zu jobs=%zu", http_server_requests(app->server),
			 registry_running(app->registry));
		registry_stop(app->registry, on_jobs_stopped, app);
		return;
	}
	app->reactor->timer_start(app->reactor, &app->shutdown, SHUTDOWN_POLL_MS, check_drained);
}

static void drain(struct timer *timer)
{
	struct app *app = container_of(timer, struct app, shutdown);

	http_server_drain(app->server);
	registry_hand_over(app->registry); /* what was asked for meanwhile */
	if (!app->is_hurried)
		app->stop_by_ms = app->reactor->now_ms(app->reactor) +
				  app->current->settings->shutdown_grace_ms;
	check_drained(timer);
}

static void on_signal(struct signals *signals, int number)
{
	struct app *app = container_of(signals, struct app, signals);

	log_info("signal", "number=%d", number);
	if (number == SIGHUP) {
		if (!app->is_stopping)
			reload(app);
		return;
	}
	if (app->is_stopping) { /* asked twice: no delay, no grace */
		app->is_hurried = true;
		app->stop_by_ms = 0;
		if (app->shutdown.fire != NULL)
			app->reactor->timer_start(app->reactor, &app->shutdown, 0,
						  app->shutdown.fire);
		return;
	}
	app->is_stopping = true;
	app->current->api.is_draining = true;
	registry_hand_over(app->registry); /* other processes go on at once */
	app->reactor->timer_start(app->reactor, &app->shutdown,
				  app->current->settings->drain_delay_ms, drain);
}

/* ---- starting ---- */

static bool fail(const char *what, enum err err)
{
	log_error("start_failed", "part=%s reason=%s", what, err_text(err));
	return false;
}

static bool make_prompts(struct app *app)
{
	const char *dir = app->settings->prompts_dir;
	struct buf message;
	enum err err;

	buf_init(&message, SETTINGS_MESSAGE_BYTES_MAX);
	err = prompt_set_load(dir[0] != '\0' ? dir : NULL, &app->prompts, &message);
	if (err != OK)
		log_error("prompts_refused", "reason=%s",
			  message.len > 0 ? message.data : err_text(err));
	buf_release(&message);
	return err == OK;
}

static bool make_parts(struct app *app)
{
	struct http_client_options client = { .stream_shards = STREAM_SHARDS,
					      .header_bytes_max = ANSWER_HEADERS_BYTES_MAX };
	enum err err;

	err = http_client_new(app->loop, &client, &app->http);
	if (err != OK)
		return fail("http_client", err);
	err = work_pool_new(app->loop, &app->pool);
	if (err != OK)
		return fail("work_pool", err);
	err = app_store_new(app->loop, work_pool_port(app->pool), app->settings, &app->store);
	if (err != OK)
		return fail("store", err);
	return make_prompts(app);
}

/* The first snapshot, and the registry, each of which has to do with the other. */
static bool make_snapshot(struct app *app)
{
	struct http_handler handler = { app, on_request, is_wanted, on_refused };
	enum err err;

	app->parts = (struct snapshot_parts){
		.reactor = app->reactor,
		.http = app->http,
		.store = app_store_port(app->store),
		.prompts = app->prompts,
		.pool = work_pool_port(app->pool),
	};
	err = snapshot_new(&app->parts, app->settings, NULL, &app->current);
	if (err != OK)
		return fail("settings", err);
	err = registry_new(&app->current->ports, &app->current->options.registry, &app->registry);
	if (err != OK)
		return fail("registry", err);
	app->parts.registry = app->current->api.registry = app->registry;
	err = http_server_new(app->loop, &app->current->options.server, &handler, &app->server);
	return err == OK ? true : fail("http_server", err);
}

static bool listen_at(struct app *app, const char *address)
{
	char bound[128];
	enum err err = http_server_listen(app->server, address, app->settings->reuse_port, bound);

	if (err == ERR_IO)
		log_error("listen_failed", "address=%s reason=%s", address, strerror(errno));
	else if (err != OK)
		log_error("listen_failed", "address=%s reason=%s", address, err_text(err));
	else
		log_info("listening", "address=%s backends=%zu version=%s", bound,
			 app->settings->n_backends, LONGHAND_VERSION);
	return err == OK;
}

/* Everywhere, or not at all. */
static bool listen_all(struct app *app)
{
	const char *at = app->settings->listen;

	while (*at != '\0') {
		char address[256];
		size_t len;

		at += strspn(at, ", ");
		len = strcspn(at, ", ");
		if (len == 0)
			break;
		(void)snprintf(address, sizeof(address), "%.*s", (int)len, at);
		if (!listen_at(app, address))
			return false;
		at += len;
	}
	return true;
}

static bool start(struct app *app)
{
	enum err err = reactor_uv_new(&app->loop);

	if (err != OK)
		return fail("loop", err);
	app->reactor = reactor_uv_base(app->loop);
	if (!make_parts(app) || !make_snapshot(app))
		return false;
	err = signals_start(&app->signals, app->loop, on_signal);
	if (err != OK)
		return fail("signals", err);
	return listen_all(app);
}

int app_run(struct settings *settings, int argc, char **argv, char **envp)
{
	struct app app = { .settings = settings, .arguments = { argc, argv, envp } };
	bool is_started;

	list_init(&app.retired);
	log_set_level((enum log_level)settings->log_level);
	is_started = start(&app);
	if (is_started) {
		reactor_uv_run(app.loop);
		log_info("stopped", "jobs=%zu", (size_t)0);
	}
	free_app(&app);
	return is_started ? 0 : 1;
}
