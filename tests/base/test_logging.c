/* Log lines: one line per event whatever the values hold. */
#include "check.h"
#include <inttypes.h>
#include <string.h>
#include "base/logging.h"

struct capture {
	char text[2 * LOG_LINE_BYTES];
	size_t len;
	int lines;
};

static struct capture capture;

static void keep_line(const char *line, size_t len, void *context)
{
	struct capture *to = context;

	assert_true(len < sizeof(to->text));
	memcpy(to->text, line, len);
	to->text[len] = '\0';
	to->len = len;
	to->lines++;
}

static int begin(void **state)
{
	(void)state;
	capture = (struct capture){ .len = 0 };
	log_set_sink(keep_line, &capture);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	return 0;
}

/* Behind the time. */
static const char *message(void)
{
	assert_true(capture.len > 25);
	assert_int_equal(capture.text[23], 'Z');
	return capture.text + 25;
}

static void pairs_are_formatted(void **state)
{
	size_t size = SIZE_MAX;

	(void)state;
	log_info("listening", "address=%s backends=%d", "127.0.0.1:8080", 2);
	assert_string_equal(message(), "info listening address=127.0.0.1:8080 backends=2\n");
	log_warn("numbers", "a=%d b=%u c=%zu d=%" PRId64 " e=%lld f=%x g=%.3f h=%f i=%d%%", -1, 2u,
		 size, INT64_MIN, -5LL, 255u, 0.12345, 1.5, 50);
	assert_string_equal(message(), "warn numbers a=-1 b=2 c=18446744073709551615 "
				       "d=-9223372036854775808 e=-5 f=ff g=0.123 h=1.500000 "
				       "i=50%\n");
	log_error("part", "name=%.*s rest=%.2s", 3, "abcdef", "xyz");
	assert_string_equal(message(), "error part name=abc rest=xy\n");
	log_info("stopped", NO_PAIRS);
	assert_string_equal(message(), "info stopped\n");
	log_info("nothing", "a=%s b=%.*s", "", 0, "x");
	assert_string_equal(message(), "info nothing a=\"\" b=\"\"\n");
}

static void values_cannot_forge_lines_or_pairs(void **state)
{
	static const struct {
		const char *value;
		const char *line;
	} rows[] = {
		{ "two words", "info event value=\"two words\" after=1\n" },
		{ "a=b", "info event value=\"a=b\" after=1\n" },
		{ "x\ninfo forged", "info event value=\"x\\ninfo forged\" after=1\n" },
		{ "q\"b\\", "info event value=\"q\\\"b\\\\\" after=1\n" },
		{ "\x1b[31m", "info event value=\"\\u001b[31m\" after=1\n" },
		{ "bad\xff", "info event value=\"bad\xef\xbf\xbd\" after=1\n" },
		{ "caf\xc3\xa9", "info event value=caf\xc3\xa9 after=1\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		log_info("event", "value=%s after=%d", rows[i].value, 1);
		assert_string_equal(message(), rows[i].line);
	}
}

static void levels_are_dropped(void **state)
{
	(void)state;
	log_debug("hidden", "n=%d", 1);
	assert_int_equal(capture.lines, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	log_debug("shown", "n=%d", 1);
	assert_int_equal(capture.lines, 1);
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("hidden", "n=%d", 1);
	assert_int_equal(capture.lines, 1);
	log_error("shown", "n=%d", 1);
	assert_int_equal(capture.lines, 2);
}

static void long_lines_are_cut_between_code_points(void **state)
{
	char large[3 * LOG_LINE_BYTES + 1];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(large); i += 3)
		memcpy(large + i, "\xe4\xbd\xa0", 4);
	log_info("large", "value=%s more=%s", large, large);
	assert_true(capture.len <= LOG_LINE_BYTES);
	assert_true(capture.len > LOG_LINE_BYTES - 8);
	assert_int_equal(capture.text[capture.len - 1], '\n');
	assert_int_equal((unsigned char)capture.text[capture.len - 2], 0xa0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pairs_are_formatted, begin, end),
		cmocka_unit_test_setup_teardown(values_cannot_forge_lines_or_pairs, begin, end),
		cmocka_unit_test_setup_teardown(levels_are_dropped, begin, end),
		cmocka_unit_test_setup_teardown(long_lines_are_cut_between_code_points, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
