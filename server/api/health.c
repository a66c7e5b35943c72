#include "api/health.h"
#include "base/metrics.h"

static void send_text(struct request *request, int status, const char *type, struct buf *body)
{
	const char *headers[] = { type, "Cache-Control: no-store", NULL };

	reply_send(request, status, headers, body);
}

static void send_word(struct request *request, int status, const char *word)
{
	struct buf body;

	buf_init(&body, 64);
	if (buf_append_str(&body, word) != OK)
		buf_clear(&body);
	send_text(request, status, "Content-Type: text/plain", &body);
}

void health_alive(struct api *api, struct request *request, const char *rest, const char *owner)
{
	(void)owner;
	(void)api;
	(void)rest;
	send_word(request, 200, "ok\n");
}

void health_ready(struct api *api, struct request *request, const char *rest, const char *owner)
{
	(void)owner;
	(void)rest;
	send_word(request, api->is_draining ? 503 : 200,
		  api->is_draining ? "draining\n" : "ready\n");
}

void health_metrics(struct api *api, struct request *request, const char *rest, const char *owner)
{
	struct buf body;

	(void)owner;
	(void)api;
	(void)rest;
	buf_init(&body, 1 << 20);
	if (metrics_render(&body) != OK)
		buf_clear(&body);
	send_text(request, 200, "Content-Type: text/plain; version=0.0.4", &body);
}
