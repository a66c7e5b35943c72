#include "fakes/long_service.h"
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/router.h"
#include "base/metrics.h"

struct registry_options registry_options;
struct api_options options;

struct world world;

static void resolve(struct model *model, const char *id, struct model_target *ret_target)
{
	(void)model;
	*ret_target = (struct model_target){ .backend = "default", .model = id };
}

static bool resolve_default(struct model *model, const char *backend,
			    struct model_target *ret_target)
{
	(void)model;
	(void)backend;
	*ret_target = (struct model_target){ .backend = "default", .model = "fake" };
	return true;
}

int open_world(void **state)
{
	struct http_handler handler = router_handler(&world.api);
	struct reactor *reactor;
	struct buf message;

	(void)state;
	memset(&world, 0, sizeof(world));
	metrics_reset();
	registry_options = (struct registry_options){
		.running_max = 4,
		.stream_grace_ms = 1,
		.answer_grace_ms = 1,
		.scan_ms = 10,
		.follow_ms = 2,
		.adopt_ms = 1000,
		.keep_ms = LONG_MS,
		.job = { .log = { .flush_ms = 1,
				  .flush_bytes = 512,
				  .store_ms = 1000,
				  .again_ms = 10,
				  .pending_bytes_max = 1 << 20 },
			 .retry = { .max_tries = 2, .base_ms = 1, .cap_ms = 2, .try_ms = LONG_MS } }
	};
	options = (struct api_options){ .plan_from_words = 1000,
					.single_max_words = 100,
					.target_words_max = 100000,
					.call_words_max = 200,
					.heartbeat_ms = LONG_MS,
					.json_whitespace_after_ms = LONG_MS,
					.first_status_ms = LONG_MS,
					.progress_ms = 1000,
					.store_ms = 1000,
					.inline_json_bytes = 1 << 20 };
	served_start_with(&world.served, &served_defaults, &handler);
	reactor = reactor_uv_base(world.served.reactor);
	fake_model_init(&world.model, reactor);
	world.model.first_ms = world.model.piece_ms = 0;
	world.model.port.resolve = resolve;
	world.model.port.resolve_default = resolve_default;
	fake_store_init(&world.store, reactor);
	buf_init(&message, 1000);
	assert_int_equal(prompt_set_load(NULL, &world.prompts, &message), OK);
	buf_release(&message);
	world.ports = (struct job_ports){ reactor, &world.model.port, &world.store.port,
					  world.prompts };
	world.api = (struct api){ .reactor = reactor,
				  .model = &world.model.port,
				  .store = &world.store.port,
				  .options = &options };
	assert_int_equal(registry_new(&world.ports, &registry_options, &world.api.registry), OK);
	raw_connect(&world.client, &world.served);
	return 0;
}

void on_world_idle(void *context)
{
	(void)context;
	world.idle = 1;
}

static void gauges_are_back_at_zero(void)
{
	assert_int_equal(metric_get(METRIC_STREAMS_OPEN), 0);
	assert_int_equal(metric_get(METRIC_JOBS_RUNNING), 0);
	assert_int_equal(metric_get(METRIC_JOBS_KEPT), 0);
	assert_int_equal(metric_get(METRIC_UPSTREAM_OPEN), 0);
	assert_int_equal(metric_get(METRIC_CONNECTIONS_OPEN), 0);
}

int close_world(void **state)
{
	struct reactor *reactor = reactor_uv_base(world.served.reactor);

	(void)state;
	raw_close(&world.client);
	registry_stop(world.api.registry, on_world_idle, NULL);
	served_wait(&world.served, &world.idle, 1);
	http_server_stop(world.served.server, on_world_idle, NULL);
	world.idle = 0;
	served_wait(&world.served, &world.idle, 1);
	registry_free(world.api.registry);
	prompt_set_free(world.prompts);
	fake_store_release(&world.store);
	http_server_free(world.served.server);
	reactor->timer_stop(reactor, &world.served.tick);
	reactor_uv_free(world.served.reactor);
	gauges_are_back_at_zero();
	return 0;
}

void ask_by(struct raw_client *client, const char *members)
{
	char body[2048];
	char text[4096];

	(void)snprintf(body, sizeof(body),
		       "{\"model\":\"longhand\",\"messages\":[{\"role\":\"user\",\"content\":"
		       "\"Write a 600-word story about a lighthouse.\"}]%s}",
		       members);
	(void)snprintf(text, sizeof(text),
		       "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: "
		       "%zu\r\n\r\n%s",
		       strlen(body), body);
	raw_send(client, text);
}

void ask(const char *members)
{
	ask_by(&world.client, members);
}

void send_line(const char *method, const char *path)
{
	char text[512];

	raw_forget(&world.client);
	(void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		       method, path);
	raw_send(&world.client, text);
}

void get(const char *path)
{
	send_line("GET", path);
}

char *unchunked(void)
{
	char *from = strstr(world.client.got.data, "\r\n\r\n") + 4;
	char *start = from;
	char *to = from;

	for (;;) {
		size_t len = strtoul(from, &from, 16);

		from += 2;
		if (len == 0)
			break;
		memmove(to, from, len);
		to += len;
		from += len + 2;
	}
	*to = '\0';
	return start;
}

json_t *json_answer(const char *end)
{
	json_t *json;

	raw_expect(&world.client, end);
	json = json_loads(strstr(world.client.got.data, "\r\n\r\n") + 4, 0, NULL);
	assert_non_null(json);
	return json;
}

const char *string_at(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value != NULL ? value : "";
}

char job_id[33];

void note_job(void)
{
	const char *line = strstr(world.client.got.data, "X-Longhand-Job: ");

	assert_non_null(line);
	(void)snprintf(job_id, sizeof(job_id), "%s", line + strlen("X-Longhand-Job: "));
	assert_int_equal(strspn(job_id, "0123456789abcdef"), 32);
}
