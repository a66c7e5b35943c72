/* The spec's JSON is all that a replay has: it must come back exactly. */
#include "check.h"
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "writing/spec.h"

static struct slice text(const char *data)
{
	return (struct slice){ .data = data, .len = strlen(data) };
}

/* A spec with a value of its own in every field. */
static void full_spec(struct spec *spec)
{
	spec_init(spec);
	spec->history =
		json_loads("[{\"role\":\"system\",\"content\":\"Be kind. 你好\"},"
			   "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}]",
			   0, NULL);
	spec->request = mem_strdup("Write {words} \"tea\"\n");
	spec->demand = (struct demand){ .target_words = 3,
					.at_least = 1,
					.at_most = 9,
					.language = LANGUAGE_CHINESE,
					.kind = DEMAND_LIST,
					.bound = DEMAND_RANGE,
					.has_number = true };
	spec->target_words = 5000;
	spec->at_least = 4000;
	spec->at_most = 6000;
	spec->count = WORDS_BENCHMARK;
	spec->mode = WRITING_SINGLE;
	spec->headings = HEADINGS_MARKDOWN;
	spec->context = CONTEXT_BOUNDED;
	assert_int_equal(plan_add(&spec->plan, text("Roots"), text("p"), 40), OK);
	spec->plan.sections[0].is_title_users = true;
	spec->is_plan_only = true;
	spec->max_tokens = 777;
	spec->stops[0] = mem_strdup("END");
	spec->stops[1] = mem_strdup("停");
	spec->n_stops = 2;
	spec->sampling = (struct sampling){ .temperature = 0.1,
					    .top_p = NAN,
					    .frequency_penalty = -1.0 / 3,
					    .presence_penalty = NAN,
					    .has_seed = true,
					    .seed = -9007199254740993LL };
	spec->traits = (struct model_traits){ .window_tokens = 8192,
					      .can_continue = true,
					      .has_schema = true,
					      .is_small = true,
					      .call_words_max = 800,
					      .tokens_per_word = 1.37,
					      .habit = 0.1 + 0.2 };
}

/* As the log does it: to bytes and back. */
static json_t *through_bytes(json_t *json)
{
	char *bytes = json_dumps(json, JSON_COMPACT);
	json_t *back = json_loads(bytes, 0, NULL);

	free(bytes);
	json_decref(json);
	return back;
}

static void a_spec_comes_back_exactly(void **state)
{
	struct spec spec;
	struct spec back;
	json_t *json;
	json_t *again;

	(void)state;
	full_spec(&spec);
	json = through_bytes(spec_to_json(&spec));
	assert_int_equal(spec_from_json(json, &back), OK);
	again = spec_to_json(&back);
	assert_true(json_equal(json, again));
	assert_string_equal(back.request, spec.request);
	assert_true(json_equal(back.history, spec.history));
	assert_memory_equal(&back.demand.target_words, &spec.demand.target_words, sizeof(long));
	assert_int_equal(back.demand.kind, DEMAND_LIST);
	assert_int_equal(back.sampling.seed, spec.sampling.seed);
	assert_true(isnan(back.sampling.top_p) && isnan(back.sampling.presence_penalty));
	assert_memory_equal(&back.sampling.frequency_penalty, &spec.sampling.frequency_penalty,
			    sizeof(double));
	assert_memory_equal(&back.traits.habit, &spec.traits.habit, sizeof(double));
	assert_null(json_object_get(json_object_get(json, "sampling"), "top_p"));
	assert_int_equal(back.n_stops, 2);
	assert_true(back.plan.sections[0].is_title_users);
	json_decref(json);
	json_decref(again);
	spec_release(&spec);
	spec_release(&back);
}

static void an_empty_spec_comes_back_too(void **state)
{
	struct spec spec;
	struct spec back;
	json_t *json;

	(void)state;
	spec_init(&spec);
	json = through_bytes(spec_to_json(&spec));
	assert_int_equal(spec_from_json(json, &back), OK);
	assert_int_equal(json_array_size(back.history), 0);
	assert_false(back.sampling.has_seed);
	assert_true(isnan(back.sampling.temperature));
	json_decref(json);
	spec_release(&spec);
	spec_release(&back);
}

