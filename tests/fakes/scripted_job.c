#include "fakes/scripted_job.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { ACTIONS_MAX = 200000, LOG_FIRST = 64 };

void scripted_spec(struct spec *spec, const char *request, long target_words)
{
	spec_init(spec);
	spec->request = mem_strdup(request);
	spec->history = json_array();
	MUST(spec->request != NULL && spec->history != NULL);
	spec->target_words = target_words;
	spec->demand.target_words = target_words;
	spec->demand.language =
		(unsigned char)request[0] >= 0xe0 ? LANGUAGE_CHINESE : LANGUAGE_ENGLISH;
	spec->demand.kind = DEMAND_STORY;
	spec->mode = target_words < 800 ? WRITING_SINGLE : WRITING_SERIAL;
}

static enum err apply(struct scripted_job *job, struct event *event)
{
	enum err err;

	if (job->n_log == job->log_size) {
		size_t size = job->log_size > 0 ? job->log_size * 2 : LOG_FIRST;
		struct event *log = mem_realloc(job->log, size * sizeof(*log));

		if (log == NULL) /* that failure was meant for the engine */
			log = mem_realloc(job->log, size * sizeof(*log));
		MUST(log != NULL);
		job->log = log;
		job->log_size = size;
	}
	event->seq = job->n_log;
	event->at_byte = job->state.text.len;
	event->t_ms = 1000 + job->n_log * 100;
	err = state_apply(&job->state, event);
	job->log[job->n_log++] = *event;
	*event = (struct event){ .kind = event->kind };
	return err;
}

void scripted_job_init(struct scripted_job *job, struct spec *spec)
{
	struct event event;

	*job = (struct scripted_job){ .failures_left = 5 };
	scripted_model_init(&job->model, 1);
	job->model.is_chinese = spec->demand.language == LANGUAGE_CHINESE;
	state_init(&job->state);
	MUST(prompt_set_load(NULL, &job->prompts, NULL) == OK);
	MUST(event_init(&event, EVENT_CREATED, 0, (struct slice){ NULL, 0 },
			json_pack("{s:o}", "spec", spec_to_json(spec))) == OK);
	spec_release(spec);
	MUST(apply(job, &event) == OK);
}

void scripted_job_release(struct scripted_job *job)
{
	for (size_t i = 0; i < job->n_log; i++)
		event_release(&job->log[i]);
	mem_free(job->log);
	state_release(&job->state);
	prompt_set_free(job->prompts);
}

/* One call under way. */
struct talk {
	bool is_running, is_stopped;
	struct scripted_answer answer;
	size_t sent;
};

static enum err feed(struct scripted_job *job, struct engine *engine, struct talk *talk)
{
	size_t left = talk->answer.text.len - talk->sent;
	size_t piece = job->piece_bytes > 0 && job->piece_bytes < left ? job->piece_bytes : left;
	struct call_end end = { .result = talk->answer.result, .finish = talk->answer.finish };

	if (!talk->is_stopped && left > 0) {
		talk->sent += piece;
		job->bytes_sent += piece;
		return engine_on_text(engine, talk->answer.text.data + talk->sent - piece, piece);
	}
	if (talk->is_stopped) { /* the backend cannot say any more what it used */
		end.result = ERR_CANCELED;
	} else if (!job->has_no_usage) {
		end.usage.prompt_tokens = 100;
		end.usage.completion_tokens = (long long)talk->sent / 5;
	}
	talk->is_running = false;
	buf_release(&talk->answer.text);
	if (end.result != OK && !talk->is_stopped)
		job->failures_left--;
	return engine_on_call_end(engine, &end);
}

static void begin(struct scripted_job *job, struct talk *talk, const struct engine_ask *ask)
{
	*talk = (struct talk){ .is_running = true };
	job->sampling = ask->sampling;
	scripted_model_answer(&job->model, ask, &job->state, &talk->answer);
}

static enum err give_up(struct scripted_job *job, const struct engine *engine)
{
	struct event event;
	enum err err = engine_fail(engine, "backend_failed", "the backend failed", &event);

	return err == OK ? apply(job, &event) : err;
}

static enum err act(struct scripted_job *job, struct engine *engine, struct talk *talk,
		    struct engine_action *action)
{
	enum err err = OK;

	switch (action->kind) {
	case ENGINE_ASK:
		job->n_asks++;
		if (job->failures_left == 0)
			err = give_up(job, engine);
		else
			begin(job, talk, &action->ask);
		break;
	case ENGINE_STOP_CALL:
		job->n_stops++;
		talk->is_stopped = true;
		break;
	case ENGINE_APPEND:
		err = apply(job, &action->event);
		break;
	case ENGINE_WAIT:
		MUST(talk->is_running);
		err = feed(job, engine, talk);
		break;
	case ENGINE_END:
		break;
	}
	engine_action_release(action);
	return err;
}

static enum err replace(struct scripted_job *job, struct engine **engine, struct talk *talk)
{
	if (talk->is_running)
		buf_release(&talk->answer.text);
	*talk = (struct talk){ .is_running = false };
	engine_free(*engine);
	*engine = NULL;
	return engine_new(&job->state, job->prompts, engine);
}

static enum err turn(struct scripted_job *job, struct engine **engine, struct talk *talk,
		     bool *ret_is_end)
{
	struct engine_action action;
	enum err err = OK;

	job->n_actions++;
	if (job->n_actions == job->cancel_at)
		engine_cancel(*engine);
	if (job->n_actions == job->drop_engine_at)
		err = replace(job, engine, talk);
	if (err == OK)
		err = engine_next(*engine, &action);
	if (err != OK)
		return err;
	*ret_is_end = action.kind == ENGINE_END;
	return act(job, *engine, talk, &action);
}

enum err scripted_job_run(struct scripted_job *job)
{
	struct engine *engine = NULL;
	struct talk talk = { .is_running = false };
	bool is_end = false;
	enum err err = engine_new(&job->state, job->prompts, &engine);

	while (err == OK && !is_end)
		err = job->n_actions > ACTIONS_MAX ? ERR_LIMIT : turn(job, &engine, &talk, &is_end);
	if (talk.is_running)
		buf_release(&talk.answer.text);
	engine_free(engine);
	return err;
}
