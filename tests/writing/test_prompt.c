/* The prompts: what they ask, what stays the same, what never is expanded, what always fits. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "fakes/prompt_job.h"

static const enum prompt_role roles[] = { PROMPT_PLAN,	   PROMPT_PLAN_MORE, PROMPT_SECTION,
					  PROMPT_CONTINUE, PROMPT_CLOSING,   PROMPT_SINGLE };
static const enum context contexts[] = { CONTEXT_FULL, CONTEXT_BOUNDED, CONTEXT_DIRECT };

static json_t *build(struct prompt_job *job, enum prompt_role role, enum context context)
{
	json_t *messages = NULL;
	bool is_prefilled = false;
	enum err err;

	job->input.role = role;
	job->spec.context = context;
	err = prompt_build(job->set, &job->input, 600, &messages, &is_prefilled);
	assert_int_equal(err, OK);
	assert_int_equal(
		is_prefilled,
		strcmp(json_string_value(json_object_get(
			       json_array_get(messages, json_array_size(messages) - 1), "role")),
		       "assistant") == 0);
	return messages;
}

/* The user's message: the one behind the history. */
static const char *asked(const json_t *messages)
{
	return json_string_value(json_object_get(json_array_get(messages, 1), "content"));
}

static size_t occurrences(const char *in, const char *what)
{
	size_t n = 0;

	for (const char *at = in; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void the_history_comes_first_and_as_it_was(void **state)
{
	struct prompt_job job;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 20);
	for (size_t r = 0; r < COUNT_OF(roles); r++) {
		for (size_t c = 0; c < COUNT_OF(contexts); c++) {
			json_t *messages = build(&job, roles[r], contexts[c]);

			assert_int_equal(json_array_size(messages), 2);
			assert_true(json_equal(json_array_get(messages, 0),
					       json_array_get(job.spec.history, 0)));
			assert_int_equal(json_array_size(job.spec.history), 1);
			json_decref(messages);
		}
	}
	prompt_job_release(&job);
}

/* The amount is said once, where a person and a test look for it. */
static void the_amount_is_said_once(void **state)
{
	static const char *const amounts[] = { "about 431 words", "约431字" };
	struct prompt_job job;

	(void)state;
	prompt_job_init(&job, "Write of tea.");
	prompt_job_write(&job, 20);
	for (size_t i = 0; i < 2 * 4 * COUNT_OF(contexts); i++) {
		json_t *messages;
		bool is_chinese = i % 2 == 1;

		job.spec.demand.language = is_chinese ? LANGUAGE_CHINESE : LANGUAGE_ENGLISH;
		messages = build(&job, roles[2 + i / 2 % 4], contexts[i / 8]);
		assert_int_equal(occurrences(asked(messages), amounts[is_chinese ? 1 : 0]), 1);
		assert_int_equal(occurrences(asked(messages), "431"), 1);
		assert_int_equal(occurrences(asked(messages), " words"), is_chinese ? 0 : 1);
		json_decref(messages);
	}
	prompt_job_release(&job);
}

static void a_plan_is_asked_for_by_number(void **state)
{
	struct prompt_job job;
	json_t *messages;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	job.input.plan = NULL;
	messages = build(&job, PROMPT_PLAN, CONTEXT_BOUNDED);
	assert_non_null(strstr(asked(messages), "exactly 7 sections"));
	assert_non_null(strstr(asked(messages), "{\"sections\":[{\"title\""));
	assert_null(strstr(asked(messages), "are given"));
	json_decref(messages);
	job.spec.demand.language = LANGUAGE_CHINESE;
	messages = build(&job, PROMPT_PLAN, CONTEXT_BOUNDED);
	assert_non_null(strstr(asked(messages), "正好7节"));
	json_decref(messages);
	job.spec.demand.language = LANGUAGE_ENGLISH;
	job.input.plan = &job.plan;
	messages = build(&job, PROMPT_PLAN_MORE, CONTEXT_BOUNDED);
	assert_non_null(strstr(asked(messages), "exactly 7 more sections"));
	assert_non_null(strstr(asked(messages), "4. Today: the point"));
	json_decref(messages);
	prompt_job_release(&job);
}

static void small_models_get_one_plain_sentence(void **state)
{
	struct prompt_job job;
	json_t *messages;

	(void)state;
	prompt_job_init(&job, "Write a 1,000-word article about green tea.");
	prompt_job_write(&job, 20);
	messages = build(&job, PROMPT_SECTION, CONTEXT_DIRECT);
	assert_string_equal(asked(messages),
			    "Ports: explain it in 431 words, with facts about green tea.");
	json_decref(messages);
	job.spec.traits.can_continue = true;
	messages = build(&job, PROMPT_PLAN, CONTEXT_DIRECT);
	assert_string_equal(asked(messages), "What are 7 interesting topics about green tea?");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(messages, 2), "content")),
		"Here are 7 short titles:\n\n1. The");
	json_decref(messages);
	mem_free(job.spec.request);
	job.spec.request = mem_strdup("Tell me a long story.");
	messages = build(&job, PROMPT_SECTION, CONTEXT_DIRECT);
	assert_string_equal(asked(messages),
			    "Tell me a long story.\nWrite only the section \"Ports\", in about 431 "
			    "words.");
	json_decref(messages);
	prompt_job_release(&job);
}

