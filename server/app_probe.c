#include "app_probe.h"
#include "app_options.h"
#include "base/logging.h"
#include "base/mem.h"
#include "writing/words.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STREAM_SHARDS = 1, HEADERS_BYTES_MAX = 64 << 10, TEXT_BYTES_MAX = 1 << 20 };
enum { ESTIMATE_WORDS = 5000, SECTION_WORDS = 400, MODELS_SHOWN = 10 };

/* What is asked, in this order; each says what its answer shows. */
struct question {
	const char *prompt;
	const char *begun; /* the assistant's, to be continued; NULL: none */
	bool has_schema;
	long max_tokens;
};

enum { ASK_PROSE, ASK_SCHEMA, ASK_CONTINUE, QUESTIONS };

static const struct question questions[QUESTIONS] = {
	[ASK_PROSE] = { "Write about 150 words about the sea.", NULL, false, 400 },
	[ASK_SCHEMA] = { "Name three colours.", NULL, true, 200 },
	[ASK_CONTINUE] = { "Count from one to ten in words, with commas.", "One, two, three, four,",
			   false, 60 },
};

static const char colours[] =
	"{\"name\":\"colours\",\"strict\":true,\"schema\":{\"type\":\"object\","
	"\"properties\":{\"colours\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},"
	"\"required\":[\"colours\"],\"additionalProperties\":false}}";

struct probe {
	const struct settings *settings;
	struct app_options options;
	struct reactor_uv *loop;
	struct reactor *reactor;
	struct http_client *http;
	struct backend_set *set;
	struct model *model;
	struct describe_call describe;
	struct generate_call call;
	struct deferred next;
	struct buf text;   /* of the call */
	struct buf models; /* first ids of the backend, with commas */
	char *first_model;
	long window_tokens; /* 0: not told */
	size_t n_models;
	json_t *messages, *schema;
	size_t backend, question;
	bool is_failed;
};

static void run_next(struct deferred *deferred);

static void go_on(struct probe *probe)
{
	probe->reactor->defer(probe->reactor, &probe->next, run_next);
}

static const struct backend_options *backend_now(const struct probe *probe)
{
	return &probe->options.backends[probe->backend];
}

/* ---- the models ---- */

/* Where servers say how long prompt and answer may be together. */
static long window_of(const json_t *raw)
{
	static const char *const names[] = { "max_model_len", "context_length", "context_window",
					     "n_ctx", "n_ctx_train" };
	const json_t *meta = json_object_get(raw, "meta");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_int_t window = json_integer_value(json_object_get(raw, names[i]));

		if (window <= 0)
			window = json_integer_value(json_object_get(meta, names[i]));
		if (window > 0 && window <= USAGE_TOKENS_MAX)
			return (long)window;
	}
	return 0;
}

static void note_model(struct probe *probe, const struct model_info *info)
{
	if (info->raw == NULL || strcmp(info->backend, backend_now(probe)->name) != 0)
		return;
	if (probe->n_models++ == 0) {
		probe->first_model = mem_strdup(info->model);
		probe->window_tokens = window_of(info->raw);
	}
	if (probe->n_models <= MODELS_SHOWN &&
	    buf_printf(&probe->models, "%s%s", probe->n_models > 1 ? ", " : "", info->model) != OK)
		log_warn("probe_model_left_out", "count=%zu", probe->n_models);
}

static void print_models(const struct probe *probe)
{
	const struct backend_options *backend = backend_now(probe);

	printf("backend %s  %s\n", backend->name, backend->url);
	printf("  models: %s%s\n", probe->n_models > 0 ? buf_str(&probe->models) : "it lists none",
	       probe->n_models > MODELS_SHOWN ? ", ..." : "");
	if (backend->window_tokens > 0)
		printf("  window: %ld tokens (configured)\n", backend->window_tokens);
	else if (probe->window_tokens > 0)
		printf("  window: %ld tokens\n", probe->window_tokens);
	else
		printf("  window: not told (--backend-window-tokens)\n");
}

