#include "fakes/fake_model.h"
#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPEECHES = 16, PLAN_TITLES_MAX = 60 };

/* One answer on its way. */
struct speech {
	struct timer timer;
	struct fake_model *fake;
	struct generate_call *call;
	enum err fate;
	bool is_plan;
	long left; /* words, or titles */
	unsigned pieces;
};

static struct speech speeches[SPEECHES];

static const char *const nouns[] = { "harbour", "lantern", "keeper", "storm",  "granite",
				     "sailor",  "beacon",  "tide",   "island", "mirror",
				     "tower",   "channel", "oil",    "clock",  "window",
				     "stair",   "rope",    "gull",   "engine", "chart" };
static const char *const verbs[] = { "guarded", "followed", "lifted",  "measured", "answered",
				     "crossed", "repaired", "painted", "watched",  "carried" };

/* The number before `unit` in the last message; 0: none. */
static long number_before(const struct generate_call *call, const char *unit)
{
	const json_t *last = json_array_get(call->messages, json_array_size(call->messages) - 1);
	const char *text = json_string_value(json_object_get(last, "content"));
	const char *at = text;
	long number = 0;

	while (at != NULL && (at = strstr(at, unit)) != NULL) {
		const char *start = at;

		while (start > text && start[-1] == ' ')
			start--;
		while (start > text && start[-1] >= '0' && start[-1] <= '9')
			start--;
		if (*start >= '0' && *start <= '9')
			number = strtol(start, NULL, 10);
		at++;
	}
	return number;
}

static const char *pick(const char *const *words, size_t count, unsigned number)
{
	return words[(number * 2654435761u >> 8) % count];
}

static long say_sentence(struct speech *speech, char *out, size_t size)
{
	unsigned n = ++speech->fake->sentences;

	(void)snprintf(out, size, "The %s %s the %s of the %s while a %s %s one %s on day %u. ",
		       pick(nouns, 20, n), pick(verbs, 10, n + 7), pick(nouns, 20, n * 3 + 1),
		       pick(nouns, 20, n * 5 + 2), pick(nouns, 20, n * 7 + 3),
		       pick(verbs, 10, n * 11), pick(nouns, 20, n * 13 + 4), n);
	return 17;
}

static void end_speech(struct speech *speech, enum err result)
{
	struct generate_call *call = speech->call;

	speech->fake->reactor->timer_stop(speech->fake->reactor, &speech->timer);
	speech->fake->live--;
	call->finish = result == OK ? FINISH_STOP : FINISH_NONE;
	call->usage =
		(struct usage){ .prompt_tokens = 100, .completion_tokens = 20 * speech->pieces };
	call->status = result == ERR_REJECTED ? speech->fake->status : 200;
	call->retry_after_ms = result == ERR_BUSY ? speech->fake->retry_after_ms : 0;
	(void)snprintf(call->message, sizeof(call->message), "the fake fails: %s",
		       err_text(result));
	speech->call = NULL;
	op_finish(&call->op, result);
}

static void on_piece(struct timer *timer)
{
	struct speech *speech = container_of(timer, struct speech, timer);
	struct fake_model *fake = speech->fake;
	struct generate_call *call = speech->call;
	char text[256];

	if (speech->fate != OK && speech->pieces >= fake->break_after) {
		if (speech->fate != ERR_UNKNOWN)
			end_speech(speech, speech->fate);
		return;
	}
	if (speech->left <= 0) {
		end_speech(speech, OK);
		return;
	}
	speech->pieces++;
	if (speech->is_plan) {
		unsigned n = ++fake->sentences;

		(void)snprintf(text, sizeof(text), "%u. The %s and the %s number %u\n",
			       speech->pieces, pick(nouns, 20, n), pick(nouns, 20, n * 3 + 1), n);
		speech->left--;
	} else {
		speech->left -= say_sentence(speech, text, sizeof(text));
	}
	if (call->first_text_ms == 0)
		call->first_text_ms = fake->reactor->now_ms(fake->reactor);
	fake->reactor->timer_start(fake->reactor, &speech->timer, fake->piece_ms, on_piece);
	call->on_text(call, text, strlen(text)); /* may cancel: touch nothing after */
}

static void on_cancel(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);

	end_speech(call->provider, ERR_CANCELED);
}

static void fake_generate(struct model *model, struct generate_call *call)
{
	struct fake_model *fake = container_of(model, struct fake_model, port);
	struct speech *speech;
	long words = number_before(call, "words");
	size_t i = 0;

	call->started_ms = fake->reactor->now_ms(fake->reactor);
	if (!op_begin(&call->op, on_cancel))
		return;
	while (i < SPEECHES && speeches[i].call != NULL)
		i++;
	MUST(i < SPEECHES);
	speech = &speeches[i];
	*speech = (struct speech){ .fake = fake, .call = call, .is_plan = call->schema != NULL };
	speech->fate =
		fake->next_fate < fake->n_fates ? fake->fates[fake->next_fate++] : fake->every;
	speech->left = speech->is_plan ? PLAN_TITLES_MAX : words > 0 ? words : 100;
	if (speech->is_plan && number_before(call, "sections") > 0)
		speech->left = number_before(call, "sections");
	call->provider = speech;
	fake->calls++;
	fake->live++;
	if (fake->live > fake->live_max)
		fake->live_max = fake->live;
	fake->reactor->timer_start(fake->reactor, &speech->timer, fake->first_ms, on_piece);
}

static void fake_know(struct model *model, const struct model_target *target,
		      struct model_knowledge *ret_knowledge)
{
	(void)model;
	(void)target;
	*ret_knowledge = (struct model_knowledge){ .has_schema = true };
}

static void fake_learn(struct model *model, const struct model_target *target, double habit,
		       double tokens_per_word)
{
	struct fake_model *fake = container_of(model, struct fake_model, port);

	(void)target;
	fake->learned_habit = habit;
	fake->learned_tokens_per_word = tokens_per_word;
}

void fake_model_init(struct fake_model *fake, struct reactor *reactor)
{
	*fake = (struct fake_model){ .port = { .generate = fake_generate,
					       .know = fake_know,
					       .learn = fake_learn },
				     .reactor = reactor,
				     .first_ms = 30,
				     .piece_ms = 10,
				     .status = 400 };
}
