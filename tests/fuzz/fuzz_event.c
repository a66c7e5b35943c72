/* Lines of a job's log: what can be read is written back the same, and a state takes it or says
 * that it cannot. */
#include <string.h>
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "job/event_codec.h"
#include "writing/report.h"
#include "writing/state.h"

enum { LINE_BYTES_MAX = 8 << 20 };

static void check_equal(const struct event *a, const struct event *b)
{
	MUST(a->kind == b->kind && a->epoch == b->epoch && a->seq == b->seq);
	MUST(a->section == b->section && a->at_byte == b->at_byte && a->t_ms == b->t_ms);
	MUST(a->text_len == b->text_len && (a->text == NULL) == (b->text == NULL));
	MUST(a->text == NULL || memcmp(a->text, b->text, a->text_len) == 0);
	MUST((a->data == NULL) == (b->data == NULL));
	MUST(a->data == NULL || json_equal(a->data, b->data));
}

static void check_round(const struct event *event)
{
	struct event again;
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	MUST(event_encode(event, &line) == OK);
	MUST(memchr(line.data, '\n', line.len) == line.data + line.len - 1);
	MUST(event_decode(line.data, line.len, &again) == OK);
	check_equal(event, &again);
	event_release(&again);
	buf_release(&line);
}

static void take(struct state *state, struct slice line)
{
	struct event event;
	enum err err = event_decode(line.data, line.len, &event);

	MUST(err == OK || err == ERR_INVALID);
	if (err != OK)
		return;
	check_round(&event);
	err = state_apply(state, &event);
	MUST(err == OK || err == ERR_INVALID || err == ERR_TOO_LARGE);
	MUST(text_is_valid(buf_str(&state->text), state->text.len));
	(void)state_eta_s(state);
	event_release(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice log = { (const char *)data, size };
	struct slice line;
	struct state state;

	state_init(&state);
	while (fuzz_cut(&log, '\n', &line))
		take(&state, line);
	if (state.phase != STATE_NEW) {
		json_t *report = report_build(&state);

		MUST(report != NULL);
		json_decref(report);
	}
	state_release(&state);
	return 0;
}
