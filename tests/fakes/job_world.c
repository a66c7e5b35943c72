#include "fakes/job_world.h"
#include "check.h"
#include <string.h>
#include "base/logging.h"
#include "base/mem.h"
#include "job/replay.h"

const char job_world_id[33] = "0123456789abcdef0123456789abcdef";

const struct registry_options job_world_options = {
	.running_max = 4,
	.stream_grace_ms = 5,
	.keep_ms = KEEP_MS,
	.scan_ms = 1000,
	.follow_ms = 100,
	.adopt_ms = 500,
	.job = { .log = { .flush_ms = 50,
			  .flush_bytes = 512,
			  .store_ms = 1000,
			  .again_ms = 100,
			  .pending_bytes_max = 1 << 20 },
		 .retry = { .max_tries = 4,
			    .base_ms = 500,
			    .cap_ms = 4000,
			    .retry_after_cap_ms = 20000,
			    .try_ms = 30000 } },
};

struct job_world job_world;

/* Nothing twice, nothing left out. */
static void note_event(const struct event *event)
{
	struct store_place *place = &job_world.place;

	if (event->epoch != place->epoch)
		assert_true(event->epoch > place->epoch &&
			    event->seq == (place->epoch == 0 ? 1 : 0));
	else
		assert_int_equal(event->seq, place->seq + 1);
	*place = (struct store_place){ event->epoch, event->seq };
	job_world.events++;
	job_world.last = event->kind;
	job_world.ends += event_is_end(event->kind);
	if (event->kind == EVENT_FAILED)
		job_world.code = json_string_value(json_object_get(event->data, "code"));
	if (event->kind != EVENT_TEXT)
		return;
	assert_int_equal(event->at_byte, job_world.text_len);
	assert_true(job_world.text_len + event->text_len < sizeof(job_world.text));
	memcpy(job_world.text + job_world.text_len, event->text, event->text_len);
	job_world.text_len += event->text_len;
}

void job_world_on_events(struct reader *reader)
{
	const struct event *event;

	while ((event = reader_next(reader)) != NULL)
		note_event(event);
}

static bool is_full(void *user)
{
	(void)user;
	return false;
}

static bool take_event(void *user, const struct event *event)
{
	(void)user;
	note_event(event);
	if (!event_is_end(event->kind))
		return true;
	job_world_unfollow();
	return false;
}

static void on_fail(void *user, enum err error)
{
	(void)user;
	job_world.cursor_error = error;
	job_world_unfollow();
}

void job_world_follow(struct registry *registry)
{
	struct log_cursor_options options = { registry, NULL, is_full, take_event, on_fail, NULL };

	job_world.text_len = 0;
	job_world.events = 0;
	job_world.place = (struct store_place){ 0, 0 };
	job_world.cursor_error = OK;
	job_world.cursor =
		log_cursor_new(&options, registry_find(registry, job_world_id), job_world_id);
	assert_non_null(job_world.cursor);
	log_cursor_read(job_world.cursor);
}

void job_world_unfollow(void)
{
	log_cursor_free(job_world.cursor);
	job_world.cursor = NULL;
}

void job_world_follow_to_end(unsigned ends)
{
	for (uint64_t ms = 0; ms < 600000 && job_world.ends < ends && job_world.cursor_error == OK;
	     ms += 50)
		fake_reactor_advance(&job_world.loop, 50);
	assert_int_equal(job_world.cursor_error, OK);
	assert_int_equal(job_world.ends, ends);
}

struct registry *job_world_other(void)
{
	struct registry *registry;

	assert_int_equal(registry_new(&job_world.ports, &job_world.options, &registry), OK);
	return registry;
}

void job_world_begin(void)
{
	struct buf message;

	log_set_level(LOG_LEVEL_ERROR);
	job_world = (struct job_world){ .ends = 0 };
	fake_reactor_init(&job_world.loop);
	fake_model_init(&job_world.model, &job_world.loop.base);
	fake_store_init(&job_world.store, &job_world.loop.base);
	buf_init(&message, 1000);
	assert_int_equal(prompt_set_load(NULL, &job_world.prompts, &message), OK);
	buf_release(&message);
	job_world.ports = (struct job_ports){ &job_world.loop.base, &job_world.model.port,
					      &job_world.store.port, job_world.prompts };
	job_world.options = job_world_options;
	assert_int_equal(registry_new(&job_world.ports, &job_world.options, &job_world.registry),
			 OK);
}

void job_world_fill_spec(struct spec *spec)
{
	static const char request[] = "Write a 600-word story about a lighthouse.";

	spec_init(spec);
	demand_read(request, sizeof(request) - 1, &spec->demand);
	mem_free(spec->request);
	spec->request = mem_strdup(request);
	json_decref(spec->history);
	spec->history = json_array();
	spec->target_words = TARGET_WORDS;
	spec->traits.has_schema = true;
	spec->traits.call_words_max = 200;
	sampling_init(&spec->sampling);
}

enum err job_world_start(uint64_t reader_grace_ms)
{
	struct job_request request = { .id = job_world_id,
				       .model_id = "longhand",
				       .target = { .backend = "default", .model = "fake" },
				       .owner = "",
				       .grace = reader_grace_ms == UINT64_MAX ? JOB_GRACE_KEPT
									      : JOB_GRACE_STREAM };
	enum err err;

	job_world_fill_spec(&request.spec);
	job_world.options.stream_grace_ms = reader_grace_ms;
	err = registry_start(job_world.registry, &request, &job_world.job);
	spec_release(&request.spec);
	if (err == OK)
		registry_attach(job_world.job, &job_world.reader, job_world_on_events);
	return err;
}

/* The log in the store is what the reader saw, and replays to the same text. */
static bool is_replayed;

static void on_replayed(struct op *op)
{
	(void)op;
	is_replayed = true;
}

void job_world_check_replay(void)
{
	struct replay replay = { .store = NULL };

	is_replayed = false;
	op_prepare(&replay.op, &job_world.loop.base, 0, on_replayed);
	replay_start(&replay, store_memory_port(job_world.store.memory), job_world_id, 1000);
	while (!is_replayed)
		assert_true(fake_reactor_turn(&job_world.loop));
	assert_int_equal(replay.op.result, OK);
	assert_int_equal(replay.state.text.len, job_world.text_len);
	assert_memory_equal(buf_str(&replay.state.text), job_world.text, job_world.text_len);
	assert_int_equal(replay.state.phase, STATE_ENDED);
	replay_release(&replay);
}

void job_world_end(void)
{
	reader_detach(&job_world.reader);
	assert_int_equal(job_world.model.live, 0);
	assert_int_equal(registry_running(job_world.registry), 0);
	registry_free(job_world.registry);
	prompt_set_free(job_world.prompts);
	fake_reactor_settle(&job_world.loop);
	fake_store_release(&job_world.store);
	assert_true(fake_reactor_is_idle(&job_world.loop));
}

void job_world_run(void)
{
	for (uint64_t ms = 0; ms < 600000 && registry_running(job_world.registry) > 0; ms += 50)
		fake_reactor_advance(&job_world.loop, 50);
	assert_int_equal(registry_running(job_world.registry), 0);
}

long job_world_words(void)
{
	return words_count(WORDS_NATURAL, job_world.text, job_world.text_len);
}
