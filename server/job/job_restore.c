/* A job's facts into its `created` event, and out of it. */
#include "base/mem.h"
#include "job/job_parts.h"
#include <string.h>

static const char *const grace_names[] = {
	[JOB_GRACE_STREAM] = "stream",
	[JOB_GRACE_ANSWER] = "answer",
	[JOB_GRACE_KEPT] = "kept",
};

static const struct { /* strings of job and data */
	const char *name;
	size_t offset;
	bool is_optional; /* NULL then */
} facts[] = {
	{ "model", offsetof(struct job, model_id), false },
	{ "backend", offsetof(struct job, backend), false },
	{ "backend_model", offsetof(struct job, backend_model), false },
	{ "backend_id", offsetof(struct job, backend_id), true },
	{ "owner", offsetof(struct job, owner), false },
};

enum { FACTS = sizeof(facts) / sizeof(facts[0]) };

/* ---- into it ---- */

enum err job_set_labels(struct job *job, const char *const *labels)
{
	for (size_t i = 0; labels != NULL && labels[i] != NULL; i++) {
		if (i == STORE_LABELS_MAX || strlen(labels[i]) >= STORE_LABEL_BYTES)
			return ERR_INVALID;
		job->labels[i] = mem_strdup(labels[i]);
		if (job->labels[i] == NULL)
			return ERR_NO_MEMORY;
	}
	return OK;
}

static json_t *labels_array(const struct job *job)
{
	json_t *array = json_array();

	for (size_t i = 0; array != NULL && job->labels[i] != NULL; i++) {
		if (json_array_append_new(array, json_string(job->labels[i])) == 0)
			continue;
		json_decref(array);
		array = NULL;
	}
	return array;
}

json_t *job_created_data(const struct job *job)
{
	json_t *spec = spec_to_json(&job->spec);
	json_t *labels = labels_array(job);

	return json_pack("{s:o,s:s,s:s,s:s,s:s*,s:s,s:s,s:o,s:O*}", "spec", spec, "model",
			 job->model_id, "backend", job->backend, "backend_model",
			 job->backend_model, "backend_id", job->backend_id, "owner", job->owner,
			 "grace", grace_names[job->grace], "labels", labels, "response",
			 job->response);
}

/* ---- out of it ---- */

static enum job_grace grace_of(const json_t *data)
{
	const char *name = json_string_value(json_object_get(data, "grace"));

	for (int grace = JOB_GRACE_STREAM; name != NULL && grace <= JOB_GRACE_KEPT; grace++)
		if (strcmp(grace_names[grace], name) == 0)
			return (enum job_grace)grace;
	return JOB_GRACE_STREAM;
}

static enum err read_labels(struct job *job, const json_t *array)
{
	const char *labels[STORE_LABELS_MAX + 1] = { NULL };
	size_t n = json_array_size(array);

	if (n > STORE_LABELS_MAX)
		return ERR_INVALID;
	for (size_t i = 0; i < n; i++) {
		labels[i] = json_string_value(json_array_get(array, i));
		if (labels[i] == NULL)
			return ERR_INVALID;
	}
	return job_set_labels(job, labels);
}

static enum err read_created(struct job *job, const json_t *data)
{
	for (size_t i = 0; i < FACTS; i++) {
		const char *value = json_string_value(json_object_get(data, facts[i].name));
		char *copy = value != NULL ? mem_strdup(value) : NULL;

		if (value == NULL && facts[i].is_optional)
			continue;
		if (copy == NULL)
			return value == NULL ? ERR_INVALID : ERR_NO_MEMORY;
		memcpy((char *)job + facts[i].offset, &copy, sizeof(copy));
	}
	job->grace = grace_of(data);
	return read_labels(job, json_object_get(data, "labels"));
}

static enum err replay(struct job *job)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < job->log.n_events; i++)
		err = state_apply(&job->state, &job->log.events[i]);
	return err == OK && job->state.phase == STATE_ENDED ? ERR_INVALID : err;
}

enum err job_restore(const struct job_ports *ports, const struct job_options *options,
		     struct claim *claim, struct job **ret_job)
{
	struct job *job = NULL;
	enum err err = claim->n_events > 0 ? OK : ERR_INVALID;

	if (err == OK) {
		job = job_alloc(ports, options, claim->id);
		err = job != NULL ? OK : ERR_NO_MEMORY;
	}
	if (err == OK) {
		job->is_restored = true;
		event_log_adopt(&job->log, claim);
		err = read_created(job, job->log.events[0].data);
	}
	claim_release(claim);
	if (err == OK)
		err = replay(job);
	if (err == OK)
		*ret_job = job;
	else
		job_free(job);
	return err;
}
