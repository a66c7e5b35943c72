/* A request as the spec of a job: what OpenAI's own options become, what wins over what, what is
 * refused by name. */
#include "check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "api/long_request.h"
#include "base/mem.h"
#include "fakes/fake_model.h"

static struct fake_reactor loop;
static struct fake_model model;
static const struct api_options api_options = { .target_words_max = 5000 };
static struct api api;

/* One request read and made a spec; the caller releases both. */
static struct chat_request chat;
static struct chat_options options;
static struct spec spec;
static struct api_fault fault;
static char body[4096];
static const struct api_preset *preset;

static bool make_spec(const char *members)
{
	struct demand demand = { .language = LANGUAGE_ENGLISH };
	struct long_request request = { .chat = &chat,
					.options = &options,
					.preset = preset,
					.demand = &demand,
					.mode = WRITING_SERIAL,
					.target = { .backend = "default", .model = "m" } };

	(void)snprintf(body, sizeof(body),
		       "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"S\"},"
		       "{\"role\":\"user\",\"content\":\"Write a 300-word story.\"}]%s}",
		       members);
	chat_request_init(&chat);
	assert_true(chat_request_read((struct slice){ body, strlen(body) }, &chat, &fault));
	demand_read(buf_str(&chat.last_user), chat.last_user.len, &demand);
	return long_request_spec(&api, &request, &spec, &fault);
}

static void release(void)
{
	spec_release(&spec);
	chat_request_release(&chat);
	chat_options_release(&options);
	chat_options_init(&options);
}

static int set_up(void **state)
{
	(void)state;
	fake_reactor_init(&loop);
	fake_model_init(&model, &loop.base);
	api = (struct api){ .model = &model.port, .options = &api_options };
	chat_options_init(&options);
	preset = NULL;
	return 0;
}

static void nothing_said_is_the_demand_and_no_sampling(void **state)
{
	static const char *const rows[] = {
		"",
		",\"temperature\":null,\"top_p\":null,\"frequency_penalty\":null,\"seed\":null,"
		"\"presence_penalty\":null,\"max_tokens\":null,\"max_completion_tokens\":null,"
		"\"stop\":null",
		",\"stop\":[]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_true(make_spec(rows[i]));
		assert_int_equal(spec.target_words, 300);
		assert_string_equal(spec.request, "Write a 300-word story.");
		assert_int_equal(json_array_size(spec.history), 1);
		assert_true(isnan(spec.sampling.temperature) && isnan(spec.sampling.top_p) &&
			    isnan(spec.sampling.frequency_penalty) &&
			    isnan(spec.sampling.presence_penalty));
		assert_false(spec.sampling.has_seed);
		assert_int_equal(spec.max_tokens, 0);
		assert_int_equal(spec.n_stops, 0);
		assert_true(spec.traits.has_schema);
		release();
	}
}

static void openais_options_are_taken_over(void **state)
{
	(void)state;
	assert_true(make_spec(",\"temperature\":0,\"top_p\":1,\"frequency_penalty\":-2,"
			      "\"presence_penalty\":2.0,\"seed\":-5,\"max_tokens\":70,"
			      "\"max_completion_tokens\":80.0,\"stop\":[\"a\",\"b\\n\"]"));
	assert_true(spec.sampling.temperature == 0 && spec.sampling.top_p == 1);
	assert_true(spec.sampling.frequency_penalty == -2 && spec.sampling.presence_penalty == 2);
	assert_true(spec.sampling.has_seed && spec.sampling.seed == -5);
	assert_int_equal(spec.max_tokens, 80);
	assert_int_equal(spec.n_stops, 2);
	assert_string_equal(spec.stops[1], "b\n");
	release();
	assert_true(make_spec(",\"stop\":\"END\""));
	assert_int_equal(spec.n_stops, 1);
	assert_string_equal(spec.stops[0], "END");
	release();
}

