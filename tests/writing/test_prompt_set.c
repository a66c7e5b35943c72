/* The prompt files: compiled in, overridden one by one, refused with file and line. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "writing/prompt.h"
#include "writing/prompt_template.h"

static void write_file(const char *dir, const char *name, const char *content)
{
	char path[512];
	FILE *file;

	assert_true(snprintf(path, sizeof(path), "%s/%s", dir, name) > 0);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
	assert_int_equal(fclose(file), 0);
}

static void a_directory_overrides_single_prompts(void **state)
{
	char dir[] = "/tmp/longhand-prompts-XXXXXX";
	struct prompt_set *set = NULL;
	struct prompt_set *plain = NULL;
	struct buf message;
	char path[512];

	(void)state;
	assert_non_null(mkdtemp(dir));
	buf_init(&message, 1000);
	write_file(dir, "section.txt", "Do {request}: {words} words.\n");
	assert_int_equal(prompt_set_load(dir, &set, &message), OK);
	assert_int_equal(prompt_set_load(NULL, &plain, &message), OK);
	assert_string_equal(prompt_set_text(set, "section"), "Do {request}: {words} words.\n");
	assert_string_equal(prompt_set_text(set, "plan"), prompt_set_text(plain, "plan"));
	assert_true(prompt_set_hash(set) != prompt_set_hash(plain));
	prompt_set_free(set);
	prompt_set_free(plain);
	assert_true(snprintf(path, sizeof(path), "%s/section.txt", dir) > 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_bad_prompt_is_named_by_file_and_line(void **state)
{
	static const struct {
		const char *content;
		const char *says;
	} rows[] = {
		{ "Hello\n\nDo {reqest} now\n", "/plan.txt:3: unknown placeholder {reqest}" },
		{ "{?lastt}x", "/plan.txt:1: unknown placeholder {?lastt}" },
		{ "a\n{:user}\n", "/plan.txt:2: unknown placeholder {:user}" },
		{ " \n", "/plan.txt: no text" },
		{ "a \xff b", "/plan.txt: not UTF-8 text" },
	};
	char dir[] = "/tmp/longhand-prompts-XXXXXX";
	struct prompt_set *set = NULL;
	struct buf message;
	char path[512];

	(void)state;
	assert_non_null(mkdtemp(dir));
	buf_init(&message, 1000);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		write_file(dir, "plan.txt", rows[i].content);
		assert_int_equal(prompt_set_load(dir, &set, &message), ERR_INVALID);
		assert_int_equal(strncmp(message.data, dir, strlen(dir)), 0);
		assert_string_equal(message.data + strlen(dir), rows[i].says);
		buf_clear(&message);
	}
	assert_true(snprintf(path, sizeof(path), "%s/plan.txt", dir) > 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(prompt_set_load(dir, &set, &message), ERR_IO);
	assert_non_null(strstr(message.data, dir));
	buf_release(&message);
}

static void every_prompt_is_compiled_in_and_sound(void **state)
{
	static const char *const names[] = { "plan",	 "plan_more", "section",
					     "continue", "closing",   "single" };
	static const char *const variants[] = { "", "_direct", "_zh", "_direct_zh" };
	struct prompt_set *set = NULL;
	struct buf message;

	(void)state;
	buf_init(&message, 1000);
	assert_int_equal(prompt_set_load(NULL, &set, &message), OK);
	for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(variants); i++) {
		char name[64];
		const char *template;

		assert_true(snprintf(name, sizeof(name), "%s%s", names[i / 4], variants[i % 4]) >
			    0);
		template = prompt_set_text(set, name);
		assert_non_null(template);
		assert_int_equal(template_check(template, &message), OK);
	}
	assert_null(prompt_set_text(set, "nothing"));
	prompt_set_free(set);
	prompt_set_free(NULL);
}

static void every_allocation_may_fail(void **state)
{
	struct prompt_set *set = NULL;
	struct buf message;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	buf_init(&message, 100);
	for (size_t nth = 1; err != OK; nth++) {
		mem_fail_at(nth);
		err = prompt_set_load(NULL, &set, &message);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
	}
	prompt_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_overrides_single_prompts),
		cmocka_unit_test(a_bad_prompt_is_named_by_file_and_line),
		cmocka_unit_test(every_prompt_is_compiled_in_and_sound),
		cmocka_unit_test(every_allocation_may_fail),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
