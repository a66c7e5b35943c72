/* CRC-32C against the published values, whole and in pieces. */
#include "check.h"
#include <string.h>
#include "base/crc32c.h"

static void has_the_published_values(void **state)
{
	static const char nothing[32];
	char ones[32];
	const struct {
		const char *data;
		size_t len;
		uint32_t sum;
	} rows[] = {
		/* RFC 3720, B.4, and the check value of the catalogue of CRCs. */
		{ "", 0, 0 },
		{ "123456789", 9, 0xE3069283 },
		{ nothing, sizeof(nothing), 0x8A9136AA },
		{ ones, sizeof(ones), 0x62A8AB43 },
	};

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(crc32c(0, rows[i].data, rows[i].len), rows[i].sum);
}

static void pieces_give_the_sum_of_the_whole(void **state)
{
	static const char data[] = "a text that comes in two pieces";
	size_t len = strlen(data);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++)
		assert_int_equal(crc32c(crc32c(0, data, cut), data + cut, len - cut),
				 crc32c(0, data, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_published_values),
		cmocka_unit_test(pieces_give_the_sum_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
