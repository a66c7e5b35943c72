#include "write.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "completion_stream.h"
#include "status_line.h"
#include "wrap.h"

struct writing {
	const struct write_options *options;
	struct status_line status;
	struct wrap wrap;
	FILE *out;
	bool is_out_broken;
	json_t *report;
	long words, target_words;
	double started_s;
};

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what comes ---- */

static void on_content(void *context, const char *text, size_t len)
{
	struct writing *writing = context;

	wrap_write(&writing->wrap, text, len);
	(void)fflush(stdout);
	if (writing->out == NULL)
		return;
	if (fwrite(text, 1, len, writing->out) != len || fflush(writing->out) != 0)
		writing->is_out_broken = true;
}

static void on_reasoning(void *context, const char *text, size_t len)
{
	struct writing *writing = context;

	if (!writing->options->is_quiet)
		(void)fprintf(stderr, "Plan:\n%.*s\n", (int)len, text);
}

static long number(const json_t *object, const char *name)
{
	return (long)json_integer_value(json_object_get(object, name));
}

static void show_progress(struct writing *writing, const json_t *progress)
{
	double elapsed_s = now_s() - writing->started_s;
	long words = number(progress, "words");
	long target_words = number(progress, "target_words");
	long left_s = number(progress, "eta_s");
	char milestone[64];
	char text[160];
	int used;

	writing->words = words;
	writing->target_words = target_words;
	(void)snprintf(milestone, sizeof(milestone), "%ld", number(progress, "section"));
	used = snprintf(text, sizeof(text), "section %ld/%ld  %ld/%ld words  %.1f words/s",
			number(progress, "section"), number(progress, "sections"), words,
			target_words, elapsed_s > 0 ? (double)words / elapsed_s : 0.0);
	if (left_s > 0 && used > 0 && (size_t)used < sizeof(text))
		(void)snprintf(text + used, sizeof(text) - (size_t)used, "  %ld:%02ld left",
			       left_s / 60, left_s % 60);
	status_line_show(&writing->status, milestone, text);
}

static void on_longhand(void *context, const json_t *longhand)
{
	struct writing *writing = context;
	json_t *report = json_object_get(longhand, "report");

	if (report != NULL) {
		json_decref(writing->report);
		writing->report = json_incref(report);
	} else if (!writing->options->is_quiet) {
		show_progress(writing, longhand);
	}
}

/* ---- what is said at the end ---- */

static void print_unmet(const json_t *report)
{
	const json_t *unmet = json_object_get(report, "unmet");
	size_t index;
	json_t *item;

	json_array_foreach((json_t *)unmet, index, item) {
		const char *kind = json_string_value(json_object_get(item, "kind"));
		const char *detail = json_string_value(json_object_get(item, "detail"));

		(void)fprintf(stderr, "  not met: %s%s%s\n", kind != NULL ? kind : "?",
			      detail != NULL ? ": " : "", detail != NULL ? detail : "");
	}
}

static void print_sections(const json_t *report)
{
	const json_t *sections = json_object_get(report, "sections");
	size_t index;
	json_t *section;

	json_array_foreach((json_t *)sections, index, section) {
		const char *title = json_string_value(json_object_get(section, "title"));

		(void)fprintf(stderr, "  %2zu. %-48.48s %5ld of %5ld words  %ld calls\n", index + 1,
			      title != NULL && title[0] != '\0' ? title : "(untitled)",
			      number(section, "words"), number(section, "words_asked"),
			      number(section, "calls"));
	}
}

static void print_report(const struct writing *writing, const char *job)
{
	const json_t *report = writing->report;
	const json_t *usage = json_object_get(report, "usage");
	long words = number(report, "words");
	long target_words = number(report, "target_words");
	double off = target_words > 0
			     ? 100.0 * (double)(words - target_words) / (double)target_words
			     : 0;

	(void)fprintf(stderr, "\nReport (job %s)\n", job);
	(void)fprintf(stderr, "  %ld words for %ld asked (%+.1f %%), in %.0f s\n", words,
		      target_words, off, now_s() - writing->started_s);
	print_sections(report);
	(void)fprintf(
		stderr,
		"  %ld calls to the model, %ld prompt and %ld completion tokens, %zu repairs\n",
		number(report, "calls"), number(usage, "prompt_tokens"),
		number(usage, "completion_tokens"),
		json_array_size(json_object_get(report, "repairs")));
	print_unmet(report);
}

/* ---- the request ---- */

static int set_string(json_t *object, const char *name, const char *value)
{
	return value == NULL ? 0 : json_object_set_new(object, name, json_string(value));
}

static char *make_body(const struct write_options *options)
{
	json_t *longhand = json_object();
	json_t *body = json_pack("{s:s,s:b,s:[{s:s,s:s}]}", "model", options->model, "stream", 1,
				 "messages", "role", "user", "content", options->request);
	int failed = set_string(longhand, "mode", options->mode);
	char *text = NULL;

	failed |= set_string(longhand, "headings", options->headings);
	if (options->words > 0)
		failed |= json_object_set_new(longhand, "target_words",
					      json_integer(options->words));
	if (options->has_seed)
		failed |= json_object_set_new(body, "seed", json_integer(options->seed));
	if (json_object_size(longhand) > 0)
		failed |= json_object_set(body, "longhand", longhand);
	if (!failed && body != NULL)
		text = json_dumps(body, JSON_COMPACT);
	json_decref(longhand);
	json_decref(body);
	return text;
}

static int save_report(const struct writing *writing)
{
	const char *path = writing->options->report_out;

	if (path == NULL || writing->report == NULL)
		return 0;
	if (json_dump_file(writing->report, path, JSON_INDENT(1)) == 0)
		return 0;
	(void)fprintf(stderr, "longhand: can not write %s\n", path);
	return 1;
}

static int finish(struct writing *writing, const struct completion_stream *stream, enum err err)
{
	const struct write_options *options = writing->options;
	int code = err == OK ? 0 : 1;

	wrap_flush(&writing->wrap);
	wrap_release(&writing->wrap);
	status_line_end(&writing->status);
	(void)putchar('\n');
	(void)fflush(stdout);
	if (writing->out != NULL && (fclose(writing->out) != 0 || writing->is_out_broken)) {
		(void)fprintf(stderr, "longhand: %s is not complete: is the disk full?\n",
			      options->out);
		code = 1;
	}
	if (err != OK)
		(void)fprintf(stderr, "longhand: %s\n",
			      stream->error[0] != '\0' ? stream->error : err_text(err));
	else if (!options->is_quiet && writing->report != NULL)
		print_report(writing, stream->job);
	return code | save_report(writing);
}

int write_run(const struct write_options *options)
{
	struct writing writing = { .options = options, .started_s = now_s() };
	struct completion_stream stream = { .server = options->server,
					    .key = options->key,
					    .context = &writing,
					    .on_content = on_content,
					    .on_reasoning = on_reasoning,
					    .on_longhand = on_longhand };
	char *body = make_body(options);
	enum err err = ERR_NO_MEMORY;
	int code;

	if (options->out != NULL) {
		writing.out = fopen(options->out, "w");
		if (writing.out == NULL) {
			(void)fprintf(stderr, "longhand: can not write %s\n", options->out);
			mem_free(body);
			return 1;
		}
	}
	status_line_begin(&writing.status);
	wrap_init(&writing.wrap, stdout, writing.status.is_terminal ? writing.status.columns : 0);
	if (body != NULL)
		err = completion_stream_run(&stream, body);
	mem_free(body);
	code = finish(&writing, &stream, err);
	json_decref(writing.report);
	return code;
}
