#include "api/jobs_parts.h"
#include "api/start_fault.h"
#include "base/mem.h"
#include <stdio.h>

enum { TRIES_MAX = 5 };

struct cancelling {
	struct taking taking;
	struct api *api;
	struct request *request; /* NULL once closed */
	enum job_question question;
	unsigned tries;
	char id[JOB_ID_BYTES];
	char owner[OWNER_BYTES];
};

static void take(struct cancelling *cancelling);

static void refuse(struct cancelling *cancelling, struct request *request, enum err err)
{
	struct api_fault fault;

	if (err == ERR_NOT_FOUND) {
		jobs_refuse_unknown(request, cancelling->id);
	} else if (err == ERR_CANCELED) {
		start_fault(cancelling->api, cancelling->owner, 0, err, &fault);
		api_fault_send(request, &fault);
	} else {
		jobs_refuse_failed(request, err);
	}
}

static void on_taken(struct op *op)
{
	struct taking *taking = container_of(op, struct taking, op);
	struct cancelling *cancelling = container_of(taking, struct cancelling, taking);
	struct request *request = cancelling->request;

	/* Its writer was writing it just then. */
	if (op->result == ERR_CONFLICT && ++cancelling->tries < TRIES_MAX) {
		take(cancelling);
		return;
	}
	if (request != NULL) {
		request->user = NULL;
		request->on_closed = NULL;
		if (op->result == OK)
			jobs_find(cancelling->api, request, cancelling->id, cancelling->owner,
				  cancelling->question);
		else
			refuse(cancelling, request, op->result);
	}
	api_let_go(cancelling->api);
	mem_free(cancelling);
}

static void take(struct cancelling *cancelling)
{
	struct api *api = cancelling->api;

	cancelling->taking = (struct taking){ .id = cancelling->id, .is_to_end = true };
	op_prepare(&cancelling->taking.op, api->reactor, 0, on_taken);
	registry_take(api->registry, &cancelling->taking);
}

static void on_closed(struct request *request)
{
	struct cancelling *cancelling = request->user;

	if (cancelling != NULL)
		cancelling->request = NULL; /* it is cancelled all the same */
}

void jobs_cancel(struct request *request, const struct job_facts *facts, enum job_question question)
{
	struct cancelling *cancelling = mem_alloc(sizeof(*cancelling));

	if (cancelling == NULL) {
		api_refuse_memory(request);
		return;
	}
	cancelling->api = api_hold(facts->api);
	cancelling->request = request;
	cancelling->question = question;
	(void)snprintf(cancelling->id, sizeof(cancelling->id), "%s", facts->id);
	(void)snprintf(cancelling->owner, sizeof(cancelling->owner), "%s", facts->owner);
	request->user = cancelling;
	request->on_closed = on_closed;
	take(cancelling);
}
