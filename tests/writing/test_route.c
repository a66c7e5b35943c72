/* Route: one row for each line of the table, and the requests of tests/writing/data as a whole. */
#include "check.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "writing/route.h"

#define DATA "tests/writing/data/"
enum { LINE_MAX_BYTES = 1 << 16 };

static const struct demand essay = { .target_words = 3000, .has_number = true, .is_writing = true };
static const struct demand note = { .target_words = 300, .has_number = true, .is_writing = true };
static const struct demand novel = { .target_words = 20000, .is_writing = true };
static const struct demand summary = { .target_words = 2000, .has_number = true };
static const struct demand nothing;

static struct route_input input_of(const struct demand *demand, enum route_model model)
{
	return (struct route_input){ .demand = demand,
				     .model = model,
				     .is_route_all = true,
				     .plan_from_words = 1000,
				     .single_max_words = 1200 };
}

static void expect(const struct route_input *input, enum route_kind kind, const char *text)
{
	struct route route = route_choose(input);

	assert_int_equal(route.kind, kind);
	if (kind == ROUTE_REJECT)
		assert_string_equal(route.param, text);
	else
		assert_string_equal(route.reason, text);
	if (kind != ROUTE_REJECT)
		assert_null(route.param);
}

static void the_demand_decides(void **state)
{
	static const struct {
		const struct demand *demand;
		enum route_model model;
		enum route_kind kind;
		const char *reason;
	} rows[] = {
		{ &essay, MODEL_PLAIN, ROUTE_SERIAL, "demand" },
		{ &essay, MODEL_LONGHAND, ROUTE_SERIAL, "demand" },
		{ &note, MODEL_PLAIN, ROUTE_PASS, "short" },
		{ &note, MODEL_LONGHAND, ROUTE_SINGLE, "demand" },
		{ &novel, MODEL_PLAIN, ROUTE_PASS, "no_demand" },
		{ &novel, MODEL_LONGHAND, ROUTE_SERIAL, "demand" },
		{ &summary, MODEL_PLAIN, ROUTE_PASS, "no_demand" },
		{ &summary, MODEL_LONGHAND, ROUTE_SERIAL, "demand" },
		{ &nothing, MODEL_PLAIN, ROUTE_PASS, "no_demand" },
		{ &nothing, MODEL_LONGHAND, ROUTE_PASS, "no_demand" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct route_input input = input_of(rows[i].demand, rows[i].model);

		expect(&input, rows[i].kind, rows[i].reason);
	}
}

static void a_backend_that_writes_long_does_so(void **state)
{
	struct route_input input = input_of(&essay, MODEL_PLAIN);

	(void)state;
	input.backend_is_long_output = true;
	expect(&input, ROUTE_NATIVE, "long_output");
	input.mode = ROUTE_MODE_SERIAL;
	expect(&input, ROUTE_SERIAL, "mode");
}

static void plain_ids_may_be_left_alone(void **state)
{
	struct route_input input = input_of(&essay, MODEL_PLAIN);

	(void)state;
	input.is_route_all = false;
	expect(&input, ROUTE_PASS, "plain_model");
	input.model = MODEL_LONGHAND;
	expect(&input, ROUTE_SERIAL, "demand");
	input.model = MODEL_PLAIN;
	input.target_words = 500;
	expect(&input, ROUTE_SINGLE, "target_words");
	input.backend_is_small = true;
	expect(&input, ROUTE_SERIAL, "target_words");
	input.target_words = 250;
	expect(&input, ROUTE_SINGLE, "target_words");
}

/* What cannot be with a long text passes by itself, and is refused beside an option. */
static void what_cannot_be_with_a_long_text(void **state)
{
	static const struct {
		size_t member;
		const char *reason;
		const char *param;
	} rows[] = {
		{ offsetof(struct route_input, has_tools), "tools", "tools" },
		{ offsetof(struct route_input, has_response_format), "response_format",
		  "response_format" },
		{ offsetof(struct route_input, n_above_one), "n", "n" },
		{ offsetof(struct route_input, has_logprobs), "logprobs", "logprobs" },
		{ offsetof(struct route_input, has_images), "images", "messages" },
		{ offsetof(struct route_input, ends_with_assistant), "assistant_message",
		  "messages" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct route_input input = input_of(&essay, MODEL_LONGHAND);

		*(bool *)(void *)((char *)&input + rows[i].member) = true;
		expect(&input, ROUTE_PASS, rows[i].reason);
		input.target_words = 2000;
		expect(&input, ROUTE_REJECT, rows[i].param);
		input.mode = ROUTE_MODE_OFF;
		expect(&input, ROUTE_PASS, "off");
	}
}

static void options_are_done_as_said(void **state)
{
	struct route_input input = input_of(&nothing, MODEL_PLAIN);

	(void)state;
	input.mode = ROUTE_MODE_PARALLEL;
	expect(&input, ROUTE_REJECT, "longhand.mode");
	input.mode = ROUTE_MODE_SERIAL;
	expect(&input, ROUTE_REJECT, "longhand.target_words");
	input.target_words = 500;
	expect(&input, ROUTE_SERIAL, "mode");
	input.mode = ROUTE_MODE_SINGLE;
	input.target_words = 9000;
	expect(&input, ROUTE_SINGLE, "mode");
	input.has_plan = true;
	expect(&input, ROUTE_REJECT, "longhand.mode");
	input.mode = ROUTE_MODE_AUTO;
	input.target_words = 0;
	expect(&input, ROUTE_SERIAL, "mode");
	input.has_plan = false;
	expect(&input, ROUTE_PASS, "no_demand"); /* auto alone asks for nothing */
	input.is_plan_only = true;
	expect(&input, ROUTE_REJECT, "longhand.target_words");
	input.demand = &note;
	expect(&input, ROUTE_SERIAL, "mode");
	input.is_housekeeping = true; /* said is said */
	expect(&input, ROUTE_SERIAL, "mode");
	input.is_plan_only = false;
	input.model = MODEL_LONGHAND;
	expect(&input, ROUTE_PASS, "housekeeping");
}

static void front_ends_keep_house(void **state)
{
	static const struct {
		const char *text;
		const char *header;
		bool is_housekeeping;
	} rows[] = {
		{ "### Task:\nGenerate a concise title summarizing the chat history.", NULL, true },
		{ "\n### Task:\r\nGenerate 1-3 broad tags categorizing the themes", NULL, true },
		{ "### Task:\nSuggest 3-5 relevant follow-up questions", "", true },
		{ "### Task:\nYou are an autocompletion system. Continue", NULL, true },
		{ "### Task:\nGenerate a detailed prompt for am image", NULL, true },
		{ "### Task:\nRespond to the user query using the provided context", NULL, false },
		{ "### Task:\nWrite a 3000-word article", NULL, false },
		{ "Write a 3000-word article", "title_generation", true },
		{ "Provide a concise, 5-word-or-less title for the conversation, using", NULL,
		  true },
		{ "Summarize the discussion briefly in 200 words or less to use", NULL, true },
		{ "简要总结一下对话内容，用作后续的上下文提示 prompt", NULL, true },
		{ "### Task:", NULL, false },
		{ "", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(
			route_is_housekeeping(rows[i].text, strlen(rows[i].text), rows[i].header),
			rows[i].is_housekeeping);
}

static void a_choice_of_tools_is_told_by_its_system_message(void **state)
{
	static const char tools[] = "Available Tools: []\n\nYour task is to choose";
	static const char prompt[] = "You are a writer. Available Tools: pen, paper.";

	(void)state;
	assert_true(route_is_tool_choice(tools, strlen(tools)));
	assert_false(route_is_tool_choice(prompt, strlen(prompt)));
	assert_false(route_is_tool_choice("", 0));
}

static struct route route_of(const char *text, size_t len, enum route_model model)
{
	struct demand demand;
	struct route_input input = input_of(&demand, model);

	demand_read(text, len, &demand);
	input.is_housekeeping = route_is_housekeeping(text, len, NULL);
	return route_choose(&input);
}

/* Routes each row of a jsonl file; returns how many were not passed, *ret_rows how many there are.
 */
static int count_written(const char *path, const char *key, enum route_model model, int *ret_rows)
{
	FILE *file = fopen(path, "r");
	char *line = malloc(LINE_MAX_BYTES);
	int written = 0;

	assert_non_null(file);
	assert_non_null(line);
	*ret_rows = 0;
	while (fgets(line, LINE_MAX_BYTES, file) != NULL) {
		json_t *row = json_loads(line, 0, NULL);
		json_t *text = json_object_get(row, key);

		assert_true(json_is_string(text));
		written +=
			route_of(json_string_value(text), json_string_length(text), model).kind !=
			ROUTE_PASS;
		(*ret_rows)++;
		json_decref(row);
	}
	free(line);
	fclose(file);
	return written;
}

static void requests_go_where_they_should(void **state)
{
	static const struct {
		const char *path;
		const char *key;
		enum route_model model;
		bool is_written;
	} files[] = {
		{ DATA "passing.jsonl", "text", MODEL_PLAIN, false },
		{ DATA "writing.jsonl", "text", MODEL_LONGHAND, true },
		{ DATA "rows.jsonl", "prompt", MODEL_LONGHAND, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		int rows;
		int written = count_written(files[i].path, files[i].key, files[i].model, &rows);

		assert_true(rows >= 40);
		assert_int_equal(written, files[i].is_written ? rows : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_demand_decides),
		cmocka_unit_test(a_backend_that_writes_long_does_so),
		cmocka_unit_test(plain_ids_may_be_left_alone),
		cmocka_unit_test(what_cannot_be_with_a_long_text),
		cmocka_unit_test(options_are_done_as_said),
		cmocka_unit_test(front_ends_keep_house),
		cmocka_unit_test(a_choice_of_tools_is_told_by_its_system_message),
		cmocka_unit_test(requests_go_where_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