static void users_braces_stay(void **state)
{
	static const char request[] =
		"Write {words} of {plan} {?last}{:assistant} {request} {tail}";
	struct prompt_job job;

	(void)state;
	prompt_job_init(&job, request);
	prompt_job_write(&job, 20);
	job.plan.sections[2].is_title_users = true;
	assert_int_equal(
		plan_section_set_title(&job.plan.sections[2], prompt_job_slice("{words} {recent}")),
		OK);
	for (size_t r = 0; r < COUNT_OF(roles); r++) {
		for (size_t c = 0; c < COUNT_OF(contexts); c++) {
			json_t *messages = build(&job, roles[r], contexts[c]);

			assert_int_equal(occurrences(asked(messages), request), 1);
			json_decref(messages);
		}
	}
	prompt_job_release(&job);
}

/* No placeholder of our own is left, whatever is known and whatever is not. */
static void nothing_of_the_template_is_left(void **state)
{
	struct prompt_job job;

	(void)state;
	prompt_job_init(&job, "Write of tea.");
	for (int known = 0; known < 2; known++) {
		if (known == 1)
			prompt_job_write(&job, 20);
		for (size_t r = 0; r < COUNT_OF(roles); r++) {
			for (size_t section = 0; section < 4; section++) {
				json_t *messages;

				job.input.section = section;
				messages = build(&job, roles[r], contexts[section % 3]);
				assert_null(strstr(asked(messages), "{?"));
				assert_null(strstr(asked(messages), "{:"));
				assert_null(strstr(asked(messages), "\n\n\n"));
				assert_true(strlen(asked(messages)) > 20);
				json_decref(messages);
			}
		}
	}
	prompt_job_release(&job);
}

static void the_prefix_is_the_same_for_all_sections(void **state)
{
	static const enum prompt_role writing[] = { PROMPT_SECTION, PROMPT_CONTINUE,
						    PROMPT_CLOSING };
	struct prompt_job job;
	char *first = NULL;
	size_t prefix = 0;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 200);
	for (size_t i = 0; i < 4 * COUNT_OF(writing); i++) {
		json_t *messages;

		job.input.section = i % 4;
		job.input.words = 100 + (long)i;
		messages = build(&job, writing[i / 4], CONTEXT_BOUNDED);
		if (first == NULL) {
			first = mem_strdup(asked(messages));
			prefix = (size_t)(strstr(first, "4. Today: the point") - first) + 19;
		}
		assert_true(prefix > 300);
		assert_memory_equal(asked(messages), first, prefix);
		json_decref(messages);
	}
	mem_free(first);
	prompt_job_release(&job);
}

static void the_last_section_ends_the_text_and_no_other(void **state)
{
	struct prompt_job job;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 20);
	for (size_t section = 0; section < 4; section++) {
		json_t *messages;
		bool is_last = section == 3;

		job.input.section = section;
		messages = build(&job, PROMPT_SECTION, CONTEXT_BOUNDED);
		assert_int_equal(strstr(asked(messages), "bring the whole text to its end") != NULL,
				 is_last);
		assert_int_equal(strstr(asked(messages), "do not conclude") != NULL, !is_last);
		assert_int_equal(strstr(asked(messages), "This section opens") != NULL,
				 section == 0);
		assert_int_equal(strstr(asked(messages), "Leave that for later") != NULL, !is_last);
		assert_int_equal(strstr(asked(messages), "text so far ends") != NULL, section > 0);
		json_decref(messages);
	}
	prompt_job_release(&job);
}

