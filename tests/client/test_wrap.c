/* Prose in lines of ten columns, however it is cut. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wrap.h"

static const struct {
	const char *text;
	const char *lines;
} rows[] = {
	{ "one two three four", "one two \nthree four" },
	{ "a b", "a b" },
	{ "exactly 10 x", "exactly 10\nx" },
	{ "para\n\npara", "para\n\npara" },
	{ "longerthanaline x", "longerthan\naline x" },
	{ "\xe7\x94\xa8 \xe4\xb8\xad\xe6\x96\x87\xe5\x86\x99\xe4\xbd\x9c",
	  "\xe7\x94\xa8 \xe4\xb8\xad\xe6\x96\x87\xe5\x86\x99\n\xe4\xbd\x9c" },
	{ "caf\xc3\xa9 na\xc3\xafve x", "caf\xc3\xa9 na\xc3\xafve\nx" },
	{ "", "" },
};

static void every_cut_gives_the_same_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t cut = 0; cut <= strlen(rows[i].text); cut++) {
			char *out = NULL;
			size_t size = 0;
			FILE *file = open_memstream(&out, &size);
			struct wrap wrap;

			wrap_init(&wrap, file, 10);
			wrap_write(&wrap, rows[i].text, cut);
			wrap_write(&wrap, rows[i].text + cut, strlen(rows[i].text) - cut);
			wrap_flush(&wrap);
			wrap_release(&wrap);
			assert_int_equal(fclose(file), 0);
			assert_string_equal(out, rows[i].lines);
			free(out);
		}
	}
}

static void without_a_terminal_nothing_changes(void **state)
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);
	struct wrap wrap;

	(void)state;
	wrap_init(&wrap, file, 0);
	wrap_write(&wrap, "one two three four", 18);
	wrap_flush(&wrap);
	wrap_release(&wrap);
	assert_int_equal(fclose(file), 0);
	assert_string_equal(out, "one two three four");
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_gives_the_same_lines),
		cmocka_unit_test(without_a_terminal_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
