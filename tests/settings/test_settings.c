/* Settings: who wins, what is refused and where, and that the texts made from the tables hold. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "settings.h"

static char path[] = "/tmp/longhand-settings-XXXXXX";
static struct buf message;

static int begin(void **state)
{
	(void)state;
	buf_init(&message, SETTINGS_MESSAGE_BYTES_MAX);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mem_fail_at(0);
	buf_release(&message);
	return 0;
}

static void write_file(const char *yaml)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(yaml, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

enum { WORDS_MAX = 16 };

/* A command line or an environment in one string, words between spaces. */
struct words {
	char text[512];
	char *list[WORDS_MAX + 1];
	int count;
};

static void split(struct words *words, const char *first, const char *text)
{
	char *rest = words->text;
	char *word;

	assert_true(strlen(text) < sizeof(words->text));
	strcpy(words->text, text); /* checked above */
	words->count = 0;
	if (first != NULL)
		words->list[words->count++] = (char *)(uintptr_t)first;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		assert_true(words->count < WORDS_MAX);
		words->list[words->count++] = word;
	}
	words->list[words->count] = NULL;
}

static enum err load(const char *flags, const char *environment, struct settings **ret)
{
	struct words argv;
	struct words envp;

	split(&argv, "longhandd", flags);
	split(&envp, NULL, environment);
	return settings_load(argv.count, argv.list, envp.list, ret, &message);
}

static struct settings *load_ok(const char *flags, const char *environment)
{
	struct settings *settings = NULL;
	enum err err = load(flags, environment, &settings);

	if (err != OK)
		fail_msg("%s: %s", flags, buf_str(&message));
	return settings;
}

/* Loads the file's text with --config. */
static enum err load_file(const char *yaml, const char *flags, struct settings **ret)
{
	char line[256];

	write_file(yaml);
	(void)snprintf(line, sizeof(line), "--config %s %s", path, flags);
	return load(line, "BACKEND_KEY=sk-secret", ret);
}

static void one_backend_is_all_that_is_needed(void **state)
{
	struct settings *settings = load_ok("--backend http://127.0.0.1:8000/v1/", "");
	const struct backend_settings *backend = settings_default_backend(settings);

	(void)state;
	assert_int_equal(settings->action, SETTINGS_RUN);
	assert_string_equal(settings->listen, "127.0.0.1:8080");
	assert_int_equal(settings->first_byte_ms, 120000);
	assert_int_equal(settings->max_request_bytes, 16 * 1024 * 1024);
	assert_int_equal(settings->plan_from_words, 1000);
	assert_int_equal(settings->route, SETTING_ROUTE_ALL);
	assert_false(settings->reuse_port);
	assert_int_equal(settings->n_backends, 1);
	assert_string_equal(backend->record.name, "default");
	assert_string_equal(backend->url, "http://127.0.0.1:8000/v1");
	assert_string_equal(backend->dialect == 0 ? "openai" : "", "openai");
	assert_null(backend->key);
	settings_unref(settings);
	assert_int_equal(load("", "", &settings), ERR_INVALID);
	assert_non_null(strstr(message.data, "no backend"));
}