/* Without any one of its members, or with one of another type, it is not a spec. */
static void what_is_no_spec_is_refused(void **state)
{
	struct spec spec;
	const char *key;
	json_t *whole;
	json_t *value;
	size_t n = 0;

	(void)state;
	full_spec(&spec);
	whole = through_bytes(spec_to_json(&spec));
	json_object_foreach(whole, key, value)
	{
		json_t *broken = json_copy(whole);
		struct spec back;

		(void)value;
		assert_int_equal(json_object_set_new(broken, key, json_real(0.5)), 0);
		assert_int_equal(spec_from_json(broken, &back), ERR_INVALID);
		json_decref(broken);
		n++;
	}
	assert_true(n > 10);
	json_decref(whole);
	spec_release(&spec);
	assert_int_equal(spec_from_json(NULL, &spec), ERR_INVALID);
}

static void the_context_follows_model_and_length(void **state)
{
	static const struct {
		enum context said;
		bool is_small;
		long target_words;
		long window_tokens;
		enum context is;
	} rows[] = {
		{ CONTEXT_AUTO, true, 500, 8192, CONTEXT_DIRECT },
		{ CONTEXT_AUTO, false, 5000, 128000, CONTEXT_FULL },
		{ CONTEXT_AUTO, false, 6000, 128000, CONTEXT_FULL },
		{ CONTEXT_AUTO, false, 6001, 128000, CONTEXT_BOUNDED },
		{ CONTEXT_AUTO, false, 5000, 8192, CONTEXT_BOUNDED },
		{ CONTEXT_AUTO, false, 1000, 0, CONTEXT_BOUNDED },
		{ CONTEXT_FULL, true, 90000, 0, CONTEXT_FULL },
		{ CONTEXT_DIRECT, false, 90000, 128000, CONTEXT_DIRECT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct spec spec;

		spec_init(&spec);
		spec.context = rows[i].said;
		spec.target_words = rows[i].target_words;
		spec.traits.is_small = rows[i].is_small;
		spec.traits.window_tokens = rows[i].window_tokens;
		assert_int_equal(spec_context(&spec), rows[i].is);
	}
}

static void headings_follow_the_kind(void **state)
{
	static const struct {
		enum headings said;
		enum demand_kind kind;
		long target_words;
		bool is;
	} rows[] = {
		{ HEADINGS_AUTO, DEMAND_ARTICLE, 1000, true },
		{ HEADINGS_AUTO, DEMAND_REPORT, 1000, true },
		{ HEADINGS_AUTO, DEMAND_STORY, 9000, false },
		{ HEADINGS_AUTO, DEMAND_NOVEL, 9000, false },
		{ HEADINGS_AUTO, DEMAND_LETTER, 9000, false },
		{ HEADINGS_AUTO, DEMAND_SPEECH, 9000, false },
		{ HEADINGS_AUTO, DEMAND_POEM, 9000, false },
		{ HEADINGS_AUTO, DEMAND_SCRIPT, 9000, false },
		{ HEADINGS_AUTO, DEMAND_OTHER, 9000, false },
		{ HEADINGS_AUTO, DEMAND_ESSAY, 1499, false },
		{ HEADINGS_AUTO, DEMAND_ESSAY, 1500, true },
		{ HEADINGS_NONE, DEMAND_ARTICLE, 1000, false },
		{ HEADINGS_MARKDOWN, DEMAND_STORY, 1000, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct spec spec;

		spec_init(&spec);
		spec.headings = rows[i].said;
		spec.demand.kind = rows[i].kind;
		spec.target_words = rows[i].target_words;
		assert_int_equal(spec_has_headings(&spec), rows[i].is);
	}
}

static void the_users_own_titles_are_headings(void **state)
{
	struct spec spec;

	(void)state;
	spec_init(&spec);
	spec.demand.kind = DEMAND_STORY;
	spec.target_words = 1000;
	assert_int_equal(plan_add(&spec.plan, text("Night"), text(""), 0), OK);
	assert_false(spec_has_headings(&spec));
	spec.plan.sections[0].is_title_users = true;
	assert_true(spec_has_headings(&spec));
	spec_release(&spec);
}

static void every_allocation_may_fail(void **state)
{
	struct spec spec;
	json_t *json = NULL;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	full_spec(&spec);
	for (size_t nth = 1; json == NULL; nth++) {
		mem_fail_at(nth);
		json = spec_to_json(&spec);
		mem_fail_at(0);
		assert_true(nth < 500);
	}
	spec_release(&spec);
	for (size_t nth = 1; err != OK; nth++) {
		mem_fail_at(nth);
		err = spec_from_json(json, &spec);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
	}
	spec_release(&spec);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spec_comes_back_exactly),
		cmocka_unit_test(an_empty_spec_comes_back_too),
		cmocka_unit_test(what_is_no_spec_is_refused),
		cmocka_unit_test(the_context_follows_model_and_length),
		cmocka_unit_test(headings_follow_the_kind),
		cmocka_unit_test(the_users_own_titles_are_headings),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
