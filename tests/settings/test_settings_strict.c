/* Settings: what is refused, and that the refusal says where and why. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/command_line.h"
#include "settings.h"

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const struct {
	const char *flags;
	const char *says; /* NULL: fine */
} flag_rows[] = {
	{ "--connect-ms 12abc", "--connect-ms: \"12abc\" is not a whole number" },
	{ "--connect-ms 010", "leading zero" },
	{ "--connect-ms +1", "not a whole number" },
	{ "--connect-ms 1.5", "not a whole number" },
	{ "--connect-ms 1e3", "not a whole number" },
	{ "--connect-ms 0x10", "not a whole number" },
	{ "--connect-ms -5", "out of range" },
	{ "--connect-ms 0", "out of range, 1 to 604800000" },
	{ "--connect-ms 604800001", "out of range" },
	{ "--connect-ms 99999999999999999999", "not a whole number" },
	{ "--connect-ms 5s", "not a whole number" },
	{ "--connect-ms=", "not a whole number" },
	{ "--connect-ms", "needs a value" },
	{ "--connect-ms --listen", "needs a value" },
	{ "--drain-delay-ms 0", NULL },
	{ "--drain-delay-ms -0", NULL },
	{ "--drain-delay-ms 00", "leading zero" },
	{ "--max-request-bytes 2MiB", NULL },
	{ "--max-request-bytes 2MB", "bytes, KiB, MiB or GiB" },
	{ "--max-request-bytes 2GiB", "out of range" },
	{ "--max-request-bytes 9000000000000000000GiB", "out of range" },
	{ "--reuse-port", NULL },
	{ "--reuse-port=false", NULL },
	{ "--reuse-port=yesplease", "neither true nor false" },
	{ "--reuse-port=1", "neither true nor false" },
	{ "--route longhand", NULL },
	{ "--route al", "not one of all|longhand" },
	{ "--route all|longhand", "not one of" },
	{ "--listen [::1]:0", NULL },
	{ "--listen unix:/run/longhand.sock", NULL },
	{ "--listen localhost:8080", NULL },
	{ "--listen=127.0.0.1:80,[::1]:80,unix:/run/longhand.sock", NULL },
	{ "--listen=127.0.0.1:80,,[::1]:80", "is not host:port" },
	{ "--listen=127.0.0.1:80,", "is not host:port" },
	{ "--listen=127.0.0.1:80,nowhere", "is not host:port" },
	{ "--listen 8080", "is not host:port" },
	{ "--listen :8080", "is not host:port" },
	{ "--listen 127.0.0.1:65536", "is not host:port" },
	{ "--listen 127.0.0.1:080", "is not host:port" },
	{ "--listen ::1:80", "is not host:port" },
	{ "--listen unix:relative", "is not host:port" },
	{ "--backend ftp://x", "--backend: is not http://" },
	{ "--backend http://", "is not http://" },
	{ "--backend http://u:p@host/v1", "is not http://" },
	{ "--backend http://host/v1?x=1", "is not http://" },
	{ "--backend http://host:/v1", "is not http://" },
	{ "--backend http://host:8o/v1", "is not http://" },
	{ "--backend-dialect ollama", NULL },
	{ "--backend-dialect olama", "not one of openai|llamacpp|vllm|ollama" },
	{ "--backend-key-env sk-abcdef", "is not the name of an environment variable" },
	{ "--backend-key-env NO_SUCH_KEY", "the environment has no NO_SUCH_KEY" },
	{ "--conect-ms 5", "--conect-ms is not known; did you mean --connect-ms?" },
	{ "--backend-dialekt x", "did you mean --backend-dialect?" },
	{ "--modle x", "did you mean --model?" },
	{ "--confg x", "did you mean --config?" },
	{ "--quite-unknown", "--quite-unknown is not known" },
	{ "stray", "\"stray\" is not a flag" },
	{ "--", "is not a flag" },
	{ "-x", "is not a flag" },
	{ "--help=yes", "takes no value" },
	{ "--redis=redis://:pass@x:7000/2", NULL },
	{ "--redis=rediss://x", "--redis: rediss:// is not possible: the hiredis that this is" },
	{ "--redis=http://x", "--redis: it does not begin with redis://" },
	{ "--redis=redis://x/y", "the database behind / is not a number" },
	{ "--redis=redis://x --state-dir=/tmp", "in state_dir or in redis, not in both" },
	{ "--lease-ms 50", "out of range" },
	{ "--probe=yes", "--probe=yes takes no value" },
	{ "--stream-low-bytes 256KiB", "stream_low_bytes must be below" },
	{ "--retry-base-ms 20000", "retry_base_ms must not be above" },
	{ "--default-backend other", "there is no backend other" },
	{ "--config /no/such/file", "/no/such/file: No such file" },
};