static void on_described(struct op *op)
{
	struct describe_call *describe = container_of(op, struct describe_call, op);
	struct probe *probe = container_of(describe, struct probe, describe);

	for (size_t i = 0; op->result == OK && i < describe->n_models; i++)
		note_model(probe, &describe->models[i]);
	print_models(probe);
	probe->question = 0;
	if (backend_now(probe)->model == NULL && probe->first_model == NULL) {
		printf("  no model to ask: is it running? (--model names one)\n");
		probe->is_failed = true;
		probe->question = QUESTIONS;
	}
	go_on(probe);
}

static void ask_models(struct probe *probe)
{
	mem_free(probe->first_model);
	probe->first_model = NULL;
	probe->n_models = 0;
	probe->window_tokens = 0;
	buf_clear(&probe->models);
	op_prepare(&probe->describe.op, probe->reactor, 0, on_described);
	probe->model->describe(probe->model, &probe->describe);
}

/* ---- what the answers show ---- */

static void print_prose(const struct probe *probe)
{
	const struct generate_call *call = &probe->call;
	long words = words_count(WORDS_NATURAL, buf_str(&probe->text), probe->text.len);
	uint64_t now_ms = probe->reactor->now_ms(probe->reactor);
	double first_s = (double)(call->first_text_ms - call->started_ms) / 1000;
	double writing_s = (double)(now_ms - call->first_text_ms + 1) / 1000;
	double words_per_s = (double)words / writing_s;
	long calls = ESTIMATE_WORDS / SECTION_WORDS + 2;

	printf("  usage in streams: %s\n", call->usage.completion_tokens > 0 ? "yes" : "no");
	if (call->usage.completion_tokens > 0)
		printf("  speed: %.0f tokens/s, %.0f words/s, first text after %.2f s\n",
		       (double)call->usage.completion_tokens / writing_s, words_per_s, first_s);
	else
		printf("  speed: %.0f words/s, first text after %.2f s\n", words_per_s, first_s);
	printf("  estimate for %d words: %ld calls, %.0f s\n", (int)ESTIMATE_WORDS, calls,
	       ceil((double)ESTIMATE_WORDS / words_per_s + (double)calls * first_s));
}

static void print_schema(const struct probe *probe)
{
	json_t *json = json_loadb(buf_str(&probe->text), probe->text.len, 0, NULL);
	bool is_honoured = json_is_array(json_object_get(json, "colours"));

	json_decref(json);
	printf("  JSON by a schema: %s\n", is_honoured ? "honoured" : "not honoured");
}

static void print_continue(const struct probe *probe)
{
	const char *text = buf_str(&probe->text);
	const char *five = strcasestr(text, "five");
	const char *one = strcasestr(text, "one");

	printf("  continues an assistant message: %s\n",
	       five == NULL		  ? "unclear"
	       : one != NULL && one < five ? "no, it begins anew"
					  : "yes");
}

static void print_answer(struct probe *probe, enum err result)
{
	static void (*const prints[QUESTIONS])(const struct probe *probe) = {
		print_prose, print_schema, print_continue
	};
	static const char *const names[QUESTIONS] = { "prose", "JSON by a schema",
						      "continues an assistant message" };

	if (result == OK && probe->text.len > 0) {
		prints[probe->question](probe);
		return;
	}
	printf("  %s: no (%s)\n", names[probe->question],
	       probe->call.message[0] != '\0' ? probe->call.message
	       : result != OK		      ? err_text(result)
					      : "an empty answer");
	if (probe->question != ASK_PROSE)
		return;
	probe->is_failed = true; /* what writes no prose need not be asked further */
	probe->question = QUESTIONS;
}

/* ---- asking ---- */

static void on_text(struct generate_call *call, const char *text, size_t len)
{
	struct probe *probe = container_of(call, struct probe, call);

	if (buf_append(&probe->text, text, len) != OK)
		op_cancel(&call->op, ERR_TOO_LARGE);
}