static void wrong_values_are_refused_by_name(void **state)
{
	static const struct {
		const char *members;
		const char *param;
	} rows[] = {
		{ ",\"temperature\":2.1", "temperature" },
		{ ",\"temperature\":-0.1", "temperature" },
		{ ",\"temperature\":\"0\"", "temperature" },
		{ ",\"temperature\":true", "temperature" },
		{ ",\"top_p\":1.5", "top_p" },
		{ ",\"frequency_penalty\":3", "frequency_penalty" },
		{ ",\"presence_penalty\":[1]", "presence_penalty" },
		{ ",\"seed\":1.5", "seed" },
		{ ",\"seed\":99999999999999999999", "seed" },
		{ ",\"max_tokens\":0", "max_tokens" },
		{ ",\"max_tokens\":-5", "max_tokens" },
		{ ",\"max_tokens\":1.5", "max_tokens" },
		{ ",\"stop\":\"\"", "stop" },
		{ ",\"stop\":1", "stop" },
		{ ",\"stop\":[\"a\",null]", "stop" },
		{ ",\"stop\":[\"a\\u0000b\"]", "stop" },
		{ ",\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]", "stop" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (make_spec(rows[i].members))
			fail_msg("%s was taken", rows[i].members);
		assert_int_equal(fault.error, API_ERROR_INVALID_VALUE);
		assert_string_equal(fault.param, rows[i].param);
		assert_non_null(strstr(fault.message, rows[i].param));
		release();
	}
}

static void what_is_said_explicitly_wins(void **state)
{
	static const struct api_preset fiction = { .id = "fiction",
						   .mode = "auto",
						   .target_words = 900,
						   .headings = HEADINGS_MARKDOWN,
						   .count = WORDS_BENCHMARK,
						   .context = CONTEXT_FULL };
	static const struct slice title = { "One", 3 };
	static const struct slice none = { "", 0 };

	(void)state;
	preset = &fiction;
	/* the message names a length: the preset's is for those that do not */
	assert_true(make_spec(""));
	assert_int_equal(spec.target_words, 300);
	assert_int_equal(spec.headings, HEADINGS_MARKDOWN);
	assert_int_equal(spec.count, WORDS_BENCHMARK);
	assert_int_equal(spec.context, CONTEXT_FULL);
	release();
	options.target_words = 450;
	options.headings = HEADINGS_NONE;
	options.is_headings_said = true;
	assert_true(make_spec(""));
	assert_int_equal(spec.target_words, 450);
	assert_int_equal(spec.at_least + spec.at_most, 0);
	assert_int_equal(spec.headings, HEADINGS_NONE);
	release();
	/* a plan whose sections all have lengths is their sum */
	assert_int_equal(plan_add(&options.plan, title, none, 100), OK);
	assert_int_equal(plan_add(&options.plan, title, none, 150), OK);
	assert_true(make_spec(""));
	assert_int_equal(spec.target_words, 250);
	assert_int_equal(spec.plan.n_sections, 2);
	release();
	assert_int_equal(plan_add(&options.plan, title, none, 100), OK);
	assert_int_equal(plan_add(&options.plan, title, none, 0), OK);
	assert_true(make_spec(""));
	assert_int_equal(spec.target_words, 300);
	release();
}

static void more_than_the_server_writes_is_refused(void **state)
{
	(void)state;
	options.target_words = 5000;
	assert_true(make_spec(""));
	release();
	options.target_words = 5001;
	assert_false(make_spec(""));
	assert_string_equal(fault.param, "longhand.target_words");
	assert_non_null(strstr(fault.message, "max_target_words is 5000"));
	release();
}

static void a_lack_of_memory_is_said_never_another_spec(void **state)
{
	static const char members[] = ",\"temperature\":0.5,\"seed\":7,\"stop\":[\"x\"],"
				      "\"max_tokens\":9";
	struct demand demand = { .target_words = 300 };
	struct long_request request = { .chat = &chat,
					.options = &options,
					.demand = &demand,
					.target = { .backend = "default", .model = "m" } };
	bool is_made = false;
	size_t failed = 0;

	(void)state;
	assert_true(make_spec(members));
	for (size_t nth = 1; !is_made; nth++) {
		spec_release(&spec);
		mem_fail_at(nth);
		is_made = long_request_spec(&api, &request, &spec, &fault);
		mem_fail_at(0);
		assert_true(is_made || fault.error == API_ERROR_INTERNAL);
		failed += !is_made;
	}
	assert_true(failed > 5);
	assert_true(spec.sampling.temperature == 0.5 && spec.sampling.seed == 7 &&
		    spec.n_stops == 1 && spec.max_tokens == 9);
	release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_said_is_the_demand_and_no_sampling, set_up),
		cmocka_unit_test_setup(openais_options_are_taken_over, set_up),
		cmocka_unit_test_setup(wrong_values_are_refused_by_name, set_up),
		cmocka_unit_test_setup(what_is_said_explicitly_wins, set_up),
		cmocka_unit_test_setup(more_than_the_server_writes_is_refused, set_up),
		cmocka_unit_test_setup(a_lack_of_memory_is_said_never_another_spec, set_up),
	};

	mem_init();
	return cmocka_run_group_tests_name("long_request", tests, NULL, NULL);
}