static void values_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(flag_rows); i++) {
		struct settings *settings = NULL;
		char flags[256];
		enum err err;

		(void)snprintf(flags, sizeof(flags), "--backend http://b/v1 %s",
			       flag_rows[i].flags);
		err = command_line_load(flags, "", &settings);
		if ((err == OK) != (flag_rows[i].says == NULL))
			fail_msg("%s: %s", flag_rows[i].flags, buf_str(&command_line_message));
		if (flag_rows[i].says != NULL &&
		    strstr(buf_str(&command_line_message), flag_rows[i].says) == NULL)
			fail_msg("%s: %s", flag_rows[i].flags, buf_str(&command_line_message));
		if (err == OK)
			assert_int_equal(command_line_message.len, 0);
		settings_unref(settings);
	}
}

static void a_value_that_may_be_a_key_is_not_repeated(void **state)
{
	struct settings *settings = NULL;

	(void)state;
	assert_int_equal(
		command_line_load("--backend http://b --backend-key-env sk-abcdef", "", &settings),
		ERR_INVALID);
	assert_null(strstr(command_line_message.data, "abcdef"));
	assert_int_equal(command_line_load("--backend http://b --backend-key-env K", "K=a\tsecret",
					   &settings),
			 ERR_INVALID);
	assert_null(strstr(command_line_message.data, "secret"));
}

static const struct {
	const char *environment;
	const char *says; /* NULL: fine */
} variable_rows[] = {
	{ "LONGHAND_CONNECT_MS=x", "LONGHAND_CONNECT_MS: \"x\" is not a whole number" },
	{ "LONGHAND_CONECT_MS=1", "did you mean LONGHAND_CONNECT_MS?" },
	{ "LONGHAND_REDIS=redis://x:port", "LONGHAND_REDIS: the port is not" },
	{ "LONGHAND_REDIS=redis://:secret@x", NULL },
	{ "LONGHAND_BACKEND=http://x LONGHAND_MODEL=m", NULL },
	{ "LONGHAND_BACKEND=nonsense", "LONGHAND_BACKEND: is not http://" },
	{ "LONGHAND_API_KEY=of-the-client", NULL },
	{ "LONGHAND_REDIS=", NULL },
	{ "LONGHAND_reuse_port=x LONGHANDLE=1 PATH=/bin", NULL },
};

static void variables_are_read_as_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(variable_rows); i++) {
		struct settings *settings = NULL;
		enum err err = command_line_load("--backend http://b/v1",
						 variable_rows[i].environment, &settings);

		if ((err == OK) != (variable_rows[i].says == NULL) ||
		    (err != OK &&
		     strstr(buf_str(&command_line_message), variable_rows[i].says) == NULL))
			fail_msg("%s: %s", variable_rows[i].environment,
				 buf_str(&command_line_message));
		settings_unref(settings);
	}
}

