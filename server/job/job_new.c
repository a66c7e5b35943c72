/* How jobs come to be, and how they go. */
#include "base/mem.h"
#include "base/must.h"
#include "job/job_parts.h"
#include <stdio.h>

static void free_now(struct job *job)
{
	engine_free(job->engine);
	event_log_release(&job->log);
	state_release(&job->state);
	spec_release(&job->spec);
	json_decref(job->response);
	for (size_t i = 0; i < STORE_LABELS_MAX; i++)
		mem_free(job->labels[i]);
	mem_free(job->model_id);
	mem_free(job->owner);
	mem_free(job->authorization);
	mem_free(job->backend);
	mem_free(job->backend_model);
	mem_free(job->backend_id);
	mem_free(job);
}

static void on_leaving(struct deferred *deferred)
{
	free_now(container_of(deferred, struct job, leaving));
}

static void on_moved(struct event_log *log)
{
	struct job *job = container_of(log, struct job, log);
	struct reactor *reactor = job->ports->reactor;

	if (job->is_freed)
		reactor->defer(reactor, &job->leaving, on_leaving);
	else
		job_on_log_moved(job);
}

struct job *job_alloc(const struct job_ports *ports, const struct job_options *options,
		      const char *id)
{
	struct job *job = mem_alloc(sizeof(*job));

	if (job == NULL)
		return NULL;
	state_init(&job->state);
	spec_init(&job->spec);
	(void)snprintf(job->id, sizeof(job->id), "%s", id);
	job->ports = ports;
	job->options = options;
	event_log_init(&job->log, ports->reactor, ports->store, &options->log, job->id);
	job->log.on_moved = on_moved;
	job->log.labels = (const char *const *)job->labels;
	return job;
}

enum err job_authorize(struct job *job, const char *authorization)
{
	char *copy = mem_strdup(authorization);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	mem_free(job->authorization);
	job->authorization = copy;
	return OK;
}

static enum err copy_facts(struct job *job, const struct job_request *request)
{
	job->grace = request->grace;
	job->response = json_incref(request->response);
	job->model_id = mem_strdup(request->model_id);
	job->owner = mem_strdup(request->owner);
	job->backend = mem_strdup(request->target.backend);
	job->backend_model = mem_strdup(request->target.model);
	if (request->target.id != NULL)
		job->backend_id = mem_strdup(request->target.id);
	if (job->model_id == NULL || job->owner == NULL || job->backend == NULL ||
	    job->backend_model == NULL || (request->target.id != NULL && job->backend_id == NULL))
		return ERR_NO_MEMORY;
	if (request->authorization != NULL && job_authorize(job, request->authorization) != OK)
		return ERR_NO_MEMORY;
	return job_set_labels(job, request->labels);
}

enum err job_new(const struct job_ports *ports, const struct job_options *options,
		 struct job_request *request, struct job **ret_job)
{
	struct job *job = job_alloc(ports, options, request->id);
	enum err err;

	if (job == NULL) {
		spec_release(&request->spec);
		return ERR_NO_MEMORY;
	}
	job->spec = request->spec;
	spec_init(&request->spec);
	err = copy_facts(job, request);
	if (err == OK)
		*ret_job = job;
	else
		job_free(job);
	return err;
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	MUST(!job->is_calling);
	if (job->log.phase == LOG_IDLE) {
		free_now(job);
		return;
	}
	LIST_EACH (node, &job->log.readers)
		reader_detach(container_of(node, struct reader, node));
	job->is_freed = true;
	event_log_abandon(&job->log, ERR_CANCELED);
}