static void a_section_without_title_continues_or_stands_alone(void **state)
{
	struct prompt_job job;
	json_t *messages;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 20);
	assert_int_equal(plan_section_set_title(&job.plan.sections[2], prompt_job_slice("")), OK);
	assert_int_equal(plan_section_set_point(&job.plan.sections[2], prompt_job_slice("")), OK);
	messages = build(&job, PROMPT_SECTION, CONTEXT_BOUNDED);
	assert_non_null(strstr(asked(messages), "section before it (Trade)"));
	assert_non_null(strstr(asked(messages), "3. (continues the section before it)"));
	json_decref(messages);
	assert_int_equal(plan_section_set_point(&job.plan.sections[2], prompt_job_slice("night")),
			 OK);
	messages = build(&job, PROMPT_SECTION, CONTEXT_BOUNDED);
	assert_non_null(strstr(asked(messages), "Now write section 3 of 4.\n"));
	assert_non_null(strstr(asked(messages), "It has to tell this: night"));
	json_decref(messages);
	messages = build(&job, PROMPT_SECTION, CONTEXT_DIRECT);
	assert_string_equal(asked(messages), "Write an article about tea.\nWrite about 431 words.");
	json_decref(messages);
	prompt_job_release(&job);
}

/* The plan of a text in one piece is a section without name: not a word of it. */
static void a_text_in_one_piece_has_no_plan_to_tell(void **state)
{
	static const enum prompt_role of_one_piece[] = { PROMPT_SINGLE, PROMPT_CONTINUE,
							 PROMPT_CLOSING };
	struct prompt_job job;

	(void)state;
	prompt_job_init(&job, "Write of tea.");
	plan_release(&job.plan);
	plan_init(&job.plan);
	assert_int_equal(plan_add(&job.plan, prompt_job_slice(""), prompt_job_slice(""), 431), OK);
	job.input.section = 0;
	for (size_t i = 0; i < 2 * COUNT_OF(of_one_piece); i++) {
		json_t *messages;

		job.spec.demand.language = i % 2 == 1 ? LANGUAGE_CHINESE : LANGUAGE_ENGLISH;
		messages = build(&job, of_one_piece[i / 2], CONTEXT_BOUNDED);
		assert_null(strstr(asked(messages), "continues the section before"));
		assert_null(strstr(asked(messages), "承接上一节"));
		assert_null(strstr(asked(messages), "made of these parts"));
		assert_null(strstr(asked(messages), "以下部分组成"));
		assert_null(strstr(asked(messages), "The plan of the whole text"));
		assert_non_null(strstr(asked(messages), "431"));
		json_decref(messages);
	}
	prompt_job_release(&job);
}

static void continuing_is_prefilled_where_that_works(void **state)
{
	struct prompt_job job;
	json_t *messages;
	const char *last;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 20);
	messages = build(&job, PROMPT_CONTINUE, CONTEXT_BOUNDED);
	assert_int_equal(json_array_size(messages), 2);
	assert_non_null(strstr(asked(messages), "Ship 19 of 2 went out at dawn."));
	json_decref(messages);
	job.spec.traits.can_continue = true;
	messages = build(&job, PROMPT_CONTINUE, CONTEXT_BOUNDED);
	assert_int_equal(json_array_size(messages), 3);
	last = json_string_value(json_object_get(json_array_get(messages, 2), "content"));
	assert_int_equal(strncmp(last, "Ship 0 of 2", 11), 0);
	assert_int_equal(strcmp(last + strlen(last) - 5, "dawn."), 0);
	assert_null(strstr(asked(messages), "Ship 19 of 2"));
	json_decref(messages);
	messages = build(&job, PROMPT_CONTINUE, CONTEXT_DIRECT);
	last = json_string_value(json_object_get(json_array_get(messages, 2), "content"));
	assert_string_equal(last + strlen(last) - 6, "dawn. ");
	json_decref(messages);
	job.input.tail.len = 0;
	messages = build(&job, PROMPT_CONTINUE, CONTEXT_BOUNDED);
	assert_int_equal(json_array_size(messages), 2);
	json_decref(messages);
	prompt_job_release(&job);
}

static void a_redo_says_what_was_wrong(void **state)
{
	struct prompt_job job;
	json_t *messages;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	job.input.fault = "it talked about itself";
	messages = build(&job, PROMPT_SECTION, CONTEXT_BOUNDED);
	assert_null(strstr(asked(messages), "it talked about itself"));
	json_decref(messages);
	job.input.is_retry = true;
	messages = build(&job, PROMPT_SECTION, CONTEXT_BOUNDED);
	assert_non_null(strstr(asked(messages), "could not be used: it talked about itself."));
	json_decref(messages);
	prompt_job_release(&job);
}

