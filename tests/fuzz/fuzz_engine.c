/* The engine against answers that make no sense: it comes to an end, the text is UTF-8 and not far
 * beyond its target, and its log gives the same state again.
 *
 * Four bytes choose the spec; what follows are pieces between bytes 0xff, the first byte of each
 * says what it is: text, reasoning, or how the call ends. Behind the last piece every call brings
 * nothing. */
#include <string.h>
#include "base/mem.h"
#include "base/text.h"
#include "fakes/scripted_job.h"
#include "fuzz/fuzz.h"
#include "job/event_codec.h"
#include "writing/engine.h"

enum { ACTIONS_MAX = 100000, FAILURES_MAX = 4, LINE_BYTES_MAX = 16 << 20 };

struct drive {
	struct slice rest; /* of the input */
	struct engine *engine;
	struct state state;
	struct state again; /* by way of the codec */
	struct prompt_set *prompts;
	uint64_t seq;
	unsigned failures;
	bool is_running, is_stopped, is_over;
};

static void apply(struct drive *drive, struct event *event)
{
	struct event copy;
	struct buf line;

	event->seq = drive->seq++;
	event->at_byte = drive->state.text.len;
	event->t_ms = 1000 + drive->seq * 100;
	buf_init(&line, LINE_BYTES_MAX);
	MUST(event_encode(event, &line) == OK);
	MUST(event_decode(line.data, line.len, &copy) == OK);
	MUST(state_apply(&drive->state, event) == OK);
	MUST(state_apply(&drive->again, &copy) == OK);
	MUST(text_is_valid(buf_str(&drive->state.text), drive->state.text.len));
	buf_release(&line);
	event_release(&copy);
	event_release(event);
}

static void fail(struct drive *drive)
{
	struct event event;

	MUST(engine_fail(drive->engine, "backend_failed", "the backend failed", &event) == OK);
	apply(drive, &event);
}

/* How a call can end, by a byte; numbers as backends send them, nonsense too. */
static void end_call(struct drive *drive, unsigned how)
{
	static const struct call_end ends[] = {
		{ .result = OK, .finish = FINISH_STOP },
		{ .result = OK, .finish = FINISH_LENGTH, .usage = { .completion_tokens = 40 } },
		{ .result = OK, .finish = FINISH_FILTER },
		{ .result = OK,
		  .finish = FINISH_STOP,
		  .usage = { .prompt_tokens = INT64_MAX, .completion_tokens = INT64_MAX } },
		{ .result = ERR_BROKEN },
		{ .result = ERR_TIMEOUT },
		{ .result = ERR_UPSTREAM },
		{ .result = OK, .finish = FINISH_OTHER, .usage = { .completion_tokens = -5 } },
	};
	struct call_end end = ends[how % (sizeof(ends) / sizeof(ends[0]))];

	if (drive->is_stopped)
		end = (struct call_end){ .result = ERR_CANCELED };
	if (end.result != OK && !drive->is_stopped)
		drive->failures++;
	drive->is_running = drive->is_stopped = false;
	MUST(engine_on_call_end(drive->engine, &end) == OK);
}

static void say(struct drive *drive, struct slice bytes, bool is_reasoning)
{
	struct buf text = fuzz_text(bytes);

	if (is_reasoning)
		MUST(engine_on_reasoning(drive->engine, buf_str(&text), text.len) == OK);
	else
		MUST(engine_on_text(drive->engine, buf_str(&text), text.len) == OK);
	buf_release(&text);
}

/* The next piece of the input, for the running call. */
static void feed(struct drive *drive)
{
	struct slice piece;

	if (drive->is_stopped || !fuzz_cut(&drive->rest, '\xff', &piece)) {
		end_call(drive, 0);
		return;
	}
	if (piece.len == 0 || piece.data[0] == 'e')
		end_call(drive, piece.len > 1 ? (unsigned char)piece.data[1] : 0);
	else if (piece.data[0] == 'c')
		engine_cancel(drive->engine);
	else
		say(drive, (struct slice){ piece.data + 1, piece.len - 1 }, piece.data[0] == 'r');
}

