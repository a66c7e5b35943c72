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
	/* What clients call it: another backend that has it may stand in. NULL: no other. */
	const char *id;
};

/* What keeps a call from its backend: "backend_limit" (in flight, a minute's requests or tokens,
 * what the backend's headers said), "backend_breaker" (it has failed repeatedly); NULL: nothing. */
struct model_wait {
	const char *what;
	uint64_t since_ms; /* reactor time */
};

struct rate_news;

/* One generation, streamed. Results: OK (finish says how), ERR_CANCELED, ERR_TIMEOUT, ERR_REFUSED,
 * ERR_BROKEN, ERR_BUSY (429, 503, open breaker), ERR_UPSTREAM (5xx, an error inside the stream),
 * ERR_REJECTED (4xx: asking again is of no use), ERR_LIMIT (wait_max_ms was not enough),
 * ERR_NO_MEMORY. */
struct generate_call {
	struct op op; /* prepared by the caller */

	struct model_target target;
	const json_t *messages; /* borrowed until done() */
	const json_t *schema;	/* response_format.json_schema or NULL */
	/* Further members of the request; thinking is then left as it is. NULL: none, and the model
	 * is kept from thinking where its server can. */
	const json_t *members;
	bool is_prefilled;	/* continue the last message, the assistant's */
	long max_tokens;	/* 0: none */
	long prompt_tokens;	/* estimated, for the backend's limit; 0: by its bytes */
	/* A client's own request in another shape: it goes before long texts, and waits so long for
	 * limits (ERR_LIMIT); 0: a long text's. */
	uint64_t wait_max_ms;
	bool is_patient;	/* waits while its backends are left alone, else ERR_BUSY at once */
	const char *avoid;	/* a backend's name: asked when no other can; NULL: none */
	struct sampling sampling;
	const char *request_id;
	const char *authorization; /* the client's line, for a backend without a key; NULL: none */
	/* Status and headers are known; NULL ok. `news`: what they say of limits, until then. */
	void (*on_head)(struct generate_call *call);
	const struct rate_news *news;
	/* Pieces as they come; not after a cancel. May cancel. */
	void (*on_text)(struct generate_call *call, const char *text, size_t len);
	void (*on_reasoning)(struct generate_call *call, const char *text, size_t len);

	/* The result, valid in done(). */
	enum finish_reason finish;
	struct usage usage;
	struct model_wait wait;	 /* at any time */
	const char *backend;	 /* the name of the last one it was sent to; the model's own */
	bool is_left_alone;	 /* ERR_BUSY because all its backends' breakers are open */
	int status;		 /* HTTP; 0: no answer */
	bool is_clients_key;	 /* `authorization` was sent: a 401 is about it */
	uint64_t retry_after_ms; /* 0: not said */
	uint64_t started_ms, first_text_ms; /* reactor time; 0: never */
	char message[MODEL_MESSAGE_BYTES_MAX]; /* of the failure, for people; no prompt text */

	void *provider; /* the model's own */
};

/* A request passed through. Results as http_client's; 4xx and 5xx are answers (OK). ERR_BUSY: the
 * breakers of all backends that have the model are open, or they asked to wait; ERR_LIMIT: their
 * limits let nothing through within wait_max_ms. In both cases the backend has done nothing. */
struct forward_call {
	/* Prepared by the caller; data are the answer's bytes as they come. */
	struct stream_op stream;

	struct model_target target;
	/* The model that body[1] names, a JSON string; replaced where the backend calls it
	 * otherwise. NULL: the body is not looked at. */
	const char *said_model;
	const char *method;
	const char *path_and_query; /* behind the backend's base URL: "/chat/completions?x=1" */
	const char *const *headers; /* of the client, to be sent on; NULL at the end */
	struct slice body[3];
	bool is_stream;
	bool is_unlimited; /* no work for a model: the backend's limits do not count it */
	long tokens;	   /* of prompt and answer, estimated */
	uint64_t wait_max_ms; /* for the backend's limits; 0: for ever */
	const char *request_id;
	void (*on_head)(struct forward_call *call); /* status and content are known */
	const struct rate_news *news; /* as generate_call's */

	int status;
	bool is_sent; /* some of it may have reached the backend */
	char message[MODEL_MESSAGE_BYTES_MAX]; /* of the failure, for people */
	uint64_t retry_after_ms; /* of ERR_BUSY and ERR_LIMIT */
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
