/* Lines as Redis keeps them: sentences get shorter, everything comes back as it was. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "store/redis_lines.h"

#define SENTENCE(id, text)                                                                         \
	"{\"v\":1,\"id\":\"" id "\",\"kind\":\"text\",\"section\":2,\"at_byte\":310,"              \
	"\"t_ms\":1767225600000,\"text\":" text "}\n"

static const struct {
	const char *lines;
	struct store_place first;
	unsigned n;
	const char *packed;
} rows[] = {
	{ SENTENCE("1-7", "\"A bee.\""), { 1, 7 }, 1, "[2,310,1767225600000,\"A bee.\"]\n" },
	{ SENTENCE("3-7", "\"a\\n\\\"b\\\\\"") SENTENCE("3-8", "\"\""),
	  { 3, 7 },
	  2,
	  "[2,310,1767225600000,\"a\\n\\\"b\\\\\"]\n[2,310,1767225600000,\"\"]\n" },
	{ "{\"v\":1,\"id\":\"1-1\",\"kind\":\"created\"}\n" SENTENCE(
		  "1-2", "\"x\"") "{\"v\":1,\"id\":\"1-3\",\"kind\":\"done\"}\n",
	  { 1, 1 },
	  3,
	  "{\"v\":1,\"id\":\"1-1\",\"kind\":\"created\"}\n[2,310,1767225600000,\"x\"]\n"
	  "{\"v\":1,\"id\":\"1-3\",\"kind\":\"done\"}\n" },
	/* What would not come back as it was stays: another id, leading zeros, more members. */
	{ SENTENCE("1-8", "\"x\""), { 1, 7 }, 1, SENTENCE("1-8", "\"x\"") },
	{ SENTENCE("01-7", "\"x\""), { 1, 7 }, 1, SENTENCE("01-7", "\"x\"") },
	{ SENTENCE("1-7", "\"x\",\"data\":{\"is_heading\":true}"),
	  { 1, 7 },
	  1,
	  SENTENCE("1-7", "\"x\",\"data\":{\"is_heading\":true}") },
	{ SENTENCE("1-7", "\"x\",\"y\":\"z\""), { 1, 7 }, 1, SENTENCE("1-7", "\"x\",\"y\":\"z\"") },
	{ SENTENCE("1-7", "\"x\\\""), { 1, 7 }, 1, SENTENCE("1-7", "\"x\\\"") },
	{ "{\"v\":2,\"id\":\"1-7\"}\n\nb\n", { 1, 7 }, 3, "{\"v\":2,\"id\":\"1-7\"}\n\nb\n" },
	{ "", { 1, 7 }, 0, "" },
};

static void lines_get_shorter_and_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct store_place last = { rows[i].first.epoch,
					    rows[i].first.seq + rows[i].n - 1 };
		struct buf packed, lines;

		buf_init(&packed, 10000);
		buf_init(&lines, 10000);
		assert_int_equal(
			redis_lines_pack((struct slice){ rows[i].lines, strlen(rows[i].lines) },
					 rows[i].first, &packed),
			OK);
		assert_string_equal(buf_str(&packed), rows[i].packed);
		assert_int_equal(redis_lines_unpack((struct slice){ buf_str(&packed), packed.len },
						    last, rows[i].n, &lines),
				 OK);
		assert_string_equal(buf_str(&lines), rows[i].lines);
		buf_release(&packed);
		buf_release(&lines);
	}
}

static const char *const foreign[] = {
	"[]\n",	       "[1,2,3]\n",	   "[1,2,3,4]\n",	"[1,2,3,\"a\"\n",
	"[1,2,\"a\"]", "[-1,2,3,\"a\"]\n", "[1,2,3,\"a\",1]\n", "[12345678901234567890,2,3,\"a\"]",
};

static void what_others_wrote_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		struct slice packed = { foreign[i], strlen(foreign[i]) };
		struct buf lines;

		buf_init(&lines, 10000);
		assert_int_equal(
			redis_lines_unpack(packed, (struct store_place){ 1, 1 }, 1, &lines),
			ERR_INVALID);
		buf_release(&lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_get_shorter_and_come_back),
		cmocka_unit_test(what_others_wrote_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