static void flag_over_environment_over_file_over_default(void **state)
{
	static const struct {
		const char *yaml;
		const char *environment;
		const char *flags;
		uint64_t connect_ms;
	} rows[] = {
		{ "", "", "", 10000 },
		{ "connect_ms: 1", "", "", 1 },
		{ "connect_ms: 1", "LONGHAND_CONNECT_MS=2", "", 2 },
		{ "connect_ms: 1", "LONGHAND_CONNECT_MS=", "", 1 },
		{ "connect_ms: 1", "LONGHAND_CONNECT_MS=2", "--connect-ms 3", 3 },
		{ "", "LONGHAND_CONNECT_MS=2", "--connect-ms=3", 3 },
		{ "", "LONGHAND_CONNECT_MS=2", "--connect-ms=3 --connect-ms 4", 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings;
		char environment[256];
		char flags[256];

		write_file(rows[i].yaml);
		(void)snprintf(environment, sizeof(environment), "LONGHAND_CONFIG=%s %s", path,
			       rows[i].environment);
		(void)snprintf(flags, sizeof(flags), "--backend http://b/v1 %s", rows[i].flags);
		settings = load_ok(flags, environment);
		assert_int_equal(settings->connect_ms, rows[i].connect_ms);
		assert_string_equal(settings->config, path);
		settings_unref(settings);
	}
}

static void flags_complete_the_files_default_backend(void **state)
{
	struct settings *settings = NULL;
	const struct backend_settings *backend;

	(void)state;
	assert_int_equal(
		load_file("backends:\n"
			  "  other: {url: 'https://other.example/v1'}\n"
			  "  default:\n"
			  "    url: http://file/v1\n"
			  "    key_env: BACKEND_KEY\n"
			  "    models: {nice: org/ugly}\n",
			  "--model m --backend-dialect vllm --backend-long-output", &settings),
		OK);
	assert_int_equal(settings->n_backends, 2);
	backend = settings_default_backend(settings);
	assert_string_equal(backend->record.name, "default");
	assert_string_equal(backend->url, "http://file/v1");
	assert_string_equal(backend->model, "m");
	assert_string_equal(backend->key, "sk-secret");
	assert_int_equal(backend->dialect, 2);
	assert_true(backend->long_output);
	assert_int_equal(backend->models.count, 1);
	assert_string_equal(backend->models.pairs[0].name, "nice");
	assert_string_equal(backend->models.pairs[0].value, "org/ugly");
	settings_unref(settings);
}

static void records_are_read(void **state)
{
	struct settings *settings = NULL;

	(void)state;
	assert_int_equal(
		load_file(
			"default_backend: second\n"
			"backends:\n"
			"  first: {url: http://one/v1, models: [a, b/c]}\n"
			"  second:\n"
			"    url: 'http://[::1]:8000'\n"
			"    models: {d: 'e:f'}\n"
			"    max_in_flight: 4\n"
			"keys:\n"
			"  alice: {hash: 'sha256:"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}\n"
			"presets:\n"
			"  longhand-report:\n"
			"    backend: first\n"
			"    mode: serial\n"
			"    headings: markdown\n"
			"    count: benchmark\n"
			"    target_words: 3000\n",
			"", &settings),
		OK);
	assert_string_equal(settings_default_backend(settings)->record.name, "second");
	assert_int_equal(settings_backend(settings, "second")->max_in_flight, 4);
	assert_int_equal(settings_backend(settings, "first")->models.count, 2);
	assert_string_equal(settings_backend(settings, "first")->models.pairs[1].value, "b/c");
	assert_null(settings_backend(settings, "third"));
	assert_int_equal(settings->n_keys, 1);
	assert_string_equal(settings->keys[0].record.name, "alice");
	assert_int_equal(settings_preset(settings, "longhand-report")->mode, SETTING_MODE_SERIAL);
	assert_int_equal(settings_preset(settings, "longhand-report")->headings,
			 SETTING_HEADINGS_MARKDOWN);
	assert_int_equal(settings_preset(settings, "longhand-report")->count,
			 SETTING_COUNT_BENCHMARK);
	assert_int_equal(settings_preset(settings, "longhand-report")->context,
			 SETTING_CONTEXT_AUTO);
	settings_unref(settings);
}

