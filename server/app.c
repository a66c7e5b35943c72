#include "app.h"
#include "api/router.h"
#include "app_options.h"
#include "base/logging.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "loop/signals.h"
#include "loop/work_pool.h"
#include "store/store_memory.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

enum { SHUTDOWN_POLL_MS = 20, STREAM_SHARDS = 32, ANSWER_HEADERS_BYTES_MAX = 64 << 10 };

struct app {
	struct settings *settings;
	struct app_options options;
	struct reactor_uv *loop;
	struct reactor *reactor;
	struct http_client *http;
	struct backend_set *backends;
	struct store_memory *store;
	struct work_pool *pool;
	struct prompt_set *prompts;
	struct registry *registry;
	struct http_server *server;
	struct signals signals;
	struct job_ports ports;
	struct api api;
	struct timer shutdown; /* the next step of stopping */
	uint64_t stop_by_ms;
	bool is_stopping, is_hurried;
};

/* ---- stopping: readyz, drain delay, drain, grace, cut ---- */

static void free_app(struct app *app)
{
	signals_stop(&app->signals);
	if (app->reactor != NULL)
		app->reactor->timer_stop(app->reactor, &app->shutdown);
	http_server_free(app->server);
	registry_free(app->registry);
	prompt_set_free(app->prompts);
	work_pool_free(app->pool);
	backend_set_free(app->backends);
	http_client_free(app->http);
	store_memory_free(app->store);
	reactor_uv_free(app->loop);
	app_options_release(&app->options);
}

/* A thread that still reads a request cannot be stopped: it is waited for. */
static void stop_when_over(struct timer *timer)
{
	struct app *app = container_of(timer, struct app, shutdown);

	if (work_pool_live(app->pool) == 0)
		reactor_uv_stop(app->loop);
	else
		app->reactor->timer_start(app->reactor, timer, SHUTDOWN_POLL_MS, stop_when_over);
}

static void on_server_stopped(void *context)
{
	struct app *app = context;

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
	bool is_over = http_server_requests(app->server) == 0 &&
		       registry_running(app->registry) == 0;

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
	if (!app->is_hurried)
		app->stop_by_ms =
			app->reactor->now_ms(app->reactor) + app->settings->shutdown_grace_ms;
	check_drained(timer);
}

static void on_signal(struct signals *signals, int number)
{
	struct app *app = container_of(signals, struct app, signals);

	log_info("signal", "number=%d", number);
	if (number == SIGHUP) {
		log_warn("reload_unavailable", "hint=%s",
			 "this version reads its settings at start: restart to change them");
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
	app->api.is_draining = true;
	app->reactor->timer_start(app->reactor, &app->shutdown, app->settings->drain_delay_ms,
				  drain);
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
	struct http_handler handler = router_handler(&app->api);
	enum err err;

	err = http_client_new(app->loop, &client, &app->http);
	if (err != OK)
		return fail("http_client", err);
	err = backend_set_new(app->reactor, app->http, app->options.backends,
			      app->options.n_backends, &app->backends);
	if (err != OK)
		return fail("backends", err);
	err = store_memory_new(app->reactor, app->options.retention_ms, &app->store);
	if (err != OK)
		return fail("store", err);
	err = work_pool_new(app->loop, &app->pool);
	if (err != OK)
		return fail("work_pool", err);
	if (!make_prompts(app))
		return false;
	app->ports = (struct job_ports){ app->reactor, backend_set_model(app->backends),
					 store_memory_port(app->store), app->prompts };
	err = registry_new(&app->ports, &app->options.registry, &app->registry);
	if (err != OK)
		return fail("registry", err);
	app->api = (struct api){ app->reactor, app->ports.model, app->ports.store, app->registry,
				 work_pool_port(app->pool), &app->options.api, false };
	err = http_server_new(app->loop, &app->options.server, &handler, &app->server);
	return err == OK ? true : fail("http_server", err);
}

static bool listen_all(struct app *app)
{
	const char *address = app->settings->listen;
	char bound[128];
	enum err err = http_server_listen(app->server, address, app->settings->reuse_port, bound);

	if (err == ERR_IO)
		log_error("listen_failed", "address=%s reason=%s", address, strerror(errno));
	else if (err != OK)
		log_error("listen_failed", "address=%s reason=%s", address, err_text(err));
	else
		log_info("listening", "address=%s backends=%zu version=%s", bound,
			 app->options.n_backends, LONGHAND_VERSION);
	return err == OK;
}

static bool read_options(struct app *app)
{
	enum err err = app_options_init(&app->options, app->settings);

	if (err != OK)
		log_error("settings_refused", "reason=%s", err_text(err));
	return err == OK;
}

static bool start(struct app *app)
{
	enum err err = reactor_uv_new(&app->loop);

	if (err != OK)
		return fail("loop", err);
	app->reactor = reactor_uv_base(app->loop);
	if (!read_options(app) || !make_parts(app))
		return false;
	err = signals_start(&app->signals, app->loop, on_signal);
	if (err != OK)
		return fail("signals", err);
	return listen_all(app);
}

int app_run(struct settings *settings)
{
	struct app app = { .settings = settings };
	bool is_started;

	log_set_level((enum log_level)settings->log_level);
	is_started = start(&app);
	if (is_started) {
		reactor_uv_run(app.loop);
		log_info("stopped", "jobs=%zu", (size_t)0);
	}
	free_app(&app);
	return is_started ? 0 : 1;
}
