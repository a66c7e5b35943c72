/* Settings: who wins, what is refused and where, and that the texts made from the tables hold. */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fakes/command_line.h"
#include "settings.h"

static void one_backend_is_all_that_is_needed(void **state)
{
	struct settings *settings = command_line_load_ok("--backend http://127.0.0.1:8000/v1/", "");
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
	assert_int_equal(command_line_load("", "", &settings), ERR_INVALID);
	assert_non_null(strstr(command_line_message.data, "no backend"));
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

		command_line_write_file(rows[i].yaml);
		(void)snprintf(environment, sizeof(environment), "LONGHAND_CONFIG=%s %s",
			       command_line_path, rows[i].environment);
		(void)snprintf(flags, sizeof(flags), "--backend http://b/v1 %s", rows[i].flags);
		settings = command_line_load_ok(flags, environment);
		assert_int_equal(settings->connect_ms, rows[i].connect_ms);
		assert_string_equal(settings->config, command_line_path);
		settings_unref(settings);
	}
}

static void flags_complete_the_files_default_backend(void **state)
{
	struct settings *settings = NULL;
	const struct backend_settings *backend;

	(void)state;
	assert_int_equal(
		command_line_load_file("backends:\n"
				       "  other: {url: 'https://other.example/v1'}\n"
				       "  default:\n"
				       "    url: http://file/v1\n"
				       "    key_env: BACKEND_KEY\n"
				       "    models: {nice: org/ugly}\n",
				       "--model m --backend-dialect vllm --backend-long-output",
				       &settings),
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
		command_line_load_file(
			"default_backend: second\n"
			"backends:\n"
			"  first: {url: http://one/v1, models: [a, b/c]}\n"
			"  second:\n"
			"    url: 'http://[::1]:8000'\n"
			"    models: {d: 'e:f'}\n"
			"    window_tokens: 4096\n"
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
	assert_int_equal(settings_backend(settings, "second")->window_tokens, 4096);
	assert_int_equal(settings_backend(settings, "first")->models.count, 2);
	assert_string_equal(settings_backend(settings, "first")->models.pairs[1].value, "b/c");
	assert_null(settings_backend(settings, "third"));
	assert_int_equal(settings_preset(settings, "longhand-report")->mode, SETTING_MODE_SERIAL);
	assert_int_equal(settings_preset(settings, "longhand-report")->headings,
			 SETTING_HEADINGS_MARKDOWN);
	assert_int_equal(settings_preset(settings, "longhand-report")->count,
			 SETTING_COUNT_BENCHMARK);
	assert_int_equal(settings_preset(settings, "longhand-report")->context,
			 SETTING_CONTEXT_AUTO);
	settings_unref(settings);
}

static void commands_print_or_check(void **state)
{
	struct settings *settings =
		command_line_load_ok("--connect-ms nonsense-is-not-read --help", "");

	(void)state;
	assert_int_equal(settings->action, SETTINGS_PRINT);
	assert_memory_equal(command_line_message.data, "Usage: longhandd", 16);
	assert_non_null(strstr(command_line_message.data, "\n  --first-byte-ms MS\n"));
	assert_non_null(strstr(command_line_message.data, "(default 120000, 1 to 604800000)\n"));
	assert_non_null(strstr(command_line_message.data, "\n  --backend-key-env NAME\n"));
	settings_unref(settings);
	settings = command_line_load_ok("-h", "");
	settings_unref(settings);
	settings = command_line_load_ok("--version", "");
	assert_string_equal(command_line_message.data, "longhandd " LONGHAND_VERSION "\n");
	settings_unref(settings);
	settings = command_line_load_ok("--check-config --backend http://b", "");
	assert_int_equal(settings->action, SETTINGS_CHECK);
	settings_unref(settings);
	assert_int_equal(command_line_load("--check-config", "", &settings), ERR_INVALID);
}

/* The sample is a file that works and changes nothing. */
static void the_printed_file_says_what_is_so_anyway(void **state)
{
	struct settings *sample = NULL;
	struct settings *plain;
	struct settings *printed = command_line_load_ok("--print-config", "");
	char *yaml = mem_strdup(command_line_message.data);

	(void)state;
	settings_unref(printed);
	assert_non_null(yaml);
	assert_int_equal(command_line_load_file(yaml, "", &sample), OK);
	mem_free(yaml);
	plain = command_line_load_ok("--backend http://127.0.0.1:8000/v1", "");
	assert_null(settings_fixed_change(plain, sample, &(size_t){ 0 }));
	assert_int_equal(sample->retention_ms, plain->retention_ms);
	assert_int_equal(sample->n_backends, 1);
	assert_string_equal(sample->backends[0].url, plain->backends[0].url);
	assert_int_equal(sample->n_presets, 0);
	settings_unref(sample);
	settings_unref(plain);
}

/* Each beside the first: whether backends made from it would be the same. */
static const struct {
	const char *flags;
	bool is_same;
} backend_changes[] = {
	{ "--backend http://b", true },
	{ "--backend http://b --max-jobs 3 --heartbeat-ms 50", true },
	{ "--backend http://c", false },
	{ "--backend http://b --model m", false },
	{ "--backend http://b --connect-ms 7", false },
	{ "--backend http://b --breaker-failures 7", false },
	{ "--backend http://b --backend-long-output", false },
};

static void backends_are_the_same_or_not(void **state)
{
	struct settings *now = command_line_load_ok("--backend http://b", "");
	struct settings *one = NULL;
	struct settings *other = NULL;
	enum err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(backend_changes); i++) {
		struct settings *next = command_line_load_ok(backend_changes[i].flags, "");

		assert_int_equal(settings_same_backends(now, next), backend_changes[i].is_same);
		settings_unref(next);
	}
	err = command_line_load_file("backends:\n  default: {models: {a: b}}", "--backend http://b",
				     &one);
	assert_int_equal(err, OK);
	err = command_line_load_file("backends:\n  default: {models: {a: c}}", "--backend http://b",
				     &other);
	assert_int_equal(err, OK);
	assert_true(settings_same_backends(one, one));
	assert_false(settings_same_backends(one, other));
	assert_false(settings_same_backends(now, one));
	settings_unref(other);
	settings_unref(one);
	settings_unref(now);
}

static void what_cannot_change_while_running_is_told(void **state)
{
	struct settings *now = command_line_load_ok("--backend http://b", "");
	struct settings *reloadable = command_line_load_ok("--backend http://c --connect-ms 1", "");
	struct settings *fixed = command_line_load_ok("--backend http://b --max-connections 7 "
						       "--stuck-ms 70", "");
	size_t at = 0;

	(void)state;
	assert_null(settings_fixed_change(now, reloadable, &at));
	at = 0;
	assert_string_equal(settings_fixed_change(now, fixed, &at), "max_connections");
	assert_string_equal(settings_fixed_change(now, fixed, &at), "stuck_ms");
	assert_null(settings_fixed_change(now, fixed, &at));
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

	buf_release(&command_line_message);
	before = mem_count();
	assert_int_equal(command_line_load_file(yaml, "--model m --reuse-port", &settings), OK);
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
		buf_release(&command_line_message);
		mem_fail_at(nth);
		err = command_line_load_file(yaml, "--model m --reuse-port", &settings);
		mem_fail_at(0);
		if (err != OK && err != ERR_NO_MEMORY)
			fail_msg("allocation %zu: %s", nth, buf_str(&command_line_message));
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
		cmocka_unit_test(one_backend_is_all_that_is_needed),
		cmocka_unit_test(flag_over_environment_over_file_over_default),
		cmocka_unit_test(flags_complete_the_files_default_backend),
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(commands_print_or_check),
		cmocka_unit_test(the_printed_file_says_what_is_so_anyway),
		cmocka_unit_test(backends_are_the_same_or_not),
		cmocka_unit_test(what_cannot_change_while_running_is_told),
		cmocka_unit_test(memory_may_run_out),
	};
	int failed;

	mem_init();
	if (!command_line_begin())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	command_line_end();
	return failed;
}