static void on_reasoning(struct generate_call *call, const char *text, size_t len)
{
	(void)call;
	(void)text;
	(void)len;
}

static void on_generated(struct op *op)
{
	struct generate_call *call = container_of(op, struct generate_call, op);
	struct probe *probe = container_of(call, struct probe, call);

	print_answer(probe, op->result);
	probe->question++;
	go_on(probe);
}

static void ask(struct probe *probe)
{
	const struct question *question = &questions[probe->question];
	const struct backend_options *backend = backend_now(probe);

	json_decref(probe->messages);
	probe->messages = json_pack("[{s:s,s:s}]", "role", "user", "content", question->prompt);
	if (question->begun != NULL && json_array_append_new(probe->messages,
							     json_pack("{s:s,s:s}", "role",
								       "assistant", "content",
								       question->begun)) != 0)
		log_warn("probe_not_begun", "backend=%s", backend->name);
	buf_clear(&probe->text);
	probe->call = (struct generate_call){
		.target = { .backend = backend->name,
			    .model = backend->model != NULL ? backend->model
							    : probe->first_model },
		.messages = probe->messages,
		.schema = question->has_schema ? probe->schema : NULL,
		.is_prefilled = question->begun != NULL,
		.max_tokens = question->max_tokens,
		.sampling = { .temperature = NAN, .top_p = NAN, .frequency_penalty = NAN,
			      .presence_penalty = NAN },
		.request_id = "probe",
		.on_text = on_text,
		.on_reasoning = on_reasoning,
	};
	op_prepare(&probe->call.op, probe->reactor, 0, on_generated);
	probe->model->generate(probe->model, &probe->call);
}

static void run_next(struct deferred *deferred)
{
	struct probe *probe = container_of(deferred, struct probe, next);

	(void)fflush(stdout);
	if (probe->question < QUESTIONS) {
		ask(probe);
	} else if (++probe->backend < probe->options.n_backends) {
		ask_models(probe);
	} else {
		reactor_uv_stop(probe->loop);
	}
}

/* ---- start and end ---- */

static enum err open_probe(struct probe *probe)
{
	struct http_client_options client = { .stream_shards = STREAM_SHARDS,
					      .header_bytes_max = HEADERS_BYTES_MAX };
	enum err err = reactor_uv_new(&probe->loop);

	if (err != OK)
		return err;
	probe->reactor = reactor_uv_base(probe->loop);
	probe->schema = json_loads(colours, 0, NULL);
	err = app_options_init(&probe->options, probe->settings);
	if (err == OK)
		err = http_client_new(probe->loop, &client, &probe->http);
	if (err == OK)
		err = backend_set_new(probe->reactor, probe->http, probe->options.backends,
				      probe->options.n_backends, &probe->set);
	if (err == OK)
		probe->model = backend_set_model(probe->set);
	return err;
}

static void close_probe(struct probe *probe)
{
	json_decref(probe->messages);
	json_decref(probe->schema);
	buf_release(&probe->text);
	buf_release(&probe->models);
	mem_free(probe->first_model);
	backend_set_free(probe->set);
	http_client_free(probe->http);
	reactor_uv_free(probe->loop);
	app_options_release(&probe->options);
}

int app_probe(const struct settings *settings)
{
	struct probe probe = { .settings = settings };
	enum err err;

	log_set_level((enum log_level)settings->log_level);
	buf_init(&probe.text, TEXT_BYTES_MAX);
	buf_init(&probe.models, TEXT_BYTES_MAX);
	err = open_probe(&probe);
	if (err == OK) {
		ask_models(&probe);
		reactor_uv_run(probe.loop);
	} else {
		log_error("probe_failed", "reason=%s", err_text(err));
	}
	close_probe(&probe);
	return err == OK && !probe.is_failed ? 0 : 1;
}