static void act(struct drive *drive, struct engine_action *action)
{
	switch (action->kind) {
	case ENGINE_ASK:
		MUST(!drive->is_running && json_array_size(action->ask.messages) > 0);
		drive->is_running = drive->failures < FAILURES_MAX;
		if (!drive->is_running)
			fail(drive);
		break;
	case ENGINE_STOP_CALL:
		MUST(drive->is_running);
		drive->is_stopped = true;
		break;
	case ENGINE_APPEND:
		apply(drive, &action->event);
		break;
	case ENGINE_WAIT:
		MUST(drive->is_running);
		feed(drive);
		break;
	case ENGINE_END:
		drive->is_over = true;
	}
	engine_action_release(action);
}

static void make_spec(struct spec *spec, const uint8_t choice[4])
{
	static const char *const requests[] = { "Write a story about the harbour.",
						"写一篇关于港口的故事。" };

	scripted_spec(spec, requests[choice[0] & 1], 20 + (long)choice[1] * 20);
	spec->headings = choice[0] & 2 ? HEADINGS_MARKDOWN : HEADINGS_NONE;
	spec->count = choice[0] & 4 ? WORDS_BENCHMARK : WORDS_NATURAL;
	spec->mode = choice[0] & 8 ? WRITING_SERIAL : WRITING_SINGLE;
	spec->is_plan_only = (choice[0] & 0x70) == 0x70;
	spec->traits.can_continue = choice[2] & 1;
	spec->traits.has_schema = choice[2] & 2;
	spec->traits.is_small = choice[2] & 4;
	spec->context = choice[2] & 8 ? CONTEXT_FULL : CONTEXT_AUTO;
	spec->traits.call_words_max = choice[2] & 16 ? 50 : 0;
	spec->max_tokens = choice[3] & 1 ? choice[3] : 0;
	if (choice[3] & 2) {
		spec->stops[0] = mem_strdup("END");
		MUST(spec->stops[0] != NULL);
		spec->n_stops = 1;
	}
}

static void begin(struct drive *drive, const uint8_t choice[4])
{
	struct event created;
	struct spec spec;

	make_spec(&spec, choice);
	state_init(&drive->state);
	state_init(&drive->again);
	MUST(prompt_set_load(NULL, &drive->prompts, NULL) == OK);
	MUST(event_init(&created, EVENT_CREATED, 0, (struct slice){ NULL, 0 },
			json_pack("{s:o}", "spec", spec_to_json(&spec))) == OK);
	spec_release(&spec);
	apply(drive, &created);
	MUST(engine_new(&drive->state, drive->prompts, &drive->engine) == OK);
}

static void check_end(const struct drive *drive)
{
	const struct state *state = &drive->state;
	const struct state *again = &drive->again;

	MUST(state->phase == STATE_ENDED && again->phase == STATE_ENDED);
	MUST(state->words ==
	     words_count(state->spec.count, buf_str(&state->text), state->text.len));
	MUST(state->words <= state->spec.target_words * 2 + 200);
	MUST(again->text.len == state->text.len && again->words == state->words);
	MUST(strcmp(buf_str(&again->text), buf_str(&state->text)) == 0);
	MUST(json_equal(state->end_data, again->end_data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drive drive = { .seq = 0 };
	unsigned actions = 0;

	if (size < 4)
		return 0;
	drive.rest = (struct slice){ (const char *)data + 4, size - 4 };
	begin(&drive, data);
	while (!drive.is_over) {
		struct engine_action action;

		MUST(actions++ < ACTIONS_MAX);
		MUST(engine_next(drive.engine, &action) == OK);
		act(&drive, &action);
	}
	check_end(&drive);
	engine_free(drive.engine);
	state_release(&drive.state);
	state_release(&drive.again);
	prompt_set_free(drive.prompts);
	return 0;
}
