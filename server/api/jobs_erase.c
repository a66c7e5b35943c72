#include "api/jobs_parts.h"
#include "base/mem.h"
#include "base/metrics.h"
#include <stdio.h>

struct erasing {
	struct erasure erasure;
	struct request *request; /* NULL once closed */
	char id[JOB_ID_BYTES];
	bool is_response; /* to its client */
};

static void send_erased(const struct erasing *erasing, enum err result)
{
	const char *headers[] = { "Content-Type: application/json", NULL };
	struct request *request = erasing->request;
	struct buf body;

	request->user = NULL;
	request->on_closed = NULL;
	if (result == ERR_NOT_FOUND) { /* somebody else was faster */
		jobs_refuse_unknown(request, erasing->id);
		return;
	}
	buf_init(&body, 256);
	if (result == OK)
		result = buf_printf(&body, "{\"id\":\"%s%s\",\"object\":\"%s\",\"deleted\":true}",
				    erasing->is_response ? "resp_" : "", erasing->id,
				    erasing->is_response ? "response" : "longhand.job");
	if (result == OK) {
		metric_inc(METRIC_RESPONSES_2XX);
		reply_send(request, 200, headers, &body);
	} else {
		jobs_refuse_failed(request, result);
	}
	buf_release(&body);
}

static void on_erased(struct op *op)
{
	struct erasure *erasure = container_of(op, struct erasure, op);
	struct erasing *erasing = container_of(erasure, struct erasing, erasure);

	if (erasing->request != NULL)
		send_erased(erasing, op->result);
	mem_free(erasing);
}

static void on_erasing_closed(struct request *request)
{
	struct erasing *erasing = request->user;

	if (erasing != NULL)
		erasing->request = NULL; /* it is erased all the same */
}

void jobs_erase(struct request *request, const struct job_facts *facts, enum job_question question)
{
	struct erasing *erasing = mem_alloc(sizeof(*erasing));

	if (erasing == NULL) {
		api_refuse_memory(request);
		return;
	}
	(void)snprintf(erasing->id, sizeof(erasing->id), "%s", facts->id);
	erasing->request = request;
	erasing->is_response = question == JOB_RESPONSE_ERASE;
	request->user = erasing;
	request->on_closed = on_erasing_closed;
	op_prepare(&erasing->erasure.op, facts->api->reactor, 0, on_erased);
	registry_erase(facts->api->registry, erasing->id, &erasing->erasure);
}