static void values_are_read_strictly(void **state)
{
	static const struct {
		const char *flags;
		const char *says; /* NULL: fine */
	} rows[] = {
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
		{ "--state-dir /var", "--state-dir is not in this version yet" },
		{ "--redis=redis://x", "--redis is not in this version yet" },
		{ "--probe", "--probe is not in this version yet" },
		{ "--stream-low-bytes 256KiB", "stream_low_bytes must be below" },
		{ "--retry-base-ms 20000", "retry_base_ms must not be above" },
		{ "--default-backend other", "there is no backend other" },
		{ "--config /no/such/file", "/no/such/file: No such file" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings = NULL;
		char flags[256];
		enum err err;

		(void)snprintf(flags, sizeof(flags), "--backend http://b/v1 %s", rows[i].flags);
		err = load(flags, "", &settings);
		if ((err == OK) != (rows[i].says == NULL))
			fail_msg("%s: %s", rows[i].flags, buf_str(&message));
		if (rows[i].says != NULL && strstr(buf_str(&message), rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].flags, buf_str(&message));
		if (err == OK)
			assert_int_equal(message.len, 0);
		settings_unref(settings);
	}
}

static void a_value_that_may_be_a_key_is_not_repeated(void **state)
{
	struct settings *settings = NULL;

	(void)state;
	assert_int_equal(load("--backend http://b --backend-key-env sk-abcdef", "", &settings),
			 ERR_INVALID);
	assert_null(strstr(message.data, "abcdef"));
	assert_int_equal(load("--backend http://b --backend-key-env K", "K=a\tsecret", &settings),
			 ERR_INVALID);
	assert_null(strstr(message.data, "secret"));
}

static void variables_are_read_as_strictly(void **state)
{
	static const struct {
		const char *environment;
		const char *says; /* NULL: fine */
	} rows[] = {
		{ "LONGHAND_CONNECT_MS=x", "LONGHAND_CONNECT_MS: \"x\" is not a whole number" },
		{ "LONGHAND_CONECT_MS=1", "did you mean LONGHAND_CONNECT_MS?" },
		{ "LONGHAND_REDIS=redis://x", "LONGHAND_REDIS is not in this version yet" },
		{ "LONGHAND_BACKEND=http://x LONGHAND_MODEL=m", NULL },
		{ "LONGHAND_BACKEND=nonsense", "LONGHAND_BACKEND: is not http://" },
		{ "LONGHAND_API_KEY=of-the-client", NULL },
		{ "LONGHAND_REDIS=", NULL },
		{ "LONGHAND_reuse_port=x LONGHANDLE=1 PATH=/bin", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings = NULL;
		enum err err = load("--backend http://b/v1", rows[i].environment, &settings);

		if ((err == OK) != (rows[i].says == NULL) ||
		    (err != OK && strstr(buf_str(&message), rows[i].says) == NULL))
			fail_msg("%s: %s", rows[i].environment, buf_str(&message));
		settings_unref(settings);
	}
}

static void faults_of_the_file_have_line_and_column(void **state)
{
	static const struct {
		const char *yaml;
		const char *says; /* behind the path */
	} rows[] = {
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
		{ "redis: redis://x", ":1:1: redis is not in this version yet" },
		{ "- a\n- b", ":1:1: a mapping (name: value) is expected here" },
		{ "just text", ":1:1: a mapping (name: value) is expected here" },
		{ "a: b: c", ":1:5: mapping values are not allowed in this context" },
		{ "a: [1, 2", ":2:1: did not find expected ',' or ']'" },
		{ "a:\n\t- b", ":2:1: found character that cannot start any token" },
		{ "route: all\n---\nroute: all", ":3:1: a second document; one is allowed" },
		{ "log_level: \"a\\0b\"", ":1:12: log_level has control characters" },
		{ "listen: \"a\\nb:80\"", ":1:9: listen: has control characters" },
		{ "backends:\n  a:\n    url: nope", ":3:10: url: is not http://" },
		{ "backends:\n  a:\n    urll: http://x",
		  ":3:5: urll is not known; did you mean url?" },
		{ "backends:\n  a: {}\n", ":2:3: backend a has no url" },
		{ "backends:\n  a: http://x\n", ":2:6: a mapping (name: value) is expected" },
		{ "backends:\n  'a b': {url: http://x}", ":2:3: a b: the name of a backend has" },
		{ "backends:\n  a: {url: http://x}\n  a: {url: http://y}",
		  ":3:3: a stands in line 2" },
		{ "backends:\n  a: {url: http://x, models: [m, m]}",
		  ":2:34: models: m stands there twice" },
		{ "backends:\n  a: {url: http://x, models: {m: [x]}}", ":2:34: m: one value" },
		{ "backends:\n  a: {url: http://x, key_env: NONE}",
		  ":2:3: backend a: the environment has no NONE" },
		{ "keys:\n  a: {}", ":2:3: key a has no hash" },
		{ "keys:\n  a: {hash: 'md5:1'}", ":2:13: hash: is not sha256:" },
		{ "presets:\n  p: {backend: none}", ":2:3: preset p: there is no backend none" },
		{ "presets:\n  longhand: {}", ":2:3: a preset cannot be called longhand" },
		{ "presets:\n  p: {target_words: 300000}",
		  ":2:3: preset p: target_words is above" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings = NULL;
		char says[256];

		assert_int_equal(load_file(rows[i].yaml, "--backend http://b", &settings),
				 ERR_INVALID);
		(void)snprintf(says, sizeof(says), "%s%s", path, rows[i].says);
		if (strncmp(message.data, says, strlen(says)) != 0)
			fail_msg("expected %s\n     got %s", says, message.data);
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

		assert_int_equal(load_file(rows[i].yaml, "", &settings), ERR_INVALID);
		assert_non_null(strstr(message.data, rows[i].says));
	}
}

static void odd_files_are_survived(void **state)
{
	struct settings *settings = NULL;

	(void)state;
	assert_int_equal(load_file("", "--backend http://b", &settings), OK);
	settings_unref(settings);
	assert_int_equal(load_file("# nothing\n---\n...\n", "--backend http://b", &settings), OK);
	settings_unref(settings);
	settings = NULL;
	assert_int_equal(load_file("a: \xff\xfe", "--backend http://b", &settings), ERR_INVALID);
	assert_non_null(strstr(message.data, "byte "));
	assert_int_equal(load_file("a: &x {b: *x}", "--backend http://b", &settings), ERR_INVALID);
	assert_int_equal(load("--backend http://b --config /", "", &settings), ERR_IO);
	assert_non_null(strstr(message.data, "/: "));
}

static void commands_print_or_check(void **state)
{
	struct settings *settings = load_ok("--connect-ms nonsense-is-not-read --help", "");

	(void)state;
	assert_int_equal(settings->action, SETTINGS_PRINT);
	assert_memory_equal(message.data, "Usage: longhandd", 16);
	assert_non_null(strstr(message.data, "\n  --first-byte-ms MS\n"));
	assert_non_null(strstr(message.data, "(default 120000, 1 to 604800000)\n"));
	assert_non_null(strstr(message.data, "\n  --backend-key-env NAME\n"));
	settings_unref(settings);
	settings = load_ok("-h", "");
	settings_unref(settings);
	settings = load_ok("--version", "");
	assert_string_equal(message.data, "longhandd " LONGHAND_VERSION "\n");
	settings_unref(settings);
	settings = load_ok("--check-config --backend http://b", "");
	assert_int_equal(settings->action, SETTINGS_CHECK);
	settings_unref(settings);
	assert_int_equal(load("--check-config", "", &settings), ERR_INVALID);
}

/* The sample is a file that works and changes nothing. */
static void the_printed_file_says_what_is_so_anyway(void **state)
{
	struct settings *sample = NULL;
	struct settings *plain;
	struct settings *printed = load_ok("--print-config", "");
	char *yaml = mem_strdup(message.data);

	(void)state;
	settings_unref(printed);
	assert_non_null(yaml);
	assert_int_equal(load_file(yaml, "", &sample), OK);
	mem_free(yaml);
	plain = load_ok("--backend http://127.0.0.1:8000/v1", "");
	assert_null(settings_fixed_change(plain, sample));
	assert_int_equal(sample->retention_ms, plain->retention_ms);
	assert_int_equal(sample->n_backends, 1);
	assert_string_equal(sample->backends[0].url, plain->backends[0].url);
	assert_int_equal(sample->n_keys + sample->n_presets, 0);
	settings_unref(sample);
	settings_unref(plain);
}

static void what_cannot_change_while_running_is_told(void **state)
{
	struct settings *now = load_ok("--backend http://b", "");
	struct settings *reloadable = load_ok("--backend http://c --connect-ms 1", "");
	struct settings *fixed = load_ok("--backend http://b --max-connections 7", "");

	(void)state;
	assert_null(settings_fixed_change(now, reloadable));
	assert_string_equal(settings_fixed_change(now, fixed), "max_connections");
	assert_ptr_equal(settings_ref(now), now);
	settings_unref(now);
	assert_string_equal(now->listen, "127.0.0.1:8080"); /* still held once */
	settings_unref(now);
	settings_unref(reloadable);
	settings_unref(fixed);
	settings_unref(NULL);
}

/* Counts the allocations of a load into an empty message. */
static struct settings *load_file_ok(const char *yaml, size_t *ret_allocations)
{
	struct settings *settings = NULL;
	size_t before;

	buf_release(&message);
	before = mem_count();
	assert_int_equal(load_file(yaml, "--model m --reuse-port", &settings), OK);
	*ret_allocations = mem_count() - before;
	return settings;
}

static void memory_may_run_out(void **state)
{
	static const char yaml[] =
		"connect_ms: 5\nlisten: 127.0.0.1:0\n"
		"backends:\n  default: {url: http://x, models: {m: n}, key_env: BACKEND_KEY}\n"
		"presets:\n  p: {backend: default}\n";
	size_t failures = 0;
	size_t allocations = 0;
	struct settings *settings = NULL;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		settings = NULL;
		buf_release(&message);
		mem_fail_at(nth);
		err = load_file(yaml, "--model m --reuse-port", &settings);
		mem_fail_at(0);
		if (err != OK && err != ERR_NO_MEMORY)
			fail_msg("allocation %zu: %s", nth, buf_str(&message));
		failures += err != OK;
		settings_unref(settings);
		assert_true(nth < 1000);
	}
	settings = load_file_ok(yaml, &allocations);
	assert_int_equal(failures, allocations); /* none was swallowed */
	settings_unref(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_backend_is_all_that_is_needed, begin, end),
		cmocka_unit_test_setup_teardown(flag_over_environment_over_file_over_default, begin,
						end),
		cmocka_unit_test_setup_teardown(flags_complete_the_files_default_backend, begin,
						end),
		cmocka_unit_test_setup_teardown(records_are_read, begin, end),
		cmocka_unit_test_setup_teardown(values_are_read_strictly, begin, end),
		cmocka_unit_test_setup_teardown(a_value_that_may_be_a_key_is_not_repeated, begin,
						end),
		cmocka_unit_test_setup_teardown(variables_are_read_as_strictly, begin, end),
		cmocka_unit_test_setup_teardown(faults_of_the_file_have_line_and_column, begin,
						end),
		cmocka_unit_test_setup_teardown(model_ids_lead_to_one_place, begin, end),
		cmocka_unit_test_setup_teardown(odd_files_are_survived, begin, end),
		cmocka_unit_test_setup_teardown(commands_print_or_check, begin, end),
		cmocka_unit_test_setup_teardown(the_printed_file_says_what_is_so_anyway, begin,
						end),
		cmocka_unit_test_setup_teardown(what_cannot_change_while_running_is_told, begin,
						end),
		cmocka_unit_test_setup_teardown(memory_may_run_out, begin, end),
	};
	int fd = mkstemp(path);
	int failed;

	if (fd < 0)
		return 1;
	(void)close(fd);
	mem_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