static const struct {
	const char *yaml;
	const char *says; /* behind the path */
} file_rows[] = {
	{ "connect_ms: 12abc", ":1:13: connect_ms: \"12abc\" is not a whole number" },
	{ "# x\n\nconnect_ms:   010\n", ":3:15: connect_ms: \"010\" has a leading zero" },
	{ "reuse_port: yesplease", ":1:13: reuse_port: \"yesplease\" is neither" },
	{ "reuse_port: yes", ":1:13: reuse_port: \"yes\" is neither" },
	{ "connect_ms: \"5\"", ":1:13: connect_ms: the value stands without quotes" },
	{ "connect_ms:", ":1:12: connect_ms has no value" },
	{ "connect_ms: ~", ":1:13: connect_ms has no value" },
	{ "connect_ms: [1]", ":1:13: connect_ms: one value is expected here" },
	{ "conect_ms: 5", ":1:1: conect_ms is not known; did you mean connect_ms?" },
	{ "backend:\n  x: y", ":1:1: backend is not known; did you mean backends?" },
	{ "nothing_like_it: 5", ":1:1: nothing_like_it is not known" },
	{ "route: all\nconnect_ms: 5\nroute: all", ":3:1: route stands in line 1 already" },
	{ "redis: rediss://x", ":1:8: redis: rediss:// is not possible" },
	{ "- a\n- b", ":1:1: a mapping (name: value) is expected here" },
	{ "just text", ":1:1: a mapping (name: value) is expected here" },
	{ "a: b: c", ":1:5: mapping values are not allowed in this context" },
	{ "a: [1, 2", ":2:1: did not find expected ',' or ']'" },
	{ "a:\n\t- b", ":2:1: found character that cannot start any token" },
	{ "route: all\n---\nroute: all", ":3:1: a second document; one is allowed" },
	{ "log_level: \"a\\0b\"", ":1:12: log_level has control characters" },
	{ "listen: \"a\\nb:80\"", ":1:9: listen: has control characters" },
	{ "backends:\n  a:\n    url: nope", ":3:10: url: is not http://" },
	{ "backends:\n  a:\n    urll: http://x", ":3:5: urll is not known; did you mean url?" },
	{ "backends:\n  a: {}\n", ":2:3: backend a has no url" },
	{ "backends:\n  a: http://x\n", ":2:6: a mapping (name: value) is expected" },
	{ "backends:\n  'a b': {url: http://x}", ":2:3: a b: the name of a backend has" },
	{ "backends:\n  a: {url: http://x}\n  a: {url: http://y}", ":3:3: a stands in line 2" },
	{ "backends:\n  a: {url: http://x, models: [m, m]}",
	  ":2:34: models: m stands there twice" },
	{ "backends:\n  a: {url: http://x, models: {m: [x]}}", ":2:34: m: one value" },
	{ "backends:\n  a: {url: http://x, key_env: NONE}",
	  ":2:3: backend a: the environment has no NONE" },
	{ "cors_origins: a.example", ":1:15: cors_origins: is not a list of origins" },
	{ "cors_origins: 'http://a/'", ":1:15: cors_origins: is not a list of origins" },
	{ "cors_origins: 'http://a,, http://b'", ":1:15: cors_origins: is not a list" },
	{ "cors_origins: 'http://a b'", ":1:15: cors_origins: is not a list of origins" },
	{ "cors_origins: 'http://A'", ":1:15: cors_origins: is not a list of origins" },
	{ "cors_origins: '*, http://a'", ":1:15: cors_origins: is not a list of origins" },
	{ "keys:\n  a: {}", ":2:3: key a has no hash" },
	{ "keys:\n  a: {hash: sk-secret}", ":2:13: hash: is not sha256: and 64 hexadecimal" },
	{ "keys:\n  'a/b': {hash: " ABC "}", ":2:3: a/b: the name of a key has 1 to 64" },
	{ "presets:\n  p: {backend: none}", ":2:3: preset p: there is no backend none" },
	{ "presets:\n  longhand: {}", ":2:3: a preset cannot be called longhand" },
	{ "presets:\n  p: {target_words: 300000}", ":2:3: preset p: target_words is above" },
};

/* Values that are good alone and wrong together; without a place in the file. */
static const struct {
	const char *yaml;
	const char *says;
} access_rows[] = {
	{ "keys:\n  a: {hash: " ABC "}\n  b: {hash: " ABC "}",
	  "keys a and b have the same hash" },
	{ "trust_user_header: true", "trust_user_header needs user_header" },
	{ "user_header: X-User", "user_header: without keys everybody could name anybody" },
};