/* All roles and contexts in every window, a text of 100,000 words behind: fits or says so. */
static void prompts_never_pass_the_window(void **state)
{
	static const long windows[] = {
		100, 900, 1000, 1300, 1600, 2048, 4096, 8192, 32768, 128000
	};
	struct prompt_job job;
	size_t n_fitting = 0;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	for (int i = 0; i < 60; i++)
		assert_int_equal(
			plan_add(&job.plan, prompt_job_slice("One of many sections"),
				 prompt_job_slice("what it has to tell, in a sentence or two"),
				 100),
			OK);
	prompt_job_write(&job, 4500);
	assert_true(words_count(WORDS_NATURAL, job.text.data, job.text.len) > 100000);
	for (size_t i = 0; i < COUNT_OF(windows) * 18; i++) {
		json_t *messages = NULL;
		bool is_prefilled;
		enum err err;

		job.spec.traits.window_tokens = windows[i / 18];
		job.spec.traits.can_continue = i % 5 < 2;
		job.spec.context = contexts[i % 3];
		job.input.role = roles[i / 3 % 6];
		job.input.memory.words_max = i % 2 == 0 ? 100000 : 0;
		err = prompt_build(job.set, &job.input, 600, &messages, &is_prefilled);
		if (windows[i / 18] >= 2048)
			assert_int_equal(err, OK);
		if (windows[i / 18] <= 600)
			assert_int_equal(err, ERR_TOO_LARGE);
		if (err == OK) {
			n_fitting++;
			assert_true(prompt_messages_tokens(messages) + 600 <= windows[i / 18]);
		}
		json_decref(messages);
	}
	assert_true(n_fitting > 100);
	prompt_job_release(&job);
}

static void a_wide_window_is_used(void **state)
{
	struct prompt_job job;
	json_t *messages;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 4500);
	job.input.memory.words_max = 1000000;
	job.spec.traits.window_tokens = 32768;
	messages = build(&job, PROMPT_SECTION, CONTEXT_FULL);
	assert_true(prompt_messages_tokens(messages) > 32168 * 2 / 3);
	json_decref(messages);
	prompt_job_release(&job);
}

static void a_request_beyond_the_window_is_refused(void **state)
{
	struct prompt_job job;
	struct buf request;
	json_t *messages;
	bool is_prefilled;

	(void)state;
	buf_init(&request, 1 << 20);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(buf_append_str(&request, "many words "), OK);
	prompt_job_init(&job, request.data);
	job.input.role = PROMPT_SECTION;
	job.spec.traits.window_tokens = 8192;
	assert_int_equal(prompt_build(job.set, &job.input, 600, &messages, &is_prefilled),
			 ERR_TOO_LARGE);
	job.spec.traits.window_tokens = 0; /* unknown */
	assert_int_equal(prompt_build(job.set, &job.input, 600, &messages, &is_prefilled), OK);
	json_decref(messages);
	buf_release(&request);
	prompt_job_release(&job);
}

static void tokens_are_estimated_on_the_safe_side(void **state)
{
	static const char english[] = "The quick brown fox jumps over the lazy dog, twice.";
	static const char chinese[] = "茶是世界上最受欢迎的饮料之一。";

	(void)state;
	assert_in_range(prompt_tokens(english, strlen(english)), 12, 24);
	assert_in_range(prompt_tokens(chinese, strlen(chinese)), 12, 30);
	assert_int_equal(prompt_tokens("", 0), 0);
	assert_true(prompt_tokens("12345", 5) >= 3);
}

static void every_allocation_may_fail(void **state)
{
	struct prompt_job job;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	prompt_job_init(&job, "Write an article about tea.");
	prompt_job_write(&job, 300);
	job.spec.context = CONTEXT_BOUNDED;
	job.spec.traits.can_continue = true;
	job.spec.traits.window_tokens = 2048; /* so that it is made to fit */
	job.input.role = PROMPT_CONTINUE;
	for (size_t nth = 1; err != OK; nth++) {
		json_t *messages;
		bool is_prefilled;

		mem_fail_at(nth);
		err = prompt_build(job.set, &job.input, 600, &messages, &is_prefilled);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		if (err == OK)
			json_decref(messages);
		assert_true(nth < 500);
	}
	prompt_job_release(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_history_comes_first_and_as_it_was),
		cmocka_unit_test(the_amount_is_said_once),
		cmocka_unit_test(a_plan_is_asked_for_by_number),
		cmocka_unit_test(small_models_get_one_plain_sentence),
		cmocka_unit_test(users_braces_stay),
		cmocka_unit_test(nothing_of_the_template_is_left),
		cmocka_unit_test(the_prefix_is_the_same_for_all_sections),
		cmocka_unit_test(the_last_section_ends_the_text_and_no_other),
		cmocka_unit_test(a_section_without_title_continues_or_stands_alone),
		cmocka_unit_test(a_text_in_one_piece_has_no_plan_to_tell),
		cmocka_unit_test(continuing_is_prefilled_where_that_works),
		cmocka_unit_test(a_redo_says_what_was_wrong),
		cmocka_unit_test(prompts_never_pass_the_window),
		cmocka_unit_test(a_wide_window_is_used),
		cmocka_unit_test(a_request_beyond_the_window_is_refused),
		cmocka_unit_test(tokens_are_estimated_on_the_safe_side),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
