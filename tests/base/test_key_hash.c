/* API keys as they are kept: FIPS 180-4's own examples, and what is no hash. */
#include "check.h"
#include "base/key_hash.h"
#include <string.h>

static const struct {
	const char *key;
	const char *text;
} known[] = {
	{ "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void a_hash_is_printed_and_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[KEY_HASH_TEXT_BYTES];
		struct key_hash hash;
		struct key_hash again;
		bool is_read;

		key_hash_of(known[i].key, strlen(known[i].key), &hash);
		key_hash_print(&hash, text);
		assert_string_equal(text, known[i].text);
		is_read = key_hash_parse(text, &again);
		assert_true(is_read);
		assert_true(key_hash_is_equal(&hash, &again));
	}
}

static void capitals_are_the_same_hash(void **state)
{
	struct key_hash hash;
	struct key_hash same;
	bool is_read = key_hash_parse("sha256:BA7816BF8F01CFEA414140DE5DAE2223"
				      "B00361A396177A9CB410FF61F20015AD",
				      &same);

	(void)state;
	key_hash_of("abc", 3, &hash);
	assert_true(is_read);
	assert_true(key_hash_is_equal(&hash, &same));
}

static void each_bit_makes_a_difference(void **state)
{
	struct key_hash hash;

	(void)state;
	key_hash_of("abc", 3, &hash);
	for (size_t bit = 0; bit < 8 * KEY_HASH_BYTES; bit++) {
		struct key_hash other = hash;

		other.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_false(key_hash_is_equal(&hash, &other));
	}
}

static void what_is_no_hash_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"sha256:",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add",
		"sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct key_hash hash = { { 7 } };
		bool is_read = key_hash_parse(texts[i], &hash);

		assert_false(is_read);
		assert_int_equal(hash.bytes[0], 7);
	}
}

static void only_what_fits_into_a_header_is_a_key(void **state)
{
	char longest[KEY_BYTES_MAX + 1];

	(void)state;
	memset(longest, 'k', sizeof(longest));
	assert_true(key_is_sendable("sk-1~!", 6));
	assert_true(key_is_sendable(longest, KEY_BYTES_MAX));
	assert_false(key_is_sendable(longest, sizeof(longest)));
	assert_false(key_is_sendable("", 0));
	assert_false(key_is_sendable("a b", 3));
	assert_false(key_is_sendable("a\n", 2));
	assert_false(key_is_sendable("a\0b", 3));
	assert_false(key_is_sendable("schl\303\274ssel", 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_printed_and_read_back),
		cmocka_unit_test(capitals_are_the_same_hash),
		cmocka_unit_test(each_bit_makes_a_difference),
		cmocka_unit_test(what_is_no_hash_is_refused),
		cmocka_unit_test(only_what_fits_into_a_header_is_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