static void access_that_lets_everybody_in_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(access_rows); i++) {
		struct settings *settings = NULL;

		assert_int_equal(command_line_load_file(access_rows[i].yaml, "--backend http://b",
							&settings),
				 ERR_INVALID);
		if (strncmp(command_line_message.data, access_rows[i].says,
			    strlen(access_rows[i].says)) != 0)
			fail_msg("expected %s\n     got %s", access_rows[i].says,
				 command_line_message.data);
		assert_null(strstr(command_line_message.data, "sha256:"));
	}
}

static void keys_have_names_and_hashes(void **state)
{
	struct settings *settings = NULL;
	enum err err = command_line_load_file("user_header: X-User\nwords_per_day: 5000\n"
					      "cors_origins: https://a.b, http://[::1]:3000\n"
					      "keys:\n  alice: {hash: " ABC "}\n",
					      "--backend http://b --max-jobs-per-owner 2",
					      &settings);

	(void)state;
	assert_int_equal(err, OK);
	assert_int_equal(settings->n_keys, 1);
	assert_string_equal(settings->keys[0].record.name, "alice");
	assert_string_equal(settings->keys[0].hash, ABC);
	assert_string_equal(settings->user_header, "X-User");
	assert_int_equal(settings->words_per_day, 5000);
	assert_string_equal(settings->cors_origins, "https://a.b, http://[::1]:3000");
	assert_int_equal(settings->max_jobs_per_owner, 2);
	settings_unref(settings);
}

static void faults_of_the_file_have_line_and_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(file_rows); i++) {
		struct settings *settings = NULL;
		char says[256];

		assert_int_equal(
			command_line_load_file(file_rows[i].yaml, "--backend http://b", &settings),
			ERR_INVALID);
		(void)snprintf(says, sizeof(says), "%s%s", command_line_path, file_rows[i].says);
		if (strncmp(command_line_message.data, says, strlen(says)) != 0)
			fail_msg("expected %s\n     got %s", says, command_line_message.data);
	}
}

static void model_ids_lead_to_one_place(void **state)
{
	static const struct {
		const char *yaml;
		const char *says;
	} rows[] = {
		{ "backends:\n a: {url: http://x, models: [m]}\n b: {url: http://x, models: [m]}",
		  "backends a and b both have a model m" },
		{ "backends:\n a: {url: http://x, models: [longhand]}", "longhand is taken" },
		{ "backends:\n a: {url: http://x, models: [p]}\npresets:\n p: {}", "preset's too" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings = NULL;

		assert_int_equal(command_line_load_file(rows[i].yaml, "", &settings), ERR_INVALID);
		assert_non_null(strstr(command_line_message.data, rows[i].says));
	}
}

static void odd_files_are_survived(void **state)
{
	struct settings *settings = NULL;

	(void)state;
	assert_int_equal(command_line_load_file("", "--backend http://b", &settings), OK);
	settings_unref(settings);
	assert_int_equal(
		command_line_load_file("# nothing\n---\n...\n", "--backend http://b", &settings),
		OK);
	settings_unref(settings);
	settings = NULL;
	assert_int_equal(command_line_load_file("a: \xff\xfe", "--backend http://b", &settings),
			 ERR_INVALID);
	assert_non_null(strstr(command_line_message.data, "byte "));
	assert_int_equal(command_line_load_file("a: &x {b: *x}", "--backend http://b", &settings),
			 ERR_INVALID);
	assert_int_equal(command_line_load("--backend http://b --config /", "", &settings), ERR_IO);
	assert_non_null(strstr(command_line_message.data, "/: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_strictly),
		cmocka_unit_test(a_value_that_may_be_a_key_is_not_repeated),
		cmocka_unit_test(variables_are_read_as_strictly),
		cmocka_unit_test(faults_of_the_file_have_line_and_column),
		cmocka_unit_test(access_that_lets_everybody_in_is_refused),
		cmocka_unit_test(keys_have_names_and_hashes),
		cmocka_unit_test(model_ids_lead_to_one_place),
		cmocka_unit_test(odd_files_are_survived),
	};
	int failed;

	mem_init();
	if (!command_line_begin())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	command_line_end();
	return failed;
}
