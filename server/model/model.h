/* model - the port to the models behind us: generate (one call of the long path), forward (a
 * client's request passed through as bytes), describe (what models there are).
 *
 * The real one is backend_set.h; tests have tests/fakes/fake_model. All three are asynchronous by
 * the contract of async/op.h: the caller embeds the call, owns what it points to until done(). */
#ifndef LONGHAND_MODEL_MODEL_H
#define LONGHAND_MODEL_MODEL_H
#include <jansson.h>
#include "async/stream_op.h"
#include "base/buf.h"
#include "base/completion.h"

enum { MODEL_MESSAGE_BYTES_MAX = 512 };

struct model_target { /* where to: by backend name and the model's name there */
	const char *backend;
	const char *model;
	unsigned language; /* of the text: what is learned of a model is kept apart by it */
};

/* One generation, streamed. Results: OK (finish says how), ERR_CANCELED, ERR_TIMEOUT, ERR_REFUSED,
 * ERR_BROKEN, ERR_BUSY (429, 503, open breaker), ERR_UPSTREAM (5xx, an error inside the stream),
 * ERR_REJECTED (4xx: asking again is of no use), ERR_NO_MEMORY. */
struct generate_call {
	struct op op; /* prepared by the caller */

	struct model_target target;
	const json_t *messages; /* borrowed until done() */
	const json_t *schema;	/* response_format.json_schema or NULL */
	bool is_prefilled;	/* continue the last message, the assistant's */
	long max_tokens;	/* 0: none */
	struct sampling sampling;
	const char *request_id;
	const char *authorization; /* the client's line, for a backend without a key; NULL: none */
	/* Pieces as they come; not after a cancel. May cancel. */
	void (*on_text)(struct generate_call *call, const char *text, size_t len);
	void (*on_reasoning)(struct generate_call *call, const char *text, size_t len);

	/* The result, valid in done(). */
	enum finish_reason finish;
	struct usage usage;
	int status;		 /* HTTP; 0: no answer */
	bool is_clients_key;	 /* `authorization` was sent: a 401 is about it */
	uint64_t retry_after_ms; /* 0: not said */
	uint64_t started_ms, first_text_ms; /* reactor time; 0: never */
	char message[MODEL_MESSAGE_BYTES_MAX]; /* of the failure, for people; no prompt text */

	void *provider; /* the model's own */
};

/* A request passed through. Results as http_client's; 4xx and 5xx are answers (OK). */
struct forward_call {
	/* Prepared by the caller; data are the answer's bytes as they come. */
	struct stream_op stream;

	const char *backend;
	const char *method;
	const char *path_and_query; /* behind the backend's base URL: "/chat/completions?x=1" */
	const char *const *headers; /* of the client, to be sent on; NULL at the end */
	struct slice body[3];
	bool is_stream;
	const char *request_id;
	void (*on_head)(struct forward_call *call); /* status and content are known */

	int status;
	bool is_sent; /* some of it may have reached the backend */
	char message[MODEL_MESSAGE_BYTES_MAX]; /* of the failure, for people */
	uint64_t retry_after_ms;	       /* of an open breaker */
	void *provider;
};

/* A model as clients see it. */
struct model_info {
	const char *id;	     /* what clients send */
	const char *backend;
	const char *model;   /* the name at the backend */
	const json_t *raw;   /* the object as the backend listed it; NULL: configured only */
	bool is_long_output; /* writes long texts by itself */
};

/* Asks every backend for its models. done() with what answered: a backend that did not is left out,
 * and counted. */
struct describe_call {
	struct op op;
	const char *authorization; /* as in generate_call; borrowed until done() */
	const struct model_info *models; /* in done(): valid until it returns */
	size_t n_models;
	unsigned backends_failed;
	void *provider;
};

/* What the writing engine should know; filled from configuration and from what calls taught. */
struct model_knowledge {
	long window_tokens;
	bool can_continue, has_schema, is_small, is_long_output;
	double tokens_per_word, habit;
};

struct model {
	void (*generate)(struct model *model, struct generate_call *call);
	void (*forward)(struct model *model, struct forward_call *call);
	void (*describe)(struct model *model, struct describe_call *call);
	/* The header of a forwarded answer; data NULL when absent. Each: raw lines
	 * "Name: value\r\n". */
	struct slice (*forward_head)(struct model *model, const struct forward_call *call);
	void (*know)(struct model *model, const struct model_target *target,
		     struct model_knowledge *ret_knowledge);
	/* What a job measured: habit and tokens per word, learned with a slow average. */
	void (*learn)(struct model *model, const struct model_target *target, double habit,
		      double tokens_per_word);
	/* Resolves a client's model id to backend and model there. */
	void (*resolve)(struct model *model, const char *id, struct model_target *ret_target);
	/* The default model of a backend (NULL: of the default one): the configured one, or the
	 * only one that it listed last. False: not known (ask describe), or it has several. */
	bool (*resolve_default)(struct model *model, const char *backend,
				struct model_target *ret_target);
};
#endif
